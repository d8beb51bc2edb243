"""What those keep who answer for it all: versions of the register, measures, reviews, accounts, counts of persons, tasks."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from service.db.tables.base import metadata
from service.db.types import Moment, key_text

# The register of processing (PIPL 55, 56) as one policy had it: `body` is JSON (service/oversight/register.py), `digest` the policy's.
register_version = Table(
    "register_version",
    metadata,
    Column("digest", key_text(64), primary_key=True),
    Column("body", Text, nullable=False),
    Column("made_at", Moment, nullable=False),
    info={"kind": "record"},
)

# From when on which of them was served under. A policy that comes back has two rows here, and one above.
register_served = Table(
    "register_served",
    metadata,
    Column("at", Moment, primary_key=True),
    Column("digest", key_text(64), primary_key=True),
    info={"kind": "record"},
)

# A measure that only people can take (PIPL 51): that it was taken, when, and where its document lies.
control_record = Table(
    "control_record",
    metadata,
    Column("control_id", key_text(36), primary_key=True),
    Column("kind", key_text(40), nullable=False),
    Column("title", key_text(200), nullable=False),
    Column("reference", key_text(200), nullable=False),
    Column("digest", key_text(64), nullable=False),
    Column("held_on", key_text(10), nullable=False),
    Column("recorded_by", key_text(80), nullable=False),
    Column("recorded_at", Moment, nullable=False),
    Index(None, "kind", "recorded_at"),
    info={"kind": "record"},
)

# A review of who may do what, with all that the reviewer saw.
access_review = Table(
    "access_review",
    metadata,
    Column("review_id", key_text(36), primary_key=True),
    Column("quarter", key_text(7), nullable=False),
    Column("body", Text, nullable=False),
    Column("digest", key_text(64), nullable=False),
    Column("lines", Integer, nullable=False),
    Column("comment", Text, nullable=False),
    Column("reviewed_by", key_text(80), nullable=False),
    Column("reviewed_at", Moment, nullable=False),
    info={"kind": "record"},
)

# Every account of staff and of services that the log has named, derived from it. `disabled_at` is NULL while its tokens are believed.
account = Table(
    "account",
    metadata,
    Column("account", key_text(80), primary_key=True),
    Column("first_seen", Moment, nullable=False),
    Column("last_seen", Moment, nullable=False),
    Column("enabled_at", Moment),
    Column("disabled_at", Moment),
    Index(None, "disabled_at"),
    info={"kind": "reference"},
)

account_event = Table(
    "account_event",
    metadata,
    Column("account", key_text(80), primary_key=True),
    Column("event_id", key_text(36), primary_key=True),
    Column("step", key_text(10), nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor", key_text(80), nullable=False),
    Column("recorded_at", Moment, nullable=False),
    info={"kind": "record"},
)

# When an account last used what a role of it may: the role itself, an act of it, a purpose. Derived from the log.
grant_use = Table(
    "grant_use",
    metadata,
    Column("account", key_text(80), primary_key=True),
    Column("role", key_text(60), primary_key=True),
    Column("what", key_text(10), primary_key=True),
    Column("name", key_text(60), primary_key=True),
    Column("last_at", Moment, nullable=False),
    info={"kind": "reference"},
)

# How far into the log something derived from it has read.
oversight_mark = Table(
    "oversight_mark",
    metadata,
    Column("name", key_text(20), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("updated_at", Moment, nullable=False),
    info={"kind": "reference"},
)

# How many persons' data there were on a day (PIPL 52; NDR 28).
person_count = Table(
    "person_count",
    metadata,
    Column("day", key_text(10), primary_key=True),
    Column("persons", BigInteger, nullable=False),
    Column("counted_at", Moment, nullable=False),
    info={"kind": "record"},
)

# Something that the law wants done by a day. One of a kind for one occasion, whoever sees the occasion first. `due_on` is NULL where the
# law names no day.
duty = Table(
    "duty",
    metadata,
    Column("kind", key_text(40), primary_key=True),
    Column("occasion", key_text(80), primary_key=True),
    Column("duty_id", key_text(36), nullable=False),
    Column("state", key_text(8), nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("due_on", key_text(10)),
    Column("done_at", Moment),
    Column("done_by", key_text(80), nullable=False),
    Column("reference", key_text(200), nullable=False),
    Index(None, "duty_id"),
    Index(None, "state", "due_on"),
    info={"kind": "reference"},
)

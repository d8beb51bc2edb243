"""Every table, once. The migrations make them; a test compares the two, and holds the definitions to the portability rules.

Portable to Citus, YugabyteDB and CockroachDB (docs/decisions/0004): the primary key of a member-owned table begins with
`member_id`, ids come from the service, nothing is unique across members but the lookup tables keyed by their digest, and there
are no sequences, enums or deferrable constraints. `info["kind"]` says what a table is: `member` (owned by one), `ledger`
(the same,
and append-only: no UPDATE or DELETE is ever granted), `lookup`, `log` (the audit record), `reference` (small, everywhere).
"""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, SmallInteger, Table, Text

from service.db.types import Moment, key_text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)

_BIG = BigInteger().with_variant(Integer, "sqlite")

# --- members -------------------------------------------------------------------------------------------------------------------

# `minor` is 1 for whoever was in an age band of the policy when last written, 2 for a child whose verified guardian has answered, 0 for
# everybody else; NULL where nobody noted it; 3 and 4 as 1 and 2, for who is presumed to be a child whatever birthday was told. Only the
# birthdays of 0 are never opened to decide. `sensitive` is 1 where the sealed map has a sensitive field, and for a child.
# `personalisation` is the member's switch: 0 off, 1 on, NULL never touched.
member = Table(
    "member",
    metadata,
    Column("member_id", key_text(36), primary_key=True),
    Column("status", key_text(20), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("tier", Text),
    Column("points", BigInteger),
    Column("joined_on", key_text(10)),
    Column("tags", Text),
    Column("minor", SmallInteger),
    Column("sensitive", SmallInteger),
    Column("personalisation", SmallInteger),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("version", Integer, nullable=False),
    Index(None, "minor", "member_id"),
    Index(None, "sensitive", "member_id"),
    info={"kind": "member"},
)

member_secret = Table(
    "member_secret",
    metadata,
    Column("member_id", key_text(36), primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False),
    info={"kind": "member"},
)

# `holder` is '' for a field of which every value belongs to one member (so the key refuses a second), and the member's id for one
# that members may share. `proven_at` is when the member last proved that the contact is theirs (LB-05).
member_lookup = Table(
    "member_lookup",
    metadata,
    Column("field", key_text(40), primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("holder", key_text(36), primary_key=True),
    Column("member_id", key_text(36), nullable=False),
    Column("proven_at", Moment),
    Index(None, "member_id"),
    info={"kind": "lookup"},
)

# --- consent -------------------------------------------------------------------------------------------------------------------

consent_event = Table(
    "consent_event",
    metadata,
    Column("member_id", key_text(36), primary_key=True),
    Column("event_id", key_text(36), primary_key=True),
    Column("purpose", key_text(60), nullable=False),
    Column("state", key_text(20), nullable=False),
    Column("recorded_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("notice_version", key_text(40)),
    Column("evidence", Text, nullable=False),
    Column("previous_hash", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Index(None, "event_id"),
    info={"kind": "ledger"},
)

# Derived from consent_event in the same transaction; `permits` is 1 exactly while the state is GIVEN or RENEWED, so that a list
# walks one index of those who said yes.
consent_standing = Table(
    "consent_standing",
    metadata,
    Column("member_id", key_text(36), primary_key=True),
    Column("purpose", key_text(60), primary_key=True),
    Column("state", key_text(20), nullable=False),
    Column("permits", SmallInteger, nullable=False),
    Column("since", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("event_id", key_text(36), nullable=False),
    Column("notice_version", key_text(40)),
    Column("scope", Integer),
    Column("by_guardian", SmallInteger),
    Column("hash", LargeBinary, nullable=False),
    Index(None, "purpose", "permits", "member_id"),
    info={"kind": "member"},
)

# Every time a member was asked, on which channel and by whose wish: what the pause before the next question is counted from (NC-11).
consent_ask = Table(
    "consent_ask",
    metadata,
    Column("member_id", key_text(36), primary_key=True),
    Column("ask_id", key_text(36), primary_key=True),
    Column("purpose", key_text(60), nullable=False),
    Column("channel", key_text(20), nullable=False),
    Column("initiator", key_text(10), nullable=False),
    Column("notice_version", key_text(40), nullable=False),
    Column("asked_at", Moment, nullable=False),
    info={"kind": "ledger"},
)

# --- notices -------------------------------------------------------------------------------------------------------------------

# Which version of a notice a member was shown, and when: what they are still to be told follows from it (NC-10).
notice_told = Table(
    "notice_told",
    metadata,
    Column("member_id", key_text(36), primary_key=True),
    Column("told_id", key_text(36), primary_key=True),
    Column("kind", key_text(10), nullable=False),
    Column("version", key_text(40), nullable=False),
    Column("language", key_text(10), nullable=False),
    Column("channel", key_text(20), nullable=False),
    Column("told_at", Moment, nullable=False),
    info={"kind": "ledger"},
)

# PIPL 18: when nobody need be told, or not yet, on which ground and by whose leave. `reason` holds no personal data.
notice_exemption = Table(
    "notice_exemption",
    metadata,
    Column("exemption_id", key_text(36), primary_key=True),
    Column("ground", key_text(20), nullable=False),
    Column("reason", Text, nullable=False),
    Column("approver", key_text(80), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("closed_at", Moment),
    info={"kind": "reference"},
)

# Whom an exemption concerned; `told_at` is NULL until they were informed afterwards.
notice_untold = Table(
    "notice_untold",
    metadata,
    Column("member_id", key_text(36), primary_key=True),
    Column("exemption_id", key_text(36), primary_key=True),
    Column("created_at", Moment, nullable=False),
    Column("told_at", Moment),
    Index(None, "exemption_id", "told_at"),
    info={"kind": "member"},
)

# --- minors --------------------------------------------------------------------------------------------------------------------

# Who may answer for a child. `member_id` is the child; `state` is PENDING, VERIFIED or ENDED.
guardian_link = Table(
    "guardian_link",
    metadata,
    Column("member_id", key_text(36), primary_key=True),
    Column("guardian_id", key_text(36), primary_key=True),
    Column("state", key_text(10), nullable=False),
    Column("method", key_text(30)),
    Column("requested_at", Moment, nullable=False),
    Column("verified_at", Moment),
    Column("ended_at", Moment),
    Index(None, "guardian_id"),
    info={"kind": "member"},
)

# Leave for one member of staff to see one minor, for a reason, until a moment (MIN 36).
minor_approval = Table(
    "minor_approval",
    metadata,
    Column("member_id", key_text(36), primary_key=True),
    Column("approval_id", key_text(36), primary_key=True),
    Column("staff", key_text(80), nullable=False),
    Column("approver", key_text(80), nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    info={"kind": "ledger"},
)

# What a guardian asked for a child (MIN 34), and what was answered.
guardian_request = Table(
    "guardian_request",
    metadata,
    Column("member_id", key_text(36), primary_key=True),
    Column("request_id", key_text(36), primary_key=True),
    Column("guardian_id", key_text(36), nullable=False),
    Column("kind", key_text(20), nullable=False),
    Column("state", key_text(10), nullable=False),
    Column("reason", Text),
    Column("created_at", Moment, nullable=False),
    Column("due_on", key_text(10), nullable=False),
    Column("decided_at", Moment),
    Column("decided_by", key_text(80)),
    Index(None, "state", "due_on"),
    info={"kind": "member"},
)

# --- personalisation -----------------------------------------------------------------------------------------------------------

# Where each tag of a member came from, once for each source that gave it. The codes stand in member.tags, too, for reading.
member_tag = Table(
    "member_tag",
    metadata,
    Column("member_id", key_text(36), primary_key=True),
    Column("tag", key_text(40), primary_key=True),
    Column("source", key_text(40), primary_key=True),
    Column("source_digest", LargeBinary, nullable=False),
    Column("recorded_at", Moment, nullable=False),
    info={"kind": "member"},
)

# A tag that its member deleted does not come back from the same data (AD-02).
member_tag_refused = Table(
    "member_tag_refused",
    metadata,
    Column("member_id", key_text(36), primary_key=True),
    Column("tag", key_text(40), primary_key=True),
    Column("source_digest", LargeBinary, primary_key=True),
    Column("refused_at", Moment, nullable=False),
    info={"kind": "member"},
)

# --- work ----------------------------------------------------------------------------------------------------------------------

# What is still to be done for a member, and is done though the process dies: telling a recipient of a withdrawal, deleting what no basis
# is left for. `state` is WAITING, DONE, FAILED or CANCELLED_WITHDRAWN. Nothing here says anything of the member but the id.
job = Table(
    "job",
    metadata,
    Column("member_id", key_text(36), primary_key=True),
    Column("job_id", key_text(36), primary_key=True),
    Column("kind", key_text(30), nullable=False),
    Column("purpose", key_text(60), nullable=False),
    Column("recipient", key_text(40), nullable=False),
    Column("event_id", key_text(36), nullable=False),
    Column("state", key_text(20), nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("outcome", key_text(40), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Index(None, "member_id", "event_id"),
    Index(None, "state", "due_at"),
    info={"kind": "member"},
)

# --- once only -----------------------------------------------------------------------------------------------------------------

# A retried mutation finds what its first try did. The key is kept as a keyed digest: callers put strange things into keys.
idempotency = Table(
    "idempotency",
    metadata,
    Column("key_digest", LargeBinary, primary_key=True),
    Column("request_digest", LargeBinary, nullable=False),
    Column("member_id", key_text(36), nullable=False),
    Column("created_at", Moment, nullable=False),
    Index(None, "member_id"),
    info={"kind": "lookup"},
)

# How far an import has come: written in the same transaction as the rows it counts, so a killed import goes on where it stopped.
import_run = Table(
    "import_run",
    metadata,
    Column("import_id", key_text(64), primary_key=True),
    Column("started_at", Moment, nullable=False),
    Column("rows_done", BigInteger, nullable=False),
    Column("members_made", BigInteger, nullable=False),
    Column("rows_rejected", BigInteger, nullable=False),
    Column("rows_duplicate", BigInteger, nullable=False),
    Column("finished_at", Moment),
    info={"kind": "reference"},
)

# --- keys ----------------------------------------------------------------------------------------------------------------------

# `use` says what the key is for (members, lookup, head, ...); each key has one use. `wrapped` opens only through the KMS at
# `kms_uri`.
keyring = Table(
    "keyring",
    metadata,
    Column("key_id", key_text(36), primary_key=True),
    Column("use", key_text(20), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("state", key_text(16), nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("kms_uri", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Index("uq_keyring_use_generation", "use", "generation", unique=True),
    info={"kind": "reference"},
)

# --- the audit log (docs/formats/audit-entry.md)
# ---------------------------------------------------------------------------------

audit_head = Table(
    "audit_head",
    metadata,
    Column("log_id", key_text(255), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("mac", LargeBinary, nullable=False),
    info={"kind": "log"},
)

# `entry` is the authority; the columns beside it are projections for search, compared with it by `audit verify`.
audit_entry = Table(
    "audit_entry",
    metadata,
    Column("idx", _BIG, primary_key=True, autoincrement=False),
    Column("entry_id", key_text(36), nullable=False),
    Column("entry", LargeBinary, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("ts", key_text(27), nullable=False),
    Column("typ", key_text(12), nullable=False),
    Column("dec", key_text(8), nullable=False),
    Column("actor", key_text(80), nullable=False),
    Column("pur", key_text(60), nullable=False),
    Column("req", key_text(64), nullable=False),
    Index(None, "entry_id"),
    Index(None, "ts"),
    info={"kind": "log"},
)

audit_subject = Table(
    "audit_subject",
    metadata,
    Column("sub", key_text(32), primary_key=True),
    Column("idx", _BIG, primary_key=True, autoincrement=False),
    info={"kind": "log"},
)

audit_tile = Table(
    "audit_tile",
    metadata,
    Column("level", SmallInteger, primary_key=True),
    Column("n", _BIG, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
    Column("root", LargeBinary, nullable=False),
    info={"kind": "log"},
)

# A change's entry waits here, written in the change's own transaction, until a writer puts it into the tree.
audit_pending = Table(
    "audit_pending",
    metadata,
    Column("entry_id", key_text(36), primary_key=True),
    Column("writer", key_text(32), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("entry", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False),
    info={"kind": "log"},
)

APPEND_ONLY = ("consent_event", "consent_ask", "notice_told", "minor_approval", "audit_entry", "audit_subject", "audit_tile")
"""No row of these is ever changed or taken away: triggers refuse it on both databases, and the service's role has no
such grant.
"""

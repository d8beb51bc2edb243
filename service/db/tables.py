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
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("version", Integer, nullable=False),
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
# that members may share.
member_lookup = Table(
    "member_lookup",
    metadata,
    Column("field", key_text(40), primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("holder", key_text(36), primary_key=True),
    Column("member_id", key_text(36), nullable=False),
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
    Column("hash", LargeBinary, nullable=False),
    Index(None, "purpose", "permits", "member_id"),
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

APPEND_ONLY = ("consent_event", "audit_entry", "audit_subject", "audit_tile")
"""No row of these is ever changed or taken away: triggers refuse it on both databases, and the service's role has no
such grant.
"""

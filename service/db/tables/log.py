"""The audit log (docs/formats/audit-entry.md)."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, SmallInteger, Table, Text

from service.db.tables.base import BIG, metadata
from service.db.types import Moment, key_text

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
    Column("idx", BIG, primary_key=True, autoincrement=False),
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
    Index(None, "req"),
    info={"kind": "log"},
)

audit_subject = Table(
    "audit_subject",
    metadata,
    Column("sub", key_text(32), primary_key=True),
    Column("idx", BIG, primary_key=True, autoincrement=False),
    Index(None, "idx"),
    info={"kind": "log"},
)

# A word that search asks for, and which entries of a block have it; made from the entries' bytes, behind the writers' backs.
audit_posting = Table(
    "audit_posting",
    metadata,
    Column("term", key_text(100), primary_key=True),
    Column("block", BIG, primary_key=True, autoincrement=False),
    Column("places", LargeBinary, nullable=False),
    Index(None, "block"),
    info={"kind": "log"},
)

# A block that is indexed, and the first and the last moment in it.
audit_block = Table(
    "audit_block",
    metadata,
    Column("block", BIG, primary_key=True, autoincrement=False),
    Column("low", key_text(27), nullable=False),
    Column("high", key_text(27), nullable=False),
    info={"kind": "log"},
)

audit_tile = Table(
    "audit_tile",
    metadata,
    Column("level", SmallInteger, primary_key=True),
    Column("n", BIG, primary_key=True, autoincrement=False),
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

# What was signed: the note holds origin, size and root, the log's signature and every cosignature. A size is signed with one root, once;
# what is added to a row afterwards are the cosignatures.
audit_checkpoint = Table(
    "audit_checkpoint",
    metadata,
    Column("size", BIG, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", Text, nullable=False),
    Column("signed_at", Moment, nullable=False),
    Column("witnessed_at", Moment),
    info={"kind": "log"},
)

# Where the follower was when it last wrote it down: its tree's size and root and the numbers that are due, under the head's MAC.
audit_position = Table(
    "audit_position",
    metadata,
    Column("log_id", key_text(255), primary_key=True),
    Column("state", LargeBinary, nullable=False),
    info={"kind": "log"},
)

# What was deposited outside: an RFC 3161 token, an object in a bucket, a mail. `receipt` is what the other side gave.
audit_anchor = Table(
    "audit_anchor",
    metadata,
    Column("size", BIG, primary_key=True, autoincrement=False),
    Column("kind", key_text(20), primary_key=True),
    Column("at", Moment, primary_key=True),
    Column("receipt", LargeBinary, nullable=False),
    info={"kind": "record"},
)

# What one person asked for and another allowed: once, for a reason, and not for long. `about` is the digest of what exactly may be done,
# `what` its words, where it has any.
approval = Table(
    "approval",
    metadata,
    Column("approval_id", key_text(36), primary_key=True),
    Column("kind", key_text(40), nullable=False),
    Column("about", LargeBinary, nullable=False),
    Column("what", key_text(200), nullable=False),
    Column("reason", key_text(200), nullable=False),
    Column("asked_by", key_text(80), nullable=False),
    Column("asked_at", Moment, nullable=False),
    Column("decision", key_text(12), nullable=False),
    Column("decided_by", key_text(80), nullable=False),
    Column("decided_at", Moment),
    Column("until", Moment, nullable=False),
    Column("used_at", Moment),
    Index(None, "until"),
    info={"kind": "reference"},
)

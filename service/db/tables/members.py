"""The members: rows, wrapped secrets, lookups, tags; and what makes a retried mutation harmless."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, SmallInteger, Table, Text

from service.db.tables.base import metadata
from service.db.types import Moment, key_text

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
# that members may share. `proven_at` is when the member last proved that the contact is theirs (LB-05). `mark` is what suppressions know
# the address by; NULL for what no channel writes to.
member_lookup = Table(
    "member_lookup",
    metadata,
    Column("field", key_text(40), primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("holder", key_text(36), primary_key=True),
    Column("member_id", key_text(36), nullable=False),
    Column("proven_at", Moment),
    Column("mark", LargeBinary),
    Index(None, "member_id"),
    info={"kind": "lookup"},
)

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

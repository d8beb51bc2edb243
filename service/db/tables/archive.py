"""What of the log lies elsewhere (docs/formats/audit-archive.md)."""

from sqlalchemy import BigInteger, Column, LargeBinary, Table

from service.db.tables.base import BIG, metadata
from service.db.types import Moment, key_text

# A segment that was archived: 65,536 entries. While `pruned_at` is set its entries are only in the archive, and only then may rows of the
# log be deleted: triggers see to that on both databases.
audit_segment = Table(
    "audit_segment",
    metadata,
    Column("n", BIG, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("first_ts", key_text(27), nullable=False),
    Column("last_ts", key_text(27), nullable=False),
    Column("uri", key_text(500), nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("archived_at", Moment, nullable=False),
    Column("pruned_at", Moment),
    info={"kind": "log"},
)

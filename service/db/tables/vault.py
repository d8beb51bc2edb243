"""The keyring."""

from sqlalchemy import Column, Index, Integer, LargeBinary, Table, Text

from service.db.tables.base import metadata
from service.db.types import Moment, key_text

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

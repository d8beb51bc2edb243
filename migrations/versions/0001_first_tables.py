"""The first tables: members, consent, keys, the audit log; and the triggers that keep the ledgers append-only."""

import sqlalchemy as sa
from alembic import op

from migrations.ledger import refuse_changes
from service.db.types import Moment, key_text

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_APPEND_ONLY = ("consent_event", "audit_entry", "audit_subject", "audit_tile")


def upgrade() -> None:
    """Make everything."""
    _members()
    _consent()
    _keys()
    _audit()
    for table in _APPEND_ONLY:
        refuse_changes(table)


def _members() -> None:
    op.create_table(
        "member",
        sa.Column("member_id", key_text(36), nullable=False),
        sa.Column("status", key_text(20), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=True),
        sa.Column("points", sa.BigInteger(), nullable=True),
        sa.Column("joined_on", key_text(10), nullable=True),
        sa.Column("tags", sa.Text(), nullable=True),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("updated_at", Moment(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("member_id", name="pk_member"),
    )
    op.create_table(
        "member_secret",
        sa.Column("member_id", key_text(36), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("member_id", "generation", name="pk_member_secret"),
    )
    op.create_table(
        "member_lookup",
        sa.Column("field", key_text(40), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("holder", key_text(36), nullable=False),
        sa.Column("member_id", key_text(36), nullable=False),
        sa.PrimaryKeyConstraint("field", "digest", "generation", "holder", name="pk_member_lookup"),
    )
    op.create_index("ix_member_lookup_member_id", "member_lookup", ["member_id"], unique=False)
    op.create_table(
        "idempotency",
        sa.Column("key_digest", sa.LargeBinary(), nullable=False),
        sa.Column("request_digest", sa.LargeBinary(), nullable=False),
        sa.Column("member_id", key_text(36), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("key_digest", name="pk_idempotency"),
    )
    op.create_index("ix_idempotency_member_id", "idempotency", ["member_id"], unique=False)
    op.create_table(
        "import_run",
        sa.Column("import_id", key_text(64), nullable=False),
        sa.Column("started_at", Moment(), nullable=False),
        sa.Column("rows_done", sa.BigInteger(), nullable=False),
        sa.Column("members_made", sa.BigInteger(), nullable=False),
        sa.Column("rows_rejected", sa.BigInteger(), nullable=False),
        sa.Column("rows_duplicate", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("import_id", name="pk_import_run"),
    )


def _consent() -> None:
    op.create_table(
        "consent_event",
        sa.Column("member_id", key_text(36), nullable=False),
        sa.Column("event_id", key_text(36), nullable=False),
        sa.Column("purpose", key_text(60), nullable=False),
        sa.Column("state", key_text(20), nullable=False),
        sa.Column("recorded_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=True),
        sa.Column("notice_version", key_text(40), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("member_id", "event_id", name="pk_consent_event"),
    )
    op.create_table(
        "consent_standing",
        sa.Column("member_id", key_text(36), nullable=False),
        sa.Column("purpose", key_text(60), nullable=False),
        sa.Column("state", key_text(20), nullable=False),
        sa.Column("permits", sa.SmallInteger(), nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=True),
        sa.Column("event_id", key_text(36), nullable=False),
        sa.Column("notice_version", key_text(40), nullable=True),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("member_id", "purpose", name="pk_consent_standing"),
    )
    op.create_index(
        "ix_consent_standing_purpose_permits_member_id",
        "consent_standing",
        ["purpose", "permits", "member_id"],
        unique=False,
    )


def _keys() -> None:
    op.create_table(
        "keyring",
        sa.Column("key_id", key_text(36), nullable=False),
        sa.Column("use", key_text(20), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("state", key_text(16), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("kms_uri", sa.Text(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", name="pk_keyring"),
    )
    op.create_index("uq_keyring_use_generation", "keyring", ["use", "generation"], unique=True)


def _audit() -> None:
    op.create_table(
        "audit_head",
        sa.Column("log_id", key_text(255), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("log_id", name="pk_audit_head"),
    )
    op.create_table(
        "audit_entry",
        sa.Column("idx", _BIG, autoincrement=False, nullable=False),
        sa.Column("entry_id", key_text(36), nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("ts", key_text(27), nullable=False),
        sa.Column("typ", key_text(12), nullable=False),
        sa.Column("dec", key_text(8), nullable=False),
        sa.Column("actor", key_text(80), nullable=False),
        sa.Column("pur", key_text(60), nullable=False),
        sa.Column("req", key_text(64), nullable=False),
        sa.PrimaryKeyConstraint("idx", name="pk_audit_entry"),
    )
    op.create_index("ix_audit_entry_entry_id", "audit_entry", ["entry_id"], unique=False)
    op.create_index("ix_audit_entry_ts", "audit_entry", ["ts"], unique=False)
    op.create_table(
        "audit_subject",
        sa.Column("sub", key_text(32), nullable=False),
        sa.Column("idx", _BIG, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("sub", "idx", name="pk_audit_subject"),
    )
    op.create_table(
        "audit_tile",
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("n", _BIG, autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "n", name="pk_audit_tile"),
    )
    op.create_table(
        "audit_pending",
        sa.Column("entry_id", key_text(36), nullable=False),
        sa.Column("writer", key_text(32), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name="pk_audit_pending"),
    )

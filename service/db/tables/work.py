"""What is still to be done, and how far something long has come."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table

from service.db.tables.base import metadata
from service.db.types import Moment, key_text

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

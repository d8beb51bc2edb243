"""What was read in a day, counted; and what somebody has to see to."""

from sqlalchemy import Column, Index, Integer, LargeBinary, Table

from service.db.tables.base import metadata
from service.db.types import Moment, key_text

# One row an operator, held while their reading is counted: two pages at one moment are counted one after the other.
tally_operator = Table(
    "tally_operator",
    metadata,
    Column("operator", key_text(80), primary_key=True),
    Column("at", Moment, nullable=False),
    info={"kind": "reference"},
)

# Of whom an operator has read in the last 24 hours. `mark` is the member's pseudonym of the month, as the audit log has it: this table says
# nothing that the log does not, and what is older than a day is deleted.
tally = Table(
    "tally",
    metadata,
    Column("operator", key_text(80), primary_key=True),
    Column("bulk", key_text(20), primary_key=True),
    Column("mark", key_text(32), primary_key=True),
    Column("at", Moment, nullable=False),
    Index(None, "at"),
    info={"kind": "reference"},
)

# Something that somebody has to see to. `slot` is "" while it is not closed, and then its own id: so there is one open row of a kind and
# an object. `due_at` is when it is next told, None when it need not be.
alarm = Table(
    "alarm",
    metadata,
    Column("kind", key_text(40), primary_key=True),
    Column("about", key_text(160), primary_key=True),
    Column("slot", key_text(36), primary_key=True),
    Column("alarm_id", key_text(36), nullable=False),
    Column("state", key_text(12), nullable=False),
    Column("first_at", Moment, nullable=False),
    Column("last_at", Moment, nullable=False),
    Column("count", Integer, nullable=False),
    Column("handled_by", key_text(80), nullable=False),
    Column("handled_at", Moment),
    Column("note", key_text(200), nullable=False),
    Column("due_at", Moment),
    Column("tries", Integer, nullable=False),
    Column("outcome", key_text(40), nullable=False),
    Column("told_at", Moment),
    Index(None, "alarm_id"),
    Index(None, "state", "due_at"),
    info={"kind": "reference"},
)

# Members that nobody has reason to look at. Which ones is sealed: whoever takes the database cannot tell them from the others.
bait = Table(
    "bait",
    metadata,
    Column("bait_id", key_text(36), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("added_by", key_text(80), nullable=False),
    Column("added_at", Moment, nullable=False),
    info={"kind": "reference"},
)

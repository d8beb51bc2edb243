"""What the door knows of the log: hand over an entry, and do not answer before it is durable."""

from collections.abc import Awaitable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from service.audit.entry import Draft
from service.db.engine import Transaction
from service.values import Call


class Ack(StrEnum):
    """What must have happened to an entry before anybody is answered: durable in the tree, under a signed checkpoint, or under one that
    enough witnesses have cosigned.
    """

    COMMITTED = "committed"
    SIGNED = "signed"
    WITNESSED = "witnessed"


class Assurance(Protocol):
    """Whoever knows of checkpoints."""

    async def reached(self, size: int, ack: Ack) -> None:
        """Return when a checkpoint of at least `size` is signed, or witnessed; at once for COMMITTED.

        Raises RecordUnavailable when it is not in time, LogBroken when it never will be.
        """


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where an entry stands: at `index` of a tree that has grown to at least `size`."""

    entry_id: str
    index: int
    size: int


class Journal(Protocol):
    """The log of one deployment, as one process writes it."""

    async def append(self, draft: Draft, call: Call) -> Receipt:
        """Record a read, or a refusal. Returns only when the entry is durable in the tree.

        Raises RecordUnavailable when that cannot be said in time, LogBroken when the log is not what it was, BadInput for a draft
        that no entry can hold. Then nothing may be answered. The entry may be in the log all the same: rather an entry
        without an answer than an answer without an entry.
        """

    async def commit(self, draft: Draft, call: Call, transaction: Transaction) -> Awaitable[Receipt]:
        """Commit `transaction` together with its entry. Give its connection back, and then await what this returns: it ends when the entry
        is in the tree, and before that nothing may be answered.

        Raises whatever the commit raised: then neither is there (after StoreUnavailable: neither or both). What it returns raises
        RecordUnavailable when both are there but the entry has not reached the tree in time; it waits in the database, and any instance
        puts it in.
        """

    async def start(self) -> None:
        """Check the head, and put into the tree what dead instances left waiting. Raises LogBroken or StoreUnavailable."""

    async def close(self) -> None:
        """Write what is still queued and the `stop` entries, as far as the database lets us, and let go of it."""

    def health(self) -> str:
        """ "ok"; "unavailable" while entries cannot be written; "broken" when the log must be examined, until a restart."""

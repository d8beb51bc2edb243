"""What is deposited, with whom, and what came of it. Plain values."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


class Undeposited(Exception):
    """It was not taken, or what was given for it does not hold. `code` says why; nothing of what came is in it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Deposit:
    """A published checkpoint. `note` has the signatures that there are by now; more may be added to it later."""

    origin: str
    size: int
    note: str

    @property
    def text(self) -> str:
        """What the log signed: origin, size and root, which never change for a size."""
        return self.note.partition("\n\n")[0] + "\n"


class Anchor(Protocol):
    """Somebody outside who keeps checkpoints."""

    @property
    def kind(self) -> str:
        """How its receipts are called: `rfc3161`, `folder`, `s3` or `mail`, and `.name` behind it where the settings give one."""

    @property
    def every(self) -> timedelta:
        """How often."""

    async def deposit(self, deposit: Deposit, now: datetime) -> bytes:
        """Leave it there; the receipt, checked. Raises Undeposited, and nothing else that comes from outside."""

    async def close(self) -> None:
        """Let go of connections."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """One row: a checkpoint of `size` was left at `at`."""

    size: int
    kind: str
    at: datetime
    receipt: bytes


@dataclass(slots=True)
class State:
    """How one anchor is. `problem` is a code, empty while its last try went well; `due` is when it is tried again."""

    at: datetime | None = None
    size: int = 0
    problem: str = ""
    pause: timedelta = timedelta(0)
    due: datetime | None = None

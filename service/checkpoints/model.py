"""What is said of checkpoints: who signs, who cosigns, what was published, how far the publisher is. Plain values."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from menshen_verifier.base64 import decoded
from menshen_verifier.checkpoint import Checkpoint
from menshen_verifier.note import Key

Proof = Callable[[int, int], Awaitable[tuple[bytes, ...]]]
"""The proof of consistency from one size of the log to another. Raises ValueError where there is none."""


RootAt = Callable[[int], Awaitable[bytes | None]]
"""The root that this log had at a size; None where what is stored does not suffice for it."""


class SignerAhead(Exception):
    """The signer has signed `size` entries already, and wants the proof that what it is to sign goes on from there."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


class Signer(Protocol):
    """Holds the log's key and signs nothing that does not go on from what it signed before."""

    @property
    def keys(self) -> tuple[Key, ...]:
        """The keys under which it signs, the newest first; one that is being retired is last. Known after `open`."""

    async def open(self) -> int:
        """Make ready; the size that was signed last, 0 for none. Raises ConfigError, KeyUnavailable."""

    async def sign(self, checkpoint: Checkpoint, *, old: int, proof: Sequence[bytes], time: int) -> tuple[str, ...]:
        """Signature lines without line breaks, one for each key. `proof` goes from size `old`; `time` is in seconds since 1970.

        Raises SignerAhead when it signed another size than `old` last, LogBroken when this is not the log that it knows,
        KeyUnavailable when it does not answer.
        """

    async def close(self) -> None:
        """Let go of it."""


class Rotating(Protocol):
    """A signer whose key can be followed by another."""

    @property
    def keys(self) -> tuple[Key, ...]:
        """See `Signer`."""

    async def prepare(self) -> Key:
        """The key that waits to take over. Raises Conflict where none waits and none can be made from here."""

    async def activate(self) -> None:
        """Let it: from now on it signs, and the one before it beside it."""

    async def retire(self) -> None:
        """Destroy the one before it. Raises Conflict where that is not for us to do, or none is being retired."""


@dataclass(frozen=True, slots=True)
class Noted:
    """A checkpoint that was signed. `note` is the text that everybody may have: the log's signatures, and what cosignatures there are."""

    size: int
    root: bytes
    note: str


@dataclass(frozen=True, slots=True)
class Published(Noted):
    """The same as it is stored: since when, and since when enough witnesses have cosigned."""

    signed_at: datetime
    witnessed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Cosigned:
    """What the witnesses said: the lines of those that cosigned, whether they are enough, and by witness what was wrong, as a code."""

    lines: tuple[str, ...]
    enough: bool
    problems: Mapping[str, str] = field(default_factory=dict)


class Cosigners(Protocol):
    """The witnesses of this deployment."""

    @property
    def keys(self) -> tuple[Key, ...]:
        """Under which they cosign."""

    @property
    def parties(self) -> tuple[tuple[Key, ...], ...]:
        """The same, witness by witness: any of one's keys is that witness's word."""

    @property
    def quorum(self) -> int:
        """How many must cosign."""

    async def cosign(self, checkpoint_note: str, *, old: int, proof: Proof) -> Cosigned:
        """Ask all of them. `old` is the size that was cosigned last; `proof` makes another for a witness that knows another size.

        Raises LogBroken where one says that this is not the log that it knows.
        """

    async def seen(self) -> int:
        """The largest size of this log that any of them has seen; 0 where none has."""

    async def check(self, size: int, root_at: RootAt) -> None:
        """Hold a log of `size` entries against what they have seen. Raises LogBroken where one of them has seen more, or another past;
        RecordUnavailable where they must be asked and cannot be.
        """

    async def agree(self, size: int, root_at: RootAt) -> None:
        """The same of a log that lost entries, as far as it goes: whoever has seen more says nothing, any other must know this past."""

    async def close(self) -> None:
        """Let go of the connections."""


@dataclass(slots=True)
class State:
    """How far the publisher of this process is. `breaker` is empty while all is well; `problem` is a code, empty while signing works.

    `tail_since` is when the log was first seen larger than what is signed, None while everything is.
    """

    size: int = 0
    verified: int = 0
    signed: int = 0
    signed_at: datetime | None = None
    cosigned: int = 0
    cosigned_at: datetime | None = None
    tail_since: datetime | None = None
    leading: bool = False
    breaker: str = ""
    problem: str = ""
    witnesses: dict[str, str] = field(default_factory=dict)


def whose(line: str) -> tuple[str, bytes]:
    """The key of a signature line: its name and its id."""
    _, name, blob = line.split(" ", 2)
    return name, decoded(blob)[:4]

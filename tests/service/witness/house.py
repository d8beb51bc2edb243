"""A log in memory that signs whatever it is told to, an honest one or not, and a witness of it on a folder of its own."""

from collections.abc import Sequence
from pathlib import Path

from menshen_verifier import merkle
from menshen_verifier.checkpoint import Checkpoint
from menshen_verifier.consistency import consistency_spans
from menshen_verifier.note import Key, Kind
from service.checkpoints.submission import Submission
from service.hazmat import signing
from service.witness.cosigner import Cosigner, write

ORIGIN = "members.example.cn/audit"
WITNESS = "witness.example.cn/w1"
LOG_SEED, WITNESS_SEED = bytes(range(32)), bytes(range(32, 64))


class Log:
    """Entries, and a key that signs any size of them."""

    def __init__(self, entries: Sequence[bytes], *, origin: str = ORIGIN, seed: bytes = LOG_SEED) -> None:
        self.entries = list(entries)
        self.origin = origin
        self.seed = seed

    @property
    def key(self) -> Key:
        return Key(self.origin, Kind.ED25519, signing.public_key(self.seed))

    def _root(self, first: int, last: int) -> bytes:
        return merkle.root(merkle.extend(0, (), merkle.leaf_hashes(self.entries[first:last])).frontier)

    def checkpoint(self, size: int) -> Checkpoint:
        return Checkpoint(self.origin, size, self._root(0, size))

    def note(self, size: int, *, seed: bytes | None = None) -> str:
        """A signed checkpoint."""
        text = self.checkpoint(size).text
        signed = signing.sign(seed or self.seed, text.encode())
        return f"{text}\n{self.key.line(signed)}\n"

    def proof(self, old: int, new: int) -> tuple[bytes, ...]:
        return tuple(self._root(first, last) for first, last in consistency_spans(old, new))

    def asks(self, old: int, new: int) -> bytes:
        """The body of an honest submission."""
        return Submission(old, self.proof(old, new), self.note(new).encode()).body


def entries(count: int, word: str = "entry") -> list[bytes]:
    return [f"{word} {number}".encode() for number in range(count)]


def settings_file(folder: Path, *logs: Log, more: str = "", listen: str = "127.0.0.1:0") -> Path:
    """A witness's file, with its key beside it."""
    key = folder / "witness.key"
    if not key.exists():
        write(key, Cosigner(WITNESS, WITNESS_SEED))
    tables = "".join(f'[[log]]\nvkeys = ["{log.key.vkey}"]\n' for log in logs)
    path = folder / "witness.toml"
    path.write_text(f'listen = "{listen}"\nkey = "witness.key"\nstore = "store"\n{more}\n{tables}')
    path.chmod(0o600)
    return path

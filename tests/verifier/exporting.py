"""A log made by the service's own scribe, and an export of it, by nothing of the service's exporter: what others must be able to make, too."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from menshen_verifier import merkle, tiles
from menshen_verifier.checkpoint import Checkpoint
from menshen_verifier.note import Key, Kind, cosigned
from menshen_verifier.proof import Proof
from service.audit.entry import Draft
from service.audit.lanes import Scribe
from service.values import Actor, ActorKind, Call

ORIGIN = "members.example.cn/audit"
BEGAN = datetime(2025, 11, 22, 2, 0, tzinfo=UTC)
STEP = timedelta(milliseconds=50)
CALL = Call(Actor(ActorKind.STAFF, "clerk-0017", frozenset({"customer_service_agent"})), "01987f2e-5c1a-7b3e", "192.0.2.7")
FIELDS = ("name", "phone", "email", "birthday", "address")


class Chance:
    """The same noise every time."""

    def __init__(self, seed: bytes = b"") -> None:
        self._seed, self._drawn = seed, 0

    def __call__(self, count: int) -> bytes:
        self._drawn += 1
        return sha256(b"%b %d" % (self._seed, self._drawn)).digest()[:count]


def entries(count: int, *, lanes: int = 2, began: datetime = BEGAN) -> list[bytes]:
    """Boots and reads, some of them with a name that the quick expression does not know."""
    chance = Chance()
    scribe = Scribe(policy="5f" * 32, chance=chance, address_mac=lambda _address, _month: "00112233445566778899aabb")
    open_lanes = [scribe.lane("read") for _ in range(lanes)]
    found: list[bytes] = []
    while len(found) < count:
        lane = open_lanes[len(found) % lanes]
        now = began + STEP * len(found)
        boot = scribe.opening(lane, now)
        entry = boot[0] if boot else scribe.write(lane, lane.next, _draft(chance, len(found)), CALL, now=now)
        lane.next += 1
        found.append(entry.raw)
    return found


def _draft(chance: Chance, n: int) -> Draft:
    somebody = "p1:" + urlsafe_b64encode(chance(16))[:22].decode()
    extra = {"note": "已核对", "n": n} if n % 17 == 0 else {}
    return Draft(
        typ="access",
        operation="member",
        purpose="order_shipping",
        basis="CONTRACT",
        subjects=[somebody],
        fields=FIELDS,
        count=1,
        extra=extra,
    )


@dataclass(frozen=True)
class Signer:
    """A key with its name."""

    name: str
    kind: Kind
    seed: int

    @property
    def private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(bytes([self.seed]) * 32)

    @property
    def key(self) -> Key:
        return Key(self.name, self.kind, self.private.public_key().public_bytes_raw())

    def line(self, text: str, time: int = 0) -> str:
        if self.kind is Kind.ED25519:
            return self.key.line(self.private.sign(text.encode()))
        return self.key.line(time.to_bytes(8, "big") + self.private.sign(cosigned(text.encode(), time)))


LOG = Signer(ORIGIN, Kind.ED25519, 1)
WITNESS = Signer("witness.example.cn/w1", Kind.COSIGNATURE_V1, 2)
SECOND = Signer("witness.example.cn/w2", Kind.COSIGNATURE_V1, 3)
POLICY = f"log {LOG.key.vkey}\nwitness compliance {WITNESS.key.vkey}\nwitness auditor {SECOND.key.vkey}\ngroup both any compliance auditor\nquorum both\n"
ALONE = f"log {LOG.key.vkey}\nquorum none\n"


def seconds(index: int) -> int:
    """When entry `index` was written, rounded up."""
    return int((BEGAN + STEP * index).timestamp()) + 1


def root_of(some: Iterable[bytes]) -> bytes:
    return merkle.root(merkle.extend(0, (), merkle.leaf_hashes(some)).frontier)


def note(
    size: int, root: bytes, *, signers: Sequence[Signer] = (LOG, WITNESS), time: int | None = None, origin: str = ORIGIN
) -> bytes:
    text = Checkpoint(origin, size, root).text
    lines = [one.line(text, seconds(size) if time is None else time) for one in signers]
    return "\n".join([text, *lines, ""]).encode()


@dataclass(frozen=True)
class Log:
    """What is exported. `hashed` are the entries that the tiles are made of, where they are others."""

    entries: list[bytes]
    sizes: tuple[int, ...] = ()
    first: int = 0
    end: int | None = None
    signers: tuple[Signer, ...] = (LOG, WITNESS)
    hashed: list[bytes] | None = None
    notes: dict[int, bytes] = field(default_factory=dict)

    def but(self, **changes: object) -> "Log":
        return replace(self, **changes)  # type: ignore[arg-type]

    @property
    def size(self) -> int:
        return max(self.sizes, default=len(self.entries))

    def note(self, size: int) -> bytes:
        return self.notes.get(size) or note(size, root_of(self.entries[:size]), signers=self.signers)

    def write(self, folder: Path) -> Path:
        """Checkpoints, tiles, bundles, lines, manifest."""
        end = len(self.entries) if self.end is None else self.end
        write(folder / "checkpoint", self.note(self.size))
        for size in self.sizes:
            write(folder / f"checkpoints/{size}", self.note(size))
        write_tiles(folder, merkle.leaf_hashes(self.hashed or self.entries))
        for n, width in tiles.widths(len(self.entries), 0):
            if n * 256 < end and self.first < n * 256 + width:
                write(folder / tiles.bundle_path(n, width), tiles.bundle(self.entries[n * 256 : n * 256 + width]))
        write(folder / "entries.jsonl", b"".join(entry + b"\n" for entry in self.entries[self.first : end]))
        manifest = {"origin": ORIGIN, "size": len(self.entries), "from": self.first, "to": end}
        write(folder / "manifest.json", json.dumps(manifest).encode())
        return folder


def proof_of(index: int, log: Log) -> str:
    leaves = merkle.leaf_hashes(log.entries[: log.size])
    path = [merkle.root(merkle.extend(0, (), leaves[first:last]).frontier) for first, last in merkle.path_spans(index, log.size)]
    return Proof(index, tuple(path), log.entries[index], log.note(log.size).decode()).text


def write_tiles(folder: Path, leaves: list[bytes]) -> None:
    level, row = 0, leaves
    while row:
        for n in range(0, len(row), 256):
            width = min(256, len(row) - n)
            write(folder / tiles.tile_path(level, n // 256, width), b"".join(row[n : n + width]))
        row = [merkle.tile_root(row[n : n + 256]) for n in range(0, len(row) - 255, 256)]
        level += 1


def write(path: Path, raw: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)

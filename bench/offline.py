"""How fast an export is verified offline: `python -m bench.offline [--entries N] [--rounds N] [--checkpoints N]`.

An export of N entries as the service writes them (reads of three fields of a member, each with its own nonce, number and subject),
with a signed checkpoint every so many entries, is put into a folder and verified whole by `menshen-verify`: on one process, then on one a
core, starting included. Printed are entries for each second of the clock and of processor time, the largest memory of any process, and
where one core's time goes. `--folder` and `--policy` name an export of `menshen audit export` or `python -m bench.export` instead.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.audit_verify import draft, scribe
from menshen_verifier import merkle, tiles
from menshen_verifier.bulk import Reader
from menshen_verifier.checkpoint import Checkpoint
from menshen_verifier.note import Key, Kind
from menshen_verifier.verify import cores
from service.audit.entry import Draft
from service.values import Actor, ActorKind, Call

_ORIGIN = "members.example.cn/audit"
_CALL = Call(
    Actor(ActorKind.STAFF, "clerk-0017", frozenset({"customer_service_agent"})),
    "01987f2e-5c1a-7b3e-9f10-2a4b6c8d0e1f",
    "192.0.2.7",
)
_SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(32))
_KEY = Key(_ORIGIN, Kind.ED25519, _SIGNER.public_key().public_bytes_raw())


def _read() -> Draft:
    """A member's name, phone and address, for a parcel: what the service writes thousands of times a day."""
    return replace(draft(), fields=("name", "phone", "address"), withheld=("notes",))


def make(folder: Path, entries: int, every: int) -> int:
    """The export. Returns the bytes of its entries."""
    frontier: tuple[bytes, ...] = ()
    rows: dict[int, list[bytes]] = {}
    done = length = 0
    folder.mkdir()
    with (folder / "entries.jsonl").open("wb") as lines:
        for some in _bundles(entries):
            leaves = merkle.leaf_hashes(some)
            _write(folder / tiles.bundle_path(done // 256, len(some)), tiles.bundle(some))
            lines.write(b"".join(entry + b"\n" for entry in some))
            for size in range(done - done % every + every, done + len(some) + 1, every):
                _write(folder / f"checkpoints/{size}", _note(size, merkle.extend(done, frontier, leaves[: size - done]).frontier))
            frontier = merkle.extend(done, frontier, leaves).frontier
            _tile(folder, rows, 0, leaves)
            done += len(some)
            length += sum(map(len, some))
    _finish(folder, rows)
    _write(folder / "checkpoint", _note(done, frontier))
    return length


def _bundles(entries: int) -> Iterator[list[bytes]]:
    """Entries as the scribe writes them. One in 256 is; the others are it with what differs from read to read put in anew: who asks, from
    where, with which request, about whom.
    """
    hand = scribe()
    lane = hand.lane("read")
    for first in range(0, entries, 256):
        now = datetime.now(UTC)
        opening = [one.raw for one in hand.opening(lane, now)]
        lane.next = first + len(opening)
        model = json.loads(hand.write(lane, lane.next, _read(), _CALL, now=now).raw)
        yield opening + [_another(model, n) for n in range(lane.next, min(first + 256, entries))]
        lane.next = first + 256


def _another(model: dict[str, Any], n: int) -> bytes:
    """The read number `n`: of 800 clerks, each at an address and with a session of their own."""
    clerk = n * 7919 % 800
    actor = {**model["act"], "id": f"clerk-{clerk:04d}", "ip": f"{clerk * 2654435761:024x}", "tok": f"{clerk * 40503:024x}"}
    own = {
        "id": str(UUID(bytes=os.urandom(16))),
        "req": str(UUID(bytes=os.urandom(16))),
        "n": _sixteen(),
        "sub": [f"p1:{_sixteen()}"],
        "s": n,
    }
    return orjson.dumps({**model, **own, "act": actor}, option=orjson.OPT_SORT_KEYS)


def _sixteen() -> str:
    return urlsafe_b64encode(os.urandom(16))[:22].decode()


def _note(size: int, frontier: tuple[bytes, ...]) -> bytes:
    text = Checkpoint(_ORIGIN, size, merkle.root(frontier)).text
    return f"{text}\n{_KEY.line(_SIGNER.sign(text.encode()))}\n".encode()


def _tile(folder: Path, rows: dict[int, list[bytes]], level: int, hashes: list[bytes]) -> None:
    row = rows.setdefault(level, [])
    row += hashes
    if len(row) >= 256:
        n = rows.setdefault(-1 - level, [])
        _write(folder / tiles.tile_path(level, len(n)), b"".join(row))
        n.append(b"")
        _tile(folder, rows, level + 1, [merkle.tile_root(row)])
        row.clear()


def _finish(folder: Path, rows: dict[int, list[bytes]]) -> None:
    for level in [one for one in rows if one >= 0 and rows[one]]:
        _write(folder / tiles.tile_path(level, len(rows.get(-1 - level, [])), len(rows[level])), b"".join(rows[level]))


def _write(path: Path, raw: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)


def measured(folder: Path, processes: int, rounds: int, policy: Path) -> list[dict[str, Any]]:
    """What `menshen-verify` says that it cost, round by round. Raises SystemExit when the export is not found whole.

    It is run as an auditor runs it: this process has the whole service loaded, and the verifier would carry it along.
    """
    words = [
        sys.executable,
        "-m",
        "menshen_verifier",
        str(folder),
        "--policy",
        str(policy),
        "--processes",
        str(processes),
        "--json",
    ]
    found = []
    for _ in range(rounds):
        told = json.loads(subprocess.run(words, capture_output=True, check=False).stdout or "{}")
        if told.get("verdict") != "OK":
            raise SystemExit(f"the export is found {told.get('verdict')}: {told.get('findings', [])[:5]}")
        found.append(told["cost"])
    return found


def shown(cost: list[dict[str, Any]], processes: int) -> str:
    """In three lines: the middle round, and the least and the greatest."""
    clock, core = (sorted(one[name] for one in cost) for name in ("entries_per_second", "entries_per_core_second"))
    most = max(one["peak_rss_bytes"] for one in cost) / (1 << 20)
    return (
        f"  {processes} process(es): {statistics.median(clock):,.0f} entries a second ({clock[0]:,} to {clock[-1]:,});\n"
        f"                {statistics.median(core):,.0f} for each second of a core ({core[0]:,} to {core[-1]:,});\n"
        f"                at most {most:,.0f} MiB in any"
    )


def steps(folder: Path, entries: int) -> list[tuple[str, float]]:
    """What one entry costs in each step, in microseconds, smallest of five."""
    paths = [folder / tiles.bundle_path(n) for n in range(min(entries // 256, 200))]
    raws = [path.read_bytes() for path in paths]
    some = [tiles.parse_bundle(raw) for raw in raws]
    leaves = [merkle.leaf_hashes(one) for one in some]
    reader, lines = Reader(), [b"\n".join([*one, b""]) for one in some]
    count = 256 * len(paths)
    return [
        ("read the files", _cost(lambda: [path.read_bytes() for path in paths], count)),
        ("cut bundles into entries", _cost(lambda: [tiles.parse_bundle(raw) for raw in raws], count)),
        ("hash the bytes (SHA-256 alone)", _cost(lambda: [sha256(entry).digest() for one in some for entry in one], count)),
        ("hash the leaves", _cost(lambda: [merkle.leaf_hashes(one) for one in some], count)),
        ("fold the tree", _cost(lambda: [merkle.extend(0, (), one) for one in leaves], count)),
        ("join lines", _cost(lambda: [b"\n".join([*one, b""]) for one in some], count)),
        ("read the form", _cost(lambda: [reader.read(one, line) for one, line in zip(some, lines, strict=True)], count)),
    ]


def _cost(what: Callable[[], object], count: int) -> float:
    best = float("inf")
    for _ in range(5):
        begun = time.process_time()
        what()
        best = min(best, time.process_time() - begun)
    return best / count * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--checkpoints", type=int, default=1000, help="a checkpoint every so many entries")
    parser.add_argument(
        "--folder", type=Path, help="an export that is there already, with --policy; by default one of the bench's own"
    )
    parser.add_argument("--policy", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="menshen-bench-") as name:
        folder, policy = Path(name) / "export", given.policy or Path(name) / "policy"
        if given.folder is None:
            policy.write_text(f"log {_KEY.vkey}\nquorum none\n")
            length = make(folder, given.entries, given.checkpoints)
            print(f"{given.entries:,} entries of {length / given.entries:.0f} bytes, a checkpoint every {given.checkpoints:,}")
        for processes in sorted({1, cores()}):
            print(shown(measured(given.folder or folder, processes, given.rounds, policy), processes))
        if given.folder is None:
            for step, cost in steps(folder, given.entries):
                print(f"    {cost:5.2f} µs  {step}")


if __name__ == "__main__":
    main()

"""Refused checkpoints that the log did sign, each a file: what somebody takes to the log's owner, or to a court.

A file holds what was sent, byte for byte, and the checkpoint that was cosigned before. It is named after what the log signed, so that the
same one comes in once. Who found one published checkpoint can send it a thousand times, with a thousand wrong proofs: so there are at most
`MOST` of each suspicion a log, and noise of one suspicion leaves no less room for another. That something was not kept is a file, too: what
nobody is told of, an attacker could hide behind a thousand others.
"""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from service import files
from service.checkpoints.submission import parse_submission
from service.errors import StoreUnavailable
from service.values import utc_text
from service.witness.model import Suspicion

_log = logging.getLogger(__name__)

MOST: Final = 1000
_FULL: Final = ".full"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refused submission. `size` is that of the checkpoint which was refused, `known` the note that was cosigned before."""

    at: str
    suspicion: Suspicion
    origin: str
    size: int
    request: str
    known: str


@dataclass(frozen=True, slots=True)
class Full:
    """Of this suspicion of a log there was more than is kept; `at`: since when."""

    at: str
    suspicion: Suspicion
    origin: str


class Evidence:
    """The folder at `path`."""

    def __init__(self, path: Path) -> None:
        """Raises StoreUnavailable where there can be no such folder."""
        self._path = path
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError:
            raise StoreUnavailable("the folder for evidence cannot be made") from None

    def keep(self, refusal: Refusal, signed: str) -> bool:
        """Whether it was kept: not what is there already, and not past the bound, which is then noted down. `signed` is the text that the
        log signed. Durable when this returns. Raises StoreUnavailable.
        """
        origin = _short(refusal.origin)
        name = f"{origin}-{refusal.suspicion}-{refusal.size}-{sha256(signed.encode()).hexdigest()[:32]}.json"
        try:
            if (self._path / name).exists():
                return False
            if sum(1 for _ in self._path.glob(f"{origin}-{refusal.suspicion}-*.json")) >= MOST:
                self._fill(Full(refusal.at, refusal.suspicion, refusal.origin))
                return False
            return files.make(self._path / name, json.dumps(_told(refusal), ensure_ascii=False, indent=1).encode())
        except OSError:
            raise StoreUnavailable("evidence cannot be written") from None

    def _fill(self, full: Full) -> None:
        """Once: however much more comes, the disk takes one file."""
        told = {"at": full.at, "suspicion": full.suspicion, "origin": full.origin}
        if files.make(self._path / f"{_short(full.origin)}-{full.suspicion}{_FULL}", json.dumps(told).encode()):
            _log.error("evidence is full: more of suspicion %s is not kept", full.suspicion)

    def full(self) -> list[Full]:
        """Of what there was more than is kept, the first first. Move the files away, this one with them, and there is room again."""
        found = []
        for path in self._path.glob(f"*{_FULL}"):
            try:
                given = json.loads(path.read_text("utf-8"))
                found.append(Full(**given | {"suspicion": Suspicion(given["suspicion"])}))
            except (OSError, ValueError, TypeError, KeyError):
                continue
        return sorted(found, key=lambda one: (one.at, one.origin, one.suspicion))

    def shown(self, origin: str, size: int) -> list[str]:
        """The notes of this size that were kept before, as they were sent: two roots of one size convict, whoever brought them."""
        found = []
        for path in sorted(self._path.glob(f"{_short(origin)}-*-{size}-*.json")):
            try:
                found.append(parse_submission(json.loads(path.read_text("utf-8"))["request"].encode()).note.decode())
            except (OSError, ValueError, TypeError, KeyError):
                continue
        return found

    def __iter__(self) -> Iterator[tuple[Path, Refusal]]:
        """All of it, the oldest first. A file that somebody else put there is passed over."""
        found = []
        for path in self._path.glob("*.json"):
            try:
                given = json.loads(path.read_text("utf-8"))
                found.append((path, Refusal(**given | {"suspicion": Suspicion(given["suspicion"])})))
            except (OSError, ValueError, TypeError, KeyError):
                continue
        return iter(sorted(found, key=lambda item: item[1].at))


def refused(suspicion: Suspicion, *, at: datetime, origin: str, size: int, request: bytes, known: str) -> Refusal:
    """The refusal of a request that was read as a submission, and so is text."""
    return Refusal(utc_text(at), suspicion, origin, size, request.decode(), known)


def _short(origin: str) -> str:
    return sha256(origin.encode()).hexdigest()[:16]


def _told(refusal: Refusal) -> dict[str, object]:
    return {name: getattr(refusal, name) for name in Refusal.__slots__}

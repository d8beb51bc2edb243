"""Logs that were altered in one way or another, and what the verifier says of them."""

from pathlib import Path

from menshen_verifier.findings import Part, Report, Verdict
from menshen_verifier.policy import parse_policy
from menshen_verifier.verify import verify
from tests.verifier.exporting import POLICY, Log, entries, seconds

ENTRIES = entries(1000)
SIZES = (1, 100, 256, 300, 512, 513, 1000)
WHOLE = Log(ENTRIES, sizes=SIZES)
NOW = seconds(1000)


def verified(folder: Path, *, policy: str = POLICY, now: int = NOW, **given: object) -> Report:
    return verify(folder, parse_policy(policy.encode()), now=now, processes=1, **given)  # type: ignore[arg-type]


def told(report: Report) -> list[tuple[Verdict, Part, int, int]]:
    return [(one.verdict, one.part, one.first, one.last) for one in report.findings]


def changed(entry: bytes) -> bytes:
    return entry.replace(b'"dec":"allow"', b'"dec":"deny","rsn":"NO_BASIS"').replace(b'"rsn":"NO_BASIS","fld"', b'"fld"')


def rewritten(folder: Path, other: list[bytes], *, tiles_too: bool) -> Report:
    """The notes are the whole log's, for whoever altered it has no key."""
    notes = {size: WHOLE.note(size) for size in SIZES}
    log = Log(other, sizes=SIZES, notes=notes, hashed=None if tiles_too else ENTRIES)
    return verified(log.write(folder))

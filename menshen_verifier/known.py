"""Every checkpoint that is known before the replay begins: the export's newest, and what the auditor kept from audits, mails, paper."""

from collections.abc import Iterable
from dataclasses import dataclass

from menshen_verifier.checkpoint import Checkpoint
from menshen_verifier.errors import Forged, Malformed
from menshen_verifier.export import Export
from menshen_verifier.findings import Evidence
from menshen_verifier.policy import Policy


@dataclass(frozen=True, slots=True)
class Known:
    """A checkpoint under the log's key. `times` are those of our witnesses' cosignatures, `seen` the quorum's. `ours` says that the auditor
    brought it.
    """

    checkpoint: Checkpoint
    note: bytes
    times: tuple[int, ...]
    seen: int | None
    witnessed: bool
    ours: bool

    @property
    def evidence(self) -> Evidence:
        """The note as a file."""
        kept = "remembered" if self.ours else "export"
        return Evidence(f"{kept}-{self.checkpoint.size}-{self.checkpoint.root.hex()[:8]}.note", self.note)


def opened(policy: Policy, note: bytes, *, ours: bool) -> Known:
    """Raises Malformed, Forged."""
    found = policy.open(note)
    return Known(found.checkpoint, note, tuple(policy.times(found)), policy.seen(found), policy.witnessed(found), ours)


def of_export(policy: Policy, export: Export, size: int) -> Known | None:
    """The export's own checkpoint of that size, if it has one that the log signed."""
    note = export.note(size)
    try:
        return None if note is None else opened(policy, note, ours=False)
    except (Malformed, Forged):
        return None


def all_of(policy: Policy, newest: bytes, given: Iterable[bytes]) -> list[Known]:
    """The export's newest and those that were given, all of one log. Raises Malformed, Forged."""
    found = [opened(policy, newest, ours=False), *(opened(policy, note, ours=True) for note in given)]
    if len({one.checkpoint.origin for one in found}) > 1:
        raise Malformed("the checkpoints are of different logs")
    return found

"""A checkpoint's note as it is stored: the log's signatures first, then what witnesses added, one line a key."""

from collections.abc import Iterable

from menshen_verifier.checkpoint import Checkpoint
from service.checkpoints.model import whose


def note_of(checkpoint: Checkpoint, lines: Iterable[str]) -> str:
    """The signed note."""
    return checkpoint.text + "\n" + "".join(f"{line}\n" for line in lines)


def cosigned_note(note: str, lines: Iterable[str]) -> str:
    """The note with these lines, each in the place of an older one of the same key."""
    text, _, rest = note.rpartition("\n\n")
    kept = {whose(line): line for line in rest.splitlines()}
    kept |= {whose(line): line for line in lines}
    return text + "\n\n" + "".join(f"{line}\n" for line in kept.values())

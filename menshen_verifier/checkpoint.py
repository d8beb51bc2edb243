"""Checkpoints (C2SP tlog-checkpoint): the name of a log, its size and its root, in the text of a signed note."""

from collections.abc import Iterable
from dataclasses import dataclass

from menshen_verifier.body import Checkpoint, parse_checkpoint
from menshen_verifier.errors import Forged
from menshen_verifier.note import Key, Signed, parse_note, signers

__all__ = ["Checkpoint", "Opened", "open_checkpoint", "parse_checkpoint"]


@dataclass(frozen=True, slots=True)
class Opened:
    """A checkpoint whose signatures were checked: the log's, and those of witnesses that we know."""

    checkpoint: Checkpoint
    signed: tuple[Signed, ...]


def open_checkpoint(raw: bytes, log: Iterable[Key], witnesses: Iterable[Key] = ()) -> Opened:
    """A checkpoint under one of the log's keys. Raises Malformed; Forged where none of them signed, or a known line does not fit."""
    note = parse_note(raw)
    keys = tuple(log)
    signed = signers(note, (*keys, *witnesses))
    if not any(one.key in keys for one in signed):
        raise Forged("checkpoint: not signed by the log")
    return Opened(parse_checkpoint(note.text), signed)

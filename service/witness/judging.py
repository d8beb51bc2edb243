"""Whether a checkpoint is cosigned: the one decision of a witness, in the order in which C2SP tlog-witness asks.

How this can hurt: two requests at once, each true by itself, can together take a log back. So the last step is the store's: it moves on
only from the standing that was judged, and what lost is told to begin again. Signed before, sent after.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from menshen_verifier import merkle
from menshen_verifier.checkpoint import Checkpoint, parse_checkpoint
from menshen_verifier.consistency import check_consistency
from menshen_verifier.errors import Forged, Malformed
from menshen_verifier.note import Key, Note, parse_note, signers
from service.checkpoints.submission import Submission, parse_submission
from service.values import Clock
from service.witness.cosigner import Cosigner
from service.witness.evidence import Evidence, Full, refused
from service.witness.model import Answer, Code, Standing, Suspicion
from service.witness.store import Store


@dataclass(frozen=True, slots=True)
class _Case:
    """One submission that the log signed."""

    raw: bytes
    submission: Submission
    note: Note
    checkpoint: Checkpoint


class Witness:
    """One witness of several logs. Its methods block for as long as a disk takes; they may run in several threads."""

    def __init__(
        self, *, logs: Mapping[str, Sequence[Key]], cosigner: Cosigner, store: Store, evidence: Evidence, clock: Clock
    ) -> None:
        self._logs = logs
        self._cosigner = cosigner
        self._store = store
        self._evidence = evidence
        self._clock = clock

    def submit(self, raw: bytes) -> Answer:
        """Judge one request's body; on COSIGNED it was remembered before this returns. Raises StoreUnavailable, and nothing else."""
        try:
            submission = parse_submission(raw)
            note = parse_note(submission.note)
            checkpoint = parse_checkpoint(note.text)
        except Malformed:
            return Answer(Code.MALFORMED)
        keys = self._logs.get(checkpoint.origin)
        if keys is None:
            return Answer(Code.UNKNOWN_LOG)
        if not _signed(note, keys):
            return Answer(Code.NOT_SIGNED)
        return self._judged(_Case(raw, submission, note, checkpoint))

    def newest(self, origin: str) -> Standing:
        """The newest checkpoint of a log that was cosigned, NOTHING before the first. Raises StoreUnavailable."""
        return self._store.standing(origin)

    def full(self) -> Sequence[Full]:
        """Of what evidence there was more than is kept."""
        return self._evidence.full()

    def _judged(self, case: _Case) -> Answer:
        standing = self._store.standing(case.checkpoint.origin)
        if code := _unfit(case, standing):
            self._suspect(case, standing)
            return Answer(code, size=standing.size)
        lines = self._cosigner.lines(case.checkpoint, self._clock())
        new = Standing(case.checkpoint.size, case.checkpoint.root, self._cosigned(case, lines))
        if self._store.moved(case.checkpoint.origin, standing, new):
            return Answer(Code.COSIGNED, lines)
        return Answer(Code.NOT_FROM_HERE, size=self._store.standing(case.checkpoint.origin).size)

    def _cosigned(self, case: _Case, lines: Sequence[str]) -> str:
        """The note as it is remembered: the log's lines that hold, and ours. Lines of strangers are not passed on."""
        keys = self._logs[case.checkpoint.origin]
        known = {(key.name, key.id): key for key in keys}
        found = {
            (line.name, line.key_id): known[line.name, line.key_id].line(line.blob)
            for line in reversed(case.note.signatures)  # of two lines of one key the first counts: it is the one that was checked
            if (line.name, line.key_id) in known
        }
        return "\n".join((case.note.text, *reversed(found.values()), *lines, ""))

    def _suspect(self, case: _Case, standing: Standing) -> None:
        """Keep what the log should never have signed, or may not have."""
        suspicion, known = self._suspicion(case, standing), standing.note
        if suspicion is not None:
            checkpoint, now = case.checkpoint, self._clock()
            if other := self._parted(checkpoint):
                suspicion, known = Suspicion.FORK, other
            told = refused(suspicion, at=now, origin=checkpoint.origin, size=checkpoint.size, request=case.raw, known=known)
            self._evidence.keep(told, case.note.text)

    def _parted(self, checkpoint: Checkpoint) -> str:
        """A note of the same size that was kept before and has another root, or "": neither need ever have been cosigned. So the noise of
        a stranger, who fills the bound with what the log once published, is what a second history is held against.
        """
        for note in self._evidence.shown(checkpoint.origin, checkpoint.size):
            if parse_checkpoint(parse_note(note.encode()).text).root != checkpoint.root:
                return note
        return ""

    def _suspicion(self, case: _Case, standing: Standing) -> Suspicion | None:
        """None for what an honest log sends: an old checkpoint again, or a new one with a proof from somewhere else."""
        checkpoint = case.checkpoint
        seen = self._store.root_at(checkpoint.origin, checkpoint.size)
        if seen is not None or checkpoint.size == 0:
            return Suspicion.FORK if checkpoint.root != (seen or merkle.EMPTY_ROOT) else None
        if checkpoint.size < standing.size:
            return Suspicion.BEHIND
        return Suspicion.UNPROVEN if case.submission.old == standing.size else None


def _signed(note: Note, keys: Sequence[Key]) -> bool:
    """Whether one of the log's keys signed; none may have a line that does not fit."""
    try:
        return bool(signers(note, keys))
    except Forged:
        return False


def _unfit(case: _Case, standing: Standing) -> Code | None:
    """Why it cannot be cosigned from this standing; None where it can."""
    submission, checkpoint = case.submission, case.checkpoint
    if submission.old > checkpoint.size:
        return Code.OLD_IS_LARGER
    if submission.old != standing.size:
        return Code.NOT_FROM_HERE
    if standing.size == checkpoint.size and standing.root != checkpoint.root:
        return Code.FORKED
    try:
        check_consistency(standing.size, standing.root, checkpoint.size, checkpoint.root, submission.proof)
    except (Malformed, Forged):
        return Code.INCONSISTENT
    return None

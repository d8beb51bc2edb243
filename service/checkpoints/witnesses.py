"""The witnesses of this deployment, asked over HTTP (C2SP tlog-witness): for cosignatures, and at the start for what they remember.

How this can hurt: whoever believes a witness's bare word lets it stop the service, and whoever believes nothing has witnesses for show.
So a cosignature counts under the key that the settings name, and the log counts as broken when a witness shows a checkpoint that it
cosigned, that our own key signed, and that this log does not go on from. Its number alone, or its refusal, is an alarm.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

from menshen_verifier.checkpoint import Checkpoint, parse_checkpoint
from menshen_verifier.consistency import check_consistency
from menshen_verifier.errors import Forged, Malformed
from menshen_verifier.note import Key, Note, parse_note, signers
from service.checkpoints.model import Cosigned, Proof, RootAt
from service.checkpoints.outside import Outside, Said, Silent
from service.checkpoints.submission import Submission
from service.errors import LogBroken, RecordUnavailable

_log = logging.getLogger(__name__)

SECONDS = 5.0
"""For one witness to answer one request."""

GRACE_SECONDS = 0.25
"""For the others, once enough have cosigned: one that hangs must not hold up what waits for its cosignature."""

AHEAD = "AHEAD"
FORGED_ANSWER = "FORGED_ANSWER"
NOT_TRUSTED = "NOT_TRUSTED"
UNKNOWN_LOG = "UNKNOWN_LOG"
REFUSED = "REFUSED"
SLOW = "SLOW"

_TRIES = 4
_CODES = {403: NOT_TRUSTED, 404: UNKNOWN_LOG, 422: REFUSED, 400: REFUSED}


@dataclass(frozen=True, slots=True)
class Witness:
    """Where one listens, and under which keys it cosigns: all of one name."""

    url: str
    keys: tuple[Key, ...]
    outside: Outside = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """Its name in notes, counts and alarms."""
        return self.keys[0].name


class _Shown(NamedTuple):
    """What a witness shows as its newest."""

    checkpoint: Checkpoint
    note: Note


class Witnesses:
    """All of them. See `service.checkpoints.model.Cosigners`."""

    def __init__(
        self, known: Sequence[Witness], *, quorum: int, origin: str, log: Callable[[], tuple[Key, ...]], strict: bool = False
    ) -> None:
        """`log` tells the log's own keys, when there are some; `strict` refuses a start without a quorum that could be asked."""
        self._known = tuple(known)
        self._quorum = quorum
        self._origin = origin
        self._log = log
        self._strict = strict
        self._sizes: dict[str, int] = {}

    @property
    def keys(self) -> tuple[Key, ...]:
        """Under which they cosign."""
        return tuple(key for witness in self._known for key in witness.keys)

    @property
    def parties(self) -> tuple[tuple[Key, ...], ...]:
        """The same, witness by witness: any of one's keys is that witness's word."""
        return tuple(witness.keys for witness in self._known)

    @property
    def quorum(self) -> int:
        """How many must cosign."""
        return self._quorum

    async def close(self) -> None:
        """Let go of the connections."""
        for witness in self._known:
            await witness.outside.close()

    async def cosign(self, checkpoint_note: str, *, old: int, proof: Proof) -> Cosigned:
        """Ask all at once; until enough have cosigned, and a moment more.

        Raises LogBroken where one shows that this is not the log that it knows.
        """
        asked = {
            asyncio.create_task(self._cosigned(witness, checkpoint_note, old, proof)): witness.name for witness in self._known
        }
        try:
            return await self._gathered(asked)
        finally:
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)

    async def seen(self) -> int:
        """The largest size of this log that any witness has cosigned; 0 where none has.

        Raises RecordUnavailable in strict mode when fewer than the quorum could be asked.
        """
        return max((one.size for one in await self._remembered()), default=0)

    async def check(self, size: int, root_at: RootAt) -> None:
        """Hold the log as it is against what the witnesses remember. Raises LogBroken where one of them has seen more, or another past,
        under whatever key of the log; RecordUnavailable as `seen` does.
        """
        remembered = await self._remembered()
        for one in remembered:
            if one.size > size:
                raise LogBroken(f"rolled back: the log has {size} entries, and a witness has seen {one.size}")
        await _agreed(remembered, root_at)

    async def agree(self, size: int, root_at: RootAt) -> None:
        """Hold what is left of a log against what the witnesses remember: one that has seen more hides no other that knows another past.

        Raises as `check`.
        """
        await _agreed([one for one in await self._remembered() if one.size <= size], root_at)

    async def _gathered(self, asked: dict[asyncio.Task[tuple[str, ...]], str]) -> Cosigned:
        lines: list[str] = []
        problems = dict.fromkeys(asked.values(), SLOW)
        waiting, grace, cosigners = set(asked), None, 0
        while waiting:
            done, waiting = await asyncio.wait(waiting, timeout=grace, return_when=asyncio.FIRST_COMPLETED)
            if not done:
                break
            for task in done:
                try:
                    lines += task.result()
                    cosigners += 1
                    del problems[asked[task]]
                except Silent as silent:
                    problems[asked[task]] = silent.code
            grace = GRACE_SECONDS if cosigners >= self._quorum else None
        return Cosigned(tuple(lines), cosigners >= self._quorum, problems)

    async def _cosigned(self, witness: Witness, note: str, old: int, proof: Proof) -> tuple[str, ...]:
        """One witness's lines. Raises Silent with a code, or LogBroken."""
        checkpoint = parse_checkpoint(parse_note(note.encode()).text)
        size = self._sizes.get(witness.name, old)
        for _ in range(_TRIES):
            if size > checkpoint.size:
                break
            body = Submission(size, await proof(size, checkpoint.size), note.encode()).body
            said = await witness.outside.ask("POST", f"{witness.url}/add-checkpoint", body)
            if said.status == 200:
                lines = _lines(witness, checkpoint, note, said)
                self._sizes[witness.name] = checkpoint.size
                return lines
            named = _size(said)
            if named is None or named == size:
                await self._confronted(witness, checkpoint, proof)
                raise Silent(_CODES.get(said.status, REFUSED if said.status == 409 else f"STATUS_{said.status}"))
            self._sizes[witness.name] = size = named
        self._sizes.pop(witness.name, None)
        await self._confronted(witness, checkpoint, proof)
        raise Silent(AHEAD)

    async def _confronted(self, witness: Witness, ours: Checkpoint, proof: Proof) -> None:
        """Whether a refusal means what it may mean: raises LogBroken where what the witness can show, signed by our own key, is not this
        log's past, or future. (Another instance may have had more cosigned in this moment: then the log has that much, and it fits.)
        """
        try:
            shown = await self._shown(witness)
        except Silent:
            return
        if shown is None or not _signed(shown, self._log()):
            return
        first, last = sorted((shown.checkpoint, ours), key=lambda one: one.size)
        try:
            check_consistency(first.size, first.root, last.size, last.root, await proof(first.size, last.size))
        except (Forged, Malformed, ValueError):
            raise LogBroken(f"a witness has cosigned another log of {shown.checkpoint.size} entries under our key") from None

    async def _remembered(self) -> list[Checkpoint]:
        answers = await asyncio.gather(*map(self._asked, self._known))
        asked = [answer for answer in answers if answer is not None]
        if len(asked) < self._quorum:
            _log.warning("too few witnesses could be asked what they have seen")
            if self._strict:
                raise RecordUnavailable("too few witnesses can be asked whether the log has been rolled back")
        return [found for answer in asked for found in answer]

    async def _asked(self, witness: Witness) -> list[Checkpoint] | None:
        """What it has seen, in a list; None where it could not be asked."""
        try:
            shown = await self._shown(witness)
        except Silent:
            return None
        return [] if shown is None else [shown.checkpoint]

    async def _shown(self, witness: Witness) -> _Shown | None:
        """The newest checkpoint that it cosigned; None where there is none, or it shows none. Raises Silent."""
        said = await witness.outside.ask("GET", f"{witness.url}/{sha256(self._origin.encode()).hexdigest()}/checkpoint")
        if said.status == 404:
            return None
        if said.status != 200:
            raise Silent(f"STATUS_{said.status}")
        try:
            note = parse_note(said.body)
            shown = _Shown(parse_checkpoint(note.text), note)
        except Malformed:
            raise Silent(FORGED_ANSWER) from None
        # Without its own signature it says nothing, whatever it says.
        if not _signed(shown, witness.keys) or shown.checkpoint.origin != self._origin:
            raise Silent(FORGED_ANSWER)
        return shown


def _signed(shown: _Shown, keys: tuple[Key, ...]) -> bool:
    try:
        return bool(signers(shown.note, keys))
    except Forged:
        return False


def _size(said: Said) -> int | None:
    """The size that a 409 names."""
    text = said.body.decode("ascii", "replace").removesuffix("\n")
    known = said.status == 409 and said.kind == "text/x.tlog.size" and text.isascii() and text.isdecimal() and len(text) < 20
    return int(text) if known else None


def _lines(witness: Witness, checkpoint: Checkpoint, note: str, said: Said) -> tuple[str, ...]:
    """The signature lines of this witness, checked, in our own writing. Raises Silent."""
    text = parse_note(note.encode()).text
    try:
        answer = parse_note(text.encode() + b"\n" + said.body)
        signed = {one.key for one in signers(answer, witness.keys)}
    except (Malformed, Forged):
        raise Silent(FORGED_ANSWER) from None
    found = {(line.name, line.key_id): line.blob for line in reversed(answer.signatures)}
    lines = tuple(key.line(found[key.name, key.id]) for key in witness.keys if key in signed)
    if not lines or checkpoint.text != answer.text:
        raise Silent(FORGED_ANSWER)
    return lines


async def _agreed(remembered: Iterable[Checkpoint], root_at: RootAt) -> None:
    for one in remembered:
        if await root_at(one.size) != one.root:
            raise LogBroken(f"the first {one.size} entries are not those that a witness has seen")

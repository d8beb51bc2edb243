"""A log that lost what it had let out, and that nobody can give back, is closed; another goes on in its place, in the same database, under
the next name. Its entry 0, `genesis`, holds the last checkpoint of the old one.

What must be true, in numbered steps that the code repeats:

(1) No instance runs (`returning.alone`).
(2) The note names this log and is signed by its key; the database has no newer one that is believed.
(3) The database's head is ours, and its right edge folds to it (`returning.standing`).
(4) Somebody remembers more than there is; and at no size that is here does anybody remember another past. A log that lost nothing is not
    closed, and a fork is not covered up.
(5) What is left lies in a folder, with what waits, and verifies there as a stranger would verify it (`remains.py`).
(6) In one transaction of the tables' owner the record's tables are emptied and the new log begins. Killed before, the old log is as it was.

The members' tables are not touched. What the lost entries told of them is lost with the entries: entry 0 says how many, and where.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from menshen_verifier.errors import Forged, Malformed
from menshen_verifier.policy import Policy, parse_policy
from service.approvals.model import about_of, problem_of, same_person
from service.archive.model import GenesisRefused
from service.archive.remains import Believed, Kept, close, keep, waiting
from service.archive.returning import House, Standing
from service.archive.store import partitions_ahead
from service.audit import grammar
from service.audit.entry import Draft, Entry
from service.audit.head import Authority, Head
from service.audit.inclusion import span_root
from service.audit.lanes import SYSTEM, Scribe
from service.audit.succeeding import succeed
from service.checkpoints.model import Noted
from service.checkpoints.trust import Trust
from service.db.emptying import may_empty
from service.db.engine import Transaction
from service.errors import BadInput, Conflict
from service.values import Call, Clock, Progress, lineage, utc_text

OPERATION = "genesis"
_MOST_NAME = 255
_MOST_NOTE = 20_000
"""Bytes: a note of more, under a dozen post-quantum witnesses, would not fit into an entry; then its digest and the folder have it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants: the newest note of the old log, the new one's name, why, and the other person who wants it. `policy` is whom to
    believe of the old log.
    """

    note: bytes
    policy: bytes
    origin: str
    reason: str
    approver: str


@dataclass(frozen=True, slots=True)
class Loss:
    """Of `known` entries that somebody remembers, the database has `left`. `last` is the newest note's checkpoint; with `witnessed` the
    policy's quorum has seen it.
    """

    left: int
    known: int
    last: Noted
    witnessed: bool

    @property
    def count(self) -> int:
        """How many entries are gone."""
        return self.known - self.left


@dataclass(frozen=True, slots=True)
class Case:
    """What was examined: it can be closed."""

    house: House
    asked: Asked
    at: Standing
    loss: Loss


@dataclass(frozen=True, slots=True)
class Closed:
    """The old log is in a folder, and the new one has begun. `closing` is the digest of the folder's closing."""

    loss: Loss
    kept: Kept
    closing: bytes
    head: Head


Also = Callable[[Transaction], Awaitable[dict[str, str]]]
"""What else is written when the new log begins, in its transaction; what entry 0 says of it."""


def checked(asked: Asked, authority: Authority, *, by: str) -> None:
    """Whether it may be asked for, before anything is looked at. Raises GenesisRefused, BadInput."""
    old, new = lineage(authority.origin), lineage(asked.origin)
    if new.first != old.first or new.number <= old.number or not asked.origin.isprintable() or len(asked.origin) > _MOST_NAME:
        raise GenesisRefused("GENESIS_NAME")
    if not grammar.is_name(asked.approver):
        raise BadInput("--approver: an account's name, 1 to 64 characters")
    if same_person(asked.approver, by):
        raise GenesisRefused("GENESIS_SAME_PERSON")
    kind = "audit.genesis"
    if problem := problem_of(kind=kind, about=about_of(kind, asked.origin), what=asked.origin, reason=asked.reason):
        raise BadInput("--reason: why, in 4 to 200 characters, and nothing of a person's", code=problem)


async def examine(house: House, asked: Asked, at: Standing, *, trust: Trust) -> Case:
    """Steps 2 and 4. Raises GenesisRefused, LogBroken, RecordUnavailable."""
    if not await may_empty(house.database.read):
        raise GenesisRefused("GENESIS_NOT_THE_OWNER")
    last, witnessed = _last(asked, trust)
    seen = house.remembered.read(house.authority)
    for size, root in [(last.size, last.root), *([(seen.size, seen.root)] if seen else [])]:
        if size <= at.head.size and await span_root(house.database.read, 0, size) != root:
            raise GenesisRefused("GENESIS_FORKED", f"size {size}")
    known = max(last.size, house.signed, seen.size if seen else 0, await _witnessed(house, at))
    if known <= at.head.size:
        raise GenesisRefused("GENESIS_NOTHING_LOST")
    return Case(house, asked, at, Loss(at.head.size, known, last, witnessed))


async def kept(case: Case, folder: Path, *, trust: Trust, clock: Clock, progress: Progress) -> Kept:
    """Step 5. Raises GenesisRefused, BadInput."""
    house, last, size = case.house, case.loss.last, case.at.head.size
    point: Noted | None = await trust.newest(house.database.read, cosigned=False)
    if point is not None and point.size > last.size:
        raise GenesisRefused("GENESIS_NOTE_OLD", f"size {point.size}")
    if last.size <= size and (point is None or point.size < last.size):
        point = last
    if point is None:
        raise GenesisRefused("GENESIS_NOTHING_SIGNED")
    believed = Believed(point, case.asked.note, case.asked.policy, int(clock().timestamp()))
    return await keep(house.database, house.authority, case.at.head, folder, believed=believed, progress=progress)


async def begin(case: Case, found: Kept, folder: Path, *, scribe: Scribe, call: Call, clock: Clock, also: Also) -> Closed:
    """Step 6. Raises Conflict where the log does not stand there any more, or something waits that was not kept."""
    house, asked, now = case.house, case.asked, clock()
    old, told = house.authority, _told(case, found)
    person = {"reason": asked.reason, "by": call.actor.name, "approver": asked.approver, "at": utc_text(now)}
    closing = close(folder, {"origin": old.origin, "continued_by": asked.origin, **told, **person, "segments": found.segments})

    async def said(transaction: Transaction) -> list[Entry]:
        """A lane of its own, which says what the log goes on from, and ends."""
        if sha256(b"".join(await waiting(transaction, old))).digest() != found.waiting_digest:
            raise Conflict
        draft, lane = Draft(typ="genesis", operation=OPERATION, count=case.loss.count), scribe.lane("read")
        draft.extra = {"origin": old.origin, **told, "reason": asked.reason, "approver": asked.approver}
        draft.extra |= {"closing": closing.hex(), **_note(asked.note), **await also(transaction)}
        return [scribe.write(lane, 0, draft, call, now=now), scribe.write(lane, 1, Draft(typ="stop"), SYSTEM, now=now)]

    new = Authority(asked.origin, old.mac)
    head = await succeed(house.database, old, new, said, before=case.at.head, ahead=partitions_ahead)
    return Closed(case.loss, found, closing, head)


def _last(asked: Asked, trust: Trust) -> tuple[Noted, bool]:
    """Step 2. The key that signs now signed the newest note, too: whoever brings a policy of their own closes no log with it."""
    try:
        policy: Policy = parse_policy(asked.policy)
        opened = policy.open(asked.note)
    except (Forged, Malformed):
        raise GenesisRefused("GENESIS_NOTE_NOT_SIGNED") from None
    found = opened.checkpoint
    if found.origin != trust.origin:
        raise GenesisRefused("GENESIS_NOTE_OF_ANOTHER_LOG")
    if not trust.signed(asked.note):
        raise GenesisRefused("GENESIS_NOTE_NOT_SIGNED")
    return Noted(found.size, found.root, asked.note.decode()), policy.witnessed(opened)


async def _witnessed(house: House, at: Standing) -> int:
    """What the witnesses have seen. Raises LogBroken where it is another past, at a size that is here."""

    async def root_at(size: int) -> bytes | None:
        return await span_root(house.database.read, 0, size)

    if house.cosigners is None:
        return 0
    await house.cosigners.agree(at.head.size, root_at)
    return await house.cosigners.seen()


def _told(case: Case, kept: Kept) -> dict[str, str | int | bool]:
    """What both the closing and entry 0 say."""
    loss = case.loss
    return {
        "size": loss.last.size,
        "root": loss.last.root.hex(),
        "note_sha256": sha256(case.asked.note).hexdigest(),
        "witnessed": loss.witnessed,
        "known": loss.known,
        "left": loss.left,
        "left_root": case.at.head.root.hex(),
        "left_signed": kept.signed,
        "left_first": kept.first,
        "left_verdict": kept.verdict.value,
        "lost_first": loss.left,
        "lost_last": loss.known - 1,
        "manifest": kept.manifest.hex(),
        "waiting": kept.waiting,
        "waiting_sha256": kept.waiting_digest.hex(),
    }


def _note(note: bytes) -> dict[str, list[str]]:
    """The note itself, in pieces that an entry can hold; joined, they are its text."""
    text, most = note.decode(), grammar.MOST_TEXT
    return {"note": [text[at : at + most] for at in range(0, len(text), most)]} if len(note) <= _MOST_NOTE else {}

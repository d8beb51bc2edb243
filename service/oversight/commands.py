"""What people record, and what the deployment does by itself every day."""

from contextlib import suppress
from datetime import date, datetime

from policies import duties as rules
from policies.clock import day_in_shanghai
from policies.duties import Due, DutyKind
from policies.text import tells_of_somebody
from service.approvals.model import same_person
from service.db.engine import Database, Duplicate
from service.errors import BadInput
from service.oversight import accounts, queries, store
from service.oversight.model import Control, ControlKind, Duty, Persons, SignedReview
from service.unit import Unit

MOST_TEXT = 200
_HEX = frozenset("0123456789abcdef")


async def record_control(unit: Unit, *, kind: ControlKind, title: str, reference: str, digest: str, held_on: date) -> Control:
    """Write down that people took a measure. Raises BadInput."""
    if held_on > day_in_shanghai(unit.now):
        raise BadInput("heldOn: it has not been yet")
    if digest and (len(digest) != 64 or set(digest) - _HEX):
        raise BadInput("digest: SHA-256 in 64 hexadecimal digits, lower case, or nothing")
    said = _said("title", title), _said("reference", reference, empty=True)
    found = Control(unit.new_id(), kind, *said, digest, held_on, _name(unit), unit.now)
    await store.add_control(unit.session, found)
    unit.draft.extra |= {"control": found.control_id, "kind": kind.value}
    unit.draft.count = 1
    return found


async def sign_review(unit: Unit, *, digest: str, comment: str) -> SignedReview:
    """Sign off the review of this quarter, exactly as it was seen. Raises BadInput when it is another by now."""
    review = await queries.access_review(unit)
    if review.digest != digest:
        raise BadInput("digest: the review has changed since it was seen; read it again")
    body = accounts.body_of(review.quarter, review.grants, review.accounts)
    signed = SignedReview(
        unit.new_id(), review.quarter, digest, len(review.grants), _said("comment", comment, empty=True), _name(unit), unit.now
    )
    await store.add_review(unit.session, signed, body)
    unit.draft.extra |= {"quarter": review.quarter, "digest": digest}
    unit.draft.count = 1
    return signed


async def enable(unit: Unit, *, name: str, reason: str) -> None:
    """Open an account again. Raises BadInput where none of that name is closed, or where it is one's own, however it is spelt: nobody lets
    themselves in.
    """
    why = _said("reason", reason)
    if same_person(name.partition(":")[2], unit.call.actor.name):
        raise BadInput("account: somebody else opens one's own")
    if not await store.enable(unit.session, name, now=unit.now):
        raise BadInput("account: no account of this name is closed")
    await _note(unit, name, store.ENABLED, why)
    unit.draft.extra["account"] = name
    unit.draft.count = 1


async def disable_unused(unit: Unit, names: list[str]) -> list[str]:
    """Close those that nobody has used for long; those of them that were closed."""
    before = unit.now - rules.UNUSED
    closed = []
    for name in names:
        if await store.disable(unit.session, name, before=before, now=unit.now):
            await _note(unit, name, store.DISABLED, "UNUSED")
            closed.append(name)
    unit.draft.count = len(closed)
    unit.draft.extra["accounts"] = closed[:_MOST_NAMED]
    return closed


async def complete(unit: Unit, *, duty_id: str, reference: str) -> Duty:
    """Close a task. Raises BadInput where none is open."""
    told = _said("reference", reference)
    today = day_in_shanghai(unit.now)
    if not await store.complete(unit.session, duty_id, by=_name(unit), reference=told, now=unit.now):
        raise BadInput("dutyId: no task of this id is open")
    found = await store.duty_of(unit.session, duty_id, today=today)
    assert found is not None
    unit.draft.extra |= {"duty": duty_id, "kind": found.kind.value}
    unit.draft.count = 1
    return found


async def open_duties(unit: Unit, wanted: list[Due]) -> list[Duty]:
    """Open the tasks that are not there yet. Another instance may be faster: then theirs stand."""
    known = await store.duty_keys(unit.session)
    made = []
    for due in wanted:
        if (due.kind.value, due.occasion) not in known:
            duty = Duty(unit.new_id(), due.kind, due.occasion, unit.now, due.due_on)
            await store.add_duty(unit.session, duty)
            made.append(duty)
    unit.draft.count = len(made)
    unit.draft.extra["kinds"] = sorted({duty.kind.value for duty in made})
    return made


async def count(database: Database, *, now: datetime) -> Persons:
    """Today's number of persons, counted once a day by whoever comes first."""
    today = day_in_shanghai(now)
    newest = await store.newest_count(database.read)
    if newest is not None and newest.day >= today:
        return newest
    found = Persons(today, await store.count_persons(database.read))
    connection = database.own()
    try:
        async with connection.single() as session:
            with suppress(Duplicate):
                await store.add_count(session, found, now=now)
    finally:
        await connection.close()
    return found


async def wanted(database: Database, *, now: datetime) -> list[Due]:
    """The tasks that today asks for and nobody has opened."""
    today = day_in_shanghai(now)
    known = await store.duty_keys(database.read)
    found = list(rules.recurring(today))
    for threshold in rules.THRESHOLDS:
        # The first day with so many, though there be fewer by now: what it brought is not taken back by members who leave.
        reached = await store.first_reached(database.read, threshold.persons)
        if reached is not None:
            found += rules.opened_by(threshold, reached.day)
    if any(kind == DutyKind.OFFICER_FILING.value for kind, _ in known):
        found += await queries.officer_changes(database.read)
    return [due for due in found if (due.kind.value, due.occasion) not in known]


async def serve_under(database: Database, digest: str, body: str, *, now: datetime) -> None:
    """Write down that from now on this policy is served under, unless it is already. Instances that start at once may both do it: two rows
    of one policy in a row mean what one does.
    """
    connection = database.own()
    try:
        async with connection.single() as session:
            if not await store.has_version(session, digest):
                with suppress(Duplicate):
                    await store.add_version(session, digest, body, now=now)
            newest = await store.served_at(session, now)
            if newest is None or newest[1] != digest:
                with suppress(Duplicate):
                    await store.add_served(session, digest, at=now)
    finally:
        await connection.close()


async def _note(unit: Unit, name: str, step: str, reason: str) -> None:
    await store.add_account_event(
        unit.session, event_id=unit.new_id(), name=name, step=step, reason=reason, actor=_name(unit), now=unit.now
    )


_MOST_NAMED = 100


def _name(unit: Unit) -> str:
    actor = unit.call.actor
    return f"{actor.kind.value}:{actor.name}"


def _said(where: str, text: str, *, empty: bool = False) -> str:
    """A text that is kept for good: short, of no person, and nothing that a spreadsheet would run. Raises BadInput."""
    said = text.strip()
    if not said and empty:
        return ""
    if not 1 <= len(said) <= MOST_TEXT:
        raise BadInput(f"{where}: 1 to {MOST_TEXT} characters")
    if tells_of_somebody(said) or said[0] in "=+-@":
        raise BadInput(f"{where}: no personal data and no formula in it")
    return said

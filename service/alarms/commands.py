"""Raise, see to, close. Each is an entry; an alarm that is open is not raised a second time, it counts."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from policies.text import tells_of_somebody
from service.alarms import store
from service.alarms.model import MOST_ABOUT, MOST_NOTE, Alarm, AlarmKind, AlarmState
from service.approvals.model import same_person
from service.db.engine import Session
from service.errors import BadInput, Forbidden, Refused
from service.unit import Unit
from service.values import ActorKind, Chance, new_id


async def raise_alarm(unit: Unit, *, kind: AlarmKind, about: str, codes: Mapping[str, str | int] | None = None) -> str:
    """See to it that somebody hears of it; the alarm's id. `codes` go into the entry: they name no member and quote no value."""
    about = about[:MOST_ABOUT]
    unit.draft.extra |= {"kind": kind.value, "about": about, **(codes or {})}
    found, again = await put(unit.session, kind, about, now=unit.now, chance=unit.chance)
    unit.draft.extra |= {"alarm": found, **({"again": True} if again else {})}
    return found


async def put(session: Session, kind: AlarmKind, about: str, *, now: datetime, chance: Chance) -> tuple[str, bool]:
    """An alarm, without an entry: what is open already is counted once more. Its id, and whether it was open."""
    about = about[:MOST_ABOUT]
    found = await store.again(session, kind, about, now=now)
    if found is not None:
        return found, True
    made = new_id(now, chance)
    await store.add(session, _new(kind, about, made, now=now))
    return made, False


async def acknowledge(unit: Unit, alarm_id: str) -> Alarm:
    """Somebody sees to it: nobody else is told any more. Raises Refused (ALARM_NOT_FOUND, ALARM_CLOSED), Forbidden for a machine."""
    found = await _live(unit, alarm_id)
    return await _handled(unit, replace(found, state=AlarmState.SEEN), found.note)


async def close(unit: Unit, alarm_id: str, *, note: str) -> Alarm:
    """It is over, and why. The next one of its kind is a new alarm. Raises BadInput (REASON_REQUIRED, REASON_PERSONAL), and Refused
    (OWN_ALARM) for whoever it is about: nobody closes what was found of themselves.
    """
    said = note.strip()
    if not said:
        raise BadInput("note: say what came of it", code="REASON_REQUIRED")
    if len(said) > MOST_NOTE or tells_of_somebody(said):
        raise BadInput("note: nobody's personal data, and 200 characters", code="REASON_PERSONAL")
    found = await _live(unit, alarm_id)
    return await _handled(unit, replace(found, state=AlarmState.CLOSED, slot=found.alarm_id), said)


async def settle(unit: Unit, found: Alarm) -> None:
    """Close what is over by itself."""
    held = await store.one(unit.session, found.alarm_id)
    if held is not None and held.state is not AlarmState.CLOSED:
        await _handled(unit, replace(held, state=AlarmState.CLOSED, slot=held.alarm_id), "over")


async def _live(unit: Unit, alarm_id: str) -> Alarm:
    if unit.call.actor.kind is not ActorKind.STAFF:
        raise Forbidden
    found = await store.one(unit.session, alarm_id)
    if found is None:
        raise Refused("ALARM_NOT_FOUND")
    unit.draft.extra |= {"alarm": found.alarm_id, "kind": found.kind.value, "about": found.about}
    if found.state is AlarmState.CLOSED:
        raise Refused("ALARM_CLOSED")
    account = found.account
    if account and same_person(account, unit.call.actor.name):
        raise Refused("OWN_ALARM")
    return found


async def _handled(unit: Unit, found: Alarm, note: str) -> Alarm:
    handled = replace(found, handled_by=unit.call.actor.name, handled_at=unit.now, note=note, due_at=None)
    await store.handle(unit.session, handled)
    unit.draft.extra |= {"alarm": found.alarm_id, "kind": found.kind.value, "about": found.about, "state": found.state.value}
    return handled


def _new(kind: AlarmKind, about: str, alarm_id: str, *, now: datetime) -> Alarm:
    """An alarm as it is when it is raised: open, and due to be told."""
    return Alarm(
        kind=kind,
        about=about,
        slot="",
        alarm_id=alarm_id,
        state=AlarmState.OPEN,
        first_at=now,
        last_at=now,
        count=1,
        handled_by="",
        handled_at=None,
        note="",
        due_at=now,
        tries=0,
        outcome="",
        told_at=None,
    )

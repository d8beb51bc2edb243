"""The verbs of telling: a notice was shown, leave not to show one was given, ended, used."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from policies.terms import MemberStatus
from policies.text import tells_of_somebody
from service.errors import BadInput, outcome_code
from service.members import store as members
from service.members.model import MemberNotFound
from service.notices import model, store
from service.unit import Unit
from service.values import MemberId

T = TypeVar("T")
_REASON = range(4, 501)
"""Characters of a reason: enough to say something, and not so many that somebody tells a member's story."""


async def tell(unit: Unit, member_id: MemberId, *, version: str, language: str, channel: str) -> model.Told:
    """Write down that a member was shown a published version, once for each language. Whoever waited to be informed has been."""
    notice = unit.catalogue.notices[version]
    before = await store.told(unit.session, member_id)
    same = next((fact for fact in before if (fact.version, fact.language) == (version, language)), None)
    if same is not None:
        return model.Told(version, notice.kind, language, same.told_at, again=True)
    fact = model.Told(version, notice.kind, language, unit.now)
    await store.tell(unit.session, member_id, fact, told_id=unit.new_id(), channel=channel)
    await store.informed(unit.session, member_id, unit.now)
    return fact


async def acknowledge(
    unit: Unit, *, member_id: MemberId, version: str, language: str, channel: str
) -> model.Told | model.NoticeRejected | MemberNotFound:
    """The member has read, or was handed, a notice (NC-10). A superseded one informs nobody of what holds now."""
    row = await members.row(unit.session, member_id, lock=True)
    if row is None or row.wrapped is None or row.status is MemberStatus.ERASED:
        return _refused(unit, MemberNotFound())
    keys = unit.vault.member_keys(member_id, row.generation, row.wrapped)
    unit.draft.subjects.append(unit.vault.pseudonym(keys, unit.now))
    unit.draft.count = 1
    rejected = _rejected(unit, version, language)
    if rejected is not None:
        return _refused(unit, rejected)
    unit.draft.extra["notice"] = version
    return await tell(unit, member_id, version=version, language=language, channel=channel)


def _rejected(unit: Unit, version: str, language: str) -> model.NoticeRejected | None:
    notice = unit.catalogue.notices.get(version)
    current = unit.catalogue.notice_in_force(unit.now, notice.kind if notice else model.GENERAL)
    named = current.version if current else ""
    if notice is None:
        return model.NoticeRejected("NOTICE_UNKNOWN", named)
    if language not in notice.digests:
        return model.NoticeRejected("LANGUAGE_UNKNOWN", named)
    if current is not None and notice.effective_at < current.effective_at:
        return model.NoticeRejected("NOTICE_SUPERSEDED", named)
    return None


async def grant(
    unit: Unit, *, ground: model.Ground, reason: str, expires_at: datetime
) -> model.Exemption | model.ExemptionRejected:
    """Leave not to tell, on a ground of PIPL 18, by the caller and until a moment. Raises BadInput for a reason that says nothing or
    holds somebody's data.
    """
    said = reason.strip()
    if len(said) < _REASON.start:
        raise BadInput("reason: say why, in a few words", code="REASON_REQUIRED")
    if len(said) not in _REASON or tells_of_somebody(said):
        raise BadInput(f"reason: up to {_REASON.stop - 1} characters, and nobody's personal data")
    if expires_at <= unit.now:
        return _refused(unit, model.ExemptionRejected("EXPIRY_PAST"))
    if expires_at > unit.now + timedelta(days=model.LONGEST_DAYS[ground]):
        return _refused(unit, model.ExemptionRejected("EXPIRY_TOO_LATE"))
    found = model.Exemption(unit.new_id(), ground.value, said, unit.call.actor.name, unit.now, expires_at)
    await store.grant(unit.session, found)
    unit.draft.extra.update(exemption=found.exemption_id, ground=ground.value)
    return found


async def close(unit: Unit, *, exemption_id: str) -> model.Exemption | model.ExemptionUnknown | model.InformMembersFirst:
    """End an exemption, once everybody who was admitted under it has been informed (PIPL 18(2)). Twice is as good as once."""
    found = await store.exemption(unit.session, exemption_id, closing=True)
    if found is None:
        return _refused(unit, model.ExemptionUnknown())
    unit.draft.extra["exemption"] = found.exemption_id
    if found.closed_at is not None:
        return found
    open_items = await store.owed(unit.session, exemption_id)
    if open_items:
        return _refused(unit, model.InformMembersFirst(open_items))
    await store.close(unit.session, exemption_id, unit.now)
    return replace(found, closed_at=unit.now)


async def excused(unit: Unit, exemption_id: str) -> bool:
    """Whether somebody may be admitted now without having been told (PIPL 18(2)); the exemption then stays until this is over."""
    found = await store.exemption(unit.session, exemption_id)
    return found is not None and found.holds(unit.now)


async def owe(unit: Unit, member_id: MemberId, exemption_id: str) -> None:
    """Somebody was admitted under an exemption: they are to be informed."""
    await store.owe(unit.session, member_id, exemption_id, unit.now)
    unit.draft.extra["exemption"] = exemption_id


def _refused(unit: Unit, outcome: T) -> T:
    unit.draft.deny(outcome_code(outcome))
    return outcome

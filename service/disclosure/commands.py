"""Read a member's fields: decide, open, and write into the entry what left and what did not.

The part of a decision that no member can change is made once (`weigh`); each member then costs one `decide`, one unwrap and one
opening a permitted field. Nothing is opened that will be withheld.
"""

from base64 import b64encode
from collections.abc import Sequence

from policies.decide import Ask as Request
from policies.decide import Permit, Plan, Refusal, decide, weigh
from policies.mask import mask
from policies.terms import Basis, LookupKind, Reason, Shape
from service.disclosure import cursor, store
from service.disclosure.model import Page, Profile, Remedy, Revealed, Withheld
from service.errors import BadInput, Refused
from service.members.commands import default_appid
from service.members.store import UNSEALED
from service.unit import Unit
from service.values import MemberId
from service.vault.normalise import normalise
from service.vault.vault import MemberKeys, Value

PAGE_LIMIT = 100
_FIRST_ID = ""
_CURABLE = frozenset(
    {
        Reason.CONSENT_REQUIRED,
        Reason.CONSENT_WITHDRAWN,
        Reason.CONSENT_EXPIRED,
        Reason.NOTICE_STALE,
        Reason.SEPARATE_CONSENT_REQUIRED,
    }
)
_REASON_AT_LEAST = 4


async def member(unit: Unit, *, member_id: MemberId, purpose: str, fields: Sequence[str]) -> Profile | None:
    """One member by id. None when there is none; withheld fields carry their reasons. Raises Refused (PURPOSE_UNKNOWN)."""
    plan = _plan(unit, purpose, fields)
    if isinstance(plan, Refusal):
        return _nothing(unit, member_id, purpose, fields, plan.reason)
    found = await store.one(unit.session, member_id, purpose)
    if found is None:
        _absent(unit)
        return None
    return _profile(unit, plan, found, fields)


async def me(unit: Unit, *, fields: Sequence[str]) -> Profile | None:
    """The signed-in member reading their own (PIPL 44, 45)."""
    member_id = unit.call.actor.member_id
    if member_id is None:
        raise Refused(Reason.ROLE_NOT_ALLOWED.value)
    return await member(unit, member_id=member_id, purpose=unit.catalogue.self_purpose, fields=fields)


async def by_contact(unit: Unit, *, field: str, value: str, purpose: str, fields: Sequence[str]) -> Profile | None:
    """One member by a contact's exact value.

    None alike for absent, erased and not permitted (SE-05): only the record knows which.
    """
    spec = unit.catalogue.fields.get(field)
    if spec is None or spec.lookup is LookupKind.NONE:
        raise BadInput("field: it cannot be looked up", code="FIELD_NOT_LOOKED_UP")
    normalised = normalise(spec.normaliser, value, appid=default_appid(unit.catalogue))
    plan, contact = _plan(unit, purpose, fields), _plan(unit, purpose, (field,))
    if isinstance(plan, Refusal) or isinstance(contact, Refusal) or not contact.shapes:
        unit.draft.deny(plan.reason.value if isinstance(plan, Refusal) else Reason.FIELD_NOT_IN_PURPOSE.value)
        return None
    found = await store.by_lookup(
        unit.session,
        field=field,
        digest=unit.vault.lookup(field, normalised),
        generation=unit.vault.lookup_generation,
        purpose=purpose,
    )
    if len(found) != 1:
        _absent(unit, "CONTACT_AMBIGUOUS" if found else "NOT_FOUND")
        return None
    profile = _profile(unit, plan, found[0], fields)
    if unit.draft.decision == "deny":
        return None
    if not _holds(unit, contact, found[0], field, normalised):
        _absent(unit, "LOOKUP_BROKEN")
        return None
    return profile


def _holds(unit: Unit, contact: Plan, found: store.Found, field: str, normalised: str) -> bool:
    """Whether the member that a lookup row points to has this very value.

    The row itself proves nothing: who can write to the database can point a phone's digest at somebody else.
    """
    permit = decide(contact, found.standing, unit.now)
    if found.wrapped is None or isinstance(permit, Refusal):
        return False
    keys = unit.vault.member_keys(found.member_id, found.generation, found.wrapped)
    value = unit.vault.open(permit, keys, found.sealed).get(field)
    spec = unit.catalogue.fields[field]
    return value is not None and normalise(spec.normaliser, str(value), appid=default_appid(unit.catalogue)) == normalised


async def page(unit: Unit, *, purpose: str, fields: Sequence[str], first: int, after: str | None, edge_cursors: bool) -> Page:
    """Members whose rows are permitted, in the order of their ids. Raises BadInput (PAGE_SIZE_TOO_LARGE, CURSOR_INVALID)."""
    if not 1 <= first <= PAGE_LIMIT:
        raise BadInput(f"first: between 1 and {PAGE_LIMIT}", code="PAGE_SIZE_TOO_LARGE")
    plan = _plan(unit, purpose, fields)
    if isinstance(plan, Refusal):
        raise Refused(plan.reason.value)
    start = cursor.decode(unit.vault, purpose, after) if after is not None else _FIRST_ID
    consented = plan.purpose.basis is Basis.CONSENT
    found = await store.page(unit.session, purpose=purpose, consented=consented, after=start, size=first + 1, now=unit.now)
    profiles = tuple(_listed(unit, plan, found[:first]))
    unit.draft.count = len(profiles)
    return _page(unit, purpose, profiles, more=len(found) > first, edge_cursors=edge_cursors)


async def reveal(unit: Unit, *, member_id: MemberId, purpose: str, field: str, reason: str) -> Revealed | Withheld | None:
    """One whole value of a field that the purpose shows masked, for a stated reason (SE-03).

    The reason is free text, so it is kept sealed under the member's own key and is lost with it.
    """
    if len(reason.strip()) < _REASON_AT_LEAST:
        raise BadInput("reason: say why, in a few words", code="REASON_REQUIRED")
    plan = _plan(unit, purpose, (field,))
    if isinstance(plan, Refusal):
        return _nothing(unit, member_id, purpose, (field,), plan.reason).withheld[0]
    found = await store.one(unit.session, member_id, purpose)
    if found is None or found.wrapped is None:
        _absent(unit)
        return None
    keys = _keys(unit, found)
    permit = decide(plan, found.standing, unit.now)
    refusals = _refusals(plan, permit, (field,))
    if refusals or isinstance(permit, Refusal):
        withheld = _withheld(unit, plan, refusals)[0]
        unit.draft.deny(withheld.reason.value)
        return withheld
    unit.draft.extra["reason"] = b64encode(unit.vault.seal_note(keys, reason.strip())).decode()
    value = {**found.plain, **unit.vault.open(permit, keys, found.sealed)}.get(field)
    unit.draft.fields = (field,) if value is not None else ()
    unit.draft.count = 1
    return Revealed(member_id, field, value)


def _plan(unit: Unit, purpose: str, fields: Sequence[str]) -> Plan | Refusal:
    for key in fields:
        if key not in unit.catalogue.fields:
            raise BadInput("unknown field", code="FIELD_UNKNOWN")
    actor = unit.call.actor
    plan = weigh(Request(purpose, tuple(fields), actor.roles, actor.purposes), unit.catalogue)
    if isinstance(plan, Refusal) and plan.reason is Reason.PURPOSE_UNKNOWN:
        raise Refused(plan.reason.value)
    return plan


def _nothing(unit: Unit, member_id: MemberId, purpose: str, fields: Sequence[str], reason: Reason) -> Profile:
    """Everything withheld, and the database not even asked: so it looks the same whether the member exists or not."""
    unit.draft.deny(reason.value)
    unit.draft.withheld = tuple(fields)
    return Profile(member_id, {}, frozenset(), tuple(Withheld(key, reason, purpose, None) for key in fields))


def _absent(unit: Unit, reason: str = "NOT_FOUND") -> None:
    unit.draft.deny(reason)
    unit.draft.count = 0


def _profile(unit: Unit, plan: Plan, found: store.Found, fields: Sequence[str]) -> Profile:
    """Decide for one member, open what is permitted, and put both sides into the entry."""
    unit.draft.count = 1
    if found.wrapped is None:
        return _nothing(unit, found.member_id, plan.purpose.key, fields, Reason.ERASED)
    keys = _keys(unit, found)
    permit = decide(plan, found.standing, unit.now)
    refusals = _refusals(plan, permit, fields)
    unit.draft.withheld = tuple(key for key, _ in refusals)
    if isinstance(permit, Refusal):
        unit.draft.deny(permit.reason.value)
        return Profile(found.member_id, {}, frozenset(), _withheld(unit, plan, refusals))
    if found.standing.event_id is not None and plan.purpose.basis is Basis.CONSENT:
        unit.draft.consent = found.standing.event_id
    unit.draft.fields = tuple(permit.shapes)
    masked = _masked(plan)
    values = _values(unit, permit, found, keys=keys, masked=masked)
    return Profile(found.member_id, values, masked, _withheld(unit, plan, refusals))


def _listed(unit: Unit, plan: Plan, found: Sequence[store.Found]) -> list[Profile]:
    """The permitted rows of a page. What does not depend on the member is worked out once."""
    refusals = _withheld(unit, plan, plan.withheld)
    masked = _masked(plan)
    unit.draft.fields = tuple(plan.shapes)
    unit.draft.withheld = tuple(key for key, _ in plan.withheld)
    profiles = []
    for one in found:
        permit = decide(plan, one.standing, unit.now)
        if isinstance(permit, Refusal) or one.wrapped is None:
            continue
        keys = _keys(unit, one)
        profiles.append(Profile(one.member_id, _values(unit, permit, one, keys=keys, masked=masked), masked, refusals))
    return profiles


def _page(unit: Unit, purpose: str, profiles: tuple[Profile, ...], *, more: bool, edge_cursors: bool) -> Page:
    def made(profile: Profile) -> str:
        return cursor.encode(unit.vault, purpose, profile.member_id)

    cursors = tuple(made(profile) for profile in profiles) if edge_cursors else ()
    ends = (made(profiles[0]), made(profiles[-1])) if profiles else (None, None)
    return Page(profiles, cursors, ends[0], ends[1], more)


def _keys(unit: Unit, found: store.Found) -> MemberKeys:
    assert found.wrapped is not None
    keys = unit.vault.member_keys(found.member_id, found.generation, found.wrapped)
    unit.draft.subjects.append(unit.vault.pseudonym(keys, unit.now))
    return keys


def _values(unit: Unit, permit: Permit, found: store.Found, *, keys: MemberKeys, masked: frozenset[str]) -> dict[str, Value]:
    values = unit.vault.open(permit, keys, found.sealed)
    if not permit.shapes.keys().isdisjoint(UNSEALED):
        values.update((key, value) for key, value in found.plain.items() if key in permit.shapes)
    for key in masked:
        if key in values:
            values[key] = mask(unit.catalogue.fields[key].mask, values[key])
    return values


def _masked(plan: Plan) -> frozenset[str]:
    return frozenset(key for key, shape in plan.shapes.items() if shape is Shape.MASKED)


def _refusals(plan: Plan, answer: Permit | Refusal, fields: Sequence[str]) -> tuple[tuple[str, Reason], ...]:
    """Which of the fields asked for are left out, in the order of asking."""
    if isinstance(answer, Permit):
        return plan.withheld
    outside = dict(plan.withheld)
    return tuple((key, outside.get(key, answer.reason)) for key in fields)


def _withheld(unit: Unit, plan: Plan, refusals: Sequence[tuple[str, Reason]]) -> tuple[Withheld, ...]:
    return tuple(Withheld(key, reason, plan.purpose.key, _remedy(unit, reason)) for key, reason in refusals)


def _remedy(unit: Unit, reason: Reason) -> Remedy | None:
    """What the front end can do about it: show the notice in force and ask."""
    if reason not in _CURABLE:
        return None
    notice = unit.catalogue.notice_in_force(unit.now)
    return Remedy("recordConsents", notice.version if notice else None)

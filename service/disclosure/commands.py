"""Read a member's fields: decide, open, and write into the entry what left and what did not.

The part of a decision that no member can change is made once (`weigh`); each member then costs one `decide`, one unwrap and one
opening a permitted field. Nothing is opened that will be withheld.
"""

from base64 import b64encode
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from policies.decide import Ask as Request
from policies.decide import Minority, Permit, Plan, Refusal, Standing, decide, kind_of_notice, shielded, weigh
from policies.mask import mask
from policies.terms import Basis, LookupKind, Purpose, Reason, Shape
from service.disclosure import cursor, store
from service.disclosure.model import Page, Profile, Remedy, Revealed, Withheld
from service.errors import BadInput, Refused
from service.members import age
from service.members.commands import default_appid
from service.members.model import Row as MemberRow
from service.minors import store as minors
from service.unit import Unit
from service.values import ActorKind, MemberId
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
        Reason.GUARDIAN_CONSENT_REQUIRED,
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
    return _profile(unit, plan, await _seen(unit, plan, found), fields)


async def ward(unit: Unit, *, member_id: MemberId, fields: Sequence[str]) -> Profile | None:
    """A child as their verified guardian sees them: what the child would see, before the guardian has answered, too (PIPL 31, 44)."""
    purpose = unit.catalogue.self_purpose
    plan = _plan(unit, purpose, fields)
    if isinstance(plan, Refusal):
        return _nothing(unit, member_id, purpose, fields, plan.reason)
    found = await store.one(unit.session, member_id, purpose)
    if found is None:
        _absent(unit)
        return None
    row, standing = found
    return _profile(unit, plan, (replace(row, guarded=True), standing), fields)


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
    one = await _seen(unit, plan, found[0])
    profile = _profile(unit, plan, one, fields)
    if unit.draft.decision == "deny":
        return None
    if not _holds(unit, contact, one, field, normalised):
        _absent(unit, "LOOKUP_BROKEN")
        return None
    return profile


def _holds(unit: Unit, contact: Plan, found: store.Found, field: str, normalised: str) -> bool:
    """Whether the member that a lookup row points to has this very value.

    The row itself proves nothing: who can write to the database can point a phone's digest at somebody else.
    """
    row = found[0]
    if row.wrapped is None:
        return False
    keys = unit.vault.member_keys(row.member_id, row.generation, row.wrapped)
    permit = _judged(unit, contact, found, keys)
    if isinstance(permit, Refusal):
        return False
    value = unit.vault.open(permit, keys, row.sealed).get(field)
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
    least_scope = plan.purpose.least_scope if plan.purpose.basis is Basis.CONSENT else None
    found = await store.page(
        unit.session,
        purpose=purpose,
        least_scope=least_scope,
        automated=plan.purpose.automated_decision,
        after=start,
        size=first + 1,
        now=unit.now,
    )
    shown = found[:first]
    profiles = tuple(_listed(unit, plan, await _approved(unit, plan, shown)))
    unit.draft.count = len(profiles)

    def made(member_id: MemberId) -> str:
        return cursor.encode(unit.vault, purpose, member_id)

    cursors = tuple(made(profile.member_id) for profile in profiles) if edge_cursors else ()
    # From the rows that were looked at: where the last of them are minors' and left out, the next page must still begin behind them.
    ends = (made(shown[0][0].member_id), made(shown[-1][0].member_id)) if shown else (None, None)
    return Page(profiles, cursors, ends[0], ends[1], len(found) > first)


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
    if found is None or found[0].wrapped is None:
        _absent(unit)
        return None
    found = await _seen(unit, plan, found)
    row = found[0]
    keys = _keys(unit, row)
    standing = _aged(unit, found, keys)
    age.note(unit, standing.minority)
    permit = decide(plan, standing, unit.now)
    if plan.staff and shielded(standing) and isinstance(permit, Permit):
        # A whole value of a minor is for whoever has an approval that names them (MIN 36).
        permit = Refusal(Reason.APPROVAL_REQUIRED)
    refusals = _refusals(plan, permit, (field,))
    if refusals or isinstance(permit, Refusal):
        withheld = _withheld(unit, plan, refusals, standing.minority)[0]
        unit.draft.deny(withheld.reason.value)
        return withheld
    unit.draft.extra["reason"] = b64encode(unit.vault.seal_note(keys, reason.strip())).decode()
    value = {**row.plain, **unit.vault.open(permit, keys, row.sealed)}.get(field)
    unit.draft.fields = (field,) if value is not None else ()
    unit.draft.count = 1
    return Revealed(member_id, field, value)


def _plan(unit: Unit, purpose: str, fields: Sequence[str]) -> Plan | Refusal:
    for key in fields:
        if key not in unit.catalogue.fields:
            raise BadInput("unknown field", code="FIELD_UNKNOWN")
    actor = unit.call.actor
    asked = Request(purpose, tuple(fields), actor.roles, actor.purposes, staff=actor.kind is ActorKind.STAFF)
    plan = weigh(asked, unit.catalogue)
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
    row, standing = found
    unit.draft.count = 1
    if row.wrapped is None:
        return _nothing(unit, row.member_id, plan.purpose.key, fields, Reason.ERASED)
    keys = _keys(unit, row)
    standing = _aged(unit, found, keys)
    age.note(unit, standing.minority)
    permit = decide(plan, standing, unit.now)
    refusals = _refusals(plan, permit, fields)
    unit.draft.withheld = tuple(key for key, _ in refusals)
    if isinstance(permit, Refusal):
        unit.draft.deny(permit.reason.value)
        return Profile(row.member_id, {}, frozenset(), _withheld(unit, plan, refusals, standing.minority))
    if standing.event_id is not None and plan.purpose.basis is Basis.CONSENT:
        unit.draft.consent = standing.event_id
    unit.draft.fields = tuple(permit.shapes)
    values = _values(unit, permit, keys, row)
    return Profile(row.member_id, values, _masked(permit), _withheld(unit, plan, refusals, standing.minority))


def _listed(unit: Unit, plan: Plan, found: Sequence[store.Found]) -> list[Profile]:
    """The permitted rows of a page. What does not depend on the member is worked out once."""
    refusals = _withheld(unit, plan, plan.withheld)
    masked = frozenset(key for key, shape in plan.shapes.items() if shape is Shape.MASKED)
    profiles: list[Profile] = []
    left: set[str] = set()
    bands: Counter[str] = Counter()
    for row, standing in found:
        if row.wrapped is None:
            continue
        keys = unit.vault.member_keys(row.member_id, row.generation, row.wrapped)
        aged = _aged(unit, (row, standing), keys)
        permit = decide(plan, aged, unit.now)
        if isinstance(permit, Refusal):
            continue
        if aged.minority is not None and aged.minority.band is not None:
            bands[aged.minority.band.key] += 1
        unit.draft.subjects.append(unit.vault.pseudonym(keys, unit.now))
        left.update(permit.shapes)
        values = _values(unit, permit, keys, row)
        if permit.shapes is plan.shapes:
            profiles.append(Profile(row.member_id, values, masked, refusals))
        else:
            own = _withheld(unit, plan, _refusals(plan, permit, ()), aged.minority)
            profiles.append(Profile(row.member_id, values, _masked(permit), own))
    unit.draft.fields = tuple(key for key in plan.shapes if key in left)
    unit.draft.withheld = tuple(key for key, _ in plan.withheld)
    if bands:
        unit.draft.extra[age.BANDS] = [f"{band}:{count}" for band, count in sorted(bands.items())]
    return profiles


async def _seen(unit: Unit, plan: Plan, found: store.Found) -> store.Found:
    """With the approval under which this member of staff may see a minor, if there is one; it is named in the entry."""
    (approved,) = await _approved(unit, plan, [found])
    if approved[1].approval:
        unit.draft.extra["approval"] = approved[1].approval
    return approved


async def _approved(unit: Unit, plan: Plan, found: Sequence[store.Found]) -> Sequence[store.Found]:
    """These members with the approvals that the caller has for the minors among them: one statement, and none where nobody is one."""
    minor = [row.member_id for row, _ in found if row.minor is not False] if plan.staff else []
    if not minor:
        return found
    named = await minors.approvals(unit.session, staff=unit.call.actor.name, first=min(minor), last=max(minor), now=unit.now)
    return [(row, replace(standing, approval=named.get(row.member_id, ""))) for row, standing in found]


def _judged(unit: Unit, plan: Plan, found: store.Found, keys: MemberKeys) -> Permit | Refusal:
    """The decision over one member, at this moment."""
    return decide(plan, _aged(unit, found, keys), unit.now)


def _aged(unit: Unit, found: store.Found, keys: MemberKeys) -> Standing:
    """What is known of one member, with the age that they are at this moment."""
    row, standing = found
    return standing if row.minor is False else replace(standing, minority=age.minority(unit, keys, row))


def _keys(unit: Unit, row: MemberRow) -> MemberKeys:
    assert row.wrapped is not None
    keys = unit.vault.member_keys(row.member_id, row.generation, row.wrapped)
    unit.draft.subjects.append(unit.vault.pseudonym(keys, unit.now))
    return keys


def _values(unit: Unit, permit: Permit, keys: MemberKeys, row: MemberRow) -> dict[str, Value]:
    values = unit.vault.open(permit, keys, row.sealed)
    for key, value in row.plain.items():
        if key in permit.shapes:
            values[key] = value
    for key, shape in permit.shapes.items():
        if shape is Shape.MASKED and key in values:
            values[key] = mask(unit.catalogue.fields[key].mask, values[key])
    return values


def _masked(permit: Permit) -> frozenset[str]:
    return frozenset(key for key, shape in permit.shapes.items() if shape is Shape.MASKED)


def _refusals(plan: Plan, answer: Permit | Refusal, fields: Sequence[str]) -> tuple[tuple[str, Reason], ...]:
    """Which of the fields asked for are left out, in the order of asking."""
    if isinstance(answer, Permit):
        return (*plan.withheld, *((key, Reason.NOTICE_STALE) for key in answer.stale))
    outside = dict(plan.withheld)
    return tuple((key, outside.get(key, answer.reason)) for key in fields)


def _withheld(
    unit: Unit, plan: Plan, refusals: Sequence[tuple[str, Reason]], minority: Minority | None = None
) -> tuple[Withheld, ...]:
    purpose = plan.purpose
    return tuple(Withheld(key, reason, purpose.key, _remedy(unit, reason, purpose, minority)) for key, reason in refusals)


def _remedy(unit: Unit, reason: Reason, purpose: Purpose, minority: Minority | None) -> Remedy | None:
    """What the front end can do about it: show the notice in force, ask, and write the answer down. For a child without a guardian
    somebody must first say that they are one.
    """
    if reason not in _CURABLE:
        return None
    guarded = minority is not None and minority.guarded
    first = reason is Reason.GUARDIAN_CONSENT_REQUIRED and not guarded
    kind = "CHILD" if first else kind_of_notice(minority, purpose)
    notice = unit.catalogue.notice_in_force(unit.now, kind)
    return Remedy("requestGuardianLink" if first else "recordConsents", notice.version if notice else None, purpose.key)

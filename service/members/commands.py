"""The verbs over a member's own data: admit, update."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from policies.clock import age_on, day_in_shanghai
from policies.consent import AgeBand
from policies.decide import Ask, Minority, Plan, Refusal, weigh
from policies.terms import TAGS, Catalogue, LookupKind, MemberStatus, Reason
from service.errors import BadInput, Refused, outcome_code
from service.members import age, model, store
from service.members.tags import writing as tags
from service.members.tags.model import codes_of
from service.unit import Unit
from service.values import ActorKind, Call, MemberId
from service.vault.normalise import normalise
from service.vault.vault import Value

Problem = model.FieldNotInPurpose | model.FieldRejected | model.ContactTaken


@dataclass(frozen=True, slots=True)
class Prepared:
    """Values that have passed every rule, split into what is sealed and what is not."""

    sealed: Mapping[str, Value]
    plain: Mapping[str, Value]
    lookups: tuple[model.Lookup, ...]


async def prepare(
    unit: Unit, *, purpose: str, fields: Mapping[str, object], with_consents: Sequence[str] = ()
) -> Prepared | Problem:
    """Check what somebody wants to store: inside the purpose (LB-02) and of the right form. Whose identity it is tells `taken`.

    A field may also come with the consent that covers it: `with_consents` are the purposes to which the member says yes in the same
    request.
    """
    outside = _outside(unit, purpose, tuple(fields))
    outside = tuple(key for key in outside if not _covered(unit, key, with_consents))
    if outside:
        return model.FieldNotInPurpose(purpose, outside)
    values = _parse(unit, fields)
    if isinstance(values, model.FieldRejected):
        return values
    lookups = _lookups(unit, values)
    if isinstance(lookups, model.FieldRejected):
        return lookups
    sealed = {key: value for key, value in values.items() if unit.catalogue.fields[key].sealed}
    plain = {key: value for key, value in values.items() if key not in sealed}
    return Prepared(sealed, plain, lookups)


async def taken(unit: Unit, prepared: Prepared, *, of: MemberId | None, proven: str = "") -> model.ContactTaken | None:
    """Somebody else's identity among these values. It is the last thing to be asked, and of the `proven` contact the very last: where
    that is the answer, nothing else stands in the way. `of` is the member whose values these are, None for one that does not exist yet.
    """
    for lookup in sorted(prepared.lookups, key=lambda lookup: lookup.field == proven):
        if lookup.kind is LookupKind.IDENTITY:
            generation = unit.vault.lookup_generation
            holder = await store.holder_of(unit.session, lookup.field, lookup.digest, generation=generation)
            if holder not in {None, of}:
                return model.ContactTaken(lookup.field)
    return None


async def admit(unit: Unit, prepared: Prepared) -> model.Joined:
    """A new member, sealed under a secret of its own."""
    member_id = unit.new_id()
    keys, wrapped = unit.vault.new_member(member_id)
    band = _band(unit, prepared.sealed)
    status = status_in(band)
    row = model.Row(
        member_id=member_id,
        status=status,
        generation=keys.generation,
        sealed=unit.vault.seal(keys, prepared.sealed),
        wrapped=wrapped,
        plain={"joined_on": day_in_shanghai(unit.now), **prepared.plain},
        version=1,
        minor=to_be_looked_at(prepared.sealed.get(unit.catalogue.consent.age_field), unit.catalogue, day_in_shanghai(unit.now)),
        sensitive=_child(band) or model.sensitive(unit.catalogue, prepared.sealed),
    )
    if band is not None:
        unit.draft.extra[age.BAND] = band.key
    await store.add(
        unit.session, row, wrapped=wrapped, lookups=prepared.lookups, generation=unit.vault.lookup_generation, now=unit.now
    )
    await tags.entered(unit, member_id, (), codes_of(prepared.plain.get(TAGS)))
    unit.draft.subjects.append(unit.vault.pseudonym(keys, unit.now))
    unit.draft.fields = tuple(sorted({*prepared.sealed, *prepared.plain}))
    unit.draft.count = 1
    return model.Joined(member_id, status)


async def update(
    unit: Unit, *, member_id: MemberId, purpose: str, changes: Mapping[str, object | None], proven: str = ""
) -> model.Updated | Problem | model.MemberNotFound:
    """Store new values for a member (LB-02: inside the purpose or nothing at all); None takes a value away. `proven` as for `taken`."""
    row = await store.row(unit.session, member_id, lock=True)
    if row is None or row.wrapped is None:
        unit.draft.deny(_absence(row))
        return model.MemberNotFound()
    keys = unit.vault.member_keys(member_id, row.generation, row.wrapped)
    unit.draft.subjects.append(unit.vault.pseudonym(keys, unit.now))
    minority = age.noted(unit, keys, row)
    if not _changeable(unit, row, minority, changes):
        waits = minority is not None and minority.under_guardian
        unit.draft.deny(Reason.GUARDIAN_CONSENT_REQUIRED.value if waits else _absence(row))
        return model.MemberNotFound()
    given = {key: value for key, value in changes.items() if value is not None}
    removed = tuple(key for key, value in changes.items() if value is None)
    problem = (
        _unproven(unit, changes)
        or _age_unproven(unit, minority, changes)
        or _not_removable(unit.catalogue, purpose, removed, _outside(unit, purpose, removed))
    )
    prepared = problem or await prepare(unit, purpose=purpose, fields=given)
    if isinstance(prepared, Prepared) and await tags.unwanted(unit, member_id, *_tags_of(row, prepared, removed)):
        prepared = model.FieldRejected(TAGS, "TAG_DELETED")
    if isinstance(prepared, Prepared):
        prepared = await taken(unit, prepared, of=member_id, proven=proven) or prepared
    if not isinstance(prepared, Prepared):
        unit.draft.deny(outcome_code(prepared))
        return prepared
    await _store_changes(unit, row, prepared, removed)
    unit.draft.fields = tuple(sorted(changes))
    unit.draft.count = 1
    return model.Updated(member_id, tuple(sorted(changes)))


async def take_away(unit: Unit, row: model.Row, fields: Sequence[str]) -> None:
    """Take fields off a member's row, with whatever the member could be found by through them. The caller holds the row's lock."""
    await _store_changes(unit, row, Prepared({}, {}, ()), fields)


def band_at(birthday: Value | None, catalogue: Catalogue, day: date) -> AgeBand | None:
    """The age band of somebody on a day in Asia/Shanghai; None for an adult, and for whoever told no birthday."""
    return catalogue.consent.band_of(age_on(birthday, day)) if isinstance(birthday, date) else None


def to_be_looked_at(birthday: Value | None, catalogue: Catalogue, day: date) -> bool:
    """The mark `minor` of somebody whose birthday is written on this day: whether they were in a band the day before. Another instance's
    clock may be minutes behind, and must look for itself.
    """
    return band_at(birthday, catalogue, day - timedelta(days=1)) is not None


def status_in(band: AgeBand | None) -> MemberStatus:
    """GUARDIAN_PENDING where a guardian must consent first (PIPL 31)."""
    return MemberStatus.GUARDIAN_PENDING if _child(band) else MemberStatus.ACTIVE


def by_guardian(call: Call, member_id: MemberId) -> bool:
    """Whether a member acts for another: let through for their verified guardian alone (service/minors/acting.py)."""
    actor = call.actor
    return actor.kind is ActorKind.MEMBER and actor.member_id != member_id


def _child(band: AgeBand | None) -> bool:
    return band is not None and band.guardian


def status_of(unit: Unit, prepared: Prepared) -> MemberStatus:
    """The status in which these values would make somebody a member."""
    return status_in(_band(unit, prepared.sealed))


def _band(unit: Unit, sealed: Mapping[str, Value]) -> AgeBand | None:
    return band_at(sealed.get(unit.catalogue.consent.age_field), unit.catalogue, day_in_shanghai(unit.now))


def _changeable(unit: Unit, row: model.Row, minority: Minority | None, changes: Mapping[str, object | None]) -> bool:
    """An active member, a child only with its guardian; one who has grown out of waiting for one; or one taken for a child, whose
    mistyped birthday a service that checked it corrects (PIPL 46).
    """
    if row.status not in {MemberStatus.ACTIVE, MemberStatus.GUARDIAN_PENDING}:
        return False
    if minority is None:
        return row.status is MemberStatus.ACTIVE
    if not minority.under_guardian or minority.guarded or by_guardian(unit.call, row.member_id):
        return True
    return set(changes) == {unit.catalogue.consent.age_field} and unit.call.actor.kind is ActorKind.SERVICE


async def _store_changes(unit: Unit, row: model.Row, prepared: Prepared, removed: Sequence[str]) -> None:
    assert row.wrapped is not None
    keys = unit.vault.member_keys(row.member_id, row.generation, row.wrapped)
    sealed_changes: dict[str, Value | None] = dict(prepared.sealed)
    sealed_changes.update({key: None for key in removed if unit.catalogue.fields[key].sealed})
    plain = {key: value for key, value in {**row.plain, **prepared.plain}.items() if key not in removed}
    sealed = unit.vault.reseal(keys, row.sealed, sealed_changes)
    changed = _aged(unit, replace(row, sealed=sealed, plain=plain), prepared, removed)
    sensitive = changed.child or model.sensitive(unit.catalogue, unit.vault.names(keys, sealed))
    await store.change(unit.session, replace(changed, sensitive=sensitive), now=unit.now)
    await tags.entered(unit, row.member_id, *_tags_of(row, prepared, removed))
    for field in {lookup.field for lookup in prepared.lookups} | set(removed):
        await store.forget_lookup(unit.session, row.member_id, field)
    await store.add_lookups(unit.session, row.member_id, prepared.lookups, generation=unit.vault.lookup_generation)


def _tags_of(row: model.Row, prepared: Prepared, removed: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The tags before and after a change."""
    before = codes_of(row.plain.get(TAGS))
    return before, () if TAGS in removed else codes_of(prepared.plain.get(TAGS, before))


def _aged(unit: Unit, row: model.Row, prepared: Prepared, removed: Sequence[str]) -> model.Row:
    """The row with what a new birthday makes of it. A guardian who has answered goes on answering; an adult needs none, and may take the
    birthday away: nobody else's can be.
    """
    field = unit.catalogue.consent.age_field
    if field in removed:
        waited = row.status is MemberStatus.GUARDIAN_PENDING
        return replace(row, status=MemberStatus.ACTIVE if waited else row.status, minor=False, guarded=False, presumed=False)
    if field not in prepared.sealed:
        return row
    band = _band(unit, prepared.sealed)
    guarded = row.guarded and _child(band)
    status = MemberStatus.ACTIVE if guarded else status_in(band)
    minor = to_be_looked_at(prepared.sealed[field], unit.catalogue, day_in_shanghai(unit.now))
    return replace(row, status=status, minor=minor, guarded=guarded, presumed=False)


def _absence(row: model.Row | None) -> str:
    return "NOT_FOUND" if row is None else str(row.status.value)


def require(unit: Unit, purpose: str, keys: tuple[str, ...] = ()) -> Plan:
    """What the purpose covers of these keys.

    Raises Refused when the caller may not state the purpose, BadInput for an unknown key.
    """
    if any(key not in unit.catalogue.fields for key in keys):
        raise BadInput("unknown field", code="FIELD_UNKNOWN")
    actor = unit.call.actor
    plan = weigh(Ask(purpose, keys, actor.roles, actor.purposes), unit.catalogue)
    if isinstance(plan, Refusal):
        raise Refused(plan.reason.value)
    return plan


def _outside(unit: Unit, purpose: str, keys: tuple[str, ...]) -> tuple[str, ...]:
    plan = require(unit, purpose, keys)
    return tuple(key for key, reason in plan.withheld if reason is Reason.FIELD_NOT_IN_PURPOSE)


def _covered(unit: Unit, key: str, purposes: Sequence[str]) -> bool:
    actor = unit.call.actor
    plans = (weigh(Ask(purpose, (key,), actor.roles, actor.purposes), unit.catalogue) for purpose in purposes)
    return any(isinstance(plan, Plan) and key in plan.shapes for plan in plans)


def _parse(unit: Unit, fields: Mapping[str, object]) -> dict[str, Value] | model.FieldRejected:
    values = {}
    for key, raw in fields.items():
        try:
            values[key] = model.parse_value(unit.catalogue, key, raw)
        except BadInput as problem:
            return model.FieldRejected(key, problem.detail)
        value = values[key]
        if isinstance(value, date) and not model.OLDEST <= value <= day_in_shanghai(unit.now):
            return model.FieldRejected(key, "DATE_IMPOSSIBLE")
    return values


def _lookups(unit: Unit, values: Mapping[str, Value]) -> tuple[model.Lookup, ...] | model.FieldRejected:
    found = []
    for key, value in values.items():
        field = unit.catalogue.fields[key]
        if field.lookup is LookupKind.NONE:
            continue
        try:
            normalised = normalise(field.normaliser, str(value), appid=default_appid(unit.catalogue))
        except BadInput as problem:
            return model.FieldRejected(key, problem.detail or "NOT_VALID")
        found.append(model.Lookup(key, unit.vault.lookup(key, normalised), field.lookup, unit.vault.mark(key, normalised)))
    return tuple(found)


def default_appid(catalogue: Catalogue) -> str:
    """The app in which an openid without a stated app was made: the first brand's."""
    return catalogue.controller.brands[0].wechat_appid


def _unproven(unit: Unit, given: Mapping[str, object]) -> model.FieldRejected | None:
    """A member may not take an identity by typing it: whoever proved it (SMS or WeChat code) is a service that says so.

    It also keeps a member from finding out by trial whose number is known here (SE-05).
    """
    if unit.call.actor.kind is not ActorKind.MEMBER:
        return None
    kept = (key for key in given if key in unit.catalogue.fields and unit.catalogue.fields[key].shop_record)
    shops = next((model.FieldRejected(key, "SHOP_RECORD") for key in kept), None)
    if shops is not None:
        return shops
    taken = (key for key in given if key in unit.catalogue.fields and unit.catalogue.fields[key].lookup is LookupKind.IDENTITY)
    return next((model.FieldRejected(key, "VERIFICATION_REQUIRED") for key in taken), None)


def _age_unproven(unit: Unit, minority: Minority | None, changes: Mapping[str, object | None]) -> model.FieldRejected | None:
    """A minor does not grow up by typing another birthday, nor by taking it away: a service that checked it says so (MIN 24)."""
    field = unit.catalogue.consent.age_field
    if minority is None or minority.grown or field not in changes:
        return None
    if changes[field] is None:
        return model.FieldRejected(field, "NECESSARY")
    return model.FieldRejected(field, "VERIFICATION_REQUIRED") if unit.call.actor.kind is ActorKind.MEMBER else None


def _not_removable(catalogue: Catalogue, purpose: str, removed: Sequence[str], outside: tuple[str, ...]) -> Problem | None:
    if outside:
        return model.FieldNotInPurpose(purpose, outside)
    needed = (key for key in removed if catalogue.fields[key].necessary)
    return next((model.FieldRejected(key, "NECESSARY") for key in needed), None)

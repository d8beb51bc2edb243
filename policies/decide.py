"""May this be disclosed? Two pure functions: `weigh` once an operation, `decide` once a member.

Fail closed: what is unknown, missing, malformed or contradictory never yields a Permit. A `Permit` is made here and nowhere else
(tests/architecture), and the vault builds the cipher's associated data from it: it opens its own fields of its own member,
or nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from policies.clock import age_on, day_in_shanghai
from policies.consent import AgeBand
from policies.keeping import told_of_the_end
from policies.terms import (
    PERMITTING,
    Basis,
    Catalogue,
    Channel,
    ConsentState,
    MemberStatus,
    Purpose,
    PurposeClass,
    Reason,
    Recipient,
    Shape,
)

# A basis that is none of these, whatever it is, needs consent: a string from somewhere must not open anything.
_WITHOUT_CONSENT = frozenset(basis for basis in Basis if basis is not Basis.CONSENT)
_BY_STATE = {
    ConsentState.WITHDRAWN: Reason.CONSENT_WITHDRAWN,
    ConsentState.REVOKED: Reason.CONSENT_WITHDRAWN,
    ConsentState.EXPIRED: Reason.CONSENT_EXPIRED,
}
_BY_STATUS = {
    MemberStatus.GUARDIAN_PENDING: Reason.GUARDIAN_CONSENT_REQUIRED,
    MemberStatus.RESTRICTED: Reason.PROCESSING_RESTRICTED,
    MemberStatus.ERASED: Reason.ERASED,
}


@dataclass(frozen=True, slots=True)
class Ask:
    """What somebody wants: these fields, for this purpose.

    `token_purposes` is the token's own narrowing, None when it has none. `staff`: a person looks, and minors need an approval.
    """

    purpose: str
    fields: tuple[str, ...]
    roles: frozenset[str]
    token_purposes: frozenset[str] | None = None
    staff: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nothing at all, for this reason."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Plan:
    """The part of a decision that no member can change: which fields may leave in which shape, and why the others may not."""

    purpose: Purpose
    shapes: Mapping[str, Shape]
    withheld: tuple[tuple[str, Reason], ...]
    staff: bool = False


@dataclass(frozen=True, slots=True)
class Minority:
    """What is known of somebody who was a minor when last written: the band at this moment, None once they have grown out of all.

    `told`: the birthday could be read. Where it could not, nothing may be assumed and nothing is allowed. `guarded`: a verified guardian
    has answered for them and is still there, or asks themselves.
    """

    band: AgeBand | None
    told: bool = True
    guarded: bool = False

    @property
    def grown(self) -> bool:
        """Whether they have grown out of every band."""
        return self.told and self.band is None

    @property
    def under_guardian(self) -> bool:
        """Whether somebody else must answer for them (PIPL 31); so it is when nobody can tell how old they are."""
        return not self.told or (self.band is not None and self.band.guardian)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of one member for the purpose at hand, read in the same statement as the row.

    `scope` is the version of the purpose that was consented to; `by_guardian` who said yes; `minority` is None for an adult.
    `personalisation` is the member's switch: False once it was turned off, None when it was never touched. `approval` is the id of the one
    under which this member of staff may look at a minor (MIN 36).
    """

    member_id: str
    status: MemberStatus
    consent: ConsentState = ConsentState.NEVER_ASKED
    expires_at: datetime | None = None
    event_id: str | None = None
    scope: int = 1
    by_guardian: bool = False
    minority: Minority | None = None
    personalisation: bool | None = None
    approval: str = ""


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to open `shapes` of `member_id` for `purpose`, and nothing else. `stale`: what the member's consent does not cover yet."""

    member_id: str
    purpose: str
    shapes: Mapping[str, Shape]
    stale: tuple[str, ...] = ()


def weigh(ask: Ask, catalogue: Catalogue) -> Plan | Refusal:
    """Judge the request as far as no member matters: is the purpose declared, may this caller state it, which fields has it?"""
    purpose = catalogue.purposes.get(ask.purpose)
    if purpose is None:
        return Refusal(Reason.PURPOSE_UNKNOWN)
    if not ask.roles & purpose.roles:
        return Refusal(Reason.ROLE_NOT_ALLOWED)
    if ask.token_purposes is not None and purpose.key not in ask.token_purposes:
        return Refusal(Reason.ROLE_NOT_ALLOWED)
    shapes = {key: purpose.fields[key] for key in ask.fields if key in purpose.fields}
    outside = tuple((key, Reason.FIELD_NOT_IN_PURPOSE) for key in ask.fields if key not in purpose.fields)
    return Plan(purpose, shapes, outside, ask.staff)


def decide(plan: Plan, standing: Standing, now: datetime) -> Permit | Refusal:
    """Judge one member under a plan. Without a valid basis at this moment there is no permit."""
    purpose = plan.purpose
    reason = (
        barred(purpose, standing)
        or _switched_off(purpose, standing)
        or (None if purpose.basis in _WITHOUT_CONSENT else weigh_consent(purpose, standing, now))
        or _marketed_to_a_minor(purpose, standing)
    )
    if reason is not None:
        return Refusal(reason)
    shapes = plan.shapes
    stale: tuple[str, ...] = ()
    if purpose.basis not in _WITHOUT_CONSENT and standing.scope != purpose.version:
        shapes, stale = _consented(purpose, standing.scope, shapes)
    if plan.staff and shielded(standing):
        shapes = dict.fromkeys(shapes, Shape.MASKED)
    return Permit(standing.member_id, purpose.key, shapes, stale)


def weigh_consent(purpose: Purpose, standing: Standing, now: datetime) -> Reason | None:
    """None when the consent stands at this moment; otherwise why it does not."""
    if standing.consent not in PERMITTING:
        unasked = Reason.SEPARATE_CONSENT_REQUIRED if purpose.separate_consent else Reason.CONSENT_REQUIRED
        return _BY_STATE.get(standing.consent, unasked)
    if standing.expires_at is not None and standing.expires_at <= now:
        return Reason.CONSENT_EXPIRED
    if not purpose.least_scope <= standing.scope <= purpose.version:
        return Reason.NOTICE_STALE
    if standing.minority is not None and standing.minority.under_guardian and not standing.by_guardian:
        return Reason.GUARDIAN_CONSENT_REQUIRED
    if purpose.of_children and not standing.by_guardian:
        # Said yes to as a member, not as the guardian of the child that it is about: it is to be asked for, under the rules for guardians.
        return Reason.SEPARATE_CONSENT_REQUIRED
    return None


def minority_of(birthday: object, catalogue: Catalogue, now: datetime, *, guarded: bool = False) -> Minority:
    """The band of somebody who may be a minor, at this moment in Asia/Shanghai: full years are reached with the birthday."""
    if not isinstance(birthday, date) or isinstance(birthday, datetime):
        return Minority(None, told=False)
    return Minority(catalogue.consent.band_of(age_on(birthday, day_in_shanghai(now))), guarded=guarded)


def presumed_child(catalogue: Catalogue, *, guarded: bool) -> Minority:
    """Somebody who is taken for a child whatever birthday was told: in the lowest band for which a guardian answers."""
    return Minority(next((band for band in catalogue.consent.bands if band.guardian), None), guarded=guarded)


def kind_of_notice(minority: Minority | None, *purposes: Purpose) -> str:
    """The kind of the notice that has to be shown before these purposes are asked for: a guardian is shown the one for children, whether
    the child is the member or somebody whom the member tells of (PIPL 31).
    """
    child = minority is not None and minority.under_guardian
    return "CHILD" if child or any(purpose.of_children for purpose in purposes) else "GENERAL"


def leave_to_tell_age(member_id: str, catalogue: Catalogue) -> Permit:
    """Leave to open the birthday of one who may be a minor, to tell how the law protects them (PIPL 31). It leaves the service in no
    answer.
    """
    return Permit(member_id, catalogue.self_purpose, {catalogue.consent.age_field: Shape.PLAIN})


def leave_to_pass_on(member_id: str, purpose: Purpose, recipient: Recipient, catalogue: Catalogue) -> Permit | None:
    """Leave to open the one field by which a recipient knows a member, to tell them that the consent has ended (PIPL 21, 47). None for
    somebody who does not receive that field for this purpose.
    """
    if recipient not in told_of_the_end(purpose, catalogue):
        return None
    return Permit(member_id, purpose.key, {recipient.known_by: Shape.PLAIN})


def leave_to_send(
    member_id: str, purpose: Purpose | None, channel: Channel, *, variables: Iterable[str], catalogue: Catalogue
) -> Permit:
    """Leave to open where a message goes and what stands in it, once the gate has cleared it (policies/send.py). The address is opened
    whole, because a masked one reaches nobody; what the words name besides only as the purpose has it.
    """
    known = purpose.fields if purpose is not None else {}
    shapes = {key: known[key] for key in variables if key in known}
    key = purpose.key if purpose is not None else catalogue.self_purpose
    return Permit(member_id, key, {**shapes, channel.address: Shape.PLAIN})


def barred(purpose: Purpose, standing: Standing) -> Reason | None:
    """Why nothing may be done with this member at all. A restricted one may still see their own (PIPL 44, 45): what is restricted is
    what others do with it.
    """
    return next(bars(standing, own=purpose.self_service), None)


def bars(standing: Standing, *, own: bool = False) -> Iterator[Reason]:
    """Everything that bars whatever the purpose; `own`: it is the member's own look at their data."""
    status, minority = standing.status, standing.minority
    if minority is not None and minority.under_guardian and not minority.guarded:
        yield Reason.GUARDIAN_CONSENT_REQUIRED
    # It has answered for the column, which says how it was when last written: they have grown out of it, or their guardian is there.
    answered = status is MemberStatus.GUARDIAN_PENDING and minority is not None
    if not (status is MemberStatus.ACTIVE or answered or (own and status is MemberStatus.RESTRICTED)):
        yield _BY_STATUS.get(status, Reason.PROCESSING_RESTRICTED)


def _switched_off(purpose: Purpose, standing: Standing) -> Reason | None:
    """No automated decision about whoever has switched it off (PIPL 24(2)). It comes before the consent: they are not to be asked."""
    return Reason.PERSONALISATION_OFF if purpose.automated_decision and standing.personalisation is False else None


def _marketed_to_a_minor(purpose: Purpose, standing: Standing) -> Reason | None:
    commercial = purpose.purpose_class is PurposeClass.COMMERCIAL
    return (
        Reason.MINOR_ADM_MARKETING_FORBIDDEN if commercial and too_young(standing, automated=purpose.automated_decision) else None
    )


def too_young(standing: Standing, *, automated: bool) -> bool:
    """No automated marketing to minors, whatever was consented (MIN 24(3))."""
    band = standing.minority.band if standing.minority else None
    return automated and band is not None and not band.automated_marketing


def shielded(standing: Standing) -> bool:
    """A minor whom this member of staff has no approval to see: everything is masked (MIN 36)."""
    minority = standing.minority
    return bool(minority and minority.band and minority.band.staff_approval and not standing.approval)


def _consented(purpose: Purpose, version: int, shapes: Mapping[str, Shape]) -> tuple[dict[str, Shape], tuple[str, ...]]:
    """Of these fields those that the consented version had, and those that came later: the old scope goes on, the new one waits."""
    had = purpose.scopes[version].fields if version in purpose.scopes else frozenset()
    return {key: shape for key, shape in shapes.items() if key in had}, tuple(key for key in shapes if key not in had)

"""May this be disclosed? Two pure functions: `weigh` once an operation, `decide` once a member.

Fail closed: what is unknown, missing, malformed or contradictory never yields a Permit. A `Permit` is made here and nowhere else
(tests/architecture), and the vault builds the cipher's associated data from it: it opens its own fields of its own member,
or nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from policies.terms import Basis, Catalogue, ConsentState, MemberStatus, Purpose, Reason, Shape

_VALID = frozenset({ConsentState.GIVEN, ConsentState.RENEWED})
# A basis that is none of these, whatever it is, needs consent: a string from somewhere must not open anything.
_WITHOUT_CONSENT = frozenset(basis for basis in Basis if basis is not Basis.CONSENT)
_BY_STATE = {
    ConsentState.WITHDRAWN: Reason.CONSENT_WITHDRAWN,
    ConsentState.REVOKED: Reason.CONSENT_WITHDRAWN,
    ConsentState.EXPIRED: Reason.CONSENT_EXPIRED,
    ConsentState.INVALIDATED: Reason.NOTICE_STALE,
}
_BY_STATUS = {
    MemberStatus.GUARDIAN_PENDING: Reason.GUARDIAN_CONSENT_REQUIRED,
    MemberStatus.RESTRICTED: Reason.PROCESSING_RESTRICTED,
    MemberStatus.ERASED: Reason.ERASED,
}


@dataclass(frozen=True, slots=True)
class Ask:
    """What somebody wants: these fields, for this purpose.

    `token_purposes` is the token's own narrowing, None when it has none.
    """

    purpose: str
    fields: tuple[str, ...]
    roles: frozenset[str]
    token_purposes: frozenset[str] | None = None


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


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of one member for the purpose at hand, read in the same statement as the row."""

    member_id: str
    status: MemberStatus
    consent: ConsentState = ConsentState.NEVER_ASKED
    expires_at: datetime | None = None
    event_id: str | None = None


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to open `shapes` of `member_id` for `purpose`, and nothing else."""

    member_id: str
    purpose: str
    shapes: Mapping[str, Shape]


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
    return Plan(purpose, shapes, outside)


def decide(plan: Plan, standing: Standing, now: datetime) -> Permit | Refusal:
    """Judge one member under a plan. Without a valid basis at this moment there is no permit.

    A restricted member may still see their own (PIPL 44, 45): what is restricted is what others do with it.
    """
    own = plan.purpose.self_service and standing.status is MemberStatus.RESTRICTED
    if standing.status is not MemberStatus.ACTIVE and not own:
        return Refusal(_BY_STATUS.get(standing.status, Reason.PROCESSING_RESTRICTED))
    if plan.purpose.basis not in _WITHOUT_CONSENT:
        refusal = weigh_consent(plan.purpose, standing, now)
        if refusal is not None:
            return refusal
    return Permit(standing.member_id, plan.purpose.key, plan.shapes)


def weigh_consent(purpose: Purpose, standing: Standing, now: datetime) -> Refusal | None:
    """None when the consent stands at this moment; otherwise why it does not."""
    if standing.consent not in _VALID:
        unasked = Reason.SEPARATE_CONSENT_REQUIRED if purpose.separate_consent else Reason.CONSENT_REQUIRED
        return Refusal(_BY_STATE.get(standing.consent, unasked))
    if standing.expires_at is not None and standing.expires_at <= now:
        return Refusal(Reason.CONSENT_EXPIRED)
    return None

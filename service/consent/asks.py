"""May a member be asked now? Pure rules: what is put to them, or why not at this moment (NC-11, SMS31 18).

A pause follows every question that was not answered, every refusal and every withdrawal, unless the member begins by themselves. On some
channels a question is put once and never again, whoever begins.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from policies.clock import consent_ends
from policies.decide import Minority, kind_of_notice
from policies.terms import PERMITTING, Basis, Catalogue, ConsentState, MemberStatus, Purpose, PurposeClass, Scope
from service.consent.model import CaptureChannel, ConsentStanding


class Initiator(StrEnum):
    """Who began. MEMBER: the member opened the page or asked for it; SYSTEM: everything else."""

    MEMBER = "MEMBER"
    SYSTEM = "SYSTEM"


class NotNow(StrEnum):
    """Why a question is not put. Part of the public contract; names never change."""

    PURPOSE_UNKNOWN = "PURPOSE_UNKNOWN"
    NOT_CONSENT_BASED = "NOT_CONSENT_BASED"
    NOT_IN_NOTICE = "NOT_IN_NOTICE"
    ALREADY_GIVEN = "ALREADY_GIVEN"
    REASK_COOLDOWN = "REASK_COOLDOWN"
    ASKED_ONCE = "ASKED_ONCE"
    GUARDIAN_CONSENT_REQUIRED = "GUARDIAN_CONSENT_REQUIRED"
    MINOR_ADM_MARKETING_FORBIDDEN = "MINOR_ADM_MARKETING_FORBIDDEN"
    PROCESSING_RESTRICTED = "PROCESSING_RESTRICTED"


@dataclass(frozen=True, slots=True)
class Question:
    """What is put to the member, in the words that were published; `ends_at` is when a yes given now would end."""

    purpose: Purpose
    scope: Scope
    notice_version: str
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class NotAsked:
    """Why a purpose is not asked for now. `until`: from when on it may be, where time alone mends it."""

    purpose: str
    reason: NotNow
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Questions:
    """What this screen may ask, in the order of asking, and what it may not."""

    questions: tuple[Question, ...]
    not_now: tuple[NotAsked, ...]


@dataclass(frozen=True, slots=True)
class Asking:
    """How somebody would ask: where, by whose wish, when."""

    channel: CaptureChannel
    initiator: Initiator
    now: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known of a member before asking: where each purpose stands, when and where each was asked for last, how old they are.

    `minority` is None for an adult. `by_guardian`: a child's verified guardian wants to know what there is to answer. `address_asked`:
    over this channel one asks once, and the address was asked, whoever held it then.
    """

    status: MemberStatus
    minority: Minority | None
    standings: Mapping[str, ConsentStanding]
    asks: Mapping[tuple[str, str], datetime]
    by_guardian: bool = False
    address_asked: bool = False

    @property
    def notice(self) -> str:
        """The kind of the notice that has to be shown first."""
        return kind_of_notice(self.minority)


_TAKEN_BACK = frozenset({ConsentState.REFUSED, ConsentState.WITHDRAWN, ConsentState.REVOKED, ConsentState.DEFERRED})


def weigh(catalogue: Catalogue, key: str, member: Asked, asking: Asking) -> Question | NotAsked:
    """The question for one purpose, or the first reason that stands against putting it."""
    purpose = catalogue.purposes.get(key)
    if purpose is None:
        return NotAsked(key, NotNow.PURPOSE_UNKNOWN)
    if purpose.basis is not Basis.CONSENT:
        return NotAsked(key, NotNow.NOT_CONSENT_BASED)
    notice = catalogue.notice_in_force(asking.now, member.notice)
    scope = notice.scopes.get(key) if notice else None
    if notice is None or scope is None or scope.version != purpose.version:
        return NotAsked(key, NotNow.NOT_IN_NOTICE)
    reason = _barred(purpose, member)
    if reason is not None:
        return NotAsked(key, reason)
    return _paused(catalogue, purpose, member, asking) or Question(
        purpose, scope, notice.version, consent_ends(asking.now, scope.months)
    )


def _barred(purpose: Purpose, member: Asked) -> NotNow | None:
    """Why this member is not to be asked at all: a child's guardian answers, and a minor is never marketed to by a machine."""
    minority = member.minority
    waits = member.status is MemberStatus.GUARDIAN_PENDING and minority is None
    if waits or (minority is not None and minority.under_guardian and not member.by_guardian):
        return NotNow.GUARDIAN_CONSENT_REQUIRED
    if member.status is MemberStatus.RESTRICTED:
        return NotNow.PROCESSING_RESTRICTED
    band = minority.band if minority else None
    useless = purpose.automated_decision and purpose.purpose_class is PurposeClass.COMMERCIAL
    if band is not None and not band.automated_marketing and useless:
        return NotNow.MINOR_ADM_MARKETING_FORBIDDEN
    return None


def _paused(catalogue: Catalogue, purpose: Purpose, member: Asked, asking: Asking) -> NotAsked | None:
    """Why not now: it is given, it was asked where one asks once, or the pause is not over."""
    rules, pause = catalogue.consent, timedelta(days=catalogue.consent.reask_days)
    standing = member.standings.get(purpose.key) or ConsentStanding(purpose.key, ConsentState.NEVER_ASKED)
    if _given(purpose, standing, asking.now + pause):
        return NotAsked(purpose.key, NotNow.ALREADY_GIVEN)
    before = member.address_asked or (purpose.key, asking.channel.value) in member.asks
    if asking.channel.value in rules.ask_once and before:
        return NotAsked(purpose.key, NotNow.ASKED_ONCE)
    quiet = _quiet_since(purpose.key, standing, member.asks)
    if asking.initiator is Initiator.SYSTEM and quiet is not None and asking.now < quiet + pause:
        return NotAsked(purpose.key, NotNow.REASK_COOLDOWN, quiet + pause)
    return None


def _given(purpose: Purpose, standing: ConsentStanding, soon: datetime) -> bool:
    """Whether the consent stands to the whole of the purpose as it is now, and does not end within one pause."""
    ends = standing.expires_at
    return standing.state in PERMITTING and standing.scope == purpose.version and (ends is None or ends > soon)


def _quiet_since(key: str, standing: ConsentStanding, asks: Mapping[tuple[str, str], datetime]) -> datetime | None:
    """From when the pause counts: the last refusal or withdrawal, or the last question that nothing was said to since."""
    asked = max((at for (purpose, _), at in asks.items() if purpose == key), default=None)
    said = standing.since if standing.state is not ConsentState.REQUESTED else None
    unanswered = asked if asked is not None and (said is None or said < asked) else None
    taken_back = said if standing.state in _TAKEN_BACK else None
    return max((moment for moment in (unanswered, taken_back) if moment is not None), default=None)

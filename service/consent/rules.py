"""What makes an answer count, as pure rules: each returns what is wrong, or None (NC-04, NC-05, NC-06, NC-07)."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from policies.terms import PERMITTING, Basis, Catalogue, ConsentState, Purpose, Scope
from policies.text import holds_contact
from service.consent.model import (
    BoxState,
    ConsentRejected,
    ConsentStanding,
    Decision,
    Evidence,
    NoticeNotPresented,
    NoticeStale,
    SeparateConsentRequired,
)

# The ledger keeps these as they are, for good: they are names of screens and apps, and no room for a person's data.
_NAME = re.compile(r"[A-Za-z0-9_./:-]{1,128}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{32,64}", re.ASCII)
_SKEW_SECONDS = 5
"""How far a front end's clock may be ahead of ours before its 'presented at' counts as the future."""

Objection = NoticeNotPresented | NoticeStale | ConsentRejected | SeparateConsentRequired


def objection(
    catalogue: Catalogue, evidence: Evidence | None, decisions: Sequence[Decision], now: datetime, *, kind: str = "GENERAL"
) -> Objection | None:
    """Whatever keeps these answers from counting, None when nothing does (and then there is evidence)."""
    unshown = presented(catalogue, evidence, now, kind=kind)
    if unshown is not None or evidence is None:
        return unshown
    return answerable(catalogue, decisions, evidence)


def presented(
    catalogue: Catalogue, evidence: Evidence | None, now: datetime, *, kind: str = "GENERAL"
) -> NoticeNotPresented | NoticeStale | ConsentRejected | None:
    """The notice in force was shown, in a language it exists in, before this moment (PIPL 17); for a child, the one of kind CHILD (31)."""
    notice = catalogue.notice_in_force(now, kind)
    current = notice.version if notice else ""
    shown = catalogue.notices.get(evidence.notice_version) if evidence else None
    if evidence is None or notice is None or shown is None or shown.kind != kind:
        return NoticeNotPresented(current)
    if (evidence.presented_at - now).total_seconds() > _SKEW_SECONDS:
        return NoticeNotPresented(current)
    if evidence.notice_version != current:
        return NoticeStale(evidence.notice_version, current)
    if evidence.presented_at < notice.effective_at:
        return NoticeNotPresented(current)
    return _complete(evidence, frozenset(notice.digests))


def _complete(evidence: Evidence, languages: frozenset[str]) -> ConsentRejected | None:
    """The mandatory parts of a consent record that the caller supplies (NC-08)."""
    client = evidence.client
    named = (evidence.screen, client.app_id or "-", client.app_version or "-")
    if evidence.language not in languages or not all(_NAME.fullmatch(text) and not holds_contact(text) for text in named):
        return ConsentRejected("EVIDENCE_INCOMPLETE")
    if client.device_digest and not _DIGEST.fullmatch(client.device_digest):
        return ConsentRejected("EVIDENCE_INCOMPLETE")
    return None


def answerable(catalogue: Catalogue, decisions: Sequence[Decision], evidence: Evidence) -> Objection | None:
    """Each answer is to one declared, consent-based purpose; nothing was ticked beforehand; what the law lists was asked
    alone.
    """
    if evidence.box is BoxState.TICKED and any(decision.granted for decision in decisions):
        return ConsentRejected("PRETICKED")
    seen: set[str] = set()
    for decision in decisions:
        purpose = catalogue.purposes.get(decision.purpose)
        if purpose is None:
            return ConsentRejected("PURPOSE_UNKNOWN")
        if purpose.basis is not Basis.CONSENT:
            return ConsentRejected("NOT_CONSENT_BASED", decision.purpose)
        if decision.purpose in seen:
            return ConsentRejected("DUPLICATE_DECISION", decision.purpose)
        unfit = _unfit(catalogue, purpose, evidence, alone=len(decisions) == 1) if decision.granted else None
        if unfit is not None:
            return unfit
        seen.add(decision.purpose)
    return None


def _unfit(catalogue: Catalogue, purpose: Purpose, evidence: Evidence, *, alone: bool) -> Objection | None:
    """Why a yes is none to this purpose as it is: the notice did not tell of it, it needs a screen of its own, other words were shown."""
    told = catalogue.notices[evidence.notice_version].scopes.get(purpose.key)
    if told is None or told.version != purpose.version:
        return ConsentRejected("NOT_IN_NOTICE", purpose.key)
    said = evidence.words_digest
    right = said == words_digest(told, evidence.language)
    if purpose.separate_consent and not (alone and evidence.purposes_on_screen == 1 and said and right):
        return SeparateConsentRequired(purpose.key)
    return ConsentRejected("WORDS_UNKNOWN", purpose.key) if said and not right else None


def words_digest(scope: Scope, language: str) -> str:
    """SHA-256 (hex) of the question in a language; "" where it does not exist in it."""
    words = scope.words.get(language)
    return hashlib.sha256(words.encode()).hexdigest() if words is not None else ""


_OPEN = frozenset({ConsentState.NEVER_ASKED, ConsentState.REQUESTED, ConsentState.DEFERRED})


SWITCHES = {
    ConsentState.GIVEN: True,
    ConsentState.RENEWED: True,
    ConsentState.WITHDRAWN: False,
    ConsentState.REVOKED: False,
}
"""Which states turn the personalisation switch. A refusal does not: whoever never said yes has nothing to turn off."""


_TAKEN_BACK = frozenset({ConsentState.WITHDRAWN, ConsentState.REVOKED, ConsentState.INVALIDATED})


def taken_back_since(standings: Mapping[str, tuple[ConsentStanding, bytes]], decisions: Sequence[Decision], at: datetime) -> bool:
    """Whether one of these yeses is to a consent that ended after `at`: what the member saw or did before says nothing of afterwards. The
    accident is a queue that delivers twice, the attacker an assistant who has kept an act.
    """
    asked = (standings[decision.purpose][0] for decision in decisions if decision.granted and decision.purpose in standings)
    return any(each.state in _TAKEN_BACK and each.since is not None and at < each.since for each in asked)


def next_state(before: ConsentState, *, granted: bool | None) -> ConsentState:
    """Where an answer leads: a yes after a yes renews; a no after a yes takes it back."""
    if granted is None:
        return ConsentState.DEFERRED
    if granted:
        return ConsentState.RENEWED if before in PERMITTING else ConsentState.GIVEN
    return ConsentState.WITHDRAWN if before in PERMITTING else ConsentState.REFUSED


def deferrable(before: ConsentState) -> bool:
    """Whether 'not now' says anything new: where nothing was decided yet."""
    return before in _OPEN


def withdrawable(before: ConsentState) -> bool:
    """Whether a withdrawal changes anything. UNKNOWN counts: a legacy flag may be used by somebody who believes in it."""
    return before in PERMITTING or before is ConsentState.UNKNOWN

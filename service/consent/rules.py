"""What makes an answer count, as pure rules: each returns what is wrong, or None (NC-04, NC-05, NC-06, NC-07)."""

import re
from collections.abc import Sequence
from datetime import datetime

from policies.terms import Basis, Catalogue, ConsentState
from policies.text import holds_contact
from service.consent.model import (
    BoxState,
    ConsentRejected,
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


def objection(catalogue: Catalogue, evidence: Evidence | None, decisions: Sequence[Decision], now: datetime) -> Objection | None:
    """Whatever keeps these answers from counting, None when nothing does (and then there is evidence)."""
    unshown = presented(catalogue, evidence, now)
    if unshown is not None or evidence is None:
        return unshown
    return answerable(catalogue, decisions, evidence)


def presented(
    catalogue: Catalogue, evidence: Evidence | None, now: datetime
) -> NoticeNotPresented | NoticeStale | ConsentRejected | None:
    """The notice in force was shown, in a language it exists in, before this moment (PIPL 17)."""
    notice = catalogue.notice_in_force(now)
    current = notice.version if notice else ""
    if evidence is None or notice is None or evidence.notice_version not in catalogue.notices:
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
        if purpose.separate_consent and decision.granted and len(decisions) > 1:
            return SeparateConsentRequired(decision.purpose)
        seen.add(decision.purpose)
    return None


_STANDS = frozenset({ConsentState.GIVEN, ConsentState.RENEWED})


def next_state(before: ConsentState, *, granted: bool) -> ConsentState:
    """Where an answer leads: a yes after a yes renews; a no after a yes takes it back."""
    if granted:
        return ConsentState.RENEWED if before in _STANDS else ConsentState.GIVEN
    return ConsentState.WITHDRAWN if before in _STANDS else ConsentState.REFUSED


def withdrawable(before: ConsentState) -> bool:
    """Whether a withdrawal changes anything. UNKNOWN counts: a legacy flag may be used by somebody who believes in it."""
    return before in _STANDS or before is ConsentState.UNKNOWN

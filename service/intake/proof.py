"""What a marketing flag is worth. A no protects the member as it stands; a yes counts only with all that proves it (NC-17).

The burden of proof is the controller's (PIPL 69), so whatever is missing, unknown, contradictory or about a child makes it
UNKNOWN, which permits nothing.
"""

from dataclasses import dataclass
from datetime import datetime

from policies.clock import consent_ends, day_in_shanghai
from policies.terms import Catalogue, ConsentState, MemberStatus, Purpose
from service.intake.mapping import Gesture
from service.intake.model import Provenance


@dataclass(frozen=True, slots=True)
class Claim:
    """What the file says about how an answer came about."""

    at: datetime | None
    notice: str
    gesture: Gesture | None
    provenance: Provenance


def worth(
    catalogue: Catalogue, purpose: Purpose, claim: Claim, *, granted: bool, status: MemberStatus, now: datetime
) -> ConsentState:
    """REFUSED for a no; GIVEN for a proven yes of somebody who may give it, whose time is not over; UNKNOWN for any other yes."""
    if not granted:
        return ConsentState.REFUSED
    if status is not MemberStatus.ACTIVE or purpose.separate_consent or not _proven(catalogue, purpose, claim):
        return ConsentState.UNKNOWN
    ends = ending(purpose, claim)
    return ConsentState.GIVEN if ends is None or ends > now else ConsentState.UNKNOWN


def ending(purpose: Purpose, claim: Claim) -> datetime | None:
    """When a yes ends. Its time runs from the day it was given: to be imported does not make it younger."""
    return None if claim.at is None else consent_ends(claim.at, purpose.consent_months)


def _proven(catalogue: Catalogue, purpose: Purpose, claim: Claim) -> bool:
    """Notice version, time and expression (NC-17), and where the row was collected (LB-08), none of it contradicting the rest."""
    if claim.at is None or claim.gesture is None or not claim.provenance.complete:
        return False
    notice = catalogue.notice_in_force(claim.at)
    if notice is None or notice.version != claim.notice or purpose.key not in notice.scopes:
        return False
    if claim.gesture.language not in notice.digests:
        return False
    collected = claim.provenance.collected_on
    return collected is not None and day_in_shanghai(claim.at) <= collected

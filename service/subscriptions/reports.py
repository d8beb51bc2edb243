"""What a mini-program reports of WeChat's own dialogs: evidence and a count, never a consent (WX-02, WX-04, WX-07)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from policies.text import holds_contact, holds_unseen
from service.consent import writing as consents
from service.errors import BadInput
from service.members.model import MemberNotFound
from service.subscriptions import quota
from service.subscriptions.quota import QuotaReason
from service.unit import Unit
from service.values import MemberId

MOST_TEMPLATES = 3
"""So many a dialog of wx.requestSubscribeMessage asks for at most."""

_TEMPLATE = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_REFERENCE = re.compile(r"[A-Za-z0-9_.:-]{1,64}", re.ASCII)
_MOST_NAME = 64
_SKEW = timedelta(minutes=5)


class TemplateResult(StrEnum):
    """What wx.requestSubscribeMessage says of one template."""

    ACCEPT = "ACCEPT"
    REJECT = "REJECT"
    BAN = "BAN"
    FILTER = "FILTER"


class PrivacyEvent(StrEnum):
    """What became of WeChat's privacy dialog."""

    AGREE = "AGREE"
    DISAGREE = "DISAGREE"
    EXPOSED = "EXPOSED"


_REASONS = {
    TemplateResult.REJECT: QuotaReason.REJECTED,
    TemplateResult.BAN: QuotaReason.BANNED,
    TemplateResult.FILTER: QuotaReason.FILTERED,
}


@dataclass(frozen=True, slots=True)
class Reported:
    """One template and what the member said to it."""

    template: str
    result: TemplateResult


@dataclass(frozen=True, slots=True)
class QuotaLeft:
    """How many messages of one template may be sent."""

    template: str
    balance: int


@dataclass(frozen=True, slots=True)
class QuotasRecorded:
    """The counts of exactly the templates that were reported."""

    quotas: tuple[QuotaLeft, ...]


@dataclass(frozen=True, slots=True)
class PrivacyRecorded:
    """It is on record; no consent and no subscription has changed."""

    event: PrivacyEvent


async def templates(
    unit: Unit, *, member_id: MemberId, reported: Sequence[Reported], reference: str
) -> QuotasRecorded | MemberNotFound:
    """Count what one dialog brought. `reference` names the dialog: reported twice it counts once. Raises BadInput."""
    named = [each.template for each in reported]
    if not 1 <= len(named) <= MOST_TEMPLATES or len(set(named)) != len(named):
        raise BadInput(f"results: 1 to {MOST_TEMPLATES} different templates")
    if not all(_TEMPLATE.fullmatch(name) for name in named) or not _REFERENCE.fullmatch(reference):
        raise BadInput("results: a template's id, and the dialog's own")
    if await consents.known(unit, member_id) is None:
        return consents.refused(unit, MemberNotFound())
    left = []
    for each in reported:
        if each.result is TemplateResult.ACCEPT:
            balance = await quota.accept(unit, member_id, each.template, reference=reference)
        else:
            balance = await quota.note(unit, member_id, each.template, reason=_REASONS[each.result], reference=reference)
        left.append(QuotaLeft(each.template, balance))
    unit.draft.extra["results"] = [each.result.value for each in reported]
    return QuotasRecorded(tuple(left))


async def privacy(
    unit: Unit, *, member_id: MemberId, appid: str, contract: str, event: PrivacyEvent, at: datetime
) -> PrivacyRecorded | MemberNotFound:
    """Put on record what WeChat's privacy dialog said. It is no consent to anything here. Raises BadInput."""
    if appid not in {brand.wechat_appid for brand in unit.catalogue.controller.brands}:
        raise BadInput("appid: one of the brands'")
    if not contract.strip() or len(contract) > _MOST_NAME or holds_contact(contract) or holds_unseen(contract):
        raise BadInput("contractName: the name of the guideline")
    if at > unit.now + _SKEW:
        raise BadInput("at: in the future")
    if await consents.known(unit, member_id) is None:
        return consents.refused(unit, MemberNotFound())
    unit.draft.extra |= {"appid": appid, "contract": contract.strip(), "event": event.value, "at": at.isoformat()}
    return PrivacyRecorded(event)

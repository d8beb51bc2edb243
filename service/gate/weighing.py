"""A campaign and what the database says of a member, as `policies.send.judge` wants them; and what a decision rests on, in writing."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson

from policies.decide import Minority
from policies.marketing import MessageClass, Topic
from policies.send import Addressee, Mailing, Slot, Verdict, judge
from policies.terms import Basis, Catalogue, Channel, Purpose
from service.campaigns.model import Campaign, Template, TemplateKind
from service.errors import Malformed
from service.gate import window
from service.gate.model import Facts
from service.gate.window import Held, Window
from service.values import utc_text

_WECHAT = frozenset({"wechat"})
"""On these channels each message needs an acceptance of its own (WX-04)."""


@dataclass(frozen=True, slots=True)
class Matter:
    """What is to be decided, as far as no member matters: worked out once a page. `common` is the part of the evidence that all share."""

    mailing: Mailing
    campaign: Campaign
    template: Template
    purpose: Purpose | None
    topic: Topic | None
    channel: Channel
    metered: bool
    common: bytes

    @property
    def commercial(self) -> bool:
        """Whether it counts towards the caps."""
        return self.mailing.message_class is MessageClass.COMMERCIAL

    @property
    def least_scope(self) -> int | None:
        """The oldest version of the purpose under which a consent carries anything; None where none is needed."""
        return self.purpose.least_scope if self.purpose is not None and self.purpose.basis is Basis.CONSENT else None

    def reserved(self, send_id: str, now: datetime, until: datetime) -> Held | None:
        """The slot of an allowed message; None for what counts towards nothing."""
        if not self.commercial:
            return None
        content = self.campaign.content
        slot = Slot(send_id, self.campaign.campaign_id, content.channel, content.topic, now, until)
        return Held(slot, content.ends_at)

    @property
    def keys(self) -> dict[str, str]:
        """What the facts are read by."""
        content = self.campaign.content
        return {
            "purpose": content.purpose,
            "channel": content.channel,
            "field": self.channel.address,
            "topic": content.topic,
            "brand": content.brand,
            "vendor_template": self.template.body.vendor_template,
        }


def matter_of(catalogue: Catalogue, campaign: Campaign, template: Template, *, compliant: bool) -> Matter:
    """Raises Malformed for a channel that the policy does not have: nothing can be sent there, and nobody knows its limits."""
    content, body = campaign.content, template.body
    channel = catalogue.channels.get(content.channel)
    if channel is None:
        raise Malformed("campaign: its channel")
    purpose = catalogue.purposes.get(content.purpose)
    # A purpose that decides automatically does so whatever the audience is picked by.
    automated = content.audience.automated or (purpose is not None and purpose.automated_decision)
    mailing = Mailing(
        campaign_id=campaign.campaign_id,
        purpose=purpose,
        message_class=body.message_class,
        channel=channel,
        brand=content.brand,
        topic=content.topic,
        automated=automated,
        compliant=compliant,
        approved=campaign.approved and content.template_digest == template.digest.hex(),
        starts_at=content.starts_at,
        ends_at=content.ends_at,
    )
    metered = content.channel in _WECHAT and body.kind is not TemplateKind.LONG_TERM
    topic = catalogue.topics.get(content.topic)
    common = _common(catalogue, mailing, campaign, template, metered=metered)
    return Matter(mailing, campaign, template, purpose, topic, channel, metered, common)


def _common(catalogue: Catalogue, mailing: Mailing, campaign: Campaign, template: Template, *, metered: bool) -> bytes:
    """Up to and without the closing brace: what is a member's own follows."""
    found = {
        "campaign": campaign.campaign_id,
        "campaignDigest": campaign.digest.hex(),
        "campaignVersion": campaign.version,
        "class": mailing.message_class.value,
        "ends": utc_text(campaign.content.ends_at),
        "policy": catalogue.digest,
        "purpose": campaign.content.purpose,
        "brand": campaign.content.brand,
        "template": template.template_id,
        "templateDigest": template.digest.hex(),
        "templateVersion": template.version,
        "topic": campaign.content.topic,
        "vendorTemplate": template.body.vendor_template if metered else None,
        "cap": [mailing.channel.cap_messages, mailing.channel.cap_days],
    }
    return orjson.dumps(found)[:-1]


def weighed(
    matter: Matter, facts: Facts, minority: Minority | None, held: Window, now: datetime, *, without: str = ""
) -> tuple[Verdict, str]:
    """The verdict, and the evidence that goes into the ledger."""
    monthly = _monthly(matter, facts)
    standing = facts.standing if minority is None else replace(facts.standing, minority=minority)
    slots = window.slots(held, without=without)
    addressee = Addressee(
        standing=standing,
        suppressed=facts.suppressed,
        subscribed=facts.subscribed and matter.topic is not None,
        addressed=facts.addressed,
        reachable=facts.reachable,
        monthly=monthly,
        quota=_acceptances(matter, facts, slots, now) if matter.metered else None,
        in_audience=facts.in_audience,
        slots=slots,
    )
    verdict = judge(matter.mailing, addressee, now)
    own: dict[str, Any] = {
        "consent": standing.event_id,
        "consentState": standing.consent.value,
        "notice": facts.notice_version,
        "subscription": facts.subscription_event,
        "suppressed": facts.suppressed,
        "slots": len(slots),
        "monthly": monthly,
    }
    if matter.metered:
        own["quota"] = addressee.quota
    if matter.mailing.automated:
        own["personalisation"] = standing.personalisation
    if minority is not None:
        own["band"] = minority.band.key if minority.band else None
    if verdict.next_slot is not None:
        own["nextSlot"] = utc_text(verdict.next_slot)
    return verdict, (matter.common + b"," + orjson.dumps(own)[1:]).decode()


def _acceptances(matter: Matter, facts: Facts, slots: tuple[Slot, ...], now: datetime) -> int:
    """How many are left for this message. Each live token of the channel has one set aside, whichever template it is for: two tokens for
    one acceptance would be one message too many (WX-04).
    """
    aside = sum(slot.until is not None and slot.counts(now) and slot.channel == matter.channel.key for slot in slots)
    return max((facts.quota or 0) - aside, 0)


def _monthly(matter: Matter, facts: Facts) -> int | None:
    """How often in a calendar month: what the subscription was told, and never more than the policy says now (MK-08)."""
    declared = matter.topic.monthly if matter.topic is not None else None
    known = [count for count in (facts.promised, declared) if count is not None]
    return min(known) if known else None

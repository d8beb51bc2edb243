"""What a campaign and its template are made of, and the digests that an approval signs."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from policies.lint import Objection
from policies.marketing import MessageClass
from service.members.model import Row
from service.values import utc_text

TEMPLATE = "menshen/template/v1"
CAMPAIGN = "menshen/campaign/v1"


class TemplateKind(StrEnum):
    """How WeChat lets a template be used (WX-05): a retailer has the one-time kind only. PLAIN: no such rule on this channel."""

    PLAIN = "PLAIN"
    ONE_TIME = "ONE_TIME"
    LONG_TERM = "LONG_TERM"


class CampaignState(StrEnum):
    """Where a campaign stands. Only an APPROVED one whose digest is the approved one is sent."""

    DRAFT = "DRAFT"
    SUBMITTED = "SUBMITTED"
    RETURNED = "RETURNED"
    APPROVED = "APPROVED"
    ENDED = "ENDED"


class RewardTrigger(StrEnum):
    """For what a campaign's gift or voucher is given. SUBSCRIBE stands here to be refused: nobody is paid for subscribing (WX-06)."""

    NONE = "NONE"
    PURCHASE = "PURCHASE"
    BIRTHDAY = "BIRTHDAY"
    VISIT = "VISIT"
    SUBSCRIBE = "SUBSCRIBE"


class CampaignStep(StrEnum):
    """What was done with a campaign; each is kept for good with all that stood then (ADV-03)."""

    CREATED = "CREATED"
    REVISED = "REVISED"
    SUBMITTED = "SUBMITTED"
    RETURNED = "RETURNED"
    APPROVED = "APPROVED"
    ENDED = "ENDED"


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateBody:
    """The words. `subject` and `html` are for mail; `vendor_template` is what the vendor registered it under, "" where it needs none.

    Variables stand in the texts as `${name}`, and each is named in `variables`: a field of the catalogue, or a slot that Menshen fills
    (`sender`, `contact`, `opt_out`).
    """

    title: str
    message_class: MessageClass
    channel: str
    sender: str
    text: str
    subject: str = ""
    html: str = ""
    variables: tuple[str, ...] = ()
    vendor_template: str = ""
    kind: TemplateKind = TemplateKind.PLAIN


@dataclass(frozen=True, slots=True)
class Template:
    """One version of a template; it never changes."""

    template_id: str
    version: int
    body: TemplateBody
    digest: bytes
    author: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Who a campaign is for, by what is kept unsealed. Empty: every subscriber of the topic.

    One of `tiers`, all of `tags`, none of `without_tags`; `…_from` counts, `…_below` and `…_before` do not. What a member does not have
    fits no bound.
    """

    tiers: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    without_tags: tuple[str, ...] = ()
    points_from: int | None = None
    points_below: int | None = None
    joined_from: date | None = None
    joined_before: date | None = None

    @property
    def automated(self) -> bool:
        """Whether a machine picks by what it knows of somebody (PIPL 24): tags and points do, a tier or the day of joining do not."""
        return bool(self.tags or self.without_tags) or self.points_from is not None or self.points_below is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """All that is reviewed together: a change of any of it voids the approval."""

    title: str
    brand: str
    channel: str
    topic: str
    purpose: str
    template_id: str
    template_version: int
    template_digest: str
    audience: Audience
    starts_at: datetime
    ends_at: datetime
    reward: RewardTrigger = RewardTrigger.NONE


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign as the database has it. `digest` is worked out from the content and the template's words that are there, not read from a
    column; `approved_digest` is None unless a step of the archive vouches for it. `version` counts the steps.
    """

    campaign_id: str
    version: int
    state: CampaignState
    content: Content
    digest: bytes
    approved_digest: bytes | None
    author: str
    created_at: datetime
    updated_at: datetime

    @property
    def approved(self) -> bool:
        """Whether what a second person approved is exactly what stands here now."""
        return self.state is CampaignState.APPROVED and self.approved_digest == self.digest


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a campaign with the whole of what stood then. `version` is the campaign's after it."""

    version: int
    step: CampaignStep
    actor: str
    comment: str
    content: Content
    words: TemplateBody
    digest: bytes
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class OutcomeCount:
    """How many decisions of a campaign came to one end: `DENIED`, `ALLOWED` where nothing more is known, else what became of it."""

    outcome: str
    count: int


@dataclass(frozen=True, slots=True)
class Dossier:
    """A campaign with its template and everything that was ever done with it."""

    campaign: Campaign
    template: Template
    history: tuple[Step, ...]
    counts: tuple[OutcomeCount, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """A version of a template and what speaks against submitting it."""

    template: Template
    objections: tuple[Objection, ...]


@dataclass(frozen=True, slots=True)
class CampaignRejected:
    """Nothing was changed. `code`: see docs/errors.md."""

    code: str


@dataclass(frozen=True, slots=True)
class TemplateNoncompliant:
    """The words may not go out as they are; each objection names the place, the rule and the article that it rests on."""

    objections: tuple[Objection, ...]


def covers(audience: Audience, row: Row) -> bool:
    """Whether the rule covers this member: the same as `store.audience_clause` says in SQL."""
    plain = row.plain
    tags, points, joined = plain.get("tags", ()), plain.get("points"), plain.get("joined_on")
    held = frozenset(tags if isinstance(tags, tuple) else ())
    return (
        (not audience.tiers or plain.get("tier") in audience.tiers)
        and held.issuperset(audience.tags)
        and held.isdisjoint(audience.without_tags)
        and _within(points if isinstance(points, int) else None, audience.points_from, audience.points_below)
        and _within(joined.toordinal() if isinstance(joined, date) else None, *_days(audience))
    )


def _within(value: int | None, least: int | None, below: int | None) -> bool:
    if least is None and below is None:
        return True
    return value is not None and (least is None or value >= least) and (below is None or value < below)


def _days(audience: Audience) -> tuple[int | None, int | None]:
    first, before = audience.joined_from, audience.joined_before
    return (first.toordinal() if first else None), (before.toordinal() if before else None)


def template_digest(body: TemplateBody) -> bytes:
    """SHA-256 over the template's words (docs/formats/campaign.md)."""
    return _digest(TEMPLATE, template_document(body))


def campaign_digest(content: Content) -> bytes:
    """SHA-256 over all that is approved together (docs/formats/campaign.md)."""
    return _digest(CAMPAIGN, content_document(content))


def template_document(body: TemplateBody) -> dict[str, object]:
    """The template as JSON."""
    return {name: _plain(getattr(body, name)) for name in TemplateBody.__slots__}


def content_document(content: Content) -> dict[str, object]:
    """The campaign's content as JSON."""
    document = {name: _plain(getattr(content, name)) for name in Content.__slots__}
    return {**document, "audience": {name: _plain(getattr(content.audience, name)) for name in Audience.__slots__}}


def canonical(document: Mapping[str, object]) -> str:
    """One spelling of a document: keys sorted, no spaces, UTF-8."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _digest(label: str, document: Mapping[str, object]) -> bytes:
    return hashlib.sha256(f"{label}\0{canonical(document)}".encode()).digest()


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, datetime):
        return utc_text(value)
    return value.isoformat() if isinstance(value, date) else value

"""What a template and a campaign must be like to be kept at all, whatever they say. Pure: a code, or "" where nothing is wrong."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from policies.marketing import MessageClass
from policies.searching import plain
from policies.terms import Basis, Catalogue, Channel, Purpose, PurposeClass
from policies.text import holds_contact, holds_unseen, tells_of_somebody
from service.campaigns.model import Audience, Content, RewardTrigger, TemplateBody
from service.errors import BadInput
from service.members.model import MOST_POINTS

SLOTS = frozenset({"sender", "contact", "opt_out"})
"""What Menshen fills in itself. There is none for a campaign: nothing is appended to a service message (ADV-02)."""

_LENGTHS = {"title": 80, "subject": 200, "text": 20_000, "html": 100_000, "vendor_template": 80, "channel": 20, "sender": 40}
_NEEDED = frozenset({"title", "text"})
_ONE_LINE = frozenset({"title", "subject", "vendor_template", "channel", "sender"})
_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_MOST_LISTED = 20
_MOST_TIER = 40
_LONGEST = timedelta(days=366)
_FURTHEST = timedelta(days=731)
_COMMENT = range(4, 501)
_BASES = {
    MessageClass.COMMERCIAL: Basis.CONSENT,
    MessageClass.SERVICE: Basis.CONTRACT,
    MessageClass.BREACH: Basis.LEGAL_DUTY,
}


def form(body: TemplateBody) -> None:
    """Raises BadInput, naming the part, for what is empty, too long or holds characters that nobody sees."""
    for name, most in _LENGTHS.items():
        _text(name, getattr(body, name), most, needed=name in _NEEDED)
    if len(body.variables) > _MOST_LISTED or len(set(body.variables)) != len(body.variables):
        raise BadInput(f"variables: up to {_MOST_LISTED}, each once")


def titled(title: str) -> None:
    """Raises BadInput for a campaign's title that is none, or that holds somebody's number."""
    _text("title", title, _LENGTHS["title"], needed=True)
    if tells_of_somebody(title):
        raise BadInput("title: nobody's personal data")


def _text(name: str, text: str, most: int, *, needed: bool) -> None:
    shown = text if name in _ONE_LINE else text.replace("\r\n", "").replace("\n", "").replace("\t", "")
    if len(text) > most or (needed and not text.strip()) or holds_unseen(shown):
        raise BadInput(f"{name}: {'1' if needed else '0'} to {most} characters that can be seen")


def template_problem(catalogue: Catalogue, body: TemplateBody) -> str:
    """SENDER_UNREGISTERED: nobody registered sends this class over this channel (SMS-04, SMS-05). VARIABLE_UNKNOWN: what stands in the
    words is not what is declared, or neither a field nor a slot.
    """
    sender = catalogue.senders.get(body.sender)
    if body.channel not in catalogue.channels:
        return "CHANNEL_UNKNOWN"
    if sender is None or sender.channel != body.channel or body.message_class not in sender.classes:
        return "SENDER_UNREGISTERED"
    found = {name for part in (body.subject, body.text, body.html) for name in _VARIABLE.findall(part)}
    known = all(name in SLOTS or name in catalogue.fields for name in found)
    return "" if known and found == set(body.variables) else "VARIABLE_UNKNOWN"


def content_problem(catalogue: Catalogue, content: Content, body: TemplateBody) -> str:
    """What of a campaign does not fit the policy in force or its own template, as a code."""
    if content.reward is RewardTrigger.SUBSCRIBE:
        return "REWARD_FOR_SUBSCRIBING"
    sender = catalogue.senders.get(body.sender)
    if content.channel != body.channel or sender is None or sender.brand != content.brand:
        return "SENDER_UNREGISTERED"
    if content.topic not in ({""} if body.message_class is MessageClass.BREACH else catalogue.topics.keys()):
        return "TOPIC_UNKNOWN"
    purpose = catalogue.purposes.get(content.purpose)
    if purpose is None or not _fits(purpose, body, catalogue.channels[body.channel]):
        return "PURPOSE_UNFIT"
    if not _fair(catalogue, content.audience):
        return "AUDIENCE_INVALID"
    return "" if timedelta(0) < content.ends_at - content.starts_at <= _LONGEST else "WINDOW_INVALID"


def carries(purpose: Purpose, message_class: MessageClass, channel: Channel) -> bool:
    """Whether messages of a class stand on this purpose over a channel: its basis is the class's, it has the address, and it is the
    channel's own where they are commercial.
    """
    if purpose.basis is not _BASES[message_class] or purpose.self_service or channel.address not in purpose.fields:
        return False
    commercial = message_class is MessageClass.COMMERCIAL
    return not commercial or (purpose.channel == channel.key and purpose.purpose_class is PurposeClass.COMMERCIAL)


def _fits(purpose: Purpose, body: TemplateBody, channel: Channel) -> bool:
    """Whether the message stands on this purpose, with every field that it needs."""
    needed = {name for name in body.variables if name not in SLOTS}
    return carries(purpose, body.message_class, channel) and needed <= purpose.fields.keys()


def _fair(catalogue: Catalogue, audience: Audience) -> bool:
    tags = (*audience.tags, *audience.without_tags)
    plain = all(tag in catalogue.tags and not catalogue.categories[catalogue.tags[tag].category].sensitive for tag in tags)
    points = [bound for bound in (audience.points_from, audience.points_below) if bound is not None]
    days = [bound for bound in (audience.joined_from, audience.joined_before) if bound is not None]
    return (
        plain
        and all(_few(listed) for listed in (audience.tiers, audience.tags, audience.without_tags))
        and all(0 < len(tier) <= _MOST_TIER and not holds_unseen(tier) and not holds_contact(tier) for tier in audience.tiers)
        and all(0 <= bound <= MOST_POINTS for bound in points)
        and points == sorted(set(points))
        and days == sorted(set(days))
    )


def _few(listed: tuple[str, ...]) -> bool:
    return len(listed) <= _MOST_LISTED and len(set(listed)) == len(listed)


def in_time(content: Content, now: datetime) -> bool:
    """Whether the window is one that can still be kept: not over, and not years away."""
    return now < content.ends_at <= now + _FURTHEST and content.starts_at >= now - _LONGEST


def comment_problem(comment: str) -> str:
    """REASON_REQUIRED or REASON_PERSONAL: whoever sends a campaign back says why, and tells nobody's story (the archive is for good)."""
    if len(comment) < _COMMENT.start:
        return "REASON_REQUIRED"
    return "REASON_PERSONAL" if tells_of_somebody(comment) or len(comment) not in _COMMENT else ""


def wrote(actor: str, authors: Iterable[str]) -> bool:
    """Whether one account is among others. Directories fold case and width: `Li@…` and `ｌi@…` are one person, and one person is no
    review.
    """
    return plain(actor).strip() in {plain(author).strip() for author in authors}

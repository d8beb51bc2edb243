"""Stored words and contents, read back. Whatever the text: the value it is the one canonical writing of, or Malformed.

The database's administrator can write anything there; what parses otherwise than we would have written it was not written by us.
"""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from policies.marketing import MessageClass
from service.campaigns.model import (
    CAMPAIGN,
    TEMPLATE,
    Audience,
    Content,
    RewardTrigger,
    TemplateBody,
    TemplateKind,
    canonical,
    content_document,
    template_document,
)
from service.errors import Malformed

ARCHIVE = "menshen/campaign-step/v1"
_MOMENT = "%Y-%m-%dT%H:%M:%S.%fZ"
_BIGGEST = 2**53
_WRONG = (AttributeError, KeyError, RecursionError, TypeError, ValueError)
Made = TypeVar("Made")


def parse_template(text: str) -> TemplateBody:
    """A template's words. Raises Malformed."""
    try:
        return _template(json.loads(text), text)
    except _WRONG:
        raise Malformed(TEMPLATE) from None


def parse_content(text: str) -> Content:
    """A campaign's content. Raises Malformed."""
    try:
        return _content(json.loads(text), text)
    except _WRONG:
        raise Malformed(CAMPAIGN) from None


def archived(content: Content, words: TemplateBody) -> str:
    """What a step keeps: all that stood then, the template's words too."""
    return canonical({"campaign": content_document(content), "template": template_document(words)})


def parse_archived(text: str) -> tuple[Content, TemplateBody]:
    """What a step kept. Raises Malformed."""
    try:
        found = json.loads(text)
        kept = _content(found["campaign"]), _template(found["template"])
        if archived(*kept) != text:
            raise Malformed(ARCHIVE)
    except _WRONG:
        raise Malformed(ARCHIVE) from None
    return kept


def _template(found: Mapping[str, Any], text: str = "") -> TemplateBody:
    body = TemplateBody(
        title=_text(found["title"]),
        message_class=MessageClass(found["message_class"]),
        channel=_text(found["channel"]),
        sender=_text(found["sender"]),
        text=_text(found["text"]),
        subject=_text(found["subject"]),
        html=_text(found["html"]),
        variables=_texts(found["variables"]),
        vendor_template=_text(found["vendor_template"]),
        kind=TemplateKind(found["kind"]),
    )
    return _same(body, canonical(template_document(body)), text, TEMPLATE)


def _content(found: Mapping[str, Any], text: str = "") -> Content:
    content = Content(
        title=_text(found["title"]),
        brand=_text(found["brand"]),
        channel=_text(found["channel"]),
        topic=_text(found["topic"]),
        purpose=_text(found["purpose"]),
        template_id=_text(found["template_id"]),
        template_version=_number(found["template_version"]),
        template_digest=_text(found["template_digest"]),
        audience=_audience(found["audience"]),
        starts_at=_moment(found["starts_at"]),
        ends_at=_moment(found["ends_at"]),
        reward=RewardTrigger(found["reward"]),
    )
    return _same(content, canonical(content_document(content)), text, CAMPAIGN)


def _audience(found: Mapping[str, Any]) -> Audience:
    return Audience(
        tiers=_texts(found["tiers"]),
        tags=_texts(found["tags"]),
        without_tags=_texts(found["without_tags"]),
        points_from=_number_or_none(found["points_from"]),
        points_below=_number_or_none(found["points_below"]),
        joined_from=_day_or_none(found["joined_from"]),
        joined_before=_day_or_none(found["joined_before"]),
    )


def _same(made: Made, written: str, text: str, where: str) -> Made:
    """The value, where it is written in its one way. `text` "": it is part of something that is compared as a whole."""
    if text and written != text:
        raise Malformed(where)
    written.encode()
    return made


def _text(found: object) -> str:
    if not isinstance(found, str):
        raise TypeError
    return found


def _texts(found: object) -> tuple[str, ...]:
    if not isinstance(found, list):
        raise TypeError
    return tuple(_text(one) for one in found)


def _number(found: object) -> int:
    if type(found) is not int or not -_BIGGEST < found < _BIGGEST:
        raise TypeError
    return found


def _number_or_none(found: object) -> int | None:
    return None if found is None else _number(found)


def _day_or_none(found: object) -> date | None:
    return None if found is None else date.fromisoformat(_text(found))


def _moment(found: object) -> datetime:
    return datetime.strptime(_text(found), _MOMENT).replace(tzinfo=UTC)

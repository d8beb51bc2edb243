"""Invented templates and campaigns, as values."""

from datetime import date, timedelta

from policies.marketing import MessageClass
from service.campaigns.model import Audience, Content, TemplateBody, template_digest
from tests.conftest import START


def words(**more: object) -> TemplateBody:
    """A commercial text message that breaks no rule."""
    given: dict[str, object] = {
        "title": "秋季新品",
        "message_class": MessageClass.COMMERCIAL,
        "channel": "sms",
        "sender": "living_sms",
        "text": "【示例生活】秋季新品已到店，欢迎选购。客服4000000000，拒收请回复R",
    }
    return TemplateBody(**(given | more))  # type: ignore[arg-type]


def content(body: TemplateBody | None = None, **more: object) -> Content:
    """A campaign of it, for everybody, over the next week."""
    given: dict[str, object] = {
        "title": "秋季上新",
        "brand": "living",
        "channel": "sms",
        "topic": "news",
        "purpose": "marketing_sms",
        "template_id": "019a0000-0000-7000-8000-00000000000a",
        "template_version": 1,
        "template_digest": template_digest(body or words()).hex(),
        "audience": Audience(),
        "starts_at": START,
        "ends_at": START + timedelta(days=7),
    }
    return Content(**(given | more))  # type: ignore[arg-type]


EVERYTHING = Audience(
    tiers=("gold", "银卡"),
    tags=("outdoor",),
    without_tags=("fragrance",),
    points_from=100,
    points_below=5000,
    joined_from=date(2024, 2, 29),
    joined_before=date(2026, 11, 22),
)
"""A rule with every part."""

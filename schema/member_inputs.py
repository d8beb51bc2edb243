"""A member's data as a front end sends it, and how it becomes the catalogue's keys and values."""

from datetime import date
from typing import Any

import strawberry

from schema.engine.selection import MEMBER_FIELDS
from schema.scalars import FieldKey
from service.errors import BadInput


@strawberry.input(description="One field by its key (按字段键提供的值).")
class AttributeInput:
    """Either a text or a list; neither takes the value away."""

    key: FieldKey = strawberry.field(description="The field (字段).")
    text: str | None = strawberry.field(default=None, description="The value as text; days as `1990-05-12` (文本值).")
    texts: list[str] | None = strawberry.field(default=None, description="The values of a list (列表值).")


def _value(description: str) -> Any:  # noqa: ANN401 - as strawberry.field has it
    return strawberry.field(default=strawberry.UNSET, description=description)


@strawberry.input(
    description="A member's data (会员信息). What is left out is not touched; the purpose says what may be given at all."
)
class MemberFieldsInput:
    """The typed fields of Member, and any other by its key."""

    name: str | None = _value("Name (姓名).")
    phone: str | None = _value("Phone number (手机号码); mainland numbers need no country code.")
    email: str | None = _value("E-mail address (电子邮箱).")
    wechat_openid: str | None = _value("WeChat openid (微信 openid).")
    birthday: date | None = _value("Birthday (生日).")
    gender: str | None = _value("Gender (性别).")
    region: str | None = _value("Region (地区).")
    address: str | None = _value("Delivery address (收货地址).")
    tier: str | None = _value("Membership tier (会员等级).")
    points: int | None = _value("Points (积分).")
    joined_on: date | None = _value("Join date (入会日期).")
    tags: list[str] | None = _value("Tags (标签).")
    attributes: list[AttributeInput] | None = _value("Any other fields of the catalogue, by their keys (其他字段).")


def fields_of(given: MemberFieldsInput) -> dict[str, object | None]:
    """What was given, by the catalogue's keys; None takes a value away. Raises BadInput for a field that is given twice."""
    named = {key: getattr(given, key) for key in MEMBER_FIELDS.values()}
    found: dict[str, object | None] = {key: value for key, value in named.items() if value is not strawberry.UNSET}
    for attribute in given.attributes or ():
        if attribute.key in found:
            raise BadInput("fields: one field is given twice")
        found[attribute.key] = attribute.text if attribute.texts is None else attribute.texts
    return found

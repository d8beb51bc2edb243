"""A member as the contract shows one."""

from datetime import date
from typing import Any

import strawberry

from policies import terms
from schema.arguments import Key
from schema.enums import WithheldReason
from schema.fields import field
from schema.scalars import FieldKey, PurposeKey
from schema.values import Attribute, attribute
from service.disclosure import model


@strawberry.type(description="What would open a withheld field (补救办法).")
class Remedy:
    """Read from `model.Remedy`."""

    operation: str = strawberry.field(description="The mutation to call, such as `recordConsents` (应调用的操作).")
    notice: str | None = strawberry.field(description="The version of the notice to show first (须先展示的告知版本).")
    purpose: PurposeKey = strawberry.field(description="The purpose to ask for (应征求同意的处理目的).")
    ask: str = strawberry.field(description="The mutation that gives the question to put, `consentsToAsk` (应先调用的操作).")


@strawberry.type(description="One field that this answer leaves out (不予提供的字段), and why.")
class Withheld:
    """Read from `model.Withheld`."""

    field: FieldKey = strawberry.field(description="The field (字段).")
    reason: terms.Reason = strawberry.field(graphql_type=WithheldReason, description="Why it is left out (原因).")
    purpose: PurposeKey = strawberry.field(description="The purpose that was stated (所声明的处理目的).")
    remedy: model.Remedy | None = strawberry.field(
        graphql_type=Remedy | None, description="What would open it; null where the front end can do nothing (补救办法)."
    )


def _value(description: str) -> Any:  # noqa: ANN401 - as strawberry.field has it
    """A field of the catalogue's: None unless the disclosure gave it a value."""
    return strawberry.field(default=None, description=description)


@strawberry.type(description="A member (会员), as far as purpose and consent allow. What is left out is null and in `withheld`.")
class Member:
    """Made by `present`; graphql reads its attributes, and no code of ours runs per field. Attributes bear catalogue keys."""

    id: strawberry.ID = strawberry.field(description="The member's id (会员编号), with no meaning outside this service.")
    name: str | None = _value("Name (姓名).")
    phone: str | None = _value("Phone number (手机号码), in E.164.")
    email: str | None = _value("E-mail address (电子邮箱).")
    wechat_openid: str | None = _value("WeChat openid (微信 openid) of the member in this controller's app.")
    birthday: date | None = _value("Birthday (生日).")
    gender: str | None = _value("Gender (性别).")
    region: str | None = _value("Region (地区).")
    address: str | None = _value("Delivery address (收货地址).")
    tier: str | None = _value("Membership tier (会员等级).")
    points: int | None = _value("Points (积分); null where they are masked.")
    joined_on: date | None = _value("Join date (入会日期).")
    tags: list[str] | None = _value("Tags (标签); null where they are masked.")
    withheld: tuple[model.Withheld, ...] = strawberry.field(
        default=(),
        graphql_type=list[Withheld],
        description="Every selected field that this answer leaves out (不予提供的字段), with its reason.",
    )
    masked: list[FieldKey] = strawberry.field(
        default_factory=list, description="The selected fields that are shown masked (脱敏字段)."
    )
    profile: strawberry.Private[model.Profile | None] = None

    @field("Any field of the catalogue (目录中的任意字段), by its key; null where withheld or without a value.")
    def attribute(self, key: Key) -> Attribute | None:
        """One field that may have no place of its own above."""
        if self.profile is None or (value := self.profile.values.get(key)) is None:
            return None
        return attribute(key, value, masked=key in self.profile.masked)


def withheld(found: model.Withheld) -> Withheld:
    """A withheld field as a result of its own."""
    return Withheld(field=FieldKey(found.field), reason=found.reason, purpose=PurposeKey(found.purpose), remedy=found.remedy)


_NO_MASKED_FORM = frozenset({"points", "tags"})
"""A masked value is a text, and these two are not."""


def present(profile: model.Profile) -> Member:
    """A disclosed profile as the contract's member.

    The attributes are laid down in one step, so that the cost grows with the fields that were disclosed and not with those that
    exist; the contract's own come last, so that no field of the catalogue can take their place.
    """
    member = object.__new__(Member)
    own = {"id": profile.member_id, "withheld": profile.withheld, "masked": sorted(profile.masked), "profile": profile}
    member.__dict__ = {**profile.values, **own}
    for key in profile.masked & _NO_MASKED_FORM:
        member.__dict__[key] = None
    return member

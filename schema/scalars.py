"""Scalars of our own: keys of the catalogue, moments and days. Each checks the form; whether a key exists is for the policy."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import NewType

import strawberry
from graphql import GraphQLError, StringValueNode, ValueNode
from strawberry.types.scalar import ScalarDefinition

PurposeKey = NewType("PurposeKey", str)
FieldKey = NewType("FieldKey", str)

_KEY = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)


def _key(name: str) -> Callable[[object], str]:
    def parse(value: object) -> str:
        if not isinstance(value, str) or not _KEY.fullmatch(value):
            raise GraphQLError(f"{name}: lower-case letters, digits and underscores, 64 at most")
        return value

    return parse


def _moment(value: object) -> datetime:
    """An aware moment. Without an offset it would mean eight hours more or less, depending on who reads it."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise GraphQLError("DateTime: RFC 3339, with an offset")
    return moment.astimezone(UTC)


def _day(value: object) -> date:
    try:
        if isinstance(value, str):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise GraphQLError("Date: YYYY-MM-DD")


def _moment_text(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _text(value: date | str) -> str:
    return value if isinstance(value, str) else value.isoformat()


def _scalar(
    name: str, description: str, *, parse: Callable[[object], object], serialize: Callable[..., str] = str, url: str | None = None
) -> ScalarDefinition:
    """A scalar that is a text in a query too: an enum's name or a number without quotes is not taken for one."""

    def literal(node: ValueNode, _variables: object = None) -> object:
        return parse(node.value if isinstance(node, StringValueNode) else None)

    return strawberry.scalar(
        name=name,
        description=description,
        specified_by_url=url,
        serialize=serialize,
        parse_value=parse,
        parse_literal=literal,
    )


SCALARS: Mapping[object, ScalarDefinition] = {
    PurposeKey: _scalar(
        "PurposeKey",
        "The key of a declared purpose (处理目的), such as `order_fulfilment`. `processingRules` lists them all.",
        parse=_key("PurposeKey"),
    ),
    FieldKey: _scalar(
        "FieldKey",
        "The key of a field of the catalogue (个人信息字段), such as `phone`. `processingRules` lists them all.",
        parse=_key("FieldKey"),
    ),
    datetime: _scalar(
        "DateTime",
        "A moment (时间) as RFC 3339 writes it, with an offset: `2026-11-22T10:00:00+08:00`. Answers are in UTC.",
        parse=_moment,
        serialize=_moment_text,
        url="https://www.rfc-editor.org/rfc/rfc3339",
    ),
    date: _scalar(
        "Date",
        "A day (日期): `1990-05-12`. Where the answer's `masked` names the field, it is the masked form (脱敏) and no day.",
        parse=_day,
        serialize=_text,
    ),
}

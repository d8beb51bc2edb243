"""Values as GraphQL shows them: the vault's text, days, numbers and lists."""

from datetime import date

import strawberry

from schema.scalars import FieldKey
from service.vault.vault import Value


@strawberry.type(description="One field's value (字段值).")
class Attribute:
    """Text for everything but lists, so that a client needs no knowledge of a field's type to show it."""

    key: FieldKey = strawberry.field(description="The field (字段).")
    text: str | None = strawberry.field(description="The value as text; days as `1990-05-12`. null for a list (文本值).")
    texts: list[str] | None = strawberry.field(description="The values of a list; null for everything else (列表值).")
    masked: bool = strawberry.field(description="Whether the value is masked (是否脱敏).")


def attribute(key: str, value: Value, *, masked: bool = False) -> Attribute:
    """One value under its key."""
    if isinstance(value, tuple):
        return Attribute(key=FieldKey(key), text=None, texts=list(value), masked=masked)
    text = value.isoformat() if isinstance(value, date) else str(value)
    return Attribute(key=FieldKey(key), text=text, texts=None, masked=masked)

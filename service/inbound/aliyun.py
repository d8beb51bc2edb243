"""Alibaba Cloud SMS: replies as its HTTP batch push delivers them, a JSON array, at most ten times until it is answered."""

from collections.abc import Mapping
from typing import Any

from service.errors import Malformed
from service.inbound import plain
from service.inbound.model import SmsReply

NAME = "aliyun"
MOST = 500
"""Replies in one push. The vendor sends fewer; a longer list is not the vendor's."""


def replies(raw: bytes) -> tuple[SmsReply, ...]:
    """The replies of one push. Raises Malformed; then none of them is taken, and the vendor sends all of them again."""
    found = plain.document(raw, name=NAME)
    if not isinstance(found, list) or len(found) > MOST:
        raise Malformed(f"{NAME}: not a list of up to {MOST}")
    return tuple(_reply(plain.table(item, name=NAME)) for item in found)


def _reply(item: Mapping[str, Any]) -> SmsReply:
    return SmsReply(
        number=plain.text(item, "phone_number", name=NAME, least=1, most=64),
        text=plain.text(item, "content", name=NAME),
        code=plain.text(item, "dest_code", name=NAME, most=64),
        sign=plain.text(item, "sign_name", name=NAME, most=64),
        delivery=plain.text(item, "sequence_id", name=NAME, least=1, most=64),
    )

"""Tencent Cloud SMS: one reply a push, a JSON object without an id of its own."""

from service.inbound import plain
from service.inbound.model import SmsReply

NAME = "tencent"


def reply(raw: bytes) -> SmsReply:
    """The reply. Raises Malformed. The same number, moment and text are the same reply: the vendor gives nothing better."""
    found = plain.table(plain.document(raw, name=NAME), name=NAME)
    mobile = plain.text(found, "mobile", name=NAME, least=1, most=32)
    nation = plain.text(found, "nationcode", name=NAME, most=8).removeprefix("+")
    words = plain.text(found, "text", name=NAME)
    moment = plain.text(found, "time", name=NAME, least=1, most=32)
    return SmsReply(
        number=f"+{nation}{mobile}" if nation and not mobile.startswith("+") else mobile,
        text=words,
        code=plain.text(found, "extend", name=NAME, most=64),
        sign=plain.text(found, "sign", name=NAME, most=64),
        delivery=f"{nation}\0{mobile}\0{moment}\0{words}",
    )

"""WeChat's events as what they mean: an acceptance, a refusal, an authorisation that was taken back, an account that is gone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from service.errors import Malformed
from service.inbound import plain
from service.inbound.model import InboundKind

NAME = "wechat"
_MOST_ITEMS = 100

REFUSED_BY_USER = "43101"
"""The error code of a message to somebody who has not accepted it, or refuses them all by now (WX-04)."""

_REVOKED_FIELDS: Mapping[str, str] = {
    "2": "address",
    "6": "name",
    "8": "phone",
    "13": "region",
    "16": "email",
    "18": "region",
    "19": "name",
}
"""What each number of `RevokeInfo` gave us, by the catalogue's field. Those missing are what is never kept here (camera, steps)."""


class Answer(StrEnum):
    """What somebody tapped for one template when asked (ACCEPT, REJECT; BAN is WeChat's own), or what stands from then on: OFF in their
    settings, or REFUSED, because a message did not get through.
    """

    ACCEPT = "ACCEPT"
    REJECT = "REJECT"
    BAN = "BAN"
    OFF = "OFF"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class TemplateAnswer:
    """One template of one event. `reference` tells one acceptance of a template from another."""

    template: str
    answer: Answer
    reference: str


@dataclass(frozen=True, slots=True)
class Event:
    """One event about one openid. `answers` in the order in which they were given; `revoked`: the fields that were taken back."""

    kind: InboundKind
    openid: str
    appid: str
    answers: tuple[TemplateAnswer, ...] = ()
    revoked: tuple[str, ...] = ()


_KINDS = {
    "subscribe_msg_popup_event": InboundKind.WECHAT_SUBSCRIPTION,
    "subscribe_msg_change_event": InboundKind.WECHAT_SUBSCRIPTION,
    "subscribe_msg_sent_event": InboundKind.WECHAT_SUBSCRIPTION,
    "user_authorization_revoke": InboundKind.WECHAT_REVOCATION,
    "user_authorization_cancellation": InboundKind.WECHAT_CANCELLATION,
    "user_info_modified": InboundKind.WECHAT_CHANGE,
}
_LISTS = {
    "subscribe_msg_popup_event": "SubscribeMsgPopupEvent",
    "subscribe_msg_change_event": "SubscribeMsgChangeEvent",
    "subscribe_msg_sent_event": "SubscribeMsgSentEvent",
}


def event(message: Mapping[str, Any]) -> Event:
    """What a message says. One that is no event that is known here is WECHAT_OTHER. Raises Malformed."""
    name = _text(message, "Event") if _text(message, "MsgType").lower() == "event" else ""
    name = name.lower()
    kind = _KINDS.get(name, InboundKind.WECHAT_OTHER)
    about = _text(message, "OpenID") if name.startswith("user_") else ""
    openid = about or _text(message, "FromUserName", least=1)
    when = _text(message, "CreateTime")
    return Event(
        kind=kind,
        openid=openid,
        appid=_text(message, "AppID") if name.startswith("user_") else "",
        answers=tuple(_answers(message, name, when)),
        revoked=_revoked(message) if kind is InboundKind.WECHAT_REVOCATION else (),
    )


def _answers(message: Mapping[str, Any], name: str, when: str) -> Iterable[TemplateAnswer]:
    for position, item in enumerate(_items(message, name)):
        template = _text(item, "TemplateId", least=1, most=80)
        answer = _READ[name](_text(item, "ErrorCode"), _text(item, "SubscribeStatusString").lower())
        if answer is not None:
            yield TemplateAnswer(template, answer, f"{when}.{position}")


def _popup(_code: str, said: str) -> Answer | None:
    """What was tapped; whatever else WeChat may say one day allows nothing."""
    return {"accept": Answer.ACCEPT, "reject": Answer.REJECT, "ban": Answer.BAN}.get(said)


def _change(_code: str, said: str) -> Answer | None:
    """A setting counts when it says no: a yes there is no acceptance of a message."""
    return Answer.OFF if said == "reject" else None


def _sent(code: str, _said: str) -> Answer | None:
    """A message that was not let through says that the member accepts no more of them; one that was says nothing new."""
    return Answer.REFUSED if code == REFUSED_BY_USER else None


_READ = {
    "subscribe_msg_popup_event": _popup,
    "subscribe_msg_change_event": _change,
    "subscribe_msg_sent_event": _sent,
}


def _items(message: Mapping[str, Any], name: str) -> Iterable[Mapping[str, Any]]:
    """JSON has `List` at the top; XML has it one step down, repeated, and once where there is one item."""
    if name not in _LISTS:
        return
    holder = message.get(_LISTS[name], message)
    found = plain.table(holder, name=NAME).get("List", [])
    items = found if isinstance(found, list) else [found]
    if len(items) > _MOST_ITEMS:
        raise Malformed(f"{NAME}: List")
    yield from (plain.table(item, name=NAME) for item in items)


def _revoked(message: Mapping[str, Any]) -> tuple[str, ...]:
    said = _text(message, "RevokeInfo")
    numbers = [part.strip() for part in said.replace("，", ",").split(",")]
    return tuple(dict.fromkeys(_REVOKED_FIELDS[number] for number in numbers if number in _REVOKED_FIELDS))


def _text(found: Mapping[str, Any], key: str, *, least: int = 0, most: int = 128) -> str:
    return plain.text(found, key, name=NAME, least=least, most=most).strip()

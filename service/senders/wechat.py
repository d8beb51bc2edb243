"""Subscription messages over WeChat: subscribeMessage.send with a stable access token.

There is no idempotency key, so a request whose answer was lost is never sent again. One acceptance is one message (WX-04): 43101 says that
there is none, whatever our own count says.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote

import orjson

from policies.marketing import Sender as RegisteredSender
from service.gate.commands import WECHAT_REFUSED
from service.senders.adapter import Adapter, reference
from service.senders.model import Delivery, Fate, Message, Unfit
from service.senders.wire import Answer, Wire
from service.values import Clock

_EARLY: Final = timedelta(minutes=5)
"""So long before its end a token is fetched anew: the two clocks need not agree."""

_JSON: Final = {"content-type": "application/json"}
_STALE: Final = frozenset({40001, 40014, 42001})
_CODES: Final[Mapping[int, tuple[Fate, str]]] = {
    int(WECHAT_REFUSED): (Fate.REFUSED, WECHAT_REFUSED),
    40003: (Fate.BOUNCED, "OPENID_INVALID"),
    40037: (Fate.REFUSED, "TEMPLATE_UNKNOWN"),
    41030: (Fate.REFUSED, "PAGE_UNKNOWN"),
    47003: (Fate.REFUSED, "TEMPLATE_PARAMETERS"),
    45009: (Fate.NOT_OUT, "VENDOR_QUOTA"),
    45011: (Fate.NOT_OUT, "THROTTLED"),
    40013: (Fate.NOT_OUT, "VENDOR_CREDENTIALS"),
    40125: (Fate.NOT_OUT, "VENDOR_CREDENTIALS"),
    40164: (Fate.NOT_OUT, "VENDOR_CREDENTIALS"),
    -1: (Fate.UNKNOWN, "VENDOR_BROKEN"),
}


@dataclass(frozen=True, slots=True)
class WechatApp:
    """Where WeChat is reached, the app's secret, and the mini-program's page on which subscriptions are switched off (AD-01)."""

    url: str
    page: str
    secret: str = field(repr=False)


class WechatMessages(Adapter):
    """One brand's mini-program. Its appid is the registered address."""

    def __init__(self, registered: RegisteredSender, *, clock: Clock, life: timedelta, app: WechatApp, wire: Wire) -> None:
        super().__init__(registered, clock=clock, life=life)
        self._app = app
        self._wire = wire
        self._turn = asyncio.Lock()
        self._token = ""
        self._until: datetime | None = None

    async def hand_over(self, message: Message) -> Delivery:
        """One message to one openid. A token that WeChat has ended meanwhile is fetched anew, once: with it nothing was sent."""
        body = self._body(message)
        answer: Answer | Delivery = Delivery(Fate.NOT_OUT, "VENDOR_CREDENTIALS")
        for _ in range(2):
            token = await self._live_token()
            if isinstance(token, Delivery):
                return token
            answer = await self._wire.post(
                f"{self._app.url}/cgi-bin/message/subscribe/send?access_token={quote(token)}", body, _JSON
            )
            if isinstance(answer, Delivery) or answer.document.get("errcode") not in _STALE:
                break
            self._forget(token)
        return answer if isinstance(answer, Delivery) else _read(answer)

    def _body(self, message: Message) -> bytes:
        appid, _, openid = message.to.rpartition(":")
        if appid != self.registered.address:
            # An openid means somebody only within its app.
            raise Unfit("OPENID_OF_ANOTHER_APP")
        link = quote(message.way_out.token, safe="")
        return orjson.dumps(
            {
                "touser": openid,
                "template_id": message.vendor_template,
                "page": f"{self._app.page}?u={link}",
                "data": {name: {"value": value} for name, value in message.words.parameters.items()},
            }
        )

    async def _live_token(self) -> str | Delivery:
        """The access token, asked for by one of us at a time: each new one ends the others after a while."""
        async with self._turn:
            if self._until is not None and self.clock() < self._until:
                return self._token
            asked = {"grant_type": "client_credential", "appid": self.registered.address, "secret": self._app.secret}
            answer = await self._wire.post(f"{self._app.url}/cgi-bin/stable_token", orjson.dumps(asked), _JSON)
            if isinstance(answer, Delivery):
                return Delivery(Fate.NOT_OUT, answer.code)
            token, seconds = answer.document.get("access_token"), answer.document.get("expires_in")
            if not isinstance(token, str) or not token or not isinstance(seconds, int):
                return Delivery(Fate.NOT_OUT, "VENDOR_CREDENTIALS")
            self._token, self._until = token, self.clock() + timedelta(seconds=min(seconds, 7200)) - _EARLY
            return token

    def _forget(self, token: str) -> None:
        """Unless somebody has fetched another one since."""
        if self._token == token:
            self._until = None


def _read(answer: Answer) -> Delivery:
    code = answer.document.get("errcode")
    if not isinstance(code, int):
        return Delivery(Fate.UNKNOWN, "ANSWER_UNREADABLE")
    if code == 0:
        return Delivery(Fate.SENT, "ACCEPTED", reference(answer.document.get("msgid")))
    if code in _STALE:
        return Delivery(Fate.NOT_OUT, "VENDOR_CREDENTIALS")
    return Delivery(*_CODES.get(code, (Fate.REFUSED, "VENDOR_REFUSED")))

"""Where vendors deliver what comes back: texts, WeChat's events, mail reports. Each answers in its vendor's own words.

/hooks/sms/aliyun/<secret>, /hooks/sms/tencent/<secret>, /hooks/mail/<secret>: neither SMS vendor signs, so the secret in the address is
what speaks for it. /hooks/wechat/<appid>: signed. What is not let in is on record, and told no more than that nothing is served here.
"""

from collections.abc import Awaitable, Callable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from service.errors import Malformed, Refused
from service.inbound.envelope import Signed, speaks
from service.inbound.model import Origin
from service.inbound.settings import Hooks
from service.operations import Operations
from service.web import forms
from service.web.problem import problem

_MOST_SMS = 512 * 1024
_MOST_WECHAT = 64 * 1024
_MOST_MAIL = 512 * 1024
_TAKEN = {
    "aliyun": {"code": 0, "msg": "接收成功"},
    "tencent": {"result": 0, "errmsg": "OK"},
}


def routes(operations: Operations, hooks: Hooks, *, make_id: Callable[[], str]) -> list[BaseRoute]:
    """The addresses. Those that are not set up are answered as those with a wrong secret."""
    desk = HookDesk(operations, hooks, make_id)
    return [
        Route("/hooks/sms/{vendor}/{secret:path}", desk.sms, methods=["POST"]),
        Route("/hooks/mail/{secret:path}", desk.mail, methods=["POST"]),
        Route("/hooks/wechat/{appid:path}", desk.wechat, methods=["GET", "POST"]),
    ]


class HookDesk:
    """The handlers of the hooks."""

    def __init__(self, operations: Operations, hooks: Hooks, make_id: Callable[[], str]) -> None:
        self._operations = operations
        self._hooks = hooks
        self._make_id = make_id

    async def sms(self, request: Request) -> Response:
        """Replies. Answered when they are durable, so that a vendor that was not answered sends them again."""
        vendor = request.path_params["vendor"]
        known = vendor in _TAKEN and self._speaks(self._hooks.sms.get(vendor), request)
        hook = f"sms-{vendor}" if vendor in _TAKEN else "sms"

        async def take(origin: Origin, raw: bytes) -> Response:
            await self._operations.sms_replies(origin, vendor=vendor, raw=raw)
            return JSONResponse(_TAKEN[vendor])

        return await self._taken(request, hook, known=known, most=_MOST_SMS, take=take)

    async def mail(self, request: Request) -> Response:
        """One report, as the bytes of the mail."""

        async def take(origin: Origin, raw: bytes) -> Response:
            await self._operations.mail_report(origin, raw)
            return JSONResponse({"status": "ok"})

        known = self._speaks(self._hooks.mail, request)
        return await self._taken(request, "mail", known=known, most=_MOST_MAIL, take=take)

    async def wechat(self, request: Request) -> Response:
        """GET is WeChat's question whether the token is known here, POST an event."""
        app = self._hooks.wechat.get(request.path_params["appid"])

        async def take(origin: Origin, raw: bytes) -> Response:
            assert app is not None
            await self._operations.wechat_event(origin, app, _signed(request), raw)
            return PlainTextResponse("success")

        async def echo(origin: Origin, _: bytes) -> Response:
            assert app is not None
            await self._operations.wechat_echo(origin, app, _signed(request))
            return PlainTextResponse(request.query_params.get("echostr", "")[:256])

        asked = request.method != "POST"
        return await self._taken(request, "wechat", known=app is not None, most=_MOST_WECHAT, take=echo if asked else take)

    async def _taken(
        self,
        request: Request,
        hook: str,
        *,
        known: bool,
        most: int,
        take: Callable[[Origin, bytes], Awaitable[Response]],
    ) -> Response:
        origin = Origin(self._make_id(), request.client.host if request.client else "")
        if not known:
            return await self._turned_away(origin, hook, "SECRET_INVALID", 404)
        try:
            return await take(origin, await forms.body(request, most=most))
        except forms.TooLarge:
            return await self._turned_away(origin, hook, "BODY_TOO_LARGE", 413)
        except ClientDisconnect:
            return await self._turned_away(origin, hook, "TRUNCATED", 400)
        except Malformed:
            return problem(400, origin.request_id)
        except Refused:
            return problem(403, origin.request_id)

    async def _turned_away(self, origin: Origin, hook: str, code: str, status: int) -> Response:
        await self._operations.refuse(origin, hook=hook, code=code)
        return problem(status, origin.request_id)

    def _speaks(self, secret: bytes | None, request: Request) -> bool:
        return speaks(secret, request.path_params["secret"])


def _signed(request: Request) -> Signed:
    said = request.query_params
    return Signed(said.get("signature", ""), said.get("timestamp", ""), said.get("nonce", ""), said.get("msg_signature", ""))

"""Errors of the pages and probes: the same JSON body with a code as everywhere, for what never reaches GraphQL."""

from collections.abc import Awaitable, Callable, Mapping

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = structlog.get_logger("menshen.web")
WORDS: Mapping[int, tuple[str, str, str]] = {
    400: ("BAD_REQUEST", "The body is not what this address takes.", "请求体格式不符。"),
    403: ("FORBIDDEN", "This is not signed by whom it claims.", "签名无效。"),
    404: ("NOT_FOUND", "Nothing is served here.", "此地址没有内容。"),
    405: ("METHOD_NOT_ALLOWED", "This method is not taken here.", "此地址不接受该方法。"),
    413: ("BODY_TOO_LARGE", "The request body is too large.", "请求体过大。"),
    503: ("STORE_UNAVAILABLE", "The service cannot answer now. Retry later.", "服务暂不可用，请稍后重试。"),
    500: ("INTERNAL", "Unexpected error.", "服务出现意外错误。"),
}
_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)


def problem(status: int, request_id: str, headers: Mapping[str, str] | None = None) -> Response:
    """An error's answer. A status without words of its own is told as the nearest one that has."""
    code, en, zh = WORDS.get(status, WORDS[404] if status < 500 else WORDS[500])
    body = {"errors": [{"message": en, "extensions": {"code": code, "requestId": request_id, "zh": zh}}]}
    return JSONResponse(body, status, {**(headers or {}), "x-request-id": request_id})


Handler = Callable[[Request, Exception], Awaitable[Response]]


def handlers(make_id: Callable[[], str]) -> Mapping[type[Exception], Handler]:
    """How the application answers for an address that is not there or a method that is not taken."""

    async def refused(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return problem(error.status_code, make_id(), error.headers)

    return {HTTPException: refused}


class Wall:
    """The outermost of our own: completes every answer's headers, and lets nothing that is thrown get past with its message."""

    def __init__(self, app: ASGIApp, *, make_id: Callable[[], str]) -> None:
        self._app = app
        self._make_id = make_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; answer 500 for whatever fails before an answer has begun."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def complete(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                own = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(header for header in _HEADERS if header[0] not in own)]
            await send(message)

        try:
            await self._app(scope, receive, complete)
        except Exception as error:  # noqa: BLE001 - the message may quote a value; the log gets the type
            request_id = self._make_id()
            _log.error("unexpected", type=type(error).__name__, request_id=request_id)
            if not begun:
                await problem(500, request_id)(scope, receive, complete)

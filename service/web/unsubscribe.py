"""The links in messages: /u/<token> to say no (RFC 8058), /s/<token> to confirm an address, /u to say no without a link that holds.

No login, no cookie, no redirect. GET changes nothing, because mail systems open every link before a person does. A forged and an expired
link are answered alike, and nothing that is answered tells whether anybody was concerned.
"""

import re
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from policies.terms import Controller
from service.errors import BadInput
from service.inbound.model import Origin
from service.operations import Operations
from service.subscriptions.model import Way
from service.values import Clock
from service.web import forms
from service.web.pages import ADDRESS, LEAVE_FIELD, LEAVE_VALUE, PRESSED, Pages, answer, pages
from service.web.problem import problem

_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,1024}", re.ASCII)
_METHODS = ["GET", "POST", "OPTIONS"]
_ALLOW = {"allow": "GET, HEAD, POST, OPTIONS"}
_MOST_ADDRESS = 254

Answering = Callable[[Request], Awaitable[Response]]


def routes(
    operations: Operations, controller: Controller, clock: Clock, *, make_id: Callable[[], str], sender: str = ""
) -> list[BaseRoute]:
    """The three addresses; `sender` is the mailbox that asks a typed address, "" where staff do. What follows /u/ and /s/ is taken whole,
    so that no slash at its end is answered with a redirect.
    """
    desk = Links(operations, pages(controller), clock, make_id, sender)
    return [
        Route("/u/{token:path}", desk.leave, methods=_METHODS),
        Route("/u", desk.without_link, methods=_METHODS),
        Route("/s/{token:path}", desk.confirm, methods=_METHODS),
    ]


class Links:
    """The handlers of the three addresses."""

    def __init__(self, operations: Operations, shown: Pages, clock: Clock, make_id: Callable[[], str], sender: str) -> None:
        self._operations = operations
        self._pages = shown
        self._clock = clock
        self._make_id = make_id
        self._sender = sender

    async def leave(self, request: Request) -> Response:
        """GET shows one button; POST, from the button or from a mail system, says no."""
        token = request.path_params["token"]
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=_ALLOW)
        if request.method != "POST":
            holds = bool(_TOKEN.fullmatch(token)) and self._operations.link_holds(token, now=self._clock())
            return answer(self._pages.ask if holds else self._pages.lost)
        return await self._posted(request, lambda form: self._left(request, token, form))

    async def without_link(self, request: Request) -> Response:
        """An address that somebody types where no link of theirs holds any more (EM-04)."""
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=_ALLOW)
        if request.method != "POST":
            return answer(self._pages.lost)
        return await self._posted(request, lambda form: self._typed(request, form))

    async def confirm(self, request: Request) -> Response:
        """GET asks, POST confirms. A scanner that opens links has subscribed nobody."""
        token = request.path_params["token"]
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=_ALLOW)
        if request.method != "POST":
            return answer(self._pages.confirm if _TOKEN.fullmatch(token) else self._pages.unconfirmed)
        return await self._posted(request, lambda _: self._confirmed(request, token))

    async def _posted(self, request: Request, work: Callable[[Mapping[str, str]], Awaitable[Response]]) -> Response:
        try:
            raw = await forms.body(request, most=forms.MOST_BYTES)
            form = forms.fields(request.headers.get("content-type", ""), raw)
        except forms.TooLarge:
            return problem(413, self._make_id())
        except (BadInput, ClientDisconnect):
            return answer(self._pages.lost, 400)
        return await work(form)

    async def _left(self, request: Request, token: str, form: Mapping[str, str]) -> Response:
        if form.get(LEAVE_FIELD) != LEAVE_VALUE:
            return answer(self._pages.ask, 400)
        try:
            # What has not the form of a link is refused by the same door, so that it is on record; it is cut, so that it stays small.
            way = Way.LINK if PRESSED in form else Way.ONE_CLICK
            await self._operations.leave_by_link(self._origin(request), token if _TOKEN.fullmatch(token) else "", way=way)
        except BadInput:
            return answer(self._pages.lost, 404)
        return answer(self._pages.left)

    async def _typed(self, request: Request, form: Mapping[str, str]) -> Response:
        address = form.get(ADDRESS, "").strip()
        if not 3 <= len(address) <= _MOST_ADDRESS or "@" not in address:
            return answer(self._pages.lost, 400)
        await self._operations.type_address(self._origin(request), address, sender=self._sender)
        return answer(self._pages.typed)

    async def _confirmed(self, request: Request, token: str) -> Response:
        held = await self._operations.confirm_by_link(self._origin(request), token if _TOKEN.fullmatch(token) else "")
        return answer(self._pages.confirmed if held else self._pages.unconfirmed, 200 if held else 404)

    def _origin(self, request: Request) -> Origin:
        return Origin(self._make_id(), request.client.host if request.client else "")

"""The notices (告知) where anybody reads and keeps them, old versions included (PIPL 17(3)).

/notices                          every published version
/notices/2026-10/zh-CN.md         the very bytes that were published, for ever
/notices/2026-10/zh-CN            the same as a page to read; who does not ask for a page (`Accept`) gets the bytes
"""

from base64 import b64encode
from collections.abc import Callable, Mapping
from functools import cache, partial
from hashlib import sha256
from typing import NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from policies.terms import Catalogue, Notice
from service.values import Clock
from service.web import notice_page

FOR_EVER = "public, max-age=31536000, immutable"
_FOR_AN_HOUR = "public, max-age=3600"


class Text(NamedTuple):
    """One text, ready to be sent; its page is made when somebody first asks for it, and kept."""

    content: bytes
    page: Callable[[], str]
    headers: Mapping[str, str]


def pages(catalogue: Catalogue, clock: Clock) -> list[BaseRoute]:
    """The routes over what is published."""
    texts = {
        (notice.version, language): _text(notice, language) for notice in catalogue.notices.values() for language in notice.texts
    }

    def found(request: Request) -> Text:
        text = texts.get((request.path_params["version"], request.path_params["language"]))
        if text is None:
            raise HTTPException(404)
        return text

    async def index(_: Request) -> Response:
        return _html(notice_page.index(catalogue, clock()))

    async def exact(request: Request) -> Response:
        return _bytes(request, found(request), {})

    async def readable(request: Request) -> Response:
        text = found(request)
        if "text/html" not in request.headers.get("accept", ""):
            return _bytes(request, text, {"vary": "accept"})
        return _html(text.page())

    return [
        Route("/notices", index),
        Route("/notices/{version}/{language}.md", exact),
        Route("/notices/{version}/{language}", readable),
    ]


def _text(notice: Notice, language: str) -> Text:
    content = notice.texts[language]
    digest = sha256(content).digest()
    headers = {
        "access-control-allow-origin": "*",
        "cache-control": FOR_EVER,
        "content-disposition": f'attachment; filename="{notice.version}.{language}.md"',
        "content-language": language,
        "cross-origin-resource-policy": "cross-origin",
        "etag": f'"{digest.hex()}"',
        "repr-digest": f"sha-256=:{b64encode(digest).decode()}:",
    }
    return Text(content, cache(partial(notice_page.page, notice, language)), headers)


def _bytes(request: Request, text: Text, more: Mapping[str, str]) -> Response:
    headers = {**text.headers, **more}
    if headers["etag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    # As the whole type: a framework that adds the charset by itself may one day stop to.
    return Response(text.content, headers={**headers, "content-type": "text/markdown; charset=utf-8"})


def _html(page: str) -> Response:
    headers = {"cache-control": _FOR_AN_HOUR, "content-security-policy": notice_page.POLICY, "vary": "accept"}
    return HTMLResponse(page, headers=headers)

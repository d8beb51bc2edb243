"""The log as a stranger's tools read it (C2SP tlog-tiles): `/audit` is the prefix.

/audit/checkpoint                     the newest checkpoint that enough witnesses cosigned; without witnesses, that was signed
/audit/checkpoint?signed              the newest that was signed, cosigned or not yet
/audit/tile/<L>/<N>[.p/<W>]           hashes: anybody's, for ever the same
/audit/tile/entries/<N>[.p/<W>]       entries: pseudonyms, so for a bearer with `audit.export`, and each bundle is itself recorded

What lies beyond the newest signed checkpoint is not there yet: nobody gets a hash that we have not signed for.
"""

import gzip
from collections.abc import Awaitable, Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from service.archive.model import ENTRIES, Where, where
from service.errors import BadInput, Refused, ServiceError, Unauthenticated
from service.identity.verifier import Verifier
from service.operations import Operations
from service.values import Call

PREFIX = "/audit"
MOST_AT_ONCE = 4
"""Bundles that are on their way at once: whoever mirrors the log must not keep the log from being written."""

_OPEN = {"access-control-allow-origin": "*", "cross-origin-resource-policy": "cross-origin"}
_FOR_EVER = {"cache-control": "public, max-age=31536000, immutable", **_OPEN}
_FOR_NOW = {"cache-control": "public, max-age=2", **_OPEN}
_BYTES = "application/octet-stream"


def routes(operations: Operations, verifier: Verifier, *, make_id: Callable[[], str]) -> list[BaseRoute]:
    """The log's addresses."""
    log = _Log(operations, verifier, make_id)
    return [Route(f"{PREFIX}/checkpoint", log.checkpoint), Route(f"{PREFIX}/tile/{{level}}/{{number:path}}", log.tile)]


class _Log:
    def __init__(self, operations: Operations, verifier: Verifier, make_id: Callable[[], str]) -> None:
        self._operations = operations
        self._verifier = verifier
        self._make_id = make_id
        self._serving = 0

    async def checkpoint(self, request: Request) -> Response:
        """See the module."""
        newest = await self._operations.checkpoint(signed="signed" in request.query_params)
        if newest is None:
            raise HTTPException(404)
        return PlainTextResponse(newest.note, headers=_FOR_NOW)

    async def tile(self, request: Request) -> Response:
        """A tile of hashes, or a bundle."""
        wanted = where(request.path_params["level"], request.path_params["number"])
        if wanted is None:
            raise HTTPException(404)
        if request.path_params["level"] == ENTRIES:
            return await self._answered(request, wanted)
        found = await self._operations.tile(wanted)
        if found is None:
            raise HTTPException(404)
        return Response(found, media_type=_BYTES, headers=_FOR_EVER)

    async def _answered(self, request: Request, wanted: Where) -> Response:
        """A bundle, or why there is none."""
        if self._serving >= MOST_AT_ONCE:
            raise HTTPException(503, headers={"retry-after": "1"})
        self._serving += 1
        request_id = self._make_id()
        try:
            actor = self._verifier.actor(request.headers.get("authorization", "").encode())
            call = Call(actor, request_id, request.client.host if request.client else "")
            return await self._bundle(request, self._operations.bundle(call, wanted))
        except ServiceError as error:
            return _refused(error, request_id)
        finally:
            self._serving -= 1

    async def _bundle(self, request: Request, asked: Awaitable[bytes | None]) -> Response:
        """The bundle, compressed for whoever takes it so. It is kept nowhere on its way: the next one who asks is recorded, too."""
        found = await asked
        if found is None:
            raise HTTPException(404)
        headers = {"cache-control": "no-store", "vary": "accept-encoding"}
        if "gzip" in request.headers.get("accept-encoding", ""):
            found, headers["content-encoding"] = gzip.compress(found, 1, mtime=0), "gzip"
        return Response(found, media_type=_BYTES, headers=headers)


def _refused(error: ServiceError, request_id: str) -> Response:
    status = 403 if isinstance(error, Refused) else {Unauthenticated: 401, BadInput: 400}.get(type(error), 503)
    headers = {"x-request-id": request_id} | ({"www-authenticate": "Bearer"} if status == 401 else {})
    told = {"code": error.code, "requestId": request_id, "zh": error.zh}
    return JSONResponse({"errors": [{"message": error.en, "extensions": told}]}, status, headers)

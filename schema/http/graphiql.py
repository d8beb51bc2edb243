"""GraphiQL for developers, from files that are shipped with the service: in development mode only, and from no other host.

static/manifest.json says where each file is from. The large ones are kept compressed, and are sent as they are.
"""

import gzip
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

PLACE = "/graphiql/"
_FOLDER = Path(__file__).with_name("static")
_PAGE = "page.html"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
_HEADERS = {
    "cache-control": "no-cache",
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
"""No script but these files, and no address but our own. Styles may stand in elements, where the editor puts them."""


def routes() -> list[BaseRoute]:
    """The page and its files. Given to the application in development mode only."""
    found = {path.name.removesuffix(".gz"): path for path in sorted(_FOLDER.iterdir())}
    files = {name: path for name, path in found.items() if Path(name).suffix in _TYPES}

    async def serve(request: Request) -> Response:
        name = request.path_params.get("name", _PAGE)
        if name not in files:
            raise HTTPException(404)
        return _file(name, files[name], packed="gzip" in request.headers.get("accept-encoding", ""))

    async def move(_: Request) -> Response:
        return RedirectResponse(PLACE, status_code=308)

    return [Route(PLACE.rstrip("/"), move), Route(PLACE, serve), Route(PLACE + "{name}", serve)]


def _file(name: str, path: Path, *, packed: bool) -> Response:
    body, headers = path.read_bytes(), dict(_HEADERS)
    if path.suffix == ".gz" and packed:
        headers["content-encoding"] = "gzip"
    elif path.suffix == ".gz":
        body = gzip.decompress(body)
    return Response(body, headers=headers, media_type=_TYPES[Path(name).suffix])

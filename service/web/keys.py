"""The public keys that prove what this deployment signs, where anybody finds them without asking anybody (RFC 7517, RFC 8615)."""

from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PATH = "/.well-known/menshen/jwks.json"
_SECONDS = 3600


def key_set(document: bytes) -> Route:
    """The JWKS. It may be kept for an hour: keys are added long before they are the only ones, and never taken away."""
    tag = f'"{sha256(document).hexdigest()}"'
    headers = {
        "access-control-allow-origin": "*",
        "cache-control": f"public, max-age={_SECONDS}",
        "cross-origin-resource-policy": "cross-origin",
        "etag": tag,
    }

    async def show(request: Request) -> Response:
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(document, media_type="application/jwk-set+json", headers=headers)

    return Route(PATH, show)

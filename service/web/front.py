"""The front: one busy address goes straight to its application, everything else through the router.

Routing costs a request a good part of what executing a small query costs, and for an address that is always the same it finds
nothing out.
"""

from starlette.types import ASGIApp, Receive, Scope, Send


class Front:
    """An ASGI application out of two."""

    def __init__(self, *, address: str, busy: ASGIApp, rest: ASGIApp) -> None:
        self._address = address
        self._busy = busy
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on to whom it is for."""
        here = scope["type"] == "http" and scope["path"] == self._address
        await (self._busy if here else self._rest)(scope, receive, send)

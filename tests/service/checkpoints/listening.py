"""A server of somebody else's, on loopback: a real one, in this process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp

from service.cli.server import Server


@asynccontextmanager
async def listening(app: ASGIApp, **more: object) -> AsyncIterator[str]:
    """Serve `app`; its address."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off", ws="none", **more)  # type: ignore[arg-type]
    server = Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http{'s' if 'ssl_certfile' in more else ''}://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        server.force_exit = True
        await task

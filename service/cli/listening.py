"""The HTTP server of `menshen serve` and `menshen demo`: how it listens."""

import gc

import uvicorn

from service.addresses import build
from service.app import Parts, working
from service.archive.ahead import partitioned
from service.cli.rounds import watched
from service.cli.server import Server
from service.errors import ConfigError
from service.oversight.upkeep import overseen


async def listen(running: Parts) -> None:
    """Serve until a signal (SIGTERM, SIGINT) asks for the end; requests under way are answered first, for ten seconds at most.

    Raises ConfigError where the address cannot be had; uvicorn logs why.
    """
    config = running.config
    application = build(running)
    # What was made until now stays: without this the collector looks through all of it again and again, 20 ms at a time.
    gc.collect()
    gc.freeze()
    server = Server(
        uvicorn.Config(
            application,
            host=config.host,
            port=config.port,
            log_level=config.log_level,
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            http="httptools",
            ws="none",
            lifespan="off",
            timeout_graceful_shutdown=10,
        )
    )
    try:
        overseeing = overseen(running.units, running.closed, clock=running.clock, chance=running.chance)
        async with overseeing, partitioned(running.database), watched(running), working(running):
            await server.serve()
    except SystemExit:
        raise ConfigError(f"MENSHEN_HOST, MENSHEN_PORT: {config.host}:{config.port} cannot be listened on") from None

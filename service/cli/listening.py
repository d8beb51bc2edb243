"""The HTTP server of `menshen serve` and `menshen demo`: how it listens, and how it ends."""

import asyncio
import gc
import signal
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn

from service.app import Parts, build, overseen_by, partitioned, working
from service.cli.rounds import watched
from service.errors import ConfigError


class Server(uvicorn.Server):
    """A signal ends the serving, and not the process: uvicorn's own way is to send itself the signal again once it is down.

    What must come after the serving would then never come: the audit log's last words, the numbers that were used up.
    """

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Whoever signals a second time, while things are being closed, is obeyed at once."""
        loop = asyncio.get_running_loop()
        for which in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(which, self.handle_exit, which, None)
        try:
            yield
        finally:
            for which in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(which)


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
        async with overseen_by(running), partitioned(running), watched(running), working(running):
            await server.serve()
    except SystemExit:
        raise ConfigError(f"MENSHEN_HOST, MENSHEN_PORT: {config.host}:{config.port} cannot be listened on") from None

"""How a server ends: that of `menshen serve`, and a witness's."""

import asyncio
import signal
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn


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

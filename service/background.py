"""What goes on beside the requests: tasks that look again and again until they are told to stop, and may then end what they began."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

Run = Callable[[asyncio.Event], Awaitable[None]]
"""Goes on until the event is set."""


async def rest(stop: asyncio.Event, seconds: float) -> None:
    """Until the next look, or until there is to be none."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


@asynccontextmanager
async def beside(*runs: Run, grace: float) -> AsyncIterator[None]:
    """Each of them, for as long as the block lasts. Then they are told to stop, and cut off after `grace` seconds; what one of them raised
    is nobody's: they are to say it where it can be read.
    """
    stop = asyncio.Event()
    tasks = [asyncio.ensure_future(run(stop)) for run in runs]
    try:
        yield
    finally:
        stop.set()
        if tasks:
            await asyncio.wait(tasks, timeout=grace)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

"""`menshen work`: queued work in a process of its own, beside servers that have MENSHEN_WORKER=off or simply more of it."""

import asyncio
import json
import signal
from typing import Annotated

import typer
import uvloop
from rich.console import Console

from service import logs
from service.app import open_worker, parts
from service.cli.alone import only_server
from service.cli.rounds import watched
from service.config import Config

_out = Console()


def work(
    once: Annotated[bool, typer.Option("--once", help="只做到期的，做完即止 · Do what is due now, and end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="机器可读 · For machines.")] = False,
) -> None:
    """处理待办：转达撤回，删除失去依据的信息 · Tell recipients of withdrawals, delete what no basis keeps.

    Ends on SIGTERM, when what it has begun is done.
    """
    config = Config.load()
    logs.configure(config.log_level)
    held = only_server(config)
    tries = uvloop.run(_work(config, once=once))
    held.close()
    if once:
        _out.print(json.dumps({"tries": tries}) if as_json else f"tries {tries}", highlight=False)


async def _work(config: Config, *, once: bool) -> int:
    async with parts(config) as running, open_worker(running) as worker:
        if once:
            return await worker.once()
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        for ending in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(ending, stop.set)
        # Who serves nothing sees what is wrong all the same, and may be all that is left to tell of it.
        async with watched(running):
            await worker.run(stop)
        return 0

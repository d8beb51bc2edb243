"""`menshen serve` and `demo`: bring it up."""

from typing import Annotated

import typer
import uvloop
from rich.console import Console

from service import logs
from service.app import parts
from service.cli.alone import only_server
from service.cli.listening import listen
from service.config import Config
from service.db import migrate as migrations
from service.errors import ConfigError

_out = Console()


def serve() -> None:
    """启动服务 · Serve GraphQL over HTTP. Stops by itself where anything is not as it should be."""
    config = Config.load()
    logs.configure(config.log_level)
    held = only_server(config)
    uvloop.run(_serve(config))
    held.close()


def demo(
    members: Annotated[int, typer.Option(help="虚构会员的人数 · How many invented members to make.")] = 1000,
    serving: Annotated[bool, typer.Option("--serve/--no-serve", help="随后启动服务 · Serve afterwards.")] = True,
) -> None:
    """一条命令完成演示 · Migrate, invent members with consents, print four calls to paste, and serve. Development only."""
    from service.cli.demo import invite, populate

    config = Config.load()
    if config.production:
        raise ConfigError("`menshen demo` invents members; it is refused in production mode")
    held = only_server(config)
    config.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    migrations.upgrade(config.database)

    async def run() -> None:
        async with parts(config) as running:
            await populate(running, members)
            await invite(running)
            if serving:
                await listen(running)

    uvloop.run(run())
    held.close()


async def _serve(config: Config) -> None:
    async with parts(config) as running:
        await listen(running)

"""`menshen serve`, `migrate`, `demo` and `doctor`: bring it up, and see whether it stands."""

import asyncio
import fcntl
import json
from pathlib import Path
from typing import IO, Annotated

import typer
import uvloop
from rich.console import Console

from service import logs
from service.app import catalogue_of, open_accounts, open_endpoints, open_hooks, parts
from service.cli.listening import listen
from service.config import Config
from service.db import migrate as migrations
from service.errors import ConfigError, ServiceError
from service.guardians.queries import sensitive as sensitive_members

_out = Console()


def migrate(
    role: Annotated[str, typer.Option(help="PostgreSQL: the service's own role, to be granted what it needs and no more.")] = "",
    archivist_role: Annotated[
        str,
        typer.Option("--archivist-role", help="PostgreSQL: the role that `menshen audit segment` runs under, which may prune."),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print facts as JSON.")] = False,
) -> None:
    """Bring the database to this release's schema. Running it again does no harm. 升级数据库结构。"""
    config = Config.load()
    config.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    before = migrations.upgrade(config.database, service_role=role, archivist_role=archivist_role)
    _out.print(json.dumps({"revision": before}) if as_json else f"schema {before}", highlight=False)


def serve() -> None:
    """Serve GraphQL over HTTP. Stops by itself where anything is not as it should be. 启动服务。"""
    config = Config.load()
    logs.configure(config.log_level)
    held = only_server(config)
    uvloop.run(_serve(config))
    held.close()


def demo(
    members: Annotated[int, typer.Option(help="How many invented members to make.")] = 1000,
    serving: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve afterwards.")] = True,
) -> None:
    """Migrate, invent members with consents, print four calls to paste, and serve. Development only. 一条命令的演示。"""
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


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print facts as JSON.")] = False,
) -> None:
    """Check configuration, policy, database, schema, keys and the audit head. Exit 1 when anything is wrong. 自检。"""
    findings = asyncio.run(_examine(Config.load()))
    if as_json:
        _out.print_json(data=findings)
    else:
        for name, found in findings.items():
            _out.print(f"{'✔' if found == 'ok' else '✘'} {name}: {found}", highlight=False)
    if any(found != "ok" for found in findings.values()):
        raise typer.Exit(1)


def only_server(config: Config) -> IO[str]:
    """One server a SQLite file: the lock lasts as long as this process. Raises ConfigError while another holds it."""
    config.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not config.database.startswith("sqlite"):
        return (config.home / "serve.lock").open("w")
    lock = Path(config.database.removeprefix("sqlite:///") + ".lock").open("w")  # noqa: SIM115  (held as long as the process serves)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise ConfigError("another server uses this SQLite file; use PostgreSQL for several") from None
    return lock


async def _serve(config: Config) -> None:
    async with parts(config) as running:
        await listen(running)


async def _examine(config: Config) -> dict[str, str]:
    """One finding a part, each 'ok' or what is wrong with it."""
    findings = {}
    try:
        catalogue = catalogue_of(config)
        findings["policy"] = "ok"
        open_endpoints(config, catalogue)
        findings["recipients"] = "ok"
        open_accounts(config, catalogue)
        findings["senders"] = "ok"
        open_hooks(config, catalogue)
        findings["hooks"] = "ok"
        async with parts(config) as running:
            findings |= {"database": "ok", "schema": "ok", "keys": "ok"}
            findings["audit"] = running.journal.health()
            alert = await sensitive_members(running.database.read, running.catalogue.consent)
            findings["sensitive_data"] = f"{alert.code}: {alert.count}, sensitive_officer" if alert.open else "ok"
    except ServiceError as problem:
        findings[problem.code.lower()] = str(problem)
    return findings

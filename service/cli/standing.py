"""`menshen migrate` and `doctor`: whether it can stand, before it serves."""

import asyncio
import json
from typing import Annotated

import typer
from rich.console import Console

from service.app import catalogue_of, open_accounts, open_endpoints, open_hooks, parts
from service.config import Config
from service.db import migrate as migrations
from service.errors import ServiceError
from service.guardians.queries import sensitive as sensitive_members

_out = Console()


def migrate(
    role: Annotated[
        str, typer.Option(help="服务所用的 PostgreSQL 角色 · The service's role, granted what it needs and no more.")
    ] = "",
    archivist_role: Annotated[
        str,
        typer.Option("--archivist-role", help="可清理日志的 PostgreSQL 角色 · The role that `menshen audit segment` runs under."),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="机器可读 · For machines.")] = False,
) -> None:
    """升级数据库结构 · Bring the database to this release's schema. Running it again does no harm."""
    config = Config.load()
    config.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    before = migrations.upgrade(config.database, service_role=role, archivist_role=archivist_role)
    _out.print(json.dumps({"revision": before}) if as_json else f"schema {before}", highlight=False)


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="机器可读 · For machines.")] = False,
) -> None:
    """自检 · Check configuration, policy, database, schema, keys and the audit head. Exit 1 when anything is wrong."""
    findings = asyncio.run(_examine(Config.load()))
    if as_json:
        _out.print_json(data=findings)
    else:
        for name, found in findings.items():
            _out.print(f"{'✔' if found == 'ok' else '✘'} {name}: {found}", highlight=False)
    if any(found != "ok" for found in findings.values()):
        raise typer.Exit(1)


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

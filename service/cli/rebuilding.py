"""`menshen consent rebuild`: what is kept beside the ledger, held against it and put right."""

import asyncio
import json
from typing import Annotated

import typer
from rich.console import Console

from service import app
from service.cli.terminal import AsJson, caller, stepped
from service.config import Config
from service.consent.rebuilding import Rebuilt
from service.consent.rebuilding import rebuild as rebuild_all
from service.members import store as members

ACT = "consent.review"
_out = Console(highlight=False, soft_wrap=True)


def rebuild(
    *,
    check: Annotated[bool, typer.Option("--check", help="只比对，不修复 · Only compare, change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """由账本重建每一项同意状态 · Derive where every consent stands from the ledger, and put right what differs.

    Each batch is a unit with its own audit entry: after an interruption, run it again. Exits 0 when all was as the ledger says, 1 when
    something differed (and was put right, without --check) or a member's ledger is broken, 2 when it could not be found out.
    """
    found = asyncio.run(_rebuilt(Config.load(), repair=not check))
    if as_json:
        facts = {"members": found.members, "differing": found.differing, "broken": found.broken, "repaired": not check}
        _out.print_json(json.dumps(facts, ensure_ascii=False))
    else:
        _show(found, repaired=not check)
    if found.differing or found.broken:
        raise typer.Exit(1)


async def _rebuilt(config: Config, *, repair: bool) -> Rebuilt:
    async with app.parts(config) as running:
        with stepped("比对 comparing", await members.count(running.database.read)) as step:
            return await rebuild_all(running.units, caller(running, ACT), repair=repair, step=step)


def _show(found: Rebuilt, *, repaired: bool) -> None:
    if not (found.differing or found.broken):
        _out.print(f"[bold green]OK[/] {found.members:,} 名会员，与账本一致 · members; all is as the ledger says.")
        return
    done = "已修复 put right" if repaired else "未修复 left as it is"
    _out.print(
        f"{found.members:,} 名会员 members · {len(found.differing):,} 不一致 differing ({done}) · {len(found.broken):,} 账本损坏 broken"
    )
    for member_id in (*found.differing, *found.broken):
        _out.print(f"  {member_id}")

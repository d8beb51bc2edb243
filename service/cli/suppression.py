"""`menshen suppression`: who said no, kept outside the database, so that a restored backup writes to none of them (RD-06)."""

import asyncio
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from policies.terms import Basis
from service import app
from service.audit.entry import Draft
from service.cli.terminal import caller
from service.config import Config
from service.suppression import commands, store
from service.suppression.model import Suppression, read, written
from service.unit import Unit

ACT = "suppression.read"
_AT_ONCE = 500
_out = Console(highlight=False, soft_wrap=True)
suppression = typer.Typer(
    help="拒收名单：导出、恢复后重放 · Who said no: keep it, and replay it after a restore.", no_args_is_help=True
)
Place = Annotated[Path, typer.Argument(help="文件（每行一条，不含个人信息） · The file: a line each, nothing personal.")]


@suppression.command()
def export(file: Place) -> None:
    """导出全部拒收记录（标记，不含地址） · Write down every no by its mark. Do it with every backup; the file opens nothing."""
    known = asyncio.run(_exported(Config.load()))
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as out:
        out.writelines(f"{written(each)}\n" for each in known)
    _out.print(f"[bold green]OK[/] {len(known):,} 条 suppressions → {file}")


@suppression.command()
def replay(file: Place) -> None:
    """恢复备份后、开始服务前重放 · After a restore, before serving: bring back every no that the backup does not know."""
    with file.open(encoding="utf-8", errors="replace") as lines:
        known = [read(line) for line in lines]
    back = asyncio.run(_replayed(Config.load(), known))
    _out.print(f"[bold green]OK[/] {len(known):,} 条 read · {back:,} 条已恢复 brought back")


async def _exported(config: Config) -> list[Suppression]:
    async with app.parts(config) as running:

        async def work(unit: Unit) -> list[Suppression]:
            found: list[Suppression] = []
            while page := await store.page(unit.session, after=found[-1] if found else None, size=_AT_ONCE):
                found += page
            unit.draft.extra["suppressions"] = len(found)
            return found

        return await running.units.disclose(caller(running, ACT), _draft("export", "exportSuppressions"), work)


async def _replayed(config: Config, known: Sequence[Suppression]) -> int:
    async with app.parts(config) as running:
        back = 0
        for batch in _batches(known):

            async def work(unit: Unit, batch: Sequence[Suppression] = batch) -> int:
                return await commands.replay(unit, batch)

            back += await running.units.change(caller(running, ACT), _draft("change", "replaySuppressions"), work)
        return back


def _batches(known: Sequence[Suppression]) -> Iterator[Sequence[Suppression]]:
    return (known[start : start + _AT_ONCE] for start in range(0, len(known), _AT_ONCE))


def _draft(typ: str, operation: str) -> Draft:
    return Draft(typ=typ, operation=operation, basis=Basis.LEGAL_DUTY.value)

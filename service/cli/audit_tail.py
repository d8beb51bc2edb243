"""`menshen audit tail restore`: what a database has lost comes back from a copy, byte for byte."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from service import app, machine
from service.archive import returning
from service.archive.copies import copy_in
from service.archive.keeping import PRUNE
from service.archive.returning import Lost
from service.cli.stopped import stopped
from service.cli.terminal import caller_of, show_table, watched
from service.config import Config
from service.errors import BadInput

tail = typer.Typer(help="日志末尾丢失后的恢复 · When the end of the log was lost.", no_args_is_help=True)
_out = Console(highlight=False, soft_wrap=True)

# A command that runs by itself is a composition root: here, as in service/app.py, chance comes from the system.
_chance = os.urandom  # noqa: TID251


@tail.command()
def restore(
    folder: Annotated[
        Path,
        typer.Option(
            "--from", help="镜像、导出或归档的文件夹 · A mirror's folder, an export, or an archive.", show_default=False
        ),
    ],
    report: Annotated[
        Path | None,
        typer.Option(help="写入须重做的变更，默认存于 MENSHEN_HOME · The changes to be done again; by default in MENSHEN_HOME."),
    ] = None,
    *,
    check: Annotated[bool, typer.Option("--check", help="只检查，不写入 · Only look, write nothing.")] = False,
) -> None:
    """故障切换或恢复旧备份后，逐字节恢复丢失的日志末尾 · Bring a lost tail back, byte for byte, after a fail-over or an older backup.

    Nothing may run meanwhile, and nothing that is there is touched. Needs the database, the head's key, the signer and the witnesses. Exits
    0 when the log is whole again, 1 when entries are (with --check) or still remain missing, 2 when it was refused.
    """
    if report is not None and report.exists():
        raise BadInput("--report: the file is there already")
    lost = asyncio.run(_restored(Config.load(), folder, report, check=check))
    _show(lost, brought=not check)
    if check or lost.still:
        raise typer.Exit(1)


async def _restored(config: Config, folder: Path, report: Path | None, *, check: bool) -> Lost:
    async with stopped(config) as (house, trust, scribe):
        at = await returning.standing(house)
        copy = copy_in(folder, trust, at=at.head.size)
        path = None if check else report or config.home / f"lost-{at.head.size}-{copy.size - 1}.jsonl"
        async with returning.reported(path) as tell:
            with watched("核对 checking") as progress:
                lost = await returning.examine(house, copy, at, tell, progress=progress)
        if check:
            return lost
        call = caller_of(app.catalogue_of(config), PRUNE, now=machine.now(), chance=_chance)
        with watched("恢复 restoring") as progress:
            await returning.bring_back(house, copy, at, lost, scribe=scribe, call=call, clock=machine.now, progress=progress)
        _out.print(f"  {path}", markup=False)
        return lost


def _show(lost: Lost, *, brought: bool) -> None:
    done = "已恢复 brought back" if brought else "可恢复 can be brought back"
    mark = "[bold green]✔[/]" if brought else "[bold yellow]![/]"
    _out.print(f"{mark} {done}: {lost.end - lost.first:,} 条 entries {lost.first}–{lost.end - 1}")
    if lost.still:
        _out.print(
            f"[bold red]✘[/] 仍缺 {lost.still:,} 条（至 {lost.known - 1}），服务不会启动：请用更新的副本再次恢复 · "
            f"{lost.still:,} entries up to {lost.known - 1} are still missing and nothing starts: take a newer copy"
        )
    if lost.changes:
        _out.print(
            "[bold yellow]![/] 下列变更已获确认，但不在数据库各表中，须逐项重做 · "
            "these changes were acknowledged and are not in the other tables; they must be done again:"
        )
        _out.print("  (日志条目已恢复，数据没有 · the record is back, the data is not)")
        show_table(_table(lost))


def _table(lost: Lost) -> Table:
    table = Table()
    for heading in ("类型 Type", "操作 Operation", "条数 Count"):
        table.add_column(heading)
    for name, count in sorted(lost.changes.items()):
        typ, _, operation = name.partition("/")
        table.add_row(typ, operation or "—", f"{count:,}")
    return table

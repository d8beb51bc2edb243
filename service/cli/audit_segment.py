"""`menshen audit segment`: what leaves the database for the archive, and comes back."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from service import app
from service.app import Parts
from service.archive.keeping import PRUNE, House
from service.archive.model import Segment
from service.cli.terminal import AsJson, caller, show_json, show_table, watched
from service.config import Config
from service.values import utc_text

segment = typer.Typer(help="审计日志分段：归档、清理、恢复 · Segments of the log: archive, prune, restore.", no_args_is_help=True)
_out = Console(highlight=False, soft_wrap=True)


@segment.command(name="list")
def show(as_json: AsJson = False) -> None:
    """已归档的分段 · What was archived, where, and what is only there."""
    found = asyncio.run(_listed(Config.load()))
    if as_json:
        show_json([_plain(one) for one in found])
        return
    table = Table()
    for heading in ("分段 #", "条目 Entries", "时间 Time", "归档 Archived", "清理 Pruned", "位置 Where"):
        table.add_column(heading, overflow="fold")
    for one in found:
        gone = "—" if one.pruned_at is None else f"{one.pruned_at:%Y-%m-%d}"
        when = f"{one.first_ts[:10]} – {one.last_ts[:10]}"
        cells = (str(one.n), f"{one.first}–{one.end - 1}", when, f"{one.archived_at:%Y-%m-%d}", gone, one.uri)
        table.add_row(*map(Text, cells))
    show_table(table)


@segment.command()
def archive(
    output: Annotated[Path, typer.Option("-o", "--output", help="归档文件夹 · The archive's folder, yours alone (0700).")],
    as_json: AsJson = False,
) -> None:
    """归档所有已满且已签名的分段 · Archive every segment that is full and signed, and verify what was written."""
    done = asyncio.run(_archived(Config.load(), output))
    if as_json:
        show_json({"segments": done})
        return
    if not done:
        _out.print("没有新写满的分段，无须归档 · no segment has become full since: nothing to archive")
        return
    _out.print(f"[bold green]✔[/] 已归档 {len(done)} 段 · segments archived and verified: {_numbers(done)}")


@segment.command()
def prune(as_json: AsJson = False) -> None:
    """清理超过保存期限且归档核验无误的分段 · Take away what is past MENSHEN_AUDIT_MONTHS and verifies in its archive, now.

    On PostgreSQL this needs the archivist's role (`menshen migrate --archivist-role`): the service's own may delete nothing of the log.
    """
    done = [one.n for one in asyncio.run(_pruned(Config.load()))]
    if as_json:
        show_json({"segments": done})
        return
    _out.print(f"[bold green]✔[/] 已清理 {len(done)} 段 · segments pruned: {_numbers(done)}")


@segment.command()
def restore(
    n: Annotated[int, typer.Argument(min=0, max=2**40, help="分段号 · The segment's number.")],
    folder: Annotated[
        Path | None, typer.Option("--from", help="若归档已移动 · Where its folder is now, if it was moved.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """核验后逐字节恢复一段 · Verify a segment's archive and bring its entries back, byte for byte."""
    count = asyncio.run(_restored(Config.load(), n, folder))
    if as_json:
        show_json({"segment": n, "entries": count})
        return
    _out.print(f"[bold green]✔[/] 已恢复 {count:,} 条 · entries are back")


def _plain(one: Segment) -> dict[str, int | str | None]:
    pruned = None if one.pruned_at is None else utc_text(one.pruned_at)
    when = {"since": one.first_ts, "until": one.last_ts, "archived": utc_text(one.archived_at), "pruned": pruned}
    return {"segment": one.n, "first": one.first, "last": one.end - 1, **when, "where": one.uri}


def _numbers(done: list[int]) -> str:
    return "—" if not done else str(done[0]) if len(done) == 1 else f"{done[0]}–{done[-1]}"


def _house(running: Parts) -> House:
    publisher = running.publisher
    return House(running.journal.authority.origin, publisher.keys, witnessed=publisher.cosigners is not None)


async def _listed(config: Config) -> list[Segment]:
    async with app.parts(config) as running:
        return await running.operations.segments(caller(running, PRUNE))


async def _archived(config: Config, base: Path) -> list[int]:
    async with app.parts(config) as running:
        with watched("归档 archiving") as progress:
            operations, call = running.operations, caller(running, PRUNE)
            return [one.n for one in await operations.archive_segments(call, _house(running), base, progress=progress)]


async def _pruned(config: Config) -> list[Segment]:
    async with app.parts(config) as running:
        with watched("清理 pruning") as progress:
            operations, call, months = running.operations, caller(running, PRUNE), config.audit_months
            return await operations.prune_segments(call, _house(running), months=months, progress=progress)


async def _restored(config: Config, n: int, folder: Path | None) -> int:
    async with app.parts(config) as running:
        with watched("恢复 restoring"):
            return await running.operations.restore_segment(caller(running, PRUNE), _house(running), n, folder=folder)

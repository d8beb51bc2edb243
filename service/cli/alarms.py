"""`menshen alarms`: what somebody has to see to, and the members that nobody has reason to read."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from service import app
from service.alarms import baits, words
from service.alarms.model import Alarm
from service.alarms.queries import PAGE_LIMIT
from service.app import Parts
from service.audit.entry import Draft
from service.cli.terminal import caller, show_table
from service.config import Config
from service.unit import Unit
from service.values import Call

T = TypeVar("T")
ACT = "alarm.handle"
_out = Console(highlight=False, soft_wrap=True)
alarms = typer.Typer(
    help="告警：查看、确认、关闭；诱饵会员 · Alarms: look, see to, close; planted members.", no_args_is_help=True
)
honey = typer.Typer(help="诱饵会员：任何人读取即告警 · Members that nobody has reason to read.", no_args_is_help=True)
alarms.add_typer(honey, name="honey")
Id = Annotated[str, typer.Argument(help="告警编号 · The alarm's id.")]


@alarms.command(name="list")
def list_(
    every: Annotated[bool, typer.Option("--all", help="包括已关闭的 · Also what is closed.")] = False,
    after: Annotated[str, typer.Option(help="从此编号之后 · Behind the one with this id.")] = "",
) -> None:
    """未关闭的告警 · What somebody has to see to. Exits 1 when there is something."""

    async def work(running: Parts) -> Sequence[Alarm]:
        call = caller(running, "alarm.read")
        return await running.operations.alarms(call, live=not every, first=PAGE_LIMIT, after=after or None)

    found = asyncio.run(_running(work))
    table = Table(caption=f"{len(found)} 项 alarms")
    for heading in ("编号 Id", "类型 Kind", "对象 About", "次数 Times", "首次 First", "状态 State", "处理人 By"):
        table.add_column(heading, overflow="fold")
    for one in found:
        cells = (
            one.alarm_id,
            one.kind.value,
            one.about,
            str(one.count),
            one.first_at.isoformat(),
            one.state.value,
            one.handled_by,
        )
        table.add_row(*map(Text, cells))
    show_table(table)
    if found:
        raise typer.Exit(1)


@alarms.command()
def ack(alarm_id: Id) -> None:
    """确认：由我处理 · Say that you see to it; nobody else is told any more."""

    async def work(running: Parts) -> Alarm:
        return await running.operations.acknowledge_alarm(caller(running, ACT), alarm_id=alarm_id)

    _out.print(words.text(asyncio.run(_running(work))), markup=False)


@alarms.command()
def close(alarm_id: Id, note: Annotated[str, typer.Option(help="处理结果 · What came of it; no personal data.")]) -> None:
    """关闭 · Close it, and say what came of it."""

    async def work(running: Parts) -> Alarm:
        return await running.operations.close_alarm(caller(running, ACT), alarm_id=alarm_id, note=note)

    asyncio.run(_running(work))
    _out.print("[bold green]OK[/]")


@honey.command()
def add(member_id: Annotated[str, typer.Argument(help="会员编号 · The member's id.")]) -> None:
    """设一名诱饵会员 · Plant a member: from now on whoever reads it raises an alarm. The id goes into no table and no log in the clear.

    Let it join like anybody, and never let it consent to anything: then no campaign and no list that rests on consent ever has it.
    """

    async def work(running: Parts) -> int:
        async def plant(unit: Unit) -> int:
            _allowed(running, unit.call)
            count = await baits.add(unit, member_id, app.kept)
            unit.draft.extra["planted"] = count
            return count

        draft = Draft(typ="admin", operation="plantMember")
        return await running.units.change(caller(running, ACT), draft, plant)

    _out.print(f"[bold green]OK[/] {asyncio.run(_running(work))}")


@honey.command(name="list")
def planted() -> None:
    """诱饵会员的编号 · Who they are. The look goes into the log."""

    async def work(running: Parts) -> Sequence[str]:
        async def look(unit: Unit) -> Sequence[str]:
            _allowed(running, unit.call)
            found = await baits.planted(unit.session, unit.vault)
            unit.draft.extra["planted"] = len(found)
            return found

        return await running.units.disclose(caller(running, ACT), Draft(typ="audit", operation="plantedMembers"), look)

    for member_id in asyncio.run(_running(work)):
        _out.print(member_id)


def _allowed(running: Parts, call: Call) -> None:
    running.operations.require(call, ACT)


async def _running(work: Callable[[Parts], Awaitable[T]]) -> T:
    async with app.parts(Config.load()) as running:
        return await work(running)

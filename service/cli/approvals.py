"""`menshen approvals`: what takes two persons, for deployments without a console."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from service import app
from service.app import Parts
from service.approvals.model import DEFAULT_HOURS, MOST_HOURS, Approval
from service.approvals.queries import PAGE_LIMIT
from service.cli.terminal import caller, show_table
from service.config import Config

T = TypeVar("T")
_out = Console(highlight=False, soft_wrap=True)
approvals = typer.Typer(help="双人审批：查看、申请、审批 · What takes two persons: look, ask, decide.", no_args_is_help=True)
Id = Annotated[str, typer.Argument(help="审批编号 · The approval's id.")]


@approvals.command(name="list")
def list_(
    every: Annotated[bool, typer.Option("--all", help="包括已办结的 · Also those that are decided or over.")] = False,
    after: Annotated[str, typer.Option(help="从此编号之后 · Behind the one with this id.")] = "",
) -> None:
    """待审批事项 · What waits for a second person, the oldest first."""

    async def work(running: Parts) -> Sequence[Approval]:
        call = caller(running, "approval.decide")
        return await running.operations.approvals(call, waiting=not every, first=PAGE_LIMIT, after=after or None)

    _show(asyncio.run(_running(work)))


@approvals.command()
def ask(
    kind: Annotated[str, typer.Argument(help="事项 · What kind of thing it is for.")],
    what: Annotated[str, typer.Argument(help="内容 · What exactly, in words; no personal data.")],
    reason: Annotated[str, typer.Option(help="理由 · Why.")],
    hours: Annotated[int, typer.Option(min=1, max=MOST_HOURS, help="有效小时数 · For how long.")] = DEFAULT_HOURS,
) -> None:
    """申请他人批准一件事 · Ask another person to allow exactly one thing."""

    async def work(running: Parts) -> Sequence[Approval]:
        call = caller(running, "approval.ask")
        return [await running.operations.ask_approval(call, kind=kind, what=what, reason=reason, hours=hours)]

    _show(asyncio.run(_running(work)))


@approvals.command()
def decide(
    approval_id: Id,
    allow: Annotated[bool, typer.Option("--allow/--refuse", help="批准或拒绝 · Allow it, or refuse it for good.")],
) -> None:
    """审批他人的申请 · Decide what somebody else asked for. Nobody decides for themselves."""

    async def work(running: Parts) -> Sequence[Approval]:
        call = caller(running, "approval.decide")
        return [await running.operations.decide_approval(call, approval_id=approval_id, allow=allow)]

    _show(asyncio.run(_running(work)))


async def _running(work: Callable[[Parts], Awaitable[T]]) -> T:
    async with app.parts(Config.load()) as running:
        return await work(running)


def _show(found: Sequence[Approval]) -> None:
    table = Table(caption=f"{len(found)} 项 approvals")
    headings = (
        "编号 Id",
        "事项 Kind",
        "内容 What",
        "理由 Reason",
        "申请人 By",
        "有效期至 Until",
        "状态 State",
        "审批人 Decided by",
    )
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for one in found:
        cells = (one.approval_id, one.kind, one.what or one.about.hex(), one.reason, one.asked_by, one.until.isoformat())
        table.add_row(*map(Text, (*cells, "USED" if one.used_at else one.decision.value, one.decided_by)))
    show_table(table)

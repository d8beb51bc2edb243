"""`menshen audit search`: who read what of whom. The same search as the API's; it goes into the log itself."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from policies.clock import SHANGHAI
from policies.terms import Catalogue
from service import app
from service.cli.terminal import AsJson, caller, show_json, show_table
from service.config import Config
from service.errors import BadInput
from service.inspection import wording
from service.inspection.model import Filter, Line, Page, Status
from service.inspection.operations import SEARCH
from service.inspection.queries import MOST

DAY_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]
_out = Console(highlight=False, soft_wrap=True)
_err = Console(stderr=True, highlight=False, soft_wrap=True)
_MARKS = {Status.PROVEN: "✔ 已证明 proven", Status.PENDING: "… 待证明 pending", Status.BROKEN: "✘ 不一致 broken"}
_HEADINGS = (
    "序号 #",
    "时间 Time",
    "操作者 Actor",
    "角色 Role",
    "目的 Purpose",
    "依据 Basis",
    "字段 Fields",
    "结果 Decision",
    "原因 Reason",
    "证明 Status",
)
Since = Annotated[
    datetime | None,
    typer.Option(formats=DAY_FORMATS, help="自何时，北京时间 · Since when, in China's time.", show_default=False),
]
Until = Annotated[
    datetime | None,
    typer.Option(formats=DAY_FORMATS, help="至何时，含当日 · Until when; a day counts whole.", show_default=False),
]
Before = Annotated[int | None, typer.Option(min=0, help="从此序号之前继续 · Go on before this index.", show_default=False)]


def search(
    *,
    member: Annotated[str, typer.Option(help="会员编号 · The member's id.")] = "",
    since: Since = None,
    until: Until = None,
    actor: Annotated[str, typer.Option(help="操作者账号 · An account, such as clerk-7 or staff:clerk-7.")] = "",
    role: Annotated[str, typer.Option(help="角色 · A role.")] = "",
    purpose: Annotated[str, typer.Option(help="处理目的 · A purpose of the catalogue.")] = "",
    basis: Annotated[str, typer.Option(help="合法性基础 · A legal basis, such as CONSENT.")] = "",
    field: Annotated[str, typer.Option(help="字段 · A field that was disclosed or changed.")] = "",
    denied: Annotated[bool, typer.Option("--denied", help="只看被拒绝的 · Only what was refused.")] = False,
    reason: Annotated[str, typer.Option(help="拒绝原因 · Why it was refused.")] = "",
    operation: Annotated[str, typer.Option(help="操作 · An operation, such as member.")] = "",
    kind: Annotated[str, typer.Option("--type", help="条目类型 · A kind of entry, such as export.")] = "",
    campaign: Annotated[str, typer.Option(help="活动编号 · A campaign.")] = "",
    request: Annotated[str, typer.Option(help="请求编号 · A request.")] = "",
    most: Annotated[int, typer.Option(min=1, max=MOST, help="最多条数 · How many at most, the newest first.")] = 100,
    before: Before = None,
    as_json: AsJson = False,
) -> None:
    """谁在何时因何目的看了谁的什么 · Who read what of whom, when and why. The search itself goes into the log."""
    wanted = Filter(
        actor=actor,
        role=role,
        purpose=purpose,
        basis=basis,
        field=field,
        decision="deny" if denied else "",
        reason=reason,
        operation=operation,
        typ=kind,
        campaign=campaign,
        request=request,
        since=start(since),
        until=end(until),
    )
    page, catalogue = asyncio.run(_searched(Config.load(), member, wanted, most=most, before=before))
    if as_json:
        show_json([_plain(line) for line in page.lines])
    else:
        _show(page, catalogue)
    if page.begun is not None:
        told = "本日志自此开始，此前的记录在已终结的日志中 this log began then; what was before is in the closed one"
        _err.print(f"! {page.begun.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S} {told}", markup=False)
    for one in page.archived:
        numbers = f"{one.first}" if one.first == one.last else f"{one.first}–{one.last}"
        told = f"! 已归档，未检索 archived, not searched: segment {numbers} ({one.since[:10]} – {one.until[:10]})"
        _err.print(f"{told}: menshen audit segment restore", markup=False)


def start(day: datetime | None) -> datetime | None:
    """A day begins in China."""
    return None if day is None else day.replace(tzinfo=SHANGHAI)


def end(day: datetime | None) -> datetime | None:
    """A day counts whole; a moment is the end itself."""
    if day is None:
        return None
    whole = timedelta(days=1) if day.time() == datetime.min.time() else timedelta(0)
    return day.replace(tzinfo=SHANGHAI) + whole


async def _searched(config: Config, member: str, wanted: Filter, *, most: int, before: int | None) -> tuple[Page, Catalogue]:
    async with app.parts(config) as running:
        after = None if before is None else str(before)
        page = await running.operations.audit_entries(
            caller(running, SEARCH), wanted, member_id=member or None, first=most, after=after
        )
        if page is None:
            raise BadInput("--member: there is no such member, or it was erased and can no longer be found in the log")
        return page, running.catalogue


def _plain(line: Line) -> dict[str, Any]:
    return {
        "index": line.index,
        "status": line.status.value,
        "archived": line.archived,
        "segment": line.segment,
        "leaf": line.leaf,
        "whole": line.status is not Status.BROKEN,
        "entry": dict(line.entry),
    }


def _show(page: Page, catalogue: Catalogue) -> None:
    table = Table(caption=f"{len(page.lines)} 条 entries" + (f" · --before {page.end}" if page.has_next else ""))
    for heading in _HEADINGS:
        table.add_column(heading, overflow="fold")
    for line in page.lines:
        # As plain text: what stands in an entry must not be taken for a colour.
        mark = f"{_MARKS[line.status]}{f' 已归档 archived, segment {line.segment}' if line.archived else ''}"
        table.add_row(*map(Text, (str(line.index), *_row(line.entry, catalogue), mark)))
    show_table(table)


def _row(entry: Mapping[str, Any], catalogue: Catalogue) -> tuple[str, ...]:
    if not entry:
        return ("",) * 8
    act, purpose = entry["act"], wording.purpose(entry, catalogue)
    titles = wording.fields(entry.get("fld", ()), catalogue)
    fields = (f"{title.zh} {key}" for title, key in zip(titles, entry.get("fld", ()), strict=True))
    return (
        datetime.fromisoformat(entry["ts"]).astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S"),
        f"{act['k']}:{act.get('id', '')}",
        " ".join(act["role"]),
        f"{purpose.zh} {entry['pur']}" if purpose else f"({' '.join(filter(None, (entry['typ'], entry.get('op'))))})",
        entry.get("bas", ""),
        "、".join(fields),
        "允许 allow" if entry["dec"] == "allow" else "拒绝 deny",
        entry.get("rsn", ""),
    )

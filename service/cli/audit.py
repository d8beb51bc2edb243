"""`menshen audit …`: prove that the log is whole, and find who read what of whom."""

import asyncio
import json
import os
import pwd
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, replace
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from policies.terms import Catalogue
from service import app
from service.app import Parts
from service.audit import queries
from service.audit.findings import Finding, Part, Report, Verdict
from service.audit.queries import Found, Search
from service.audit.verify import verify as replay
from service.audit.writer import Writer
from service.config import Config
from service.db.engine import Database, connect
from service.errors import BadInput
from service.members import store as members
from service.values import Actor, ActorKind, Call, new_id

audit = typer.Typer(help="审计日志：验证与查询 · The audit log: verify it, search it.", no_args_is_help=True)

ACT = "audit.search"
_CHINA = timezone(timedelta(hours=8), "中国标准时间")
_PIPE_WIDTH = 260
_out = Console(highlight=False, soft_wrap=True)
_err = Console(stderr=True, highlight=False)

_DONE = {
    Verdict.ALTERED: ("被篡改", "altered"),
    Verdict.REMOVED: ("被删除", "removed"),
    Verdict.INSERTED: ("被插入", "inserted"),
    Verdict.ROLLED_BACK: ("被回滚", "rolled back"),
}
_PARTS = {
    Part.ENTRY: ("审计条目", "entries"),
    Part.HEAD: ("日志头", "the head"),
    Part.LEAF: ("条目旁的叶哈希", "the leaf hash beside an entry"),
    Part.TILE: ("哈希瓦片", "a tile of hashes"),
    Part.COLUMNS: ("检索列", "columns for search"),
    Part.SUBJECTS: ("会员检索行", "subjects' rows for search"),
    Part.NUMBERS: ("写入者的连续编号", "a writer's numbers"),
    Part.WAITING: ("待写入的条目", "entries that wait"),
}

_DAY_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]
AsJson = Annotated[bool, typer.Option("--json", help="机器可读 · For machines.")]
From = Annotated[
    datetime | None,
    typer.Option("--from", formats=_DAY_FORMATS, help="自何时，北京时间 · Since when, in China's time.", show_default=False),
]
To = Annotated[
    datetime | None,
    typer.Option("--to", formats=_DAY_FORMATS, help="至何时，含当日 · Until when; a day counts whole.", show_default=False),
]
Before = Annotated[int | None, typer.Option(min=0, help="从此序号之前继续 · Go on before this index.", show_default=False)]


@audit.command()
def verify(as_json: AsJson = False) -> None:
    """逐条重放并验证整个日志 · Replay the whole log and say whether it is the one that was written.

    Needs the database, the key of the head and the remembered head, nothing else. Exits 0 when all is well, 1 when something is not,
    2 when it could not be found out.
    """
    report = asyncio.run(_verified(Config.load()))
    if as_json:
        _out.print_json(json.dumps(asdict(report), ensure_ascii=False))
    else:
        _show_report(report)
    if report.verdict is not Verdict.OK:
        raise typer.Exit(1)


@audit.command()
def search(
    *,
    member: Annotated[str, typer.Option(help="会员编号 · The member's id.")] = "",
    since: From = None,
    until: To = None,
    actor: Annotated[str, typer.Option(help="操作者账号 · An account, such as clerk-7 or staff:clerk-7.")] = "",
    purpose: Annotated[str, typer.Option(help="处理目的 · A purpose of the catalogue.")] = "",
    denied: Annotated[bool, typer.Option("--denied", help="只看被拒绝的 · Only what was refused.")] = False,
    most: Annotated[int, typer.Option(min=1, max=queries.MOST, help="最多条数 · How many at most, the newest first.")] = 100,
    before: Before = None,
    as_json: AsJson = False,
) -> None:
    """谁在何时因何目的看了谁的什么 · Who read what of whom, when and why. The search itself goes into the log."""
    wanted = Search(actor=actor, purpose=purpose, denied=denied, since=_start(since), until=_end(until), before=before, most=most)
    found, catalogue = asyncio.run(_searched(Config.load(), member, wanted))
    if as_json:
        _out.print_json(json.dumps([asdict(one) for one in found], ensure_ascii=False))
    else:
        _show_found(found, catalogue)


def _start(day: datetime | None) -> datetime | None:
    return None if day is None else day.replace(tzinfo=_CHINA)


def _end(day: datetime | None) -> datetime | None:
    """A day counts whole; a moment is the end itself."""
    if day is None:
        return None
    whole = timedelta(days=1) if day.time() == datetime.min.time() else timedelta(0)
    return day.replace(tzinfo=_CHINA) + whole


async def _verified(config: Config) -> Report:
    async with _opened(config) as (database, journal):
        remembered = journal.remembered.read(journal.authority)
        with _progress() as progress:
            return await replay(database, journal.authority, remembered, progress=progress)


@asynccontextmanager
async def _opened(config: Config) -> AsyncIterator[tuple[Database, Writer]]:
    """The database and a writer that is never started: a log that the service refuses to serve on can still be examined."""
    catalogue = app.catalogue_of(config)
    app.check_schema(config)
    database = connect(config.database, pool_size=4, transaction_pooler=config.transaction_pooler)
    await database.start()
    try:
        # A command that runs by itself is a composition root: here, as in service/app.py, chance comes from the system.
        chance = os.urandom  # noqa: TID251
        vault = await app.open_vault(config, catalogue, database, clock=app.now, chance=chance)
        yield database, app.open_journal(config, catalogue, database, vault, clock=app.now, chance=chance)
    finally:
        await database.close()


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on the error stream, where somebody looks at it."""
    columns = (TextColumn("验证 verifying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=_err, transient=True, disable=not _err.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _show_report(report: Report) -> None:
    if report.verdict is Verdict.OK:
        _out.print(f"[bold green]OK[/] 已验证 {report.entries:,} 条，完整无改动 · entries verified; nothing was altered.")
    else:
        _out.print(f"[bold red]{report.verdict}[/]")
    for finding in report.findings:
        _out.print(_said(finding))
    if report.pruned:
        _out.print(
            f"  前 {report.pruned:,} 条已归档清理，其哈希已验证 · pruned up to {report.pruned:,}: their hashes were verified"
        )
    remembered = "—" if report.remembered is None else f"{report.remembered:,}"
    _out.print(f"  大小 size {report.size:,} · 根 root {report.root}")
    _out.print(f"  本机记得的大小 remembered size {remembered} · 待写入 waiting {report.waiting}")


def _said(finding: Finding) -> str:
    (part_zh, part_en), (zh, en) = _PARTS[finding.part], _DONE[finding.verdict]
    where = str(finding.first) if finding.first == finding.last else f"{finding.first}–{finding.last}"
    return f"  {finding.verdict} {where}: {part_zh}{zh} · {part_en} {en}"


async def _searched(config: Config, member: str, wanted: Search) -> tuple[list[Found], Catalogue]:
    async with app.parts(config) as running:
        subject = ""
        if member:
            wanted, subject = await _about(running, member, wanted)
        return await queries.search(running.database, running.journal, _call(running), wanted, subject=subject), running.catalogue


async def _about(running: Parts, member: str, wanted: Search) -> tuple[Search, str]:
    """The search with this member's pseudonyms, and the one of this month. Raises BadInput for nobody, and for somebody erased."""
    row = await members.row(running.database.read, member)
    if row is None or row.wrapped is None:
        raise BadInput("--member: there is no such member, or it was erased and can no longer be found in the log")
    keys = running.vault.member_keys(row.member_id, row.generation, row.wrapped)
    now = running.clock()
    since = wanted.since or now - timedelta(days=365 * 3)
    epochs = queries.months(since, min(wanted.until or now, now))
    pseudonyms = [running.vault.pseudonym_at(keys, epoch) for epoch in epochs]
    return replace(wanted, since=since, subjects=pseudonyms), running.vault.pseudonym(keys, now)


def _call(running: Parts) -> Call:
    """Whoever sits at this terminal has the roles that may search, and no other."""
    roles = frozenset(key for key, role in running.catalogue.roles.items() if ACT in role.may)
    account = pwd.getpwuid(os.getuid()).pw_name
    return Call(Actor(ActorKind.STAFF, account, roles), request_id=new_id(running.clock(), running.chance))


def _show_found(found: list[Found], catalogue: Catalogue) -> None:
    table = Table(caption=f"{len(found)} 条 entries")
    headings = (
        "序号 #",
        "时间 Time",
        "操作者 Actor",
        "角色 Role",
        "目的 Purpose",
        "依据 Basis",
        "字段 Fields",
        "结果 Decision",
        "原因 Reason",
    )
    for heading in (*headings, "核对 Bytes"):
        table.add_column(heading, overflow="fold")
    for one in found:
        # As plain text: what stands in an entry must not be taken for a colour.
        table.add_row(*map(Text, (str(one.index), *_row(one.entry, catalogue), "✔" if one.whole else "✘")))
    (Console() if _out.is_terminal else Console(width=_PIPE_WIDTH)).print(table)


def _row(entry: Mapping[str, Any], catalogue: Catalogue) -> tuple[str, ...]:
    if not entry:
        return ("",) * 8
    act, purpose = entry["act"], entry.get("pur", "")
    title = catalogue.purposes[purpose].title.zh if purpose in catalogue.purposes else ""
    fields = (f"{catalogue.fields[key].title.zh} {key}" if key in catalogue.fields else key for key in entry.get("fld", ()))
    return (
        datetime.fromisoformat(entry["ts"]).astimezone(_CHINA).strftime("%Y-%m-%d %H:%M:%S"),
        f"{act['k']}:{act.get('id', '')}",
        " ".join(act["role"]),
        f"{title} {purpose}".strip() or f"({' '.join(filter(None, (entry['typ'], entry.get('op'))))})",
        entry.get("bas", ""),
        "、".join(fields),
        "允许 allow" if entry["dec"] == "allow" else "拒绝 deny",
        entry.get("rsn", ""),
    )

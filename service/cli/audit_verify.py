"""`menshen audit verify`: prove that the log is whole."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from menshen_verifier.__main__ import main as offline
from service import app, machine
from service.audit.absent import refuse_other
from service.audit.findings import Finding, Part, Report, Verdict
from service.audit.verify import verify as replay
from service.audit.writer import Writer
from service.cli.terminal import AsJson, watched
from service.config import Config
from service.db.engine import Database, connect

_out = Console(highlight=False, soft_wrap=True)

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
    Part.TERMS: ("检索词索引", "words for search"),
    Part.NUMBERS: ("写入者的连续编号", "a writer's numbers"),
    Part.WAITING: ("待写入的条目", "entries that wait"),
}


def verify(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="导出目录 · An export's folder.", show_default=False)
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(help="信任策略 · Whom to believe: a tlog-policy file.", show_default=False)
    ] = None,
    since: Annotated[Path | None, typer.Option(help="上次审计留下的检查点 · The checkpoint that the last audit kept.")] = None,
    timestamps: Annotated[
        Path | None, typer.Option(help="时间戳机构证书 · Check time stamps against this authority (PEM).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """逐条重放并验证整个日志 · Replay the whole log and say whether it is the one that was written.

    Without DIR, the service's own log: needs the database, the key of the head and the remembered head. With DIR and --policy, an export,
    offline: needs nothing but that file, as `menshen-verify` does. Exits 0 when all is well, 1 when something is not, 2 when it could not
    be found out.
    """
    if folder is not None:
        raise typer.Exit(offline(_words(folder, policy, {"--since": since, "--timestamps": timestamps}) + ["--json"] * as_json))
    if policy or since or timestamps:
        raise typer.BadParameter("--policy, --since, --timestamps: DIR is missing")
    report = asyncio.run(_verified(Config.load()))
    if as_json:
        _out.print_json(json.dumps(asdict(report), ensure_ascii=False))
    else:
        _show_report(report)
    if report.verdict is not Verdict.OK:
        raise typer.Exit(1)


def _words(folder: Path, policy: Path | None, others: Mapping[str, Path | None]) -> list[str]:
    """As somebody would type them who has the verifier alone."""
    if policy is None:
        raise typer.BadParameter("--policy: whom to believe must be said, and not by the export")
    given = [word for option, path in others.items() if path is not None for word in (option, str(path))]
    return [str(folder), "--policy", str(policy), *given]


async def _verified(config: Config) -> Report:
    async with opened(config) as (database, journal):
        await refuse_other(database.read, journal.authority.origin)
        remembered = journal.remembered.read(journal.authority)
        with watched("验证 verifying") as progress:
            return await replay(database, journal.authority, remembered, progress=progress)


@asynccontextmanager
async def opened(config: Config) -> AsyncIterator[tuple[Database, Writer]]:
    """The database and a writer that is never started: a log that the service refuses to serve on can still be examined."""
    catalogue = app.catalogue_of(config)
    app.check_schema(config)
    database = connect(config.database, pool_size=4, transaction_pooler=config.transaction_pooler)
    await database.start()
    try:
        # A command that runs by itself is a composition root: here, as in service/app.py, chance comes from the system.
        chance = os.urandom  # noqa: TID251
        vault = await app.open_vault(config, catalogue, database, clock=machine.now, chance=chance)
        yield database, app.open_journal(config, catalogue, database, vault, clock=machine.now, chance=chance)
    finally:
        await database.close()


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

"""`menshen import`: members from a file that another system wrote."""

import asyncio
import gc
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table as Grid

from service.app import parts
from service.cli.terminal import account, caller, stepped
from service.config import Config
from service.intake import mapping, report, rules
from service.intake.commands import ACT, Intake, Outcome
from service.intake.job import Job, option, said, understand
from service.intake.model import REASONS, Code
from service.intake.report import RejectFile

_LONGEST_NAME = 64
_out = Console(highlight=False, markup=False, soft_wrap=True)
_err = Console(stderr=True, highlight=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What the command line asked for."""

    file: Path
    mapped_by: Path
    rejects: Path | None
    dry_run: bool
    ignore_unmapped: bool
    source: str
    collected_on: str
    evidence_uri: str
    actor: str


def import_(
    file: Annotated[Path, typer.Argument(help="会员导出文件 · CSV (UTF-8, UTF-16, GB18030) or XLSX.")],
    *,
    mapped_by: Annotated[
        Path, typer.Option("--mapping", help="表头映射文件 · Which header means which field.", show_default=mapping.SHIPPED.name)
    ] = mapping.SHIPPED,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只检查，不导入 · Check every row and load none.")] = False,
    rejects: Annotated[
        Path | None,
        typer.Option(help="拒绝清单 · Where to list what was not loaded.", show_default="NAME.rejects.csv beside FILE"),
    ] = None,
    ignore_unmapped: Annotated[
        bool, typer.Option("--ignore-unmapped", help="不收集未映射的列 · Leave out columns that the mapping does not know.")
    ] = False,
    source: Annotated[str, typer.Option(help="来源 · Where these contacts come from.")] = "",
    collected_on: Annotated[str, typer.Option(help="收集日期 · When they were collected, YYYY-MM-DD.")] = "",
    evidence_uri: Annotated[str, typer.Option(help="证据地址 · Where the proof is kept.")] = "",
    actor: Annotated[str, typer.Option(help="操作人 · Who does this, as the audit log names them; else your account here.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="机器可读 · For machines.")] = False,
) -> None:
    """导入会员 · Load members from a file. What is wrong with a row is listed and the row left out; nothing is ever overwritten.

    Run it again after an interruption and it goes on where it stopped. Exit: 0 all rows are members, 1 some are not, 2 could not.
    """
    wanted = _Wanted(
        file=file,
        mapped_by=mapped_by,
        rejects=rejects,
        dry_run=dry_run,
        ignore_unmapped=ignore_unmapped,
        source=source,
        collected_on=collected_on,
        evidence_uri=evidence_uri,
        actor=actor or account(),
    )
    found = asyncio.run(_run(wanted))
    if as_json:
        _out.print_json(data=found)
    else:
        _show(found)
    if found["duplicates"] or found["rejected"]:
        raise typer.Exit(1)


async def _run(wanted: _Wanted) -> dict[str, object]:
    async with parts(Config.load()) as running:
        now = running.clock()
        call = caller(running, ACT, option("--actor", rules.unsealed_text(_LONGEST_NAME), wanted.actor))
        job = understand(
            wanted.file,
            running.catalogue,
            now=now,
            mapped_by=wanted.mapped_by,
            provenance=said(wanted.source, wanted.collected_on, wanted.evidence_uri, now=now),
            ignore_unmapped=wanted.ignore_unmapped,
        )
        # A dry run writes nothing, unless it is told where.
        place = None if wanted.dry_run and wanted.rejects is None else report.place_for(wanted.file, wanted.rejects)
        # All that is loaded by now stays to the end. A collector that walks through it again and again takes a seventh of the time.
        gc.freeze()
        with RejectFile(place) as rejects, stepped("导入 importing", job.table.total) as progress:
            intake = Intake(running.units, call, job, rejects=rejects, progress=progress)
            outcome = await (intake.check() if wanted.dry_run else intake.load())
        return _facts(wanted, job, outcome, place)


def _facts(wanted: _Wanted, job: Job, outcome: Outcome, place: Path | None) -> dict[str, object]:
    """What happened, in numbers and headers."""
    tally = outcome.tally
    consents: dict[str, dict[str, int]] = {}
    for (purpose, state), count in sorted(tally.consents.items()):
        consents.setdefault(purpose, {})[state.value] = count
    return {
        "import": outcome.import_id,
        "file": str(wanted.file),
        "encoding": job.table.examined.encoding or "xlsx",
        "header_line": job.table.header.line,
        "dry_run": wanted.dry_run,
        "already_finished": outcome.already,
        "carried_on": outcome.carried_on,
        "read": tally.read,
        "made": tally.made,
        "guardian_pending": tally.guardian_pending,
        "duplicates": tally.duplicates,
        "rejected": tally.rejected,
        "reasons": {code.value: count for code, count in tally.codes.most_common()},
        "consents": consents,
        "ignored": list(job.layout.ignored),
        "unmapped": list(job.layout.unmapped),
        "rejects": None if place is None else str(place),
    }


def _show(found: dict[str, Any]) -> None:
    """The same as a table for people."""
    if found["already_finished"]:
        _out.print("这个文件早已导入完毕，未作任何更改。 This file had been loaded before; nothing was changed.")
    made = "可导入 could be loaded" if found["dry_run"] else "已导入 loaded"
    grid = Grid("", "", show_header=False, box=None)
    grid.add_row("读取 rows read", str(found["read"]))
    grid.add_row(made, str(found["made"]))
    grid.add_row("  其中待监护人同意 of these waiting for a guardian", str(found["guardian_pending"]))
    for purpose, states in found["consents"].items():
        grid.add_row(f"  {purpose}", "  ".join(f"{state} {count}" for state, count in states.items()))
    grid.add_row("重复 duplicates", str(found["duplicates"]))
    grid.add_row("拒绝 rejected", str(found["rejected"]))
    for code, count in found["reasons"].items():
        grid.add_row(f"  {code} {REASONS[Code(code)].zh}", str(count))
    for label, key in (("映射中忽略的列 ignored columns", "ignored"), ("未收集的列 columns left out", "unmapped")):
        if found[key]:
            grid.add_row(label, "、".join(found[key]))
    _out.print(grid)
    if found["rejects"]:
        _out.print(f"拒绝清单 reject file: {found['rejects']}")

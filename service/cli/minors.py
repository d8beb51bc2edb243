"""`menshen audit minors`: the yearly account of minors' data, to be reported by the end of January (未成年人网络保护条例 37)."""

import asyncio
import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from service import app
from service.cli.terminal import AsJson, caller
from service.config import Config
from service.guardians.model import Pack

ACT = "minor.audit"
_out = Console(highlight=False, soft_wrap=True)


def minors(
    year: Annotated[int, typer.Argument(help="年度 · The calendar year, in China's time.")],
    as_json: AsJson = False,
) -> None:
    """未成年人个人信息年度审计 · The yearly account of minors' data. Goes into the log. Exits 1 when it does not agree with the log."""
    pack = asyncio.run(_counted(Config.load(), year))
    if as_json:
        _out.print_json(json.dumps(told(pack), ensure_ascii=False))
    else:
        _show(pack)
    if not pack.reconciles:
        raise typer.Exit(1)


def told(pack: Pack) -> dict[str, object]:
    """The account in JSON's words. `incidents` is null: nothing counts them yet, they are added by hand."""
    return {
        "year": pack.year,
        "closed": pack.closed,
        "reportDueOn": pack.due_on.isoformat(),
        "bands": [
            {
                "band": band.band,
                "title": {"zh": band.title.zh, "en": band.title.en},
                "members": band.members,
                "entries": band.entries,
                "consents": [
                    {"purpose": purpose, "state": state.value, "count": count}
                    for (purpose, state), count in sorted(band.consents.items())
                ],
                "uses": [
                    {
                        "purpose": use.purpose,
                        "allowed": use.allowed,
                        "denied": use.denied,
                        "byStaff": use.by_staff,
                        "approved": use.approved,
                    }
                    for use in band.uses
                ],
            }
            for band in pack.bands
        ],
        "links": {state.value: count for state, count in pack.links.items()},
        "approvals": pack.approvals,
        "requests": [
            {"kind": kind.value, "state": state.value, "count": count} for (kind, state), count in pack.requests.items()
        ],
        "incidents": pack.incidents,
        "checks": [{"name": check.name, "kept": check.kept, "logged": check.logged} for check in pack.checks],
        "reconciles": pack.reconciles,
    }


async def _counted(config: Config, year: int) -> Pack:
    async with app.parts(config) as running:
        return await running.operations.minors_audit_pack(caller(running, ACT), year_of=year)


def _show(pack: Pack) -> None:
    table = Table(title=f"{pack.year} · 报送期限 report by {pack.due_on}", caption=_verdict(pack))
    for heading in ("年龄段 Band", "人数 Members", "审计条目 Entries", "员工查看 By staff", "经审批 Approved"):
        table.add_column(heading)
    for band in pack.bands:
        staff, approved = sum(use.by_staff for use in band.uses), sum(use.approved for use in band.uses)
        table.add_row(f"{band.title.zh} {band.band}", str(band.members), str(band.entries), str(staff), str(approved))
    _out.print(table)
    for check in pack.checks:
        _out.print(f"{'✔' if check.kept == check.logged else '✘'} {check.name}: {check.kept} / {check.logged}")


def _verdict(pack: Pack) -> str:
    closed = "" if pack.closed else "年度尚未结束 the year is not over · "
    agreed = "与审计日志一致 agrees with the log" if pack.reconciles else "与审计日志不一致 DOES NOT AGREE with the log"
    return f"{closed}{agreed} · 安全事件未计入，请人工补充 incidents are not counted here"

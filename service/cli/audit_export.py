"""`menshen audit export`: the log in a folder that verifies without us."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from policies.clock import SHANGHAI
from service import app
from service.approvals.exports import Export
from service.archive.exporting import Done, Plan
from service.archive.operations import EXPORT
from service.archive.queries import Asked, Point
from service.cli.audit_archive import warn
from service.cli.exporting import Recipient, how_to_ask
from service.cli.terminal import AsJson, caller, show_json, watched
from service.config import Config
from service.errors import BadInput, Refused

_MOST = 2**53
_out = Console(highlight=False, soft_wrap=True)


def export(
    output: Annotated[
        Path, typer.Option("-o", "--output", help="空文件夹，或中断的导出 · An empty folder, or an interrupted export.")
    ],
    since: Annotated[str, typer.Option(help="自此序号或时间（北京时间） · From this index or time (China's).")] = "",
    until: Annotated[str, typer.Option(help="至此序号或时间，不含；整日含当日 · Up to, without it; a day counts whole.")] = "",
    recipient: Recipient = "",
    as_json: AsJson = False,
) -> None:
    """导出审计日志，供离线验证 · Export the log for offline verification.

    The range is widened to whole tiles of 256 entries. A run that was interrupted is taken up by the same command. The export is itself
    recorded before a byte is written, and waited for as `MENSHEN_ACK` says.
    """
    asked = Asked(_point("--since", since), _point("--until", until, end=True))
    try:
        plan, done = asyncio.run(_exported(Config.load(), asked, output, recipient))
    except Refused as refusal:
        how_to_ask(refusal, Export("audit", recipient, asked.text))
        raise
    missing = plan.last - plan.first - done.count
    if as_json:
        told = {"folder": str(output), "from": plan.first, "to": plan.last, "size": plan.checkpoint.size}
        show_json(told | {"entries": done.count, "missing": missing})
    else:
        _show(plan, done, output)
    if missing:
        raise typer.Exit(1)


def _show(plan: Plan, done: Done, output: Path) -> None:
    _out.print(
        f"[bold green]✔[/] {done.count:,} 条 entries {plan.first}–{plan.last - 1} · size {plan.checkpoint.size:,} · {output}"
    )
    if missing := plan.last - plan.first - done.count:
        _out.print(f"[bold red]✘[/] 缺少 {missing:,} 条 · entries are missing in the database: `menshen audit verify`")


async def _exported(config: Config, asked: Asked, folder: Path, recipient: str) -> tuple[Plan, Done]:
    async with app.parts(config) as running:
        with watched("导出 exporting") as progress:
            origin, vkeys = running.journal.authority.origin, [key.vkey for key in running.publisher.keys]
            operations, call = running.operations, caller(running, EXPORT)
            plan, done = await operations.export(
                call, asked, folder, origin=origin, vkeys=vkeys, recipient=recipient, progress=progress
            )
        warn(running, plan.checkpoint.note)
        return plan, done


def _point(option: str, text: str, *, end: bool = False) -> Point:
    """An index, a day or a moment. Raises BadInput."""
    if not text:
        return None
    if text.isascii() and text.isdigit() and int(text) < _MOST:
        return int(text)
    for form in ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"):
        try:
            found = datetime.strptime(text, form).replace(tzinfo=SHANGHAI)
        except ValueError:
            continue
        return found + timedelta(days=1) if end and len(text) == 10 else found
    raise BadInput(f"{option}: an index, 2026-05-01 or 2026-05-01T08:00:00")

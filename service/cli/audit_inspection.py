"""`menshen audit inspection-export`: the entries of one scope for an authority, each with its proof, and nothing else."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from service import app
from service.audit.journal import Ack
from service.audit.store import head
from service.cli.audit_archive import write_new
from service.cli.audit_search import DAY_FORMATS, end, start
from service.cli.exporting import Authority, how_to_ask
from service.cli.terminal import AsJson, caller, show_json
from service.config import Config
from service.errors import Refused
from service.inspection.authority import Copied, leaving
from service.inspection.model import Filter
from service.inspection.operations import EXPORT

_out = Console(highlight=False, soft_wrap=True)


def inspection_export(
    *,
    reference: Annotated[str, typer.Option(help="主管部门文号 · The authority's reference.")],
    recipient: Authority,
    since: Annotated[datetime, typer.Option(formats=DAY_FORMATS, help="自何时，北京时间 · Since when, in China's time.")],
    until: Annotated[datetime, typer.Option(formats=DAY_FORMATS, help="至何时，含当日 · Until when; a day counts whole.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="文件，一行一条 · A file, a line for each entry.")],
    member: Annotated[str, typer.Option(help="会员编号 · The member's id.")] = "",
    actor: Annotated[str, typer.Option(help="操作者账号 · An account.")] = "",
    role: Annotated[str, typer.Option(help="角色 · A role.")] = "",
    purpose: Annotated[str, typer.Option(help="处理目的 · A purpose.")] = "",
    field: Annotated[str, typer.Option(help="字段 · A field.")] = "",
    campaign: Annotated[str, typer.Option(help="活动编号 · A campaign.")] = "",
    as_json: AsJson = False,
) -> None:
    """按范围导出审计记录，供主管部门查阅 · The entries of one scope, for an authority (PIPL 63). Recorded before it is written.

    Each entry comes with its proof. Where an entry names members beyond the scope, they are left out, and its proof is of its hash.
    """
    wanted = Filter(actor=actor, role=role, purpose=purpose, field=field, campaign=campaign, since=start(since), until=end(until))
    try:
        found = asyncio.run(_copied(Config.load(), wanted, member, reference=reference, recipient=recipient))
    except Refused as refusal:
        how_to_ask(refusal, leaving(wanted, reference, recipient))
        raise
    write_new(output, b"".join(found.lines()))
    if as_json:
        show_json({"file": str(output), "rows": len(found.rows)})
        return
    _out.print(f"[bold green]✔[/] {len(found.rows)} 条 entries · {output}")


async def _copied(config: Config, wanted: Filter, member: str, *, reference: str, recipient: str) -> Copied:
    async with app.parts(config) as running:
        found = await head(running.database.read, running.journal.authority.origin)
        if found is not None:
            await running.publisher.reached(found.size, Ack.WITNESSED if running.units.trust.witnessed else Ack.SIGNED)
        return await running.operations.inspection_export(
            caller(running, EXPORT), wanted, member_id=member or None, reference=reference, recipient=recipient
        )

"""`menshen audit who-saw`: who has seen something of one member, and the proof that this is all, in one file."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from service import app
from service.audit.journal import Ack
from service.audit.store import head
from service.cli.audit_search import DAY_FORMATS, Until, end, start
from service.cli.exporting import Recipient, how_to_ask
from service.cli.terminal import AsJson, caller, show_json, watched
from service.config import Config
from service.errors import BadInput, Refused
from service.inspection.answering import Answered, leaving
from service.inspection.operations import EXPORT

_out = Console(highlight=False, soft_wrap=True)


def who_saw(
    *,
    member: Annotated[str, typer.Option(help="会员编号 · The member's id.")],
    since: Annotated[datetime, typer.Option(formats=DAY_FORMATS, help="自何时，北京时间 · Since when, in China's time.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="答复文件（zip） · The file, which is not there yet.")],
    field: Annotated[str, typer.Option(help="字段，如 phone；不填为任何字段 · A field; left out: any.")] = "",
    until: Until = None,
    recipient: Recipient = "",
    as_json: AsJson = False,
) -> None:
    """谁看过这位会员的信息，并证明这就是全部 · Who has seen this of that member, and the proof that this is all, in one file.

    The file holds the entries with their proofs, the member's names in the log, and the log of that time, so that anybody can check it
    with `menshen-verify answer FILE --policy POLICY`, without us. Making it is recorded first.
    """
    begin = start(since)
    assert begin is not None
    try:
        made = asyncio.run(
            _answered(Config.load(), member, field, since=begin, until=end(until), output=output, recipient=recipient)
        )
    except Refused as refusal:
        how_to_ask(refusal, leaving(recipient, since=begin, until=end(until)))
        raise
    if as_json:
        show_json(
            {"file": str(output), "rows": made.rows, "size": made.size, "along": made.entries, "cosigned": not made.doubtful}
        )
        return
    _out.print(f"[bold green]✔[/] {made.rows} 条 rows · 日志 log {made.size:,} · 随附 along {made.entries:,} · {output}")
    if made.doubtful:
        _out.print(
            "! 尚未经见证者会签，审计方将不予采信 · not yet cosigned by the quorum: an auditor's policy refuses it", markup=False
        )
    _out.print("  核对 check: menshen-verify answer FILE --policy POLICY", markup=False)


async def _answered(
    config: Config, member: str, field: str, *, since: datetime, until: datetime | None, output: Path, recipient: str
) -> Answered:
    async with app.parts(config) as running:
        authority = running.journal.authority
        found = await head(running.database.read, authority.origin)
        if found is None:
            raise BadInput("the log is empty")
        # What happened until now is part of the answer, so it has to be signed first.
        await running.publisher.reached(found.size, Ack.WITNESSED if running.units.trust.witnessed else Ack.SIGNED)
        with watched("导出 exporting") as progress:
            return await running.operations.who_saw(
                caller(running, EXPORT),
                member_id=member,
                field=field,
                since=since,
                until=until,
                output=output,
                recipient=recipient,
                progress=progress,
            )

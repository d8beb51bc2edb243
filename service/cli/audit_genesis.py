"""`menshen audit genesis`: a log that lost what it had let out is closed, and the next one begins. Members' data stay where they are."""

import asyncio
import os
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.console import Console
from rich.markup import escape

from service import app, machine
from service.alarms.commands import put
from service.alarms.model import AlarmKind
from service.archive import closing, returning
from service.archive.closing import Asked, Closed, Loss
from service.archive.keeping import PRUNE
from service.audit.head import Authority, Head, Seen
from service.audit.remembered import RememberedHead
from service.checkpoints.trust import Trust
from service.cli.stopped import stopped
from service.cli.terminal import AsJson, account, caller_of, content, show_json, watched
from service.config import Config
from service.db.engine import Transaction
from service.values import of_log, utc_text

_out = Console(highlight=False, soft_wrap=True)
_MOST = 1 << 20
"""Bytes of a note or a policy."""

# A command that runs by itself is a composition root: here, as in service/app.py, chance comes from the system.
_chance = os.urandom  # noqa: TID251


class Given(NamedTuple):
    """The options."""

    last: Path
    origin: str
    reason: str
    approver: str
    output: Path
    whom: Path | None


def genesis(  # noqa: PLR0917  (options, each by its name)
    last: Annotated[
        Path,
        typer.Option(
            metavar="NOTE", help="旧日志现存最新的检查点 · The newest checkpoint that anybody has of the log.", show_default=False
        ),
    ],
    origin: Annotated[
        str, typer.Option(help="新日志的名称：原名加编号 · The new log's name: the old one's, and a number.", show_default=False)
    ],
    reason: Annotated[str, typer.Option(help="理由 · Why, in words; nobody's data.", show_default=False)],
    approver: Annotated[
        str, typer.Option(metavar="ACCOUNT", help="批准此事的另一人 · The other person who wants it.", show_default=False)
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", help="留存旧日志的文件夹 · Where the old log is kept, yours alone (0700).", show_default=False
        ),
    ],
    whom: Annotated[
        Path | None,
        typer.Option(
            "--policy", help="旧日志的信任策略，缺省取自设置 · Whom to believe of the old log; by default the settings' keys."
        ),
    ] = None,
    *,
    check: Annotated[bool, typer.Option("--check", help="只检查，不写入 · Only look, write nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """终结无法恢复的日志，并在原数据库中启用新日志 · Close a log that lost entries for good, and go on under the next name.

    Nothing may run meanwhile. What is left of the old log is exported into -o and verified there; then, in one transaction, the record's
    tables are emptied, and the new log begins with an entry that holds NOTE. Members' data stay. MENSHEN_ORIGIN and MENSHEN_SIGNER are the
    old log's; on PostgreSQL the tables' owner connects. First try `menshen audit tail restore`: what a copy can give back is not lost.

    Exits 0 when the new log has begun, 1 with --check when it could, 2 when it was refused.
    """
    given = Given(last, origin, reason, approver, output, whom)
    loss, done = asyncio.run(_closed(Config.load(), given, check=check))
    if as_json:
        show_json(_told(loss, done, given))
    else:
        _show(loss, done, given)
    if check:
        raise typer.Exit(1)


async def _closed(config: Config, given: Given, *, check: bool) -> tuple[Loss, Closed | None]:
    async with stopped(config) as (house, trust, scribe):
        asked = _asked(given, trust)
        closing.checked(asked, house.authority, by=account())
        at = await returning.standing(house)
        case = await closing.examine(house, asked, at, trust=trust)
        if check:
            return case.loss, None
        with watched("留存并核验 keeping and verifying") as progress:
            kept = await closing.kept(case, given.output, trust=trust, clock=machine.now, progress=progress)
        call = caller_of(app.catalogue_of(config), PRUNE, now=machine.now(), chance=_chance)
        done = await closing.begin(
            case, kept, given.output, scribe=scribe, call=call, clock=machine.now, also=_alarm(given.origin)
        )
        _remember(config, Authority(given.origin, house.authority.mac), done.head)
        return case.loss, done


def _remember(config: Config, authority: Authority, head: Head) -> None:
    """From here on this machine remembers the new log, beside what it remembers of the old one."""
    memory = RememberedHead(config.home / of_log("audit-head", authority.origin))
    memory.write(authority, Seen(head.size, head.root))
    memory.close()


def _asked(given: Given, trust: Trust) -> Asked:
    believed = content(given.whom, "--policy", most=_MOST) if given.whom else trust.policy.encode()
    return Asked(content(given.last, "--last", most=_MOST), believed, given.origin, given.reason.strip(), given.approver)


def _alarm(origin: str) -> closing.Also:
    """Whoever sees to alarms hears of it when the service runs again, and of whatever the old log was broken by."""

    async def raised(transaction: Transaction) -> dict[str, str]:
        found, _ = await put(transaction, AlarmKind.LOG_CLOSED, origin, now=machine.now(), chance=_chance)
        return {"alarm": found}

    return raised


def _told(loss: Loss, done: Closed | None, given: Given) -> dict[str, object]:
    last = {"size": loss.last.size, "root": loss.last.root.hex(), "witnessed": loss.witnessed}
    lost = {"first": loss.left, "last": loss.known - 1, "count": loss.count}
    told = {"origin": given.origin, "last": last, "left": loss.left, "known": loss.known, "lost": lost}
    told["at"] = utc_text(machine.now())
    return told if done is None else told | {"closing": done.closing.hex(), "kept": str(given.output)}


def _show(loss: Loss, done: Closed | None, given: Given) -> None:
    _out.print(f"  现存 left {loss.left:,} 条 · 丢失 lost {loss.count:,} 条 entries {loss.left}–{loss.known - 1}")
    if loss.known > loss.last.size:
        _out.print(
            f"[bold yellow]![/] 日志至少曾有 {loss.known:,} 条，多于 --last 所示：请尽量找到更新的检查点 · somebody remembers "
            f"{loss.known:,} entries, more than --last: look for a newer note"
        )
    if done is None:
        _out.print("[bold yellow]![/] 可以终结，尚未写入任何内容 · it can be closed; nothing was written")
        return
    _show_next(done, given)


def _show_next(done: Closed, given: Given) -> None:
    """What was done, and what people have to do now."""
    origin, folder = given.origin, given.output
    _out.print(
        f"[bold green]✔[/] 旧日志已留存并核验（{done.kept.verdict}）· the old log is kept, and verified: {escape(str(folder))}"
    )
    _out.print(f"[bold green]✔[/] 新日志已启用 · the new log has begun: {origin}")
    _out.print("  接下来 · Now:")
    _out.print(f"  1. MENSHEN_ORIGIN={origin}", markup=False)
    _out.print(f"  2. 为新日志另设密钥 · a key of its own: menshen audit signer make --origin {origin} --key …", markup=False)
    _out.print("  3. 把新的 vkey 交给见证者与审计方 · give its vkey to the witnesses and the auditors")
    _out.print(f"  4. 离线保存该文件夹，它是旧日志唯一的证据 · keep {folder}: it is all there is of the old log", markup=False)

"""`menshen audit genesis`: a log that lost what it had let out is closed, and the next one begins. Members' data stay where they are."""

import asyncio
import json
import os
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.console import Console

from service import app, machine
from service.alarms import store as alarms
from service.alarms.commands import new
from service.alarms.model import MOST_ABOUT, AlarmKind
from service.archive import closing, returning
from service.archive.closing import Asked, Closed, Loss
from service.archive.keeping import PRUNE
from service.audit.head import Authority, Seen
from service.audit.remembered import RememberedHead
from service.cli.audit_tail import Closed as House
from service.cli.audit_tail import closed
from service.cli.terminal import AsJson, account, caller_of, watched
from service.config import Config
from service.db.engine import Transaction
from service.errors import BadInput
from service.values import new_id, of_log, utc_text

_out = Console(highlight=False, soft_wrap=True)
_MOST = 1 << 20

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
        str, typer.Option(metavar="ACCOUNT", help="另一名同意此事的人 · The other person who wants it.", show_default=False)
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
            "--policy", help="旧日志的信任策略，默认取自设置 · Whom to believe of the old log; by default the settings' keys."
        ),
    ] = None,
    *,
    check: Annotated[bool, typer.Option("--check", help="只检查，不写入 · Only look, write nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """终结无法恢复的日志，并在原数据库中开始新日志 · Close a log that lost entries for good, and go on under the next name.

    Nothing may run meanwhile. What is left of the old log is exported into -o and verified there; then, in one transaction, the record's
    tables are emptied, and the new log begins with an entry that holds NOTE. Members' data stay. MENSHEN_ORIGIN and MENSHEN_SIGNER are the
    old log's; on PostgreSQL the tables' owner connects. First try `menshen audit tail restore`: what a copy can give back is not lost.

    Exits 0 when the new log has begun, 1 with --check when it could, 2 when it was refused.
    """
    config = Config.load()
    found = asyncio.run(_closed(config, Given(last, origin, reason, approver, output, whom), check=check))
    loss = found.loss if isinstance(found, Closed) else found
    told = _told(loss, origin) | ({"closing": found.closing.hex(), "kept": str(output)} if isinstance(found, Closed) else {})
    if as_json:
        _out.print_json(json.dumps(told, ensure_ascii=False))
    else:
        _show(loss, found if isinstance(found, Closed) else None, origin=origin, folder=output)
    if check:
        raise typer.Exit(1)


async def _closed(config: Config, given: Given, *, check: bool) -> Closed | Loss:
    async with closed(config) as running:
        house, trust, scribe = running
        asked = _asked(given, running)
        closing.checked(asked, house.authority, by=account())
        at = await returning.standing(house)
        case = await closing.examine(house, asked, at, trust=trust)
        if check:
            return case.loss
        with watched("留存并核验 keeping and verifying") as progress:
            kept = await closing.kept(case, given.output, trust=trust, clock=machine.now, progress=progress)
        call = caller_of(app.catalogue_of(config), PRUNE, now=machine.now(), chance=_chance)
        done = await closing.begin(
            case, kept, given.output, scribe=scribe, call=call, clock=machine.now, also=_alarm(given.origin)
        )
        # From here on this machine remembers the new log, beside what it remembers of the old one.
        memory = RememberedHead(config.home / of_log("audit-head", given.origin))
        memory.write(Authority(given.origin, house.authority.mac), Seen(done.head.size, done.head.root))
        memory.close()
        return done


def _asked(given: Given, running: House) -> Asked:
    believed = _read(given.whom, "--policy") if given.whom else running.trust.policy.encode()
    return Asked(_read(given.last, "--last"), believed, given.origin, given.reason.strip(), given.approver)


def _read(path: Path, option: str) -> bytes:
    try:
        with path.open("rb") as file:
            found = file.read(_MOST + 1)
    except OSError as problem:
        raise BadInput(f"{option}: {problem.strerror}") from None
    if len(found) > _MOST:
        raise BadInput(f"{option}: too long")
    return found


def _alarm(origin: str) -> closing.Also:
    """Whoever sees to alarms hears of it when the service runs again, and of whatever the old log was broken by."""

    about = f"genesis {origin}"[:MOST_ABOUT]

    async def raised(transaction: Transaction) -> dict[str, str]:
        now = machine.now()
        found = await alarms.again(transaction, AlarmKind.LOG_BROKEN, about, now=now)
        if found is None:
            found = new_id(now, _chance)
            await alarms.add(transaction, new(AlarmKind.LOG_BROKEN, about, found, now=now))
        return {"alarm": found}

    return raised


def _told(loss: Loss, origin: str) -> dict[str, object]:
    last = {"size": loss.last.size, "root": loss.last.root.hex(), "witnessed": loss.witnessed}
    lost = {"first": loss.left, "last": loss.known - 1, "count": loss.count}
    return {"origin": origin, "last": last, "left": loss.left, "known": loss.known, "lost": lost, "at": utc_text(machine.now())}


def _show(loss: Loss, done: Closed | None, *, origin: str, folder: Path) -> None:
    _out.print(f"  现存 left {loss.left:,} 条 · 丢失 lost {loss.count:,} 条 entries {loss.left}–{loss.known - 1}")
    if loss.known > loss.last.size:
        _out.print(
            f"[bold yellow]![/] 有人记得 {loss.known:,} 条，比 --last 多：请尽量找到更新的检查点 · somebody remembers "
            f"{loss.known:,} entries, more than --last: look for a newer note"
        )
    if done is None:
        _out.print("[bold yellow]![/] 可以终结，尚未写入任何内容 · it can be closed; nothing was written")
        return
    _out.print(
        f"[bold green]✔[/] 旧日志已留存并核验（{done.kept.verdict}）· the old log is kept, and verified: {folder}", markup=True
    )
    _out.print(f"[bold green]✔[/] 新日志已开始 · the new log has begun: {origin}")
    _out.print("  接下来 · Now:")
    _out.print(f"  1. MENSHEN_ORIGIN={origin}", markup=False)
    _out.print(f"  2. 为新日志另设密钥 · a key of its own: menshen audit signer make --origin {origin} --key …", markup=False)
    _out.print("  3. 把新的 vkey 交给见证方与审计方 · give its vkey to the witnesses and the auditors")
    _out.print(f"  4. 离线保存该文件夹，它是旧日志唯一的证据 · keep {folder}: it is all there is of the old log", markup=False)

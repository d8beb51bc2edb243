"""`menshen oversight …`: the pack for a compliance audit, the register, the measures of PIPL 51, who may do what, tasks."""

import asyncio
import csv
import dataclasses
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from enum import Enum
from hashlib import file_digest
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.text import Text

from menshen_verifier.errors import Forged, Malformed
from menshen_verifier.note import Key, parse_key
from menshen_verifier.pack import Report, lines, verify_pack
from policies.clock import SHANGHAI
from policies.duties import RULES
from service import app
from service.app import Parts
from service.cli.terminal import AsJson, caller, show_json, show_keys
from service.config import Config
from service.errors import BadInput
from service.files import whole
from service.oversight.model import AccessReview, ControlKind, Law, Standing
from service.oversight.pack import build
from service.oversight.pack.build import Built
from service.values import Call

oversight = typer.Typer(
    help="合规监督：审计资料包、登记、措施、权限复核、任务 · Oversight: audit pack, register, measures, access review, tasks.",
    no_args_is_help=True,
)
READ, RECORD = "oversight.read", "oversight.record"
Done = TypeVar("Done")
_out = Console(highlight=False, soft_wrap=True)
_DAY = ["%Y-%m-%d"]
_MOMENT = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]

Since = Annotated[datetime, typer.Option(formats=_DAY, help="起始日，北京时间 · The first day, in China's time.")]
Until = Annotated[datetime, typer.Option(formats=_DAY, help="截止日，含当日 · The last day, whole.")]
Out = Annotated[Path, typer.Option("--output", "-o", help="写入的文件 · The file to write.", dir_okay=False)]


@oversight.command(name="audit-pack")
def audit_pack(since: Since, until: Until, output: Out, as_json: AsJson = False) -> None:
    """生成签名的合规审计资料包 · Write the signed pack for a compliance audit. It goes into the log as an export."""
    built = _packed(since.date(), until.date(), output)
    if as_json:
        show_json({"rows": built.rows, "figures": len(built.values), "manifest": built.digest, "vkeys": built.vkeys})
        return
    _out.print(f"✔ {output} · {built.rows} 行 rows · {len(built.values)} 项数字 figures")
    _out.print(f"  清单摘要 manifest SHA-256 {built.digest}")
    _out.print(f"  公钥，另行交付 public key, to be handed over by another way: {built.vkeys[0]}")


@oversight.command()
def recompute(
    file: Annotated[Path, typer.Argument(help="资料包 · The pack.", exists=True, dir_okay=False)],
    key: Annotated[
        list[str], typer.Option(help="签名公钥（可多个） · The vkey of whoever signed it; more than one may be given.")
    ],
    as_json: AsJson = False,
) -> None:
    """离线验证资料包并重算全部数字 · Verify a pack offline, and work every figure out again. Exits 1 when something differs."""
    try:
        report = _verified(file, key)
    except (Malformed, Forged) as problem:
        raise BadInput(str(problem)) from None
    if as_json:
        told = [dataclasses.asdict(problem) for problem in report.problems]
        show_json({"figures": report.figures, "problems": told})
    else:
        for line in lines(report):
            _out.print(Text(line))
    if report.problems:
        raise typer.Exit(1)


@oversight.command(name="pack-key")
def pack_key(as_json: AsJson = False) -> None:
    """资料包的签名公钥 · The public keys that prove packs, the one that signs now first."""

    async def work(running: Parts, call: Call) -> Sequence[Key]:  # noqa: ARG001 - public keys are anybody's
        return build.keys(running.vault, running.catalogue)

    show_keys(asyncio.run(_with(work)), as_json=as_json)


@oversight.command()
def register(
    at: Annotated[datetime | None, typer.Option(formats=_MOMENT, help="时间，缺省为现在 · When; now, if left out.")] = None,
) -> None:
    """某一时刻的处理活动登记（JSON） · The register of processing as it was active at a moment, as JSON."""
    found = asyncio.run(_with(lambda running, call: running.operations.processing_register(call, at=_at(running, at))))
    _out.print_json(_json(found))


@oversight.command()
def diff(
    since: Annotated[datetime, typer.Option(formats=_MOMENT, help="起 · The earlier moment.")],
    until: Annotated[datetime | None, typer.Option(formats=_MOMENT, help="止，缺省为现在 · The later one; now.")] = None,
) -> None:
    """两个时刻之间登记的变更（JSON） · What differs in the register between two moments, as JSON."""

    async def work(running: Parts, call: Call) -> object:
        return await running.operations.register_diff(call, since=_at(running, since), until=_at(running, until))

    _out.print_json(_json(asyncio.run(_with(work))))


@oversight.command()
def evidence(
    law: Annotated[Law, typer.Option(help="法律 · Whose list of measures.")] = Law.PIPL51, as_json: AsJson = False
) -> None:
    """法定措施的现时证据 · The measures of the law, each with what shows it now. Exits 1 when one is missing."""
    found = asyncio.run(_with(lambda running, call: running.operations.control_evidence(call, law=law)))
    if as_json:
        _out.print_json(_json(found))
    for measure in () if as_json else found:
        _out.print(Text(f"{_mark(measure.standing)} {measure.item} {measure.title.zh} · {measure.title.en}"))
        for one in measure.artefacts:
            todo = f" → {one.todo.zh} · {one.todo.en}" if one.todo else ""
            _out.print(Text(f"    {_mark(one.standing)} {one.title.zh} {one.title.en}: {one.value or '缺失 MISSING'}{todo}"))
    if any(measure.standing is Standing.MISSING for measure in found):
        raise typer.Exit(1)


@oversight.command()
def record(
    kind: Annotated[ControlKind, typer.Argument(help="类型 · What was done.")],
    title: Annotated[str, typer.Option(help="名称，不含个人信息 · Its title, without personal data.")],
    held_on: Annotated[datetime, typer.Option("--on", formats=_DAY, help="日期 · When.")],
    reference: Annotated[str, typer.Option(help="文件位置 · Where its document lies.")] = "",
    document: Annotated[
        Path | None, typer.Option(help="文件，只记其摘要 · The document: its digest is kept.", exists=True)
    ] = None,
) -> None:
    """登记一项措施（制度、培训、预案、演练等） · Record a measure that people took. It is never changed."""
    digest = _digest(document) if document else ""

    async def work(running: Parts, call: Call) -> object:
        told = {"title": title, "reference": reference, "digest": digest, "held_on": held_on.date()}
        return await running.operations.record_control(call, kind=kind, **told)  # type: ignore[arg-type]

    _out.print_json(_json(asyncio.run(_with(work, RECORD))))


@oversight.command(name="access-review")
def access_review(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="CSV 文件 · A CSV file.", dir_okay=False)] = None,
    sign: Annotated[str, typer.Option(help="已复核内容的摘要：签字 · The digest of what was reviewed: sign it off.")] = "",
    comment: Annotated[str, typer.Option(help="意见 · What the reviewer says.")] = "",
) -> None:
    """每项授权及其最近使用（CSV），或对其签字 · Every grant with its last use, as CSV; or sign the review off."""
    if sign:

        async def work(running: Parts, call: Call) -> object:
            return await running.operations.sign_access_review(call, digest=sign, comment=comment)

        _out.print_json(_json(asyncio.run(_with(work, RECORD))))
        return
    found = asyncio.run(_with(lambda running, call: running.operations.access_review(call)))
    _table(found, output)
    Console(stderr=True, highlight=False).print(f"{found.quarter} 摘要 digest {found.digest} · 日志 log {found.read_to}")


@oversight.command()
def enable(
    account: Annotated[str, typer.Argument(help="账号，如 staff:clerk-7 · The account, as in the log.")],
    reason: Annotated[str, typer.Option(help="理由 · Why.")],
    as_json: AsJson = False,
) -> None:
    """恢复因长期未用而停用的账号 · Open an account again that was closed because nobody used it."""
    asyncio.run(_with(lambda running, call: running.operations.enable_account(call, account=account, reason=reason), RECORD))
    _done(account, as_json=as_json)


@oversight.command()
def duties(as_json: AsJson = False) -> None:
    """合规任务及期限 · Tasks, and by when. Exits 1 when one is overdue."""
    found = asyncio.run(_with(lambda running, call: running.operations.duties(call)))
    if as_json:
        _out.print_json(_json(found))
    for duty in () if as_json else found:
        rule, mark = RULES[duty.kind], "✔" if duty.done_at else "✘" if duty.overdue else "…"
        due = duty.due_on.isoformat() if duty.due_on else "—"
        _out.print(Text(f"{mark} {due} {rule.title.zh} · {rule.title.en} ({rule.law}; {duty.occasion}) {duty.duty_id}"))
    if any(duty.overdue for duty in found):
        raise typer.Exit(1)


@oversight.command()
def done(
    duty_id: Annotated[str, typer.Argument(help="任务编号 · The task's id.")],
    reference: Annotated[str, typer.Option(help="办理依据 · What was done.")],
    as_json: AsJson = False,
) -> None:
    """完成一项任务 · Close a task."""
    asyncio.run(_with(lambda running, call: running.operations.complete_duty(call, duty_id=duty_id, reference=reference), RECORD))
    _done(duty_id, as_json=as_json)


def _done(what: str, *, as_json: bool) -> None:
    """That it is so now."""
    if as_json:
        show_json({"done": what})
    else:
        _out.print(Text(f"✔ {what}"))


async def _with(work: Callable[[Parts, Call], Awaitable[Done]], act: str = READ) -> Done:
    async with app.parts(Config.load()) as running:
        return await work(running, caller(running, act))


def _packed(since: date, until: date, output: Path) -> Built:
    """Written beside its place, and put there once it is on the record."""
    with whole(output) as file:

        async def work(running: Parts, call: Call) -> Built:
            return await running.operations.compliance_audit_pack(call, since=since, until=until, into=file)

        return asyncio.run(_with(work))


def _verified(file: Path, keys: list[str]) -> Report:
    """With whichever of the keys has signed it."""
    for place, vkey in enumerate(keys, 1):
        try:
            return verify_pack(file, parse_key(vkey))
        except Forged:
            if place == len(keys):
                raise
    raise BadInput("--key: name a public key")


def _table(found: AccessReview, output: Path | None) -> None:
    lines_ = [
        (one.account, one.role, one.what.value, one.name, one.last_use.isoformat() if one.last_use else "")
        for one in found.grants
    ]
    closed = {account.account for account in found.accounts if account.disabled_at}
    rows = [("account", "role", "grant", "name", "last_use", "disabled")] + [(*line, str(line[0] in closed)) for line in lines_]
    if output is None:
        csv.writer(sys.stdout).writerows(rows)
        return
    with output.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


def _digest(document: Path) -> str:
    with document.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _at(running: Parts, moment: datetime | None) -> datetime:
    return running.clock() if moment is None else moment.replace(tzinfo=SHANGHAI)


def _mark(standing: Standing) -> str:
    return "✔" if standing is Standing.PRESENT else "✘"


def _json(found: object) -> str:
    """Values of oversight in JSON's words."""
    return json.dumps(found, default=_plain, ensure_ascii=False)


def _plain(found: object) -> object:
    if dataclasses.is_dataclass(found) and not isinstance(found, type):
        told = {part.name: getattr(found, part.name) for part in dataclasses.fields(found)}
        return told | ({"standing": found.standing} if hasattr(found, "standing") else {})
    if isinstance(found, Enum):
        return found.value
    return found.isoformat() if isinstance(found, date | datetime) else str(found)

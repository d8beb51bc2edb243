"""`menshen policy diff` and `menshen policy publish`: what a new notice changes, and putting it where it never changes again."""

import asyncio
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated

import typer

from policies.catalogue import SHIPPED, PolicyProblem, PolicyUnreadable, Problem
from policies.changes import ScopeChange
from policies.loading import faults
from policies.loading.files import snapshot
from policies.publishing import Publication, publication, review
from policies.terms import Scope
from service.app import check_schema
from service.cli.policy_problems import AsJson, Folder, give_up
from service.config import Config
from service.db.engine import connect
from service.oversight import store as overseen

Version = Annotated[
    str, typer.Argument(help="告知版本，即 notices/ 下的文件夹名 · The version: the folder's name below notices/.")
]

Persons = Annotated[
    int | None,
    typer.Option(
        # The blank behind the semicolon is where a line may break: between two letters of 中文 a narrow terminal would lose one.
        help="已处理的人数，缺省取最近一次统计； 一百万起须载明负责人及联系方式 · How many persons there are data of; the last count, "
        "if left out. From a million on the notice names who is in charge, and how they are reached (PIPL 52).",
        min=0,
        show_default=False,
    ),
]

_KINDS = {"GENERAL": "隐私政策", "CHILD": "儿童个人信息保护规则"}
_BEYOND = {
    "fields": "字段 fields",
    "recipients": "接收方 recipients",
    "method": "处理方式 method",
    "retention_months": "保存期限 retention",
}


def diff(version: Version, folder: Folder = SHIPPED, as_json: AsJson = False) -> None:
    """该版本相对前一版的变更，不写入 · Say what a version changes against the one before it; writes nothing.

    Exits 0 when it is, or could be, published; 1 when the folder has problems; 2 when it could not be read.
    """
    try:
        found = review(snapshot(folder), version)
    except PolicyProblem as wrong:
        give_up(folder, wrong, as_json=as_json)
    _show(found, published=not found.files, as_json=as_json)


def publish(version: Version, folder: Folder = SHIPPED, persons: Persons = None, as_json: AsJson = False) -> None:
    """检查并发布一个版本，此后不可更改 · Check a version, and publish it for good: nothing of it can be changed afterwards.

    Exits 0 when it is published, 1 when something is missing or wrong (it is named, and nothing is written), 2 when the folder could not
    be read or written.
    """
    try:
        found = publication(snapshot(folder), version, persons=_persons(persons))
        _write(folder, found.files)
    except PolicyProblem as wrong:
        give_up(folder, wrong, as_json=as_json)
    _show(found, published=True, as_json=as_json)


def _persons(given: int | None) -> int:
    """How many there are data of: as said, or as the deployment last counted. On a machine without its database there is nothing to ask."""
    if given is not None:
        return given
    config = Config.load()
    path = config.database.removeprefix("sqlite:///")
    if config.database.startswith("sqlite") and not Path(path).exists():
        return 0
    return asyncio.run(_counted(config))


async def _counted(config: Config) -> int:
    check_schema(config)
    database = connect(config.database, pool_size=1, transaction_pooler=config.transaction_pooler)
    await database.start()
    try:
        newest = await overseen.newest_count(database.read)
    finally:
        await database.close()
    return newest.persons if newest else 0


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    """One by one and each as a whole: whoever is interrupted has published nothing, because the pins come last."""
    for name, content in files.items():
        try:
            _replace(folder / name, content)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            en, zh = faults.UNWRITABLE.en.format(error=reason), faults.UNWRITABLE.zh.format(error=reason)
            raise PolicyUnreadable([Problem(name, "", faults.UNWRITABLE.code, en, zh)]) from error


def _replace(path: Path, content: bytes) -> None:
    """The new bytes or the old ones, and never a part. The name with a dot is no policy file, should it be left behind."""
    with NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as file:
        draft = Path(file.name)
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            draft.chmod(0o644)
            draft.replace(path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise


def _show(found: Publication, *, published: bool, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(_facts(found, published=published), ensure_ascii=False))
        return
    for line in _lines(found, published=published):
        typer.echo(line)


def _facts(found: Publication, *, published: bool) -> dict[str, object]:
    notice = found.notice
    return {
        "ok": True,
        "published": published,
        "version": notice.version,
        "kind": notice.kind,
        "effective_at": notice.effective_at.isoformat(),
        "supersedes": notice.supersedes,
        "sections": [{"section": change.section, "gone": not change.texts} for change in found.sections],
        "purposes": [_purpose_facts(change) for change in found.purposes],
        "behind": {version: list(purposes) for version, purposes in found.behind.items()},
        "sha256": dict(notice.digests),
        "digest": found.digest,
    }


def _purpose_facts(change: ScopeChange) -> dict[str, object]:
    return {
        "purpose": change.purpose,
        "from": change.before.version if change.before else None,
        "to": change.after.version if change.after else None,
        "needs_consent": change.needs_consent,
        "beyond": list(change.beyond),
    }


def _lines(found: Publication, *, published: bool) -> Iterator[str]:
    notice = found.notice
    done = "已发布，不可更改 · published for good" if published else "尚未发布 · not published yet"
    yield f"{notice.version} {_KINDS[notice.kind]} {notice.kind}: {done}"
    yield f"  生效 in effect {notice.effective_at.isoformat()} · 替代 supersedes {notice.supersedes or '无 none'}"
    if notice.supersedes is None:
        yield "  首个版本，全部内容均为新内容 · The first of its kind: all of it is new."
    else:
        yield from _changed(found)
    for version, purposes in found.behind.items():
        names = "、".join(purposes)
        yield f"  注意：{version} 尚未说明 {names}，凭该告知不能同意 · {version} does not tell of these yet; publish it anew, too."
    yield f"  digest {found.digest}"


def _changed(found: Publication) -> Iterator[str]:
    yield "  告知文本的变更，将告知会员 · Sections that members will be told of:"
    yield from (f"    {_section(change.section)}{'' if change.texts else ' 已删去 gone'}" for change in found.sections)
    if not found.sections:
        yield "    无 none"
    yield "  征求同意的变更 · What members are asked for:"
    yield from (f"    {line}" for line in map(_purpose, found.purposes))
    if not found.purposes:
        yield "    无 none"


def _section(name: str) -> str:
    return f"{{#{name}}}" if name else "（前言 before the first section）"


def _purpose(change: ScopeChange) -> str:
    versions = f"{_version(change.before)} → {_version(change.after)}"
    if change.before is None:
        return f"{change.purpose} {versions} 新目的，须征得同意 · new, needs consent"
    if change.after is None:
        return f"{change.purpose} {versions} 不再征求 · no longer asked for"
    if change.needs_consent:
        beyond = "、".join(_BEYOND[part] for part in change.beyond)
        return f"{change.purpose} {versions} 扩大，须重新征得同意 · wider, needs a new consent: {beyond}"
    return f"{change.purpose} {versions} 未扩大，原同意继续有效 · no wider, consents go on"


def _version(scope: Scope | None) -> str:
    return "无 none" if scope is None else f"v{scope.version}"

"""`menshen policy …`: what the privacy officer runs before a changed policy is put in force."""

import json
from pathlib import Path

import typer

from policies.catalogue import SHIPPED, PolicyProblem, load
from policies.guideline import Declaration, declarations
from policies.terms import Catalogue
from service.cli.policy_problems import AsJson, Folder, give_up
from service.cli.publishing import diff, publish

policy = typer.Typer(help="检查政策、发布告知 · Check the policy files, publish a notice.", no_args_is_help=True)


@policy.callback()
def group() -> None:
    """检查政策、发布告知 · Check the policy files, publish a notice."""


@policy.command()
def check(folder: Folder = SHIPPED, as_json: AsJson = False) -> None:
    """逐项列出问题（文件、键、原因） · Say all that is wrong with a folder, by file, key and reason.

    Exits 0 when the policy may be put in force, 1 when it has problems, 2 when the folder could not be read.
    """
    try:
        catalogue = load(folder)
    except PolicyProblem as wrong:
        give_up(folder, wrong, as_json=as_json)
    (_facts_as_json if as_json else _facts_as_text)(folder, catalogue)


@policy.command()
def guideline(folder: Folder = SHIPPED, as_json: AsJson = False) -> None:
    """微信《用户隐私保护指引》应填内容 · What to fill in in WeChat's console: each field that members can send, and for what.

    Exits 0, 1 when the policy has problems, 2 when the folder could not be read. `policy check` holds `wechat_declares` of
    controller.toml against the same list.
    """
    try:
        rows = declarations(load(folder))
    except PolicyProblem as wrong:
        give_up(folder, wrong, as_json=as_json)
    if as_json:
        typer.echo(json.dumps([_row(each) for each in rows], ensure_ascii=False))
        return
    for each in rows:
        purposes = "、".join(purpose.title.zh for purpose in each.purposes)
        typer.echo(f"{each.field}: {each.category.zh} / {each.title.zh} — 用于 {purposes}")


def _row(each: Declaration) -> dict[str, object]:
    named = {"field": each.field, "title": each.title.zh, "category": each.category.zh}
    return named | {"purposes": [purpose.title.zh for purpose in each.purposes]}


policy.command()(diff)
policy.command()(publish)


def _counts(catalogue: Catalogue) -> dict[str, int]:
    parts = ("fields", "purposes", "channels", "roles", "recipients", "notices")
    return {part: len(getattr(catalogue, part)) for part in parts}


def _facts_as_json(folder: Path, catalogue: Catalogue) -> None:
    facts = {"digest": catalogue.digest, "working_days_known_until": catalogue.holidays_known_until.isoformat()}
    typer.echo(json.dumps({"ok": True, "folder": str(folder), **facts, **_counts(catalogue)}, ensure_ascii=False))


def _facts_as_text(folder: Path, catalogue: Catalogue) -> None:
    counts = " · ".join(f"{count} {part}" for part, count in _counts(catalogue).items())
    typer.echo(f"{folder}: 政策可用 · this policy can be put in force.")
    typer.echo(f"  {counts}")
    typer.echo(f"  digest {catalogue.digest}")
    typer.echo(f"  工作日历至 · working days known until {catalogue.holidays_known_until}")

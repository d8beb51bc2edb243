"""`menshen policy …`: what the privacy officer runs before a changed policy is put in force."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from policies.catalogue import SHIPPED, PolicyProblem, PolicyUnreadable, Problem, load
from policies.terms import Catalogue

policy = typer.Typer(help="检查政策文件 · Check the policy files.", no_args_is_help=True)

_PIPE_WIDTH = 180

Folder = Annotated[
    Path,
    typer.Argument(
        help="政策文件夹，默认随附的一份 · The policy folder; the shipped one by default.",
        envvar="MENSHEN_POLICIES",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="机器可读 · For machines.")]


@policy.callback()
def group() -> None:
    """检查政策文件 · Check the policy files."""


@policy.command()
def check(folder: Folder = SHIPPED, as_json: AsJson = False) -> None:
    """逐项列出问题（文件、键、原因）· Say all that is wrong with a folder, by file, key and reason.

    Exits 0 when the policy may be put in force, 1 when it has problems, 2 when the folder could not be read.
    """
    try:
        catalogue = load(folder)
    except PolicyProblem as wrong:
        (_problems_as_json if as_json else _problems_as_table)(folder, wrong.problems)
        raise typer.Exit(2 if isinstance(wrong, PolicyUnreadable) else 1) from None
    (_facts_as_json if as_json else _facts_as_text)(folder, catalogue)


def _counts(catalogue: Catalogue) -> dict[str, int]:
    parts = ("fields", "purposes", "channels", "roles", "recipients", "notices")
    return {part: len(getattr(catalogue, part)) for part in parts}


def _problems_as_json(folder: Path, problems: tuple[Problem, ...]) -> None:
    rows = [{"file": p.file, "key": p.key, "code": p.code, "en": p.en, "zh": p.zh} for p in problems]
    typer.echo(json.dumps({"ok": False, "folder": str(folder), "problems": rows}, ensure_ascii=False))


def _facts_as_json(folder: Path, catalogue: Catalogue) -> None:
    facts = {"digest": catalogue.digest, "working_days_known_until": catalogue.holidays_known_until.isoformat()}
    typer.echo(json.dumps({"ok": True, "folder": str(folder), **facts, **_counts(catalogue)}, ensure_ascii=False))


def _problems_as_table(folder: Path, problems: tuple[Problem, ...]) -> None:
    table = Table(show_lines=True)
    for heading in ("文件 File", "键 Key", "原因 Reason"):
        table.add_column(heading, overflow="fold")
    for problem in problems:
        # As plain text: what an officer wrote between brackets must not be taken for a colour.
        table.add_row(*map(Text, (problem.file, problem.key, f"{problem.code}\n{problem.zh}\n{problem.en}")))
    console = _console()
    console.print(table)
    console.print(Text(f"{folder}: {len(problems)} 个问题，政策不可用 · problems; this policy cannot be put in force."))


def _console() -> Console:
    """As wide as the terminal. A pipe has no width: there, keys must stay in one piece so that they can be searched for."""
    console = Console()
    return console if console.is_terminal else Console(width=_PIPE_WIDTH)


def _facts_as_text(folder: Path, catalogue: Catalogue) -> None:
    counts = " · ".join(f"{count} {part}" for part, count in _counts(catalogue).items())
    typer.echo(f"{folder}: 政策可用 · this policy can be put in force.")
    typer.echo(f"  {counts}")
    typer.echo(f"  digest {catalogue.digest}")
    typer.echo(f"  工作日历至 · working days known until {catalogue.holidays_known_until}")

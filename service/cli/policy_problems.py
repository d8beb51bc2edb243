"""What the commands over a policy folder share: their arguments, and how the faults of a folder are shown."""

import json
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from policies.catalogue import PolicyProblem, PolicyUnreadable, Problem

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


def give_up(folder: Path, wrong: PolicyProblem, *, as_json: bool) -> NoReturn:
    """Show everything that is wrong. Exits 2 when the folder could not be read, else 1."""
    (_problems_as_json if as_json else _problems_as_table)(folder, wrong.problems)
    raise typer.Exit(2 if isinstance(wrong, PolicyUnreadable) else 1) from None


def console() -> Console:
    """As wide as the terminal. A pipe has no width: there, keys must stay in one piece so that they can be searched for."""
    made = Console()
    return made if made.is_terminal else Console(width=_PIPE_WIDTH)


def _problems_as_json(folder: Path, problems: tuple[Problem, ...]) -> None:
    rows = [{"file": p.file, "key": p.key, "code": p.code, "en": p.en, "zh": p.zh} for p in problems]
    typer.echo(json.dumps({"ok": False, "folder": str(folder), "problems": rows}, ensure_ascii=False))


def _problems_as_table(folder: Path, problems: tuple[Problem, ...]) -> None:
    table = Table(show_lines=True)
    for heading in ("文件 File", "键 Key", "原因 Reason"):
        table.add_column(heading, overflow="fold")
    for problem in problems:
        # As plain text: what an officer wrote between brackets must not be taken for a colour.
        table.add_row(*map(Text, (problem.file, problem.key, f"{problem.code}\n{problem.zh}\n{problem.en}")))
    screen = console()
    screen.print(table)
    screen.print(Text(f"{folder}: {len(problems)} 个问题，政策不可用 · problems; this policy cannot be put in force."))

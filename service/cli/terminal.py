"""What every command knows of its terminal: who sits there, and what they are shown meanwhile."""

import os
import pwd
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from service.values import Actor, ActorKind, Call, new_id

if TYPE_CHECKING:
    from service.app import Parts

_PIPE_WIDTH = 260
_err = Console(stderr=True, highlight=False)

AsJson = Annotated[bool, typer.Option("--json", help="机器可读 · For machines.")]


def account(number: int | None = None) -> str:
    """Whoever is signed in here, or has this number; a container may run under one that has no name."""
    uid = os.getuid() if number is None else number
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid-{uid}"


def caller(running: "Parts", act: str, name: str = "") -> Call:
    """Whoever sits at this terminal (or `name`, who has sent them) has the roles that may do this, and no other."""
    roles = frozenset(key for key, role in running.catalogue.roles.items() if act in role.may)
    return Call(Actor(ActorKind.STAFF, name or account(), roles), new_id(running.clock(), running.chance))


@contextmanager
def watched(what: str) -> Iterator[Callable[[int, int | None], None]]:
    """A bar on the error stream, where somebody looks at it: told how many are done, and of how many."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=_err, transient=True, disable=not _err.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def show_table(table: Table) -> None:
    """As wide as the terminal. A pipe has no width: there, ids must stay in one piece so that they can be searched for."""
    made = Console()
    (made if made.is_terminal else Console(width=_PIPE_WIDTH)).print(table)

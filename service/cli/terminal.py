"""What every command knows of its terminal: who sits there, and what they are shown meanwhile."""

import json
import os
import pwd
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from menshen_verifier.shown import harmless
from service.errors import BadInput
from service.values import Actor, ActorKind, Call, Chance, new_id

if TYPE_CHECKING:
    from menshen_verifier.note import Key
    from policies.terms import Catalogue
    from service.app import Parts

_PIPE_WIDTH = 260
_out = Console(highlight=False, soft_wrap=True)
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
    return caller_of(running.catalogue, act, name, now=running.clock(), chance=running.chance)


def caller_of(catalogue: "Catalogue", act: str, name: str = "", *, now: datetime, chance: Chance) -> Call:
    """The same, where nothing runs."""
    roles = frozenset(key for key, role in catalogue.roles.items() if act in role.may)
    return Call(Actor(ActorKind.STAFF, name or account(), roles), new_id(now, chance))


def content(path: Path, name: str, *, most: int) -> bytes:
    """What an option or an argument of this name gives: a file, or a pipe that a shell puts in its place. Raises BadInput."""
    try:
        with path.open("rb") as file:
            found = file.read(most + 1)
    except OSError as problem:
        raise BadInput(f"{name}: {problem.strerror}") from None
    if len(found) > most:
        raise BadInput(f"{name}: too long")
    return found


@contextmanager
def watched(what: str) -> Iterator[Callable[[int, int | None], None]]:
    """A bar on the error stream, where somebody looks at it: told how many are done, and of how many."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=_err, transient=True, disable=not _err.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def stepped(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """The same, told how many more are done."""
    done = 0
    with watched(what) as show:

        def step(more: int) -> None:
            nonlocal done
            done += more
            show(done, total)

        step(0)
        yield step


def show_json(found: object) -> None:
    """One JSON value on the output stream, and nothing beside it."""
    _out.print(harmless(json.dumps(found, ensure_ascii=False, indent=2)), markup=False)


def show_keys(keys: "Sequence[Key]", *, as_json: bool) -> None:
    """Public keys as others take them: a vkey a line."""
    if as_json:
        show_json({"vkeys": [key.vkey for key in keys]})
    for key in () if as_json else keys:
        _out.print(key.vkey, markup=False)


def show_table(table: Table) -> None:
    """As wide as the terminal. A pipe has no width: there, ids must stay in one piece so that they can be searched for."""
    made = Console()
    (made if made.is_terminal else Console(width=_PIPE_WIDTH)).print(table)

"""`menshen audit anchor …`: leave the newest checkpoint with somebody outside, now."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import typer
from rich.console import Console

from service import app, machine
from service.checkpoints.anchors.anchoring import Anchoring
from service.checkpoints.model import State
from service.cli.terminal import AsJson, show_json
from service.config import Config
from service.db.engine import connect
from service.errors import BadInput
from service.senders.depositing import anchored

anchor = typer.Typer(help="锚定：把检查点存到外部 · Checkpoints, left with somebody outside.", no_args_is_help=True)

_out = Console(highlight=False, soft_wrap=True)


@anchor.callback()
def _anchor() -> None:
    """A group, also while it has one command."""


@anchor.command()
def now(
    kind: Annotated[str, typer.Option(help="只用此锚，如 rfc3161 · Only this one of MENSHEN_ANCHORS.", show_default=False)] = "",
    as_json: AsJson = False,
) -> None:
    """立即存放最新检查点 · Leave the newest checkpoint with every anchor, now. Exit 1 where one did not take it."""
    found = asyncio.run(_now(Config.load(), kind))
    if as_json:
        show_json([{"anchor": name, "size": size, "problem": problem} for name, (size, problem) in found.items()])
    for name, (size, problem) in () if as_json else found.items():
        _out.print(f"{'✘' if problem else '✔'} {name} {problem or size}", markup=False)
    if any(problem for _, problem in found.values()):
        raise typer.Exit(1)


async def _now(config: Config, kind: str) -> dict[str, tuple[int, str]]:
    async with _opened(config) as anchoring:
        kinds = [kind] if kind else list(anchoring.states)
        if not kinds or not set(kinds) <= anchoring.states.keys():
            raise BadInput("--kind: MENSHEN_ANCHORS has no such anchor")
        states = [await anchoring.now(each) for each in kinds]
        return {each: (state.size, state.problem) for each, state in zip(kinds, states, strict=True)}


@asynccontextmanager
async def _opened(config: Config) -> AsyncIterator[Anchoring]:
    """Anchors over the database, beside whatever instances run: what was published is read, and a receipt added."""
    catalogue = app.catalogue_of(config)
    app.check_schema(config)
    database = connect(config.database, pool_size=2, transaction_pooler=config.transaction_pooler)
    await database.start()
    try:
        origin = app.origin_of(config, catalogue)
        # A state that never leads: it deposits when it is told to; what is due is the instances' own business.
        async with anchored(config, catalogue, database, State(), origin=origin, clock=machine.now) as made:
            yield made
    finally:
        await database.close()

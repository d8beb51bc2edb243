"""`menshen audit show`: one entry, and the proof that it is in the log."""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from menshen_verifier.shown import harmless
from service import app
from service.app import Parts
from service.archive.operations import SEARCH, VERIFY
from service.audit.entry import parse_entry
from service.cli.terminal import AsJson, caller, show_json
from service.config import Config
from service.errors import BadInput
from service.files import put_once

_BIGGEST = 2**53
_out = Console(highlight=False, soft_wrap=True)
_err = Console(stderr=True, highlight=False, soft_wrap=True)
Index = Annotated[int, typer.Argument(min=0, max=_BIGGEST, help="序号 · The entry's index.")]


def show(
    index: Index,
    proof: Annotated[bool, typer.Option("--proof", help="连同证明 · The proof, as a stranger's tools take it.")] = False,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="写入文件 · Into a file that is not there yet.")] = None,
    as_json: AsJson = False,
) -> None:
    """查看一条审计记录，或取得其存在证明 · Show one entry, or the proof that it is in the log. Looking is itself recorded."""
    text = asyncio.run(_proof(Config.load(), index) if proof else _entry(Config.load(), index))
    if output is not None:
        write_new(output, text.encode())
    if as_json:
        found = {"index": index} | ({"proof": text} if proof else {"entry": json.loads(text)})
        show_json(found if output is None else {"index": index, "file": str(output)})
    elif output is None:
        _out.print(harmless(text), markup=False, end="")
    else:
        _out.print(f"{output}", markup=False)


def write_new(path: Path, content: bytes) -> None:
    """A file of its owner alone. Raises BadInput where one is already: nothing is written over."""
    try:
        put_once(path, content)
    except OSError as problem:
        raise BadInput(f"-o: the file cannot be made: {problem.strerror}") from None


def warn(running: Parts, note: str) -> None:
    """Say, beside what is handed out, that an auditor would refuse it as yet."""
    if running.units.trust.lacks(note):
        _err.print(
            "! 尚未经见证者会签，审计方将不予采信 · not yet cosigned by the quorum: an auditor's policy refuses it", markup=False
        )


async def _proof(config: Config, index: int) -> str:
    async with app.parts(config) as running:
        text = await running.operations.proof(caller(running, VERIFY), running.journal.authority, index)
        warn(running, text.partition("\n\n")[2])
        return text


async def _entry(config: Config, index: int) -> str:
    async with app.parts(config) as running:
        raw = await running.operations.entry(caller(running, SEARCH), index)
    if raw is None:
        raise BadInput("INDEX: there is no such entry here; perhaps its segment was archived and pruned")
    return json.dumps(parse_entry(raw), ensure_ascii=False, indent=2) + "\n"

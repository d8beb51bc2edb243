"""`menshen audit witness …`: a witness of its own, run elsewhere, with a key and a file of its own and nothing of Menshen's."""

import asyncio
import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from service import logs, machine
from service.cli.server import Server
from service.cli.terminal import AsJson, show_json, show_keys, show_table
from service.errors import ConfigError
from service.witness import cosigner
from service.witness.evidence import Evidence, Full, Refusal
from service.witness.model import Suspicion
from service.witness.serving import configured, mirroring, opened
from service.witness.settings import load

witness = typer.Typer(help="见证服务：由合规部门另机运行 · A witness, run elsewhere by somebody else.", no_args_is_help=True)

_out = Console(highlight=False, soft_wrap=True)
_WORDS = {
    Suspicion.FORK: "分叉：同一大小两个根，均由日志签名 · two roots of one size, both signed by the log",
    Suspicion.BEHIND: "回退：小于已见证者，且此前未见 · smaller than what was cosigned, and never seen",
    Suspicion.UNPROVEN: "未证明：增长无有效一致性证明 · larger, without a proof that holds",
}

_MORE = "证据已满，此后的同类证据未保存；请移走已存文件 · full since then: more of this kind is not kept; take the files away"

File = Annotated[Path, typer.Option("--settings", "-s", help="见证服务的 TOML 文件 · The witness's TOML file.")]


@witness.command()
def init(
    name: Annotated[str, typer.Option(help="见证者名称，如 witness.example.cn/w1 · Its name, a URL without a scheme.")],
    key: Annotated[Path, typer.Option(help="新密钥文件 · The key file to make.")],
    ml_dsa: Annotated[bool, typer.Option("--ml-dsa", help="另加 ML-DSA-44 · A second key, ML-DSA-44.")] = False,
    as_json: AsJson = False,
) -> None:
    """生成见证密钥并显示其公钥 · Make a witness's key, and print its vkey for the log's owner and for auditors."""
    try:
        # A command that runs by itself is a composition root: chance comes from the system.
        made = cosigner.Cosigner.drawn(name, os.urandom, ml_dsa=ml_dsa)  # noqa: TID251
    except ValueError:
        raise ConfigError("--name: no spaces and no +, 255 bytes at most") from None
    cosigner.write(key, made)
    show_keys(made.keys, as_json=as_json)


@witness.command()
def vkey(key: Annotated[Path, typer.Option(help="密钥文件 · The key file.")], as_json: AsJson = False) -> None:
    """显示公钥 · Print the vkey of a key file."""
    show_keys(cosigner.read(key).keys, as_json=as_json)


@witness.command()
def serve(settings: File) -> None:
    """启动见证服务 · Cosign checkpoints that go on from those before, and refuse all others."""
    logs.configure("info")
    asyncio.run(_serve(settings))


async def _serve(path: Path) -> None:
    settings = load(path)
    with ExitStack() as stack:
        made, mirrors = opened(stack, settings, clock=machine.now)
        server = Server(configured(settings, made))
        try:
            async with mirroring(mirrors):
                await server.serve()
        except SystemExit:
            raise ConfigError("the witness's settings: listen: the address cannot be listened on") from None


@witness.command()
def evidence(settings: File, as_json: AsJson = False) -> None:
    """列出被拒而确由日志签名的检查点 · Refused checkpoints that the log did sign. Exit 1 for proof of a fork, or more than is kept."""
    kept = Evidence(load(settings).store / "evidence")
    found, full = list(kept), kept.full()
    if as_json:
        rows: list[tuple[Refusal | Full, dict[str, object]]] = [
            (one, {"size": one.size, "file": str(path), "full": False}) for path, one in found
        ]
        rows += [(one, {"size": None, "file": None, "full": True}) for one in full]
        show_json([{"at": one.at, "origin": one.origin, "suspicion": one.suspicion.value, **more} for one, more in rows])
    else:
        _show(found)
        for one in full:
            _out.print(Text(f"✘ {_MORE} {one.at} {one.origin} {_WORDS[one.suspicion]}"))
    if full or any(one.suspicion is Suspicion.FORK for _, one in found):
        raise typer.Exit(1)


def _show(found: Sequence[tuple[Path, Refusal]]) -> None:
    table = Table()
    for heading in ("时间 Time", "日志 Log", "大小 Size", "嫌疑 Suspicion", "文件 File"):
        table.add_column(heading, overflow="fold")
    for path, one in found:
        row = (one.at, one.origin, str(one.size), _WORDS[one.suspicion], str(path))
        table.add_row(*map(Text, row))
    show_table(table)

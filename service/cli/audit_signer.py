"""`menshen audit signer …`: the process that holds the log's key, under an account of its own, with nothing of Menshen's but the key."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from menshen_verifier.note import Key, Kind
from service import logs, machine
from service.checkpoints import keys
from service.checkpoints.opening import FileSigner, TokenSigner
from service.checkpoints.process import SignerProcess
from service.cli.terminal import AsJson, show_json, show_keys
from service.errors import ConfigError, Conflict

signer = typer.Typer(help="签名进程：单独保管日志密钥 · The process that holds the log's key.", no_args_is_help=True)

_out = Console(highlight=False, soft_wrap=True)
_STATE = ".state"

Origin = Annotated[str, typer.Option(help="日志名称，即 MENSHEN_ORIGIN · The log's name.")]
At = Annotated[str, typer.Option("--key", help="密钥文件，或 PKCS#11 地址 · The key file, or a pkcs11: address.")]
Second = Annotated[Path | None, typer.Option("--ml-dsa", help="第二密钥（ML-DSA-44） · A second key file.", show_default=False)]


@signer.command()
def make(origin: Origin, key: At, ml_dsa: Second = None, as_json: AsJson = False) -> None:
    """生成日志密钥，显示其公钥 · Make the log's key where there is none, and print its vkey for auditors and witnesses."""
    if key.startswith("pkcs11:"):
        show_keys([asyncio.run(_made_in_token(key, origin))], as_json=as_json)
        return
    made = []
    for path, kind in ((Path(key), Kind.ED25519), (ml_dsa, Kind.ML_DSA_44)):
        if path is not None:
            # A command that runs by itself is a composition root: chance comes from the system.
            if not keys.make(path, kind, chance=os.urandom, setting="--key"):  # noqa: TID251
                raise Conflict("--key: there is a file already; a key is followed by `menshen audit signer rotate`")
            made.append(keys.load(path, origin, kind, setting="--key").key)
    show_keys(made, as_json=as_json)


@signer.command()
def serve(
    origin: Origin,
    key: At,
    socket: Annotated[Path, typer.Option(help="Unix 套接字 · The Unix socket to listen on.")],
    *,
    ml_dsa: Second = None,
    state: Annotated[Path | None, typer.Option(help="状态文件 · The state file; beside the key, if not given.")] = None,
    allow_uid: Annotated[list[int] | None, typer.Option(help="允许的账号 · Accounts that may ask, beside this one.")] = None,
) -> None:
    """启动签名进程：只签延续先前检查点的检查点 · Sign what goes on from what was signed before, and nothing else."""
    logs.configure("info")
    if key.startswith("pkcs11:"):
        if state is None or ml_dsa is not None:
            raise ConfigError("--key pkcs11: needs --state, and has no second key")
        made: FileSigner | TokenSigner = TokenSigner(key, origin=origin, state=state)
    else:
        made = FileSigner(Path(key), origin=origin, state=state or keys.beside(Path(key), _STATE), second=ml_dsa)
    asyncio.run(_serve(made, socket, {os.geteuid(), *(allow_uid or ())}))


@signer.command()
def rotate(origin: Origin, key: At, as_json: AsJson = False) -> None:
    """准备下一把密钥 · Make the next key; it takes over when the log's owner runs `menshen audit key rotate`."""
    made = FileSigner(Path(key), origin=origin, state=keys.beside(Path(key), _STATE), chance=os.urandom)  # noqa: TID251
    show_keys([asyncio.run(made.prepare())], as_json=as_json)


@signer.command()
def retire(origin: Origin, key: At, as_json: AsJson = False) -> None:
    """销毁上一把密钥 · Destroy the key before this one, when auditors and witnesses have the new vkey."""
    asyncio.run(FileSigner(Path(key), origin=origin, state=keys.beside(Path(key), _STATE)).retire())
    if as_json:
        show_json({"retired": True})
    else:
        _out.print("[bold green]✔[/] 已销毁旧密钥 · the key before this one is gone")


async def _serve(made: FileSigner | TokenSigner, socket: Path, accounts: set[int]) -> None:
    await made.open()
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for ending in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(ending, stop.set)
    files = made.files if isinstance(made, FileSigner) else None
    process = SignerProcess(made, clock=machine.now, accounts=accounts, files=files)
    try:
        async with process.listening(socket):
            show_keys(made.keys, as_json=False)
            await stop.wait()
    finally:
        await made.close()


async def _made_in_token(uri: str, origin: str) -> Key:
    made = TokenSigner(uri, origin=origin, state=Path(os.devnull))
    try:
        await made.make()
        return await made.public()
    finally:
        await made.close()

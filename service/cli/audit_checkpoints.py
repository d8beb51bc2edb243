"""`menshen audit status`, `policy` and `key …`: how far the record is, what auditors verify it by, and one key after another."""

import asyncio
import json
import os
from dataclasses import asdict
from typing import Annotated, cast

import typer
from rich.console import Console

from menshen_verifier.note import Key
from service import app, machine
from service.app import Parts
from service.audit.entry import Draft
from service.audit.journal import Ack
from service.checkpoints.model import Rotating
from service.checkpoints.running import open_policy, policy_of
from service.checkpoints.status import Standing, standing
from service.cli.audit_verify import opened
from service.cli.health import breaker
from service.cli.terminal import AsJson, account, show_json
from service.config import Config
from service.errors import Conflict
from service.values import Actor, ActorKind, Call, new_id

key = typer.Typer(help="日志密钥的更替 · One key of the log after another.", no_args_is_help=True)

_out = Console(highlight=False, soft_wrap=True)
Yes = Annotated[bool, typer.Option("--yes", help="审计方与见证者已有新公钥 · Auditors and witnesses have the new vkey.")]


def status(as_json: AsJson = False) -> None:
    """日志的大小、签名与见证情况 · Size, what is signed, cosigned and anchored, and how old that is. Exit 1 when something is wrong."""
    config = Config.load()
    found = asyncio.run(_standing(config))
    state = breaker(config)
    if as_json:
        _out.print_json(json.dumps(asdict(found) | {"breaker": state}, ensure_ascii=False))
    else:
        _show(found, state)
    if found.head != "ok" or state == "broken":
        raise typer.Exit(1)


def policy_text(as_json: AsJson = False) -> None:
    """审计方据以验证的策略文本 · The policy for auditors, with all vkeys. It reaches them by another way than exports."""
    _show_policy(asyncio.run(_policy(Config.load())), as_json=as_json)


@key.command()
def rotate(as_json: AsJson = False) -> None:
    """更换日志密钥 · Let the next key take over: an entry says so, then both sign. Prints the policy for auditors and witnesses."""
    _show_policy(asyncio.run(_rotated(Config.load())), as_json=as_json)


@key.command()
def retire(yes: Yes = False, as_json: AsJson = False) -> None:
    """销毁旧密钥 · Destroy the key before this one. From then on only the new one signs; old checkpoints keep verifying."""
    if not yes:
        raise Conflict("--yes: say that auditors and witnesses have the new vkey")
    asyncio.run(_retired(Config.load()))
    if as_json:
        show_json({"retired": True})
    else:
        _out.print("[bold green]✔[/] 已销毁旧密钥 · the key before this one is gone")


def _show_policy(text: str, *, as_json: bool) -> None:
    if as_json:
        show_json({"policy": text})
    else:
        _out.print(text, markup=False, end="")


async def _standing(config: Config) -> Standing:
    async with opened(config) as (database, journal):
        return await standing(database.read, journal.authority, machine.now())


async def _policy(config: Config) -> str:
    # A command that runs by itself is a composition root: chance comes from the system.
    return await open_policy(config, origin=app.origin_of(config, app.catalogue_of(config)), chance=os.urandom)  # noqa: TID251


async def _rotated(config: Config) -> str:
    async with app.parts(config) as running:
        signer = _rotating(running)
        following = await signer.prepare()
        await _entry(running, "prepareLogKey", following, signer.keys)
        await signer.activate()
        size = await _entry(running, "activateLogKey", following, signer.keys)
        # A checkpoint over the second entry was signed after both were in use.
        await running.publisher.reached(size, Ack.SIGNED)
        await running.publisher.signer.open()
        return policy_of(config, running.publisher.signer)


async def _retired(config: Config) -> None:
    async with app.parts(config) as running:
        signer = _rotating(running)
        if len(signer.keys) > 1:
            await _entry(running, "retireLogKey", signer.keys[-1], signer.keys[:-1])
        await signer.retire()


def _rotating(running: Parts) -> Rotating:
    signer = running.publisher.signer
    if not hasattr(signer, "prepare"):
        raise Conflict("the key lies in a token: make the next one there, and name it in MENSHEN_SIGNER")
    return cast("Rotating", signer)


async def _entry(running: Parts, operation: str, about: Key, others: tuple[Key, ...]) -> int:
    """The log says it of itself before it is so."""
    draft = Draft(typ="key", operation=operation, extra={"vkey": about.vkey, "beside": [one.vkey for one in others]})
    caller = Actor(ActorKind.STAFF, account(), frozenset())
    return (await running.journal.append(draft, Call(caller, new_id(running.clock(), running.chance)))).size


def _show(found: Standing, state: str) -> None:
    _out.print(f"{found.origin}")
    _out.print(f"  大小 size {found.size:,} · 日志头 head {found.head} · 断路器 breaker {state}", markup=False)
    _out.print(f"  已签名 signed {found.signed:,} ({_ago(found.signed_seconds)}) · 未签名 unsigned {found.window:,}")
    _out.print(f"  已见证 cosigned {found.cosigned:,} ({_ago(found.cosigned_seconds)}) · 未见证 not yet {found.unwitnessed:,}")
    for kind, size, age in found.anchors:
        _out.print(f"  外部存证 anchor {kind} {size:,} ({_ago(age)})", markup=False)


def _ago(seconds: float | None) -> str:
    return "—" if seconds is None else f"{seconds:,.0f} s"

"""`menshen token`: a token of the development issuer, to paste into a call."""

import json
import os
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console

from policies.terms import Catalogue
from service.app import catalogue_of
from service.config import Config
from service.errors import ConfigError
from service.identity.development import open_issuer
from service.machine import now

_out = Console(highlight=False, soft_wrap=True)


def token(
    role: Annotated[list[str], typer.Option(help="角色，可多次给出 · A role of roles.toml; may be given several times.")],
    purpose: Annotated[
        list[str] | None, typer.Option(help="仅限这些处理目的 · Narrow the token to these purposes; may be given several times.")
    ] = None,
    member: Annotated[str, typer.Option(help="会员编号，会员令牌必需 · The member's id, for a member's own token.")] = "",
    minutes: Annotated[int, typer.Option(min=1, max=43_200, help="有效分钟数 · For how many minutes.")] = 60,
    as_json: Annotated[bool, typer.Option("--json", help="机器可读 · For machines.")] = False,
) -> None:
    """签发开发令牌，生产模式下拒绝 · Sign a development token; refused in production mode."""
    config = Config.load()
    # A command that runs by itself is a composition root: here, as in service/app.py, chance comes from the system.
    chance = os.urandom  # noqa: TID251
    issuer = open_issuer(config.home, production=config.production, audience=config.audience, chance=chance)
    _check(catalogue_of(config), role, purpose or [], member)
    made = issuer.issue(
        roles=role,
        purposes=purpose or None,
        member_id=member or None,
        subject=f"{role[0]}@development",
        now=now(),
        lasts=timedelta(minutes=minutes),
    )
    _out.print(json.dumps({"token": made, "roles": role, "minutes": minutes}) if as_json else made)


def _check(catalogue: Catalogue, roles: list[str], purposes: list[str], member: str) -> None:
    """Say now what the service would refuse without a word. Raises ConfigError."""
    unknown = sorted({*roles} - catalogue.roles.keys()) + sorted({*purposes} - catalogue.purposes.keys())
    if unknown:
        raise ConfigError(f"not in the policy: {', '.join(unknown)}; roles are {', '.join(catalogue.roles)}")
    kinds = {catalogue.roles[role].kind for role in roles}
    if len(kinds) > 1:
        raise ConfigError("these roles do not go together in one token")
    if ("member" in kinds) is not bool(member):
        raise ConfigError("a member's token, and no other, needs --member with the member's id")

"""What every command that hands rows out has in common: to whom, and what to do when one person alone may not."""

from shlex import quote
from typing import Annotated

import typer
from rich.console import Console

from service.approvals.exports import KIND, UNREGISTERED, Export
from service.errors import Refused

_err = Console(stderr=True, highlight=False, soft_wrap=True)

Recipient = Annotated[
    str,
    typer.Option(
        help="接收方，须已在 recipients.toml 登记 · Who gets it: a key of recipients.toml. Needed above exports.rows rows.",
        show_default=False,
    ),
]
Authority = Annotated[
    str, typer.Option(help="主管部门，须已在 recipients.toml 登记 · The authority: a key of recipients.toml with role OVERSIGHT.")
]


def how_to_ask(refusal: Refused, export: Export) -> None:
    """Say what has to be done first, beside the refusal."""
    if refusal.code == "APPROVAL_REQUIRED":
        asking = f"menshen approvals ask {KIND} {quote(export.what)} --reason …"
        _err.print(f"须他人批准 · another person has to allow it: {asking}", markup=False)
    elif refusal.code == UNREGISTERED:
        _err.print("接收方须登记 · who gets it has to stand in the register: --recipient, recipients.toml", markup=False)

"""`menshen consent …`: prove a receipt without the service, and rebuild what stands from the ledger."""

import typer

from service.cli.rebuilding import rebuild
from service.cli.receipts import verify

consent = typer.Typer(help="同意：回执与账本 · Consents: receipts and the ledger.", no_args_is_help=True)


@consent.callback()
def group() -> None:
    """同意：回执与账本 · Consents: receipts and the ledger."""


consent.command()(verify)
consent.command()(rebuild)

"""`menshen`: one command for everything that is done in a terminal.

Exit codes: 0 done, 1 done and something was found (a rejected row, an altered log, a policy problem), 2 could not be done.
"""

import sys
from typing import NoReturn

import typer
from rich.console import Console

from service.cli.alarms import alarms
from service.cli.approvals import approvals
from service.cli.audit import audit
from service.cli.audit_anchor import anchor
from service.cli.audit_archive import show
from service.cli.audit_checkpoints import key, policy_text, status
from service.cli.audit_export import export
from service.cli.audit_inspection import inspection_export
from service.cli.audit_search import search
from service.cli.audit_segment import segment
from service.cli.audit_signer import signer
from service.cli.audit_tail import tail
from service.cli.audit_who_saw import who_saw
from service.cli.audit_witness import witness
from service.cli.consent import consent
from service.cli.health import health
from service.cli.intake import import_
from service.cli.minors import minors
from service.cli.oversight import oversight
from service.cli.policy import policy
from service.cli.serving import demo, doctor, migrate, serve
from service.cli.suppression import suppression
from service.cli.token import token
from service.cli.work import work
from service.errors import ServiceError

menshen = typer.Typer(
    name="menshen",
    help="门神 Menshen: the guardian at the door of member data. 会员数据的守门人。",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
menshen.command()(serve)
menshen.command()(migrate)
menshen.command()(demo)
menshen.command()(doctor)
menshen.command()(health)
menshen.command()(token)
menshen.command()(work)
menshen.command(name="import")(import_)
menshen.add_typer(policy, name="policy")
audit.command(name="minors")(minors)
audit.command()(show)
audit.command()(search)
audit.command(name="who-saw")(who_saw)
audit.command(name="inspection-export")(inspection_export)
audit.command()(export)
audit.add_typer(witness, name="witness")
audit.add_typer(signer, name="signer")
audit.command()(status)
audit.command(name="policy")(policy_text)
audit.add_typer(key, name="key")
audit.add_typer(anchor, name="anchor")
audit.add_typer(segment, name="segment")
audit.add_typer(tail, name="tail")
menshen.add_typer(audit, name="audit")
menshen.add_typer(consent, name="consent")
menshen.add_typer(oversight, name="oversight")
menshen.add_typer(suppression, name="suppression")
menshen.add_typer(approvals, name="approvals")
menshen.add_typer(alarms, name="alarms")


def main() -> NoReturn:
    """Run, and turn every refusal into one line that says what to do: no traceback, which might quote a value."""
    try:
        menshen(standalone_mode=True)
    except ServiceError as problem:
        Console(stderr=True, soft_wrap=True).print(f"[bold red]{problem.code}[/] {problem.zh} {problem}", highlight=False)
        sys.exit(2)
    sys.exit(0)

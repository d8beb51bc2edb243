"""`menshen`: one command for everything that is done in a terminal.

Exit codes: 0 done, 1 done and something was found (a rejected row, an altered log, a policy problem), 2 could not be done.
"""

import sys
from typing import NoReturn

from rich.console import Console

from service.cli.menu import menu
from service.errors import ServiceError

menshen = menu(
    "门神：会员数据的守门人 · Menshen, the guardian at the door of member data.",
    {
        "serve": "serving:serve",
        "migrate": "standing:migrate",
        "demo": "serving:demo",
        "doctor": "standing:doctor",
        "health": "health:health",
        "token": "token:token",
        "work": "work:work",
        "import": "intake:import_",
        "policy": "policy:policy",
        "audit": "audit:audit",
        "consent": "consent:consent",
        "oversight": "oversight:oversight",
        "suppression": "suppression:suppression",
        "approvals": "approvals:approvals",
        "alarms": "alarms:alarms",
    },
)


def main() -> NoReturn:
    """Run, and turn every refusal into one line that says what to do: no traceback, which might quote a value."""
    try:
        menshen(standalone_mode=True)
    except ServiceError as problem:
        Console(stderr=True, soft_wrap=True).print(f"[bold red]{problem.code}[/] {problem.zh} {problem}", highlight=False)
        sys.exit(2)
    sys.exit(0)

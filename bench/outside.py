"""The figures that are not a question to three contenders: how fast a file comes in, how fast the log is verified, what consent and sending
cost. Each is a program.
"""

import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

PROGRAMS = {
    "import": "bench.import_rate",
    "verify": "bench.audit_verify",
    "consent": "bench.consent",
    "sending": "bench.sending",
    "unsubscribe": "bench.unsubscribe",
}
MORE = {
    "big-log": "bench.big_log",
    "big-questions": "bench.big_questions",
    "kills": "bench.kills",
    "race": "bench.race",
    "record": "bench.record",
}
"""Asked for by name only: `python -m bench NAME [its own options]`."""
_ROOT = Path(__file__).parent.parent
_SECONDS = 900


def command(arguments: Sequence[str]) -> None:
    """Become the program that the first argument names, with the others as its own."""
    sys.argv = list(arguments)
    import_module({**PROGRAMS, **MORE}[arguments[0]]).main()


def run(name: str, told: Callable[[str], None]) -> list[str]:
    """Run one, telling each line as it comes; what it printed. Raises RuntimeError when it fails."""
    module = PROGRAMS[name]
    if find_spec(module) is None:
        raise RuntimeError(f"{module} is missing")
    lines = []
    with subprocess.Popen([sys.executable, "-u", "-m", module], cwd=_ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            lines.append(line.rstrip("\n"))
            told(lines[-1])
        if child.wait(_SECONDS):
            raise RuntimeError(f"{module} ended with {child.returncode}")
    return lines

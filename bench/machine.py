"""The machine under the bench: which core does what, how much of it a process used, and who else was on it."""

import os
import platform
from collections.abc import Iterable
from pathlib import Path

SERVER_CORE = 0
"""Every contender is held to this core while it is measured."""

_TICKS = os.sysconf("SC_CLK_TCK")


def other_cores() -> set[int]:
    """Where PostgreSQL and the load generator live: everything but the servers' core, or that one where there is no other."""
    return (os.sched_getaffinity(0) | {1}) - {SERVER_CORE} if (os.cpu_count() or 1) > 1 else {SERVER_CORE}


def bound(cores: Iterable[int]) -> list[str]:
    """The words before a command that hold it to these cores and let it end with this process, however that ends."""
    return ["setpriv", "--pdeathsig", "KILL", "taskset", "--cpu-list", ",".join(map(str, sorted(cores)))]


def cpu_seconds(pids: Iterable[int]) -> float:
    """CPU time that these processes have used so far, user and system, all threads. A process that is gone counts nothing."""
    return sum(_ticks(pid) for pid in pids) / _TICKS


def _ticks(pid: int) -> int:
    try:
        # The command's name stands in parentheses and may hold anything; what follows the last one is numbers.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


def busy_seconds(core: int) -> float:
    """How long a core has been busy since the machine started, whoever kept it so."""
    line = next(line for line in Path("/proc/stat").read_text().splitlines() if line.startswith(f"cpu{core} "))
    user, nice, system, _idle, _wait, irq, softirq, steal = (int(part) for part in line.split()[1:9])
    return (user + nice + system + irq + softirq + steal) / _TICKS


def descendants(pid: int) -> list[int]:
    """A process and everything it started."""
    found = [pid]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            found += [int(child) for child in children.read_text().split()]
    return found


def description() -> dict[str, str]:
    """What a reader needs to know to compare figures from two machines."""
    model = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), ": unknown")
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": model.partition(":")[2].strip(),
        "cores": str(os.cpu_count()),
        "memory": f"{pages / 2**30:.0f} GiB",
        "kernel": platform.release(),
        "python": platform.python_version(),
    }

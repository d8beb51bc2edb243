"""What a verification cost: how long it took, of how much processor time, in how much memory. Not part of what is verified."""

import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

_system: Any = None
with suppress(ImportError):  # Windows does not tell
    import resource as _system


class Meter:
    """Begins to count when it is made."""

    def __init__(self) -> None:
        self._clock, self._core = time.monotonic(), _core()

    def told(self, entries: int) -> dict[str, Any]:
        """Seconds, core seconds (of all processes), entries for each of both, and the largest memory of any process in bytes.

        What the system does not tell is None.
        """
        clock, core = time.monotonic() - self._clock, _core()
        used = None if core is None or self._core is None else core - self._core
        return {
            "seconds": round(clock, 3),
            "core_seconds": None if used is None else round(used, 3),
            "entries_per_second": round(entries / clock) if clock else None,
            "entries_per_core_second": round(entries / used) if used else None,
            "peak_rss_bytes": _peak(),
        }


def _core() -> float | None:
    """Of this process and of those that it began and that have ended."""
    if _system is None:
        return None
    some = [_system.getrusage(who) for who in (_system.RUSAGE_SELF, _system.RUSAGE_CHILDREN)]
    return float(sum(one.ru_utime + one.ru_stime for one in some))


def _peak() -> int | None:
    """Of this process and of those that it began."""
    if _system is None:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    began = _system.getrusage(_system.RUSAGE_CHILDREN).ru_maxrss * unit
    return int(max(began, _own() or _system.getrusage(_system.RUSAGE_SELF).ru_maxrss * unit))


def _own() -> int | None:
    """What Linux says of this program alone: to getrusage, the memory of whoever began it counts as its own."""
    try:
        lines = Path("/proc/self/status").read_bytes().split(b"\n")
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(b"VmHWM:")), None)

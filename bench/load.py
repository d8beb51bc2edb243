"""The load: wrk on the cores that no contender uses, one thread, keep-alive, bodies that name another member each time."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.machine import SERVER_CORE, bound, busy_seconds, cpu_seconds, other_cores

CONNECTIONS = 16
_SCRIPT = Path(__file__).with_name("wrk.lua")


@dataclass(frozen=True, slots=True)
class Load:
    """What to send, and where: `pids` are the processes whose CPU time is counted."""

    name: str
    url: str
    headers: Mapping[str, str]
    bodies: Path
    pids: Sequence[int]
    expected_bytes: float


@dataclass(frozen=True, slots=True)
class Round:
    """What came of one round: requests a second, waiting times in milliseconds, CPU in microseconds a request; how much of its
    core the server had, and how much of it somebody else.
    """

    rate: float
    p50: float
    p99: float
    cpu: float
    busy: float
    foreign: float


def install() -> None:
    """Have wrk. Raises RuntimeError where it cannot be had."""
    if shutil.which("wrk"):
        return
    for command in (["apt-get", "update"], ["apt-get", "install", "-y", "wrk"]):
        subprocess.run(command, check=False, capture_output=True, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
    if not shutil.which("wrk"):
        raise RuntimeError("the load generator is missing: install the package `wrk`")


def write_bodies(path: Path, bodies: Sequence[Mapping[str, object]]) -> Path:
    """One JSON body a line."""
    path.write_text("".join(json.dumps(body, separators=(",", ":")) + "\n" for body in bodies))
    return path


def run(load: Load, seconds: float) -> Round:
    """One round. Raises RuntimeError when an answer failed or was not as long as a full one is."""
    used, busy = cpu_seconds(load.pids), busy_seconds(SERVER_CORE)
    said = _wrk(load, seconds)
    used, busy = cpu_seconds(load.pids) - used, busy_seconds(SERVER_CORE) - busy
    length = said["bytes"] / max(said["requests"], 1)
    if said["failed"] or not 0.8 * load.expected_bytes < length < 1.2 * load.expected_bytes:
        raise RuntimeError(
            f"{load.name}: {said['failed']:.0f} failed, {length:.0f} bytes an answer, not {load.expected_bytes:.0f}"
        )
    return Round(
        rate=said["requests"] / said["seconds"],
        p50=said["p50"],
        p99=said["p99"],
        cpu=used / said["requests"] * 1e6,
        busy=used / said["seconds"],
        foreign=max(0.0, busy - used) / said["seconds"],
    )


def _wrk(load: Load, seconds: float) -> dict[str, float]:
    headers = [f"{name}: {value}" for name, value in load.headers.items()]
    options = ["-t1", f"-c{CONNECTIONS}", f"-d{seconds:.0f}s", "--timeout", "10s", "-s", str(_SCRIPT)]
    command = ["wrk", *options, load.url, "--", str(load.bodies)]
    done = subprocess.run(
        [*bound(other_cores()), *command, *headers], capture_output=True, text=True, check=True, timeout=seconds + 60
    )
    line = next(line for line in done.stdout.splitlines() if line.startswith("{"))
    found: dict[str, float] = json.loads(line)
    return found

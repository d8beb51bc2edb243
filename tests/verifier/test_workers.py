"""Stretches examined by other processes: the same is found, the same is raised, and nothing else is loaded."""

import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

from menshen_verifier import tiles
from menshen_verifier.errors import Malformed
from menshen_verifier.policy import parse_policy
from menshen_verifier.stretch import Stretch, Task, examined
from menshen_verifier.workers import side_by_side
from tests.verifier.exporting import POLICY, write
from tests.verifier.judged import SIZES, WHOLE


def tasks(folder: Path) -> list[Task]:
    """A tile each."""
    policy = parse_policy(POLICY.encode())
    given = {"folder": folder, "policy": policy, "size": 1000, "begin": 0, "end": 1000, "lines": None}
    ranges = [(n, tuple(size for size in SIZES if n * 256 < size <= (n + 1) * 256)) for n in range(4)]
    return [Task(first=n, last=n + 1, marks=marks, **given) for n, marks in ranges]


def found(one: Stretch) -> tuple[object, ...]:
    return one.task, one.frontier, one.roots, one.marks, one.clocks, one.lanes, one.differing, one.findings, one.entries


def test_two_processes_find_in_their_order_what_one_finds(tmp_path: Path) -> None:
    some = tasks(WHOLE.write(tmp_path)) * 3
    assert list(map(found, side_by_side(some, 2))) == list(map(found, map(examined, some)))


def test_what_cannot_be_examined_is_raised_and_whoever_stops_early_waits_for_nobody(tmp_path: Path) -> None:
    some = tasks(WHOLE.write(tmp_path))
    assert len(list(islice(side_by_side(some * 20, 2), 1))) == 1
    write(tmp_path / tiles.tile_path(0, 2), bytes(1 << 20))
    with pytest.raises(Malformed):
        list(side_by_side(some, 2))


def test_a_process_that_cannot_begin_is_told_like_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    some = tasks(WHOLE.write(tmp_path))
    with pytest.raises(OSError, match="a process of the verifier ended"):
        list(side_by_side(some, 2, python="/bin/false"))


_SCRIPT = """
open("begun", "a").write("once ")
import sys
from pathlib import Path
sys.path[:] = {path!r}
from menshen_verifier.workers import side_by_side
from tests.verifier.test_workers import tasks
print(sum(one.entries for one in side_by_side(tasks(Path("log")), 2)))
"""


def test_a_process_loads_the_verifier_and_not_the_program_that_asked(tmp_path: Path) -> None:
    WHOLE.write(tmp_path / "log")
    (tmp_path / "program.py").write_text(_SCRIPT.format(path=sys.path))
    ended = subprocess.run([sys.executable, "program.py"], cwd=tmp_path, capture_output=True, check=True, timeout=120)
    assert (ended.stdout, (tmp_path / "begun").read_text()) == (b"1000\n", "once ")

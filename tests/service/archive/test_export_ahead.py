"""An export does not wait for the disk before it goes on, and a mark names nothing that is not there yet."""

import threading
from pathlib import Path

import orjson
import pytest

from service.archive import files
from service.archive.exporting import MARK, PAGE, Disk, Plan, export, planned
from service.checkpoints import store as checkpoints
from service.errors import BadInput
from tests.service.archive.logs import Signer, fill
from tests.service.archive.test_export import content, folder
from tests.service.audit import logs

PAGES, EVERY = 4, 2


@pytest.fixture
async def plan(database, database_url, tmp_path) -> Plan:
    """Of a log of four pages and a little more."""
    await fill(database_url, tmp_path, PAGES * PAGE + 100)
    await Signer().publish(database, database_url)
    newest = await checkpoints.newest(database.read)
    assert newest is not None and newest.size > PAGES * PAGE
    return planned(logs.ORIGIN, newest, "..", first=0, end=None)


class Slow:
    """A disk that is not done with what there is before another page was written, and that looks at the marks."""

    def __init__(self) -> None:
        self.written = self.settled = 0
        self.marks: list[int] = []
        self._more = threading.Condition()

    def progress(self, done: int, _all: int) -> None:
        """A page was written."""
        with self._more:
            self.written = -(-done // PAGE)
            self._more.notify()

    def settle(self, path: Path) -> None:
        """What is there when it begins, so many pages at least, is there afterwards."""
        self.look(path)
        due = self.settled + EVERY
        assert self.written >= due
        with self._more:
            assert self._more.wait_for(lambda: self.written > due, 30), "nothing was written while the disk was waited for"
        files.settle(path)
        self.settled = due

    def look(self, path: Path) -> None:
        """What is marked was settled before."""
        self.marks.append(orjson.loads((path / MARK).read_bytes())["next"] // PAGE)
        assert self.marks[-1] <= self.settled


async def test_pages_are_written_while_the_disk_is_waited_for_and_marked_when_they_are_there(database, plan, tmp_path) -> None:
    whole, slow = folder(tmp_path / "whole"), folder(tmp_path / "slow")
    await export(database, plan, whole)
    disk = Slow()
    await export(database, plan, slow, progress=disk.progress, disk=Disk(EVERY, disk.settle))
    assert disk.marks == [0, 2] and disk.settled == 4
    assert content(slow) == content(whole)


@pytest.mark.parametrize("pages", [1, 2])
async def test_what_was_marked_is_not_written_again_and_counts_in_the_manifest(database, plan, tmp_path, pages) -> None:
    whole, cut = folder(tmp_path / "whole"), folder(tmp_path / "cut")
    await export(database, plan, whole)

    def cut_off(done: int, _all: int) -> None:
        if done == pages * PAGE:
            raise InterruptedError

    with pytest.raises((BadInput, InterruptedError)):
        await export(database, plan, cut, progress=cut_off, disk=Disk(1))
    assert orjson.loads((cut / MARK).read_bytes())["next"] == pages * PAGE
    again: list[int] = []
    await export(database, plan, cut, progress=lambda done, _: again.append(done))
    assert again[0] == min((pages + 1) * PAGE, plan.last) and content(cut) == content(whole)

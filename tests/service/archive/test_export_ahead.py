"""An export does not wait for the disk before it goes on, and a mark names nothing that is not there yet."""

import threading
from pathlib import Path
from typing import Any

import orjson
import pytest

from service.archive import exporting, files
from service.archive.exporting import MARK, Plan, export, planned
from service.checkpoints import store as checkpoints
from service.errors import BadInput
from tests.service.archive.logs import Signer, fill
from tests.service.archive.test_export import content, folder
from tests.service.audit import logs

PAGE = 256


@pytest.fixture
async def plan(database, database_url, tmp_path, monkeypatch) -> Plan:
    """Of a log of six small pages, each of which is marked."""
    monkeypatch.setattr(exporting, "PAGE", PAGE)
    monkeypatch.setattr(exporting, "_PAGES_TO_MARK", 1)
    await fill(database_url, tmp_path, 6 * PAGE)
    await Signer().publish(database, database_url)
    newest = await checkpoints.newest(database.read)
    assert newest is not None
    return planned(logs.ORIGIN, newest, "..", first=0, end=None)


class Disk:
    """A disk that is not done with the first page before the second was written."""

    def __init__(self, monkeypatch: Any) -> None:
        self.written = self.settled = 0
        self.marked: list[tuple[int, int]] = []
        self._second = threading.Event()
        for name, where in (("_put_page", exporting), ("settle", files), ("_mark", exporting)):
            monkeypatch.setattr(where, name, getattr(self, name)(getattr(where, name)))

    def _put_page(self, real: Any) -> Any:
        def put(*given: Any, **named: Any) -> Any:
            done = real(*given, **named)
            self.written += 1
            if self.written == 2:
                self._second.set()
            return done

        return put

    def settle(self, real: Any) -> Any:
        def settle(path: Path) -> None:
            # What is there when it begins is there afterwards, and perhaps more.
            begun = self.written
            assert self._second.wait(30), "nothing was written while the disk was waited for"
            real(path)
            self.settled = begun

        return settle

    def _mark(self, real: Any) -> Any:
        def mark(of: Plan, path: Path, done: Any) -> None:
            self.marked.append((done.next // PAGE, self.settled))
            real(of, path, done)

        return mark


async def test_pages_are_written_while_the_disk_is_waited_for_and_marked_when_they_are_there(
    database, plan, tmp_path, monkeypatch
) -> None:
    whole, slow = folder(tmp_path / "whole"), folder(tmp_path / "slow")
    await export(database, plan, whole)
    disk = Disk(monkeypatch)
    await export(database, plan, slow)
    assert [number for number, _ in disk.marked] == list(range(len(disk.marked))) and len(disk.marked) > 5
    assert all(number <= settled for number, settled in disk.marked)
    assert content(slow) == content(whole)


@pytest.mark.parametrize("at", [PAGE, 4 * PAGE])
async def test_what_was_marked_is_not_written_again_and_counts_in_the_manifest(database, plan, tmp_path, monkeypatch, at) -> None:
    whole, cut = folder(tmp_path / "whole"), folder(tmp_path / "cut")
    await export(database, plan, whole)

    def cut_off(done: int, _all: int) -> None:
        if done == at:
            raise InterruptedError

    with pytest.raises((BadInput, InterruptedError)):
        await export(database, plan, cut, progress=cut_off)
    assert orjson.loads((cut / MARK).read_bytes())["next"] == at
    again: list[int] = []
    real = exporting._put_page
    monkeypatch.setattr(
        exporting, "_put_page", lambda *given, first, page: (again.append(first), real(*given, first=first, page=page))[1]
    )
    await export(database, plan, cut)
    assert again[0] == at and content(cut) == content(whole)

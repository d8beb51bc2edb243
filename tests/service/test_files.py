"""Files that are whole or not there: each accident that service/files.py names, done to it."""

import os
import resource
import stat
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from errno import EFBIG, EINVAL
from pathlib import Path
from signal import SIGKILL

import pytest

from service import files

OLD, NEW = b"old" * 9000, b"new" * 10_000
STEPS = {"open", "os.link", "os.mkdir", "os.remove", "os.rename"}
Write = Callable[[Path, bytes], object]


def names(folder: Path) -> list[str]:
    return [one.name for one in folder.iterdir()]


def killed_before(step: int, write: Write, path: Path) -> bool:
    """Let a child write, and kill it before its n-th step on the disk; whether it came so far."""
    child = os.fork()
    if not child:
        left = step

        def kill(event: str, _: object) -> None:
            nonlocal left
            if event in STEPS or event == "tempfile.mkstemp":
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), SIGKILL)

        sys.addaudithook(kill)
        write(path, NEW)
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


@contextmanager
def full_disk() -> Iterator[None]:
    """No file may grow beyond a few bytes: the write fails in its middle, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def generous() -> Iterator[None]:
    before = os.umask(0)
    try:
        yield
    finally:
        os.umask(before)


@pytest.mark.parametrize("begun", [OLD, None])
def test_a_file_put_whole_is_the_old_one_or_the_new_one_whenever_its_writer_is_killed(
    tmp_path: Path, begun: bytes | None
) -> None:
    seen, step = set(), 0
    while True:
        path = tmp_path / str(step) / "file"
        path.parent.mkdir()
        if begun:
            path.write_bytes(begun)
        killed = killed_before(step, files.put_whole, path)
        seen.add(path.read_bytes() if path.exists() else None)
        files.put_whole(path, NEW)
        assert path.read_bytes() == NEW and names(path.parent) == ["file"]
        if not killed:
            break
        step += 1
    assert seen == {begun, NEW} and step > 2


def test_a_file_is_made_whole_or_not_at_all_whenever_its_maker_is_killed(tmp_path: Path) -> None:
    seen, step = set(), 0
    while killed_before(step, files.make, tmp_path / str(step) / "above" / "file"):
        path = tmp_path / str(step) / "above" / "file"
        seen.add(path.read_bytes() if path.exists() else None)
        assert files.make(path, OLD) is (None in seen and NEW not in seen)
        step += 1
    assert seen == {None, NEW} and step > 3


@pytest.mark.parametrize("write", [files.put_whole, files.make, files.put_once])
def test_on_a_full_disk_nothing_is_lost_and_nothing_is_left(tmp_path: Path, write: Write) -> None:
    path = tmp_path / "file"
    if write is files.put_whole:
        path.write_bytes(OLD)
    before = names(tmp_path)
    with full_disk(), pytest.raises(OSError, match="too large"):
        write(path, NEW)
    assert names(tmp_path) == before
    assert not before or path.read_bytes() == OLD


def test_a_block_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(OLD)
    with pytest.raises(KeyboardInterrupt), files.whole(path) as file:
        file.write(NEW)
        raise KeyboardInterrupt
    assert path.read_bytes() == OLD and names(tmp_path) == ["file"]


def test_a_link_is_never_written_through(tmp_path: Path) -> None:
    for write in (files.put_whole, files.make, files.put_once):
        folder = tmp_path / write.__name__
        folder.mkdir()
        aim, path = folder / "aim", folder / "file"
        aim.write_bytes(OLD)
        path.symlink_to(aim)
        if write is files.put_whole:
            write(path, NEW)
            assert not path.is_symlink() and path.read_bytes() == NEW
        elif write is files.make:
            assert write(path, NEW) is False
        else:
            with pytest.raises(FileExistsError):
                write(path, NEW)
        assert aim.read_bytes() == OLD


def test_a_link_where_the_file_is_prepared_is_refused(tmp_path: Path) -> None:
    aim = tmp_path / "aim"
    aim.write_bytes(OLD)
    (tmp_path / f"file{files.PART}").symlink_to(aim)
    with pytest.raises(OSError, match="symbolic"):
        files.put_whole(tmp_path / "file", NEW)
    assert aim.read_bytes() == OLD and not (tmp_path / "file").exists()


def test_a_file_is_its_owners_alone_before_it_is_finished_and_afterwards(tmp_path: Path) -> None:
    left = tmp_path / f"whole{files.PART}"
    left.write_bytes(OLD + NEW)
    left.chmod(0o666)
    with generous():
        with files.whole(tmp_path / "whole") as file:
            assert stat.S_IMODE(left.stat().st_mode) == 0o600
            file.write(NEW)
        files.make(tmp_path / "between" / "folder" / "made", NEW)
        files.put_once(tmp_path / "once", NEW, mode=0o444)
    modes = {str(one.relative_to(tmp_path)): stat.S_IMODE(one.stat().st_mode) for one in tmp_path.rglob("*")}
    folders = {"between": 0o700, "between/folder": 0o700}
    assert modes == folders | {"whole": 0o600, "between/folder/made": 0o600, "once": 0o444}
    assert (tmp_path / "whole").read_bytes() == NEW


def test_of_two_writers_of_one_file_the_second_is_refused_and_the_first_ends_well(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with files.whole(path) as file:
        file.write(NEW)
        with pytest.raises(BlockingIOError):
            files.put_whole(path, OLD)
    assert path.read_bytes() == NEW and names(tmp_path) == ["file"]


def test_of_many_makers_of_one_file_one_is_the_first_and_all_read_what_it_made(tmp_path: Path) -> None:
    path = tmp_path / "file"
    tries = [bytes([n]) * 20_000 for n in range(16)]
    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(lambda one: files.make(path, one), tries))
    assert made.count(True) == 1 and path.read_bytes() == tries[made.index(True)]
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize(
    ("write", "steps"),
    [
        (files.put_whole, ["fsync", "replace", "fsync"]),
        (files.make, ["fsync", "link", "fsync"]),
        (files.put_once, ["fsync", "fsync"]),
    ],
)
def test_bytes_are_forced_to_the_disk_before_they_are_named_and_the_name_before_the_call_returns(
    tmp_path: Path, write: Write, steps: list[str]
) -> None:
    seen: list[str] = []

    def watch(_frame: object, event: str, called: object) -> None:
        if event == "c_call" and (name := getattr(called, "__name__", "")) in {"fsync", "replace", "rename", "link"}:
            seen.append(name)

    sys.setprofile(watch)
    try:
        write(tmp_path / "file", NEW)
    finally:
        sys.setprofile(None)
    assert seen == steps


def test_what_is_read_is_a_plain_file_of_no_more_than_it_may_be_and_nobody_waits_for_a_pipe(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(NEW)
    assert files.read(path, len(NEW)) == NEW
    with pytest.raises(OSError, match=os.strerror(EFBIG)):
        files.read(path, len(NEW) - 1)
    os.mkfifo(tmp_path / "pipe")
    for none in ("/dev/zero", str(tmp_path / "pipe")):
        with pytest.raises(OSError, match=os.strerror(EINVAL)):
            files.read(Path(none), 9)

"""Files that are whole or not there, and on the disk when a call returns: one room for what is easily done almost right.

The accidents, and what stands afterwards (tests/service/test_files.py has each):

killed            `whole`, `put_whole`: the old bytes or the new ones. `make`: all of it or nothing. `put_once`: perhaps a part, of which
                  nobody was told that it was there. What was begun lies beside under `PART`, and nobody reads it.
power is gone     what returned is there: the bytes are forced to the disk, and then the folder that names them.
the disk is full  OSError; the old bytes are untouched, and nothing lies beside.
a link lies there `whole` takes its place, and does not write where it leads to; `make` and `put_once` leave it and write nothing.
two at once       of `whole` the second is refused; of `make` one is the first, and the other is told so.
others look       nothing is ever open to more than `mode`, not even before it is finished.

Everything raises OSError: what that means to the caller, the caller says.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EFBIG, EINVAL, EWOULDBLOCK
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from stat import S_ISREG
from tempfile import mkstemp
from typing import IO, Final

PART: Final = ".part"
"""How the name of a file ends that is being written. One that a kill left is written over by the next try."""

_NEW = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
_OWNERS_ALONE = 0o600


@contextmanager
def whole(path: Path) -> Iterator[IO[bytes]]:
    """A file to write, which takes the place of `path` when the block has ended well, and vanishes when it has not.

    Raises BlockingIOError while somebody else writes it: two would finish each other's.
    """
    beside = path.with_name(path.name + PART)
    with _locked(beside) as file:
        try:
            yield file
            _force(file)
            beside.replace(path)
        except BaseException:
            with suppress(OSError):
                beside.unlink()
            raise
    sync_folder(path.parent)


def put_whole(path: Path, content: bytes) -> None:
    """Put a file in its place, or in the place of the one that is there. Raises BlockingIOError as `whole` does."""
    with whole(path) as file:
        file.write(content)


def read(path: Path, most: int) -> bytes:
    """A plain file of at most so many bytes: a pipe would keep us waiting for ever, a device never ends, and half of a file that has grown
    too large would be taken for all of it. Raises OSError for each of them (EFBIG for the last).
    """
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(EINVAL, os.strerror(EINVAL))
        raw = file.read(most + 1)
    if len(raw) > most:
        raise OSError(EFBIG, os.strerror(EFBIG))
    return raw


def make(path: Path, content: bytes) -> bool:
    """Make a file where there is none, and the folders above it; whether this call did. Of several processes at once, one is the first,
    and nobody reads half of what it made.
    """
    if os.path.lexists(path):
        return False
    make_folder(path.parent)
    descriptor, name = mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=PART)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            _force(file)
        path.hardlink_to(name)
    except FileExistsError:
        return False
    finally:
        Path(name).unlink()
        sync_folder(path.parent)
    return True


def put_once(path: Path, content: bytes, *, mode: int = _OWNERS_ALONE) -> None:
    """Write a new file under its own name, at once: where nothing can be renamed or linked, on a share that is written once, there is no
    other way. Raises FileExistsError where anything has that name. A call that fails for another reason leaves nothing, where it may.
    """
    try:
        with os.fdopen(os.open(path, _NEW | os.O_EXCL, mode), "wb") as file:
            file.write(content)
            _force(file)
    except FileExistsError:
        raise
    except OSError:
        with suppress(OSError):
            path.unlink()
        raise
    sync_folder(path.parent)


def make_folder(folder: Path) -> None:
    """The folder and those above it, each its owner's alone where it was not there: `mkdir` would make the ones between everybody's."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except FileNotFoundError:
        make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def sync_folder(folder: Path) -> None:
    """What was made, renamed, linked or removed in it is so after a power failure, too."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _locked(path: Path) -> Iterator[IO[bytes]]:
    """The file that is written beside. Its lock goes with the process that holds it, so what a kill left is anybody's."""
    with os.fdopen(os.open(path, _NEW, _OWNERS_ALONE), "wb") as file:
        flock(file, LOCK_EX | LOCK_NB)
        # Between the opening and the lock another may have come to its end: then this is its file, and no longer beside.
        if not path.exists() or not os.path.samestat(os.fstat(file.fileno()), path.lstat()):
            raise BlockingIOError(EWOULDBLOCK, os.strerror(EWOULDBLOCK))
        os.fchmod(file.fileno(), _OWNERS_ALONE)
        file.truncate()
        yield file


def _force(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())

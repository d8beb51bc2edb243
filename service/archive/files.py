"""Files and folders that only their owner can look into, and that are whole or not there."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from ctypes import CDLL, get_errno
from errno import EINVAL
from hashlib import sha256
from pathlib import Path
from stat import S_ISREG
from typing import IO, NamedTuple

from service.errors import BadInput
from service.files import PART, make_folder

_AT_ONCE, _MANY, _PART = 2, 256, 1 << 20
"""Files that are hashed side by side; that are looked ahead for; bytes of them that are read at once."""


class Written(NamedTuple):
    """A file of a finished folder, as its manifest names it."""

    path: str
    size: int
    digest: str


@contextmanager
def told() -> Iterator[None]:
    """A disk that is full or not ours is told in one line. Raises BadInput."""
    try:
        yield
    except OSError as problem:
        raise BadInput(f"-o: the folder cannot be written: {problem.strerror}") from None


def own_folder(path: Path) -> None:
    """Make it, or find one that nobody else can look into. Raises BadInput for one that others can: it will hold pseudonyms."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.lstat()
    if not path.is_dir() or path.is_symlink() or found.st_mode & 0o077 or found.st_uid != os.getuid():
        raise BadInput("-o: the folder must be yours alone (chmod 700)")


def opened(path: Path, flags: int = os.O_TRUNC) -> IO[bytes]:
    """A file to write, of its owner alone; the folders above it are made."""
    how = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | flags
    try:
        return os.fdopen(os.open(path, how, 0o600), "wb")
    except FileNotFoundError:
        make_folder(path.parent)
        return os.fdopen(os.open(path, how, 0o600), "wb")


def put(path: Path, content: bytes) -> None:
    """Write one of the many: it counts when the manifest is there, and a second run writes it again."""
    with opened(path) as file:
        file.write(content)


def settle(folder: Path) -> None:
    """Return when everything that was written to the file system of `folder` is on the disk: one call instead of one for each file."""
    found = os.open(folder, os.O_RDONLY)
    try:
        if CDLL(None, use_errno=True).syncfs(found):
            raise OSError(get_errno(), os.strerror(get_errno()))
    finally:
        os.close(found)


def listed(folder: Path, *, but: frozenset[str], below: str = "") -> Iterator[Written]:
    """Every file in `folder`, in the order of their paths' bytes, as it is read again from the disk; `but` are first names to leave out."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield from _listed(pool, folder, but, below)


def _listed(pool: ThreadPoolExecutor, folder: Path, but: frozenset[str], below: str) -> Iterator[Written]:
    found = {f"{one.name}/" if one.is_dir(follow_symlinks=False) else one.name: one.path for one in os.scandir(folder / below)}
    names = [name for name in sorted(found) if (below + name).rstrip("/") not in but and not name.endswith(PART)]
    for start in range(0, len(names), _MANY):
        some = names[start : start + _MANY]
        hashed = {name: pool.submit(_hashed, found[name], below + name) for name in some if not name.endswith("/")}
        for name in some:
            if name in hashed:
                yield hashed[name].result()
            else:
                yield from _listed(pool, folder, but, below + name)


def _hashed(path: str, name: str) -> Written:
    """A plain file. It is opened without waiting, or a pipe that lies there would keep us for ever."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb", buffering=0) as file:
        if not S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(EINVAL, "no plain file")
        digest, size = sha256(), 0
        while part := file.read(_PART):
            digest.update(part)
            size += len(part)
    return Written(name, size, digest.hexdigest())

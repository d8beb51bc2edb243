"""One key of the log after another: the next is made, the log says so in an entry, both sign for a while, the old one is destroyed.

`PATH.next` waits, `PATH` signs, `PATH.retiring` signs beside it. Each step is one rename, so after a crash a key is in exactly one of the
three places, and doing the step again does it once.
"""

import os
from contextlib import suppress
from pathlib import Path

from menshen_verifier.note import Key, Kind
from service.checkpoints.keys import NEXT, RETIRING, beside, load, make
from service.errors import ConfigError, Conflict
from service.files import sync_folder
from service.values import Chance

SETTING = "the log's key"


class KeyFiles:
    """The log's Ed25519 key at `path` and the two beside it."""

    def __init__(self, path: Path, origin: str) -> None:
        self._path = path
        self._origin = origin

    def waits(self) -> Key | None:
        """The key that waits to take over. Raises ConfigError, KeyUnavailable for a file that is none."""
        path = beside(self._path, NEXT)
        return load(path, self._origin, Kind.ED25519, setting=SETTING).key if path.exists() else None

    def prepare(self, *, chance: Chance) -> Key:
        """The key that waits, made where there is none. Raises Conflict while an older one is still being retired."""
        if beside(self._path, RETIRING).exists():
            raise Conflict("an older key still signs beside this one: retire it first")
        make(beside(self._path, NEXT), Kind.ED25519, chance=chance, setting=SETTING)
        found = self.waits()
        assert found is not None
        return found

    async def activate(self) -> None:
        """The key that waits signs from now on, and the one before it beside it. Nothing where none waits."""
        following, retiring = beside(self._path, NEXT), beside(self._path, RETIRING)
        if not following.exists():
            return
        with suppress(FileExistsError):
            retiring.hardlink_to(self._path)
        sync_folder(self._path.parent)
        following.replace(self._path)
        sync_folder(self._path.parent)

    def retire(self) -> None:
        """Destroy the older key: written over, forced to the disk, removed. Raises Conflict where none is being retired."""
        path = beside(self._path, RETIRING)
        if path.exists() and path.samefile(self._path):
            raise Conflict("the next key has not taken over yet: activate it first")
        try:
            with path.open("r+b") as file:
                file.write(bytes(os.fstat(file.fileno()).st_size))
                file.flush()
                os.fsync(file.fileno())
            path.unlink()
        except FileNotFoundError:
            raise Conflict("no key is being retired") from None
        except OSError as problem:
            raise ConfigError(f"{SETTING}: the file cannot be removed ({problem.strerror})") from None
        sync_folder(path.parent)

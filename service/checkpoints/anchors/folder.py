"""A folder whose files are written once: a WORM share, a tape's spool, a disk of somebody else's."""

import asyncio
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from service.checkpoints.anchors.model import Deposit, Undeposited
from service.files import put_once
from service.values import utc_text


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that exists: one that is not there is a share that is not mounted, and is not made."""

    kind: str
    every: timedelta
    path: Path

    async def deposit(self, deposit: Deposit, now: datetime) -> bytes:
        """See `Anchor`: the receipt names the file and its SHA-256, in JSON."""
        name = f"checkpoint-{deposit.size}-{utc_text(now).replace(':', '')}.txt"
        content = deposit.note.encode()
        try:
            await asyncio.to_thread(_written, self.path, name, content)
        except FileExistsError:
            raise Undeposited("EXISTS_ALREADY") from None
        except OSError:
            raise Undeposited("UNREACHABLE") from None
        return json.dumps({"file": name, "sha256": sha256(content).hexdigest()}).encode()

    async def close(self) -> None:
        """Nothing is held open."""


def _written(folder: Path, name: str, content: bytes) -> None:
    """A new file that nobody may write to, on the disk when this returns, and read again. Raises OSError."""
    put_once(folder / name, content, mode=0o444)
    if (folder / name).read_bytes() != content:
        raise OSError("the file does not hold what was written")

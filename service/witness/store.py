"""What the witness remembers, in a SQLite file of its own: for each log the newest checkpoint, and every size and root before it.

How this can hurt: a witness that forgets lets a log go back. So moving on is one statement that names what it moves on from, is on the
disk before it returns (synchronous = FULL), and cannot make a log smaller: a trigger refuses that, whatever the code does.
"""

import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Self

from service.errors import StoreUnavailable
from service.witness.model import NOTHING, Standing

MOST_SEEN: Final = 100_000
"""So many older checkpoints of each log are remembered by size and root: 40 bytes each, a day of one a second."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS standing (
    origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS seen (
    origin TEXT NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL, PRIMARY KEY (origin, size)) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS standing_is_not_forgotten BEFORE DELETE ON standing
    BEGIN SELECT RAISE(ABORT, 'a witness forgets nothing'); END;
CREATE TRIGGER IF NOT EXISTS standing_does_not_shrink BEFORE UPDATE ON standing
    WHEN NEW.size < OLD.size OR NEW.origin <> OLD.origin OR (NEW.size = OLD.size AND NEW.root <> OLD.root)
    BEGIN SELECT RAISE(ABORT, 'a witness does not go back'); END;
CREATE TRIGGER IF NOT EXISTS first_is_seen AFTER INSERT ON standing
    BEGIN INSERT INTO seen VALUES (NEW.origin, NEW.size, NEW.root); END;
CREATE TRIGGER IF NOT EXISTS next_is_seen AFTER UPDATE ON standing WHEN NEW.size > OLD.size
    BEGIN INSERT INTO seen VALUES (NEW.origin, NEW.size, NEW.root); END;
"""
_SETTINGS = ("busy_timeout = 5000", "journal_mode = WAL", "synchronous = FULL")
_STANDING = "SELECT size, root, note FROM standing WHERE origin = ?"
_MOVE = """
INSERT INTO standing VALUES (:origin, :size, :root, :note)
ON CONFLICT (origin) DO UPDATE SET size = :size, root = :root, note = :note WHERE size = :old_size AND root = :old_root
"""
_ROOT = "SELECT root FROM seen WHERE origin = ? AND size = ?"
_THIN = """
DELETE FROM seen WHERE origin = :origin
AND size < (SELECT size FROM seen WHERE origin = :origin ORDER BY size DESC LIMIT 1 OFFSET :most)
"""


class Store:
    """The file at `path`; it is made by opening it. Safe from several threads, and several processes may share the file."""

    def __init__(self, path: Path, *, most_seen: int = MOST_SEEN) -> None:
        """Raises StoreUnavailable."""
        self._lock = threading.Lock()
        self._most_seen = most_seen
        try:
            # Every statement stands by itself (no transaction is left open), so what was written is durable when `_run` returns.
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            for setting in _SETTINGS:
                self._connection.execute(f"PRAGMA {setting}")
            self._connection.executescript(_SCHEMA)
        except sqlite3.Error:
            raise StoreUnavailable("the witness's file cannot be opened") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def standing(self, origin: str) -> Standing:
        """The newest checkpoint of a log that was cosigned; NOTHING before the first. Raises StoreUnavailable."""
        rows, _ = self._run(_STANDING, (origin,))
        return Standing(*rows[0]) if rows else NOTHING

    def moved(self, origin: str, old: Standing, new: Standing) -> bool:
        """Whether the log now stands at `new`: only if it stood at `old` until then. On the disk when this returns.

        Raises StoreUnavailable.
        """
        given = {"origin": origin, "size": new.size, "root": new.root, "note": new.note}
        _, touched = self._run(_MOVE, given | {"old_size": old.size, "old_root": old.root})
        if touched:
            self._run(_THIN, {"origin": origin, "most": self._most_seen})
        return touched == 1

    def root_at(self, origin: str, size: int) -> bytes | None:
        """The root that was cosigned at a size; None where none was, or it is too long ago. Raises StoreUnavailable."""
        rows, _ = self._run(_ROOT, (origin, size))
        return bytes(rows[0][0]) if rows else None

    def _run(self, statement: str, params: Sequence[Any] | dict[str, Any]) -> tuple[list[Any], int]:
        try:
            with self._lock:
                cursor = self._connection.execute(statement, params)
                return cursor.fetchall(), cursor.rowcount
        except sqlite3.Error:
            raise StoreUnavailable("the witness's file does not answer") from None

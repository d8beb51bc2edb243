"""What the log's tests are made of: a writer, drafts, a verification, and a database administrator who means no good."""

import hmac
import os
import sqlite3
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from service.audit.entry import Draft, parse_entry
from service.audit.findings import Report
from service.audit.head import Authority
from service.audit.reading import store
from service.audit.remembered import RememberedHead
from service.audit.verify import verify
from service.audit.writer import Writer
from service.db.engine import Database, connect
from service.db.postgres import conninfo
from service.db.sqlite import path_of
from service.values import Actor, ActorKind, Call, Clock

ORIGIN = "members.example.cn/audit"
POLICY = "5f" * 32
CLERK = Call(Actor(ActorKind.STAFF, "clerk-7", frozenset({"customer_service"})), "r-4711", "203.0.113.9")
Begin = Callable[..., Awaitable[Writer]]
"""The fixture `begin`."""

TABLES = ("audit_entry", "audit_subject", "audit_tile", "audit_head", "audit_pending")


def mac(message: bytes) -> bytes:
    """The head's MAC under a key of these tests."""
    return hmac.digest(bytes(range(32)), message, "sha256")


AUTHORITY = Authority(ORIGIN, mac)


def now() -> datetime:
    """The real time, for tests in which several processes write."""
    return datetime.now(UTC)


def pseudonym() -> str:
    """Somebody."""
    return "p1:" + urlsafe_b64encode(os.urandom(16))[:22].decode()


def read(**more: Any) -> Draft:
    """A clerk has read two fields of one member."""
    given = {"operation": "member", "purpose": "order_shipping", "basis": "CONTRACT", "fields": ("name", "phone"), "count": 1}
    return Draft(typ="access", **{"subjects": [pseudonym()], **given, **more})


def change(**more: Any) -> Draft:
    """A clerk has changed something of one member."""
    return Draft(typ="change", **{"operation": "update", "subjects": [pseudonym()], "fields": ("address",), "count": 1, **more})


def writer(database: Database, home: Path, clock: Clock = now, remembered: RememberedHead | None = None) -> Writer:
    """A writer as `service/app.py` makes one, not yet started."""
    return Writer(
        database=database,
        mac=mac,
        origin=ORIGIN,
        policy=POLICY,
        clock=clock,
        chance=os.urandom,
        remembered=remembered or RememberedHead(home / "audit-head"),
        address_mac=address_mac,
    )


@asynccontextmanager
async def at_work(url: str, home: Path) -> AsyncIterator[tuple[Database, Writer]]:
    """The database at `url` and a writer on it."""
    database = connect(url)
    await database.start()
    journal = writer(database, home)
    try:
        await journal.start()
        yield database, journal
    finally:
        await journal.close()
        await database.close()


async def verified(database: Database, home: Path) -> Report:
    """What `menshen audit verify` finds."""
    return await verify(database, AUTHORITY, RememberedHead(home / "audit-head").read(AUTHORITY))


async def entries(database: Database) -> list[dict[str, Any]]:
    """Every entry, parsed, in the order of the log."""
    return [parse_entry(raw) for raw in (await store.page(database.read, 0, 2**62)).raws]


def address_mac(address: str, month: str) -> str:
    """What stands for an address in the logs of these tests."""
    return hmac.digest(b"address", f"{month} {address}".encode(), "sha256")[:12].hex()


class Administrator:
    """Full SQL on the database, and the triggers out of the way. Parameters are written `?`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.postgresql = url.startswith("postgresql")

    def run(self, *statements: str, given: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Run these in one transaction; the rows of the last."""
        with closing(self._connect()) as connection:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement.replace("?", "%s") if self.postgresql else statement, given)
            rows = cursor.fetchall() if cursor.description else []
            connection.commit()
            return [tuple(row) for row in rows]

    def renumber(self, first: int, by: int) -> None:
        """Move every entry from `first` on by so many places, with all that points to them. Two steps, because indices are unique."""
        for table in ("audit_entry", "audit_subject"):
            self.run(f"UPDATE {table} SET idx = -1000000 - idx WHERE idx >= ?", given=(first,))
            self.run(f"UPDATE {table} SET idx = -1000000 - idx + {by} WHERE idx <= -1000000")

    def backup(self) -> dict[str, list[tuple[Any, ...]]]:
        """The log's tables as they are."""
        return {table: self.run(f"SELECT * FROM {table}") for table in TABLES}

    def restore(self, kept: dict[str, list[tuple[Any, ...]]]) -> None:
        """Put an older state of the log's tables in the place of the present one."""
        for table, rows in kept.items():
            self.run(f"DELETE FROM {table}")
            for row in rows:
                self.run(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", given=row)

    @contextmanager
    def holding_the_head(self) -> Iterator[None]:
        """Nobody else can append."""
        with closing(self._connect()) as connection:
            connection.execute("SELECT 1 FROM audit_head FOR UPDATE" if self.postgresql else "BEGIN IMMEDIATE")
            yield
            connection.rollback()

    def _connect(self) -> Any:
        if self.postgresql:
            connection = psycopg.connect(conninfo(self.url))
            connection.execute("SET session_replication_role = replica")
            return connection
        file = sqlite3.connect(path_of(self.url), timeout=5)
        for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            file.execute(f"DROP TRIGGER {name}")
        file.commit()
        return file

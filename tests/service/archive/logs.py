"""Logs for the archive's tests: entries by the ten thousand in seconds, and checkpoints under a key of these tests."""

import asyncio
import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import create_engine

from menshen_verifier import merkle
from menshen_verifier.checkpoint import Checkpoint
from menshen_verifier.note import Key, Kind
from service.app import Parts
from service.audit.appending import Appender
from service.audit.entry import Entry
from service.audit.head import Authority
from service.audit.journal import Ack
from service.audit.lanes import Scribe
from service.audit.remembered import RememberedHead
from service.audit.store import head
from service.db.engine import Database, connect
from service.db.tables import audit_checkpoint
from service.errors import RecordUnavailable
from service.values import Actor, ActorKind, Call
from tests.service.audit import logs

KEEPER = Call(Actor(ActorKind.STAFF, "officer-1", frozenset({"compliance_officer"})), "r-1")
START = datetime(2020, 5, 20, 1, 0, tzinfo=UTC)
_BATCH = 8192
_PATIENCE = 9
"""Waits, each as long as an answer waits: a log of 65,836 entries is read before it is signed, on a machine that does other things, too."""


class Signer:
    """A log's key, and what it signs, as a publisher would have stored it."""

    def __init__(self, origin: str = logs.ORIGIN) -> None:
        self._secret = Ed25519PrivateKey.generate()
        self.key = Key(origin, Kind.ED25519, self._secret.public_key().public_bytes_raw())

    def note(self, size: int, root: bytes) -> str:
        """The signed checkpoint."""
        text = Checkpoint(self.key.name, size, root).text
        return f"{text}\n{self.key.line(self._secret.sign(text.encode()))}\n"

    async def publish(self, database: Database, url: str, at: datetime = START) -> int:
        """Sign the log as it stands, as the publisher does; the size."""
        now = await head(database.read, self.key.name)
        assert now is not None
        engine = create_engine(url)
        with engine.begin() as connection:
            row = {
                "size": now.size,
                "root": now.root,
                "note": self.note(now.size, now.root),
                "signed_at": at,
                "witnessed_at": None,
            }
            connection.execute(audit_checkpoint.insert(), row)
        engine.dispose()
        return now.size


class Published:
    """The same over a running service, whose own publisher signs."""

    def __init__(self, running: Parts) -> None:
        self._running = running
        self.key = running.publisher.keys[0]

    async def publish(self, *_: object) -> int:
        """Wait until the log as it stands is signed; the size."""
        now = await head(self._running.database.read, self.key.name)
        assert now is not None
        for _ in range(_PATIENCE):
            with suppress(RecordUnavailable):
                await self._running.publisher.reached(now.size, Ack.SIGNED)
                return now.size
        raise RecordUnavailable("a machine that does not come to signing")


def entries(count: int, *, first: int = 0, since: datetime = START) -> list[Entry]:
    """So many entries of one lane, a second apart; one in ten is about one of some members."""
    scribe = Scribe(policy=logs.POLICY, chance=os.urandom, address_mac=lambda *_: "")
    lane = scribe.lane("read")
    made = scribe.opening(lane, since)
    people = [logs.pseudonym() for _ in range(50)]
    for number in range(1, count):
        draft = logs.read(subjects=[people[number % 50]] if number % 10 == 0 else [])
        made.append(scribe.write(lane, number, draft, logs.CLERK, now=since + timedelta(seconds=number)))
    return made


async def fill(url: str, home: Path, count: int, authority: Authority = logs.AUTHORITY) -> None:
    """A log of `count` entries, made by the log's own appender."""
    database = connect(url)
    await database.start()
    remembered = RememberedHead(home / "audit-head")
    appender = Appender(database=database, authority=authority, remembered=remembered)
    await appender.open()
    made = entries(count)
    for start in range(0, count, _BATCH):
        await appender.append(made[start : start + _BATCH], [])
    await appender.close()
    remembered.close()
    await database.close()


def fill_now(url: str, home: Path, count: int) -> None:
    """The same, for fixtures that are no coroutines."""
    asyncio.run(fill(url, home, count))


def root_of(raws: list[bytes]) -> bytes:
    """The root over these entries, from nothing but their bytes."""
    return merkle.root(merkle.extend(0, (), merkle.leaf_hashes(raws)).frontier)

"""What was appended is read again, signed, stored: on both databases, through restarts, kills and a second publisher."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from menshen_verifier.checkpoint import open_checkpoint
from menshen_verifier.note import Kind
from service.audit import store as log
from service.audit.journal import Ack
from service.audit.writer import Writer
from service.checkpoints import store
from service.checkpoints.follower import Follower
from service.db.engine import Database
from service.errors import LogBroken, RecordUnavailable, StoreUnavailable
from tests.service.audit import logs as audit_logs
from tests.service.audit.logs import AUTHORITY, CLERK
from tests.service.checkpoints import logs
from tests.service.checkpoints.logs import grow, newest, publishing


async def test_the_log_is_signed_as_it_stands(database: Database, journal: Writer, home: Path) -> None:
    await grow(journal, 600)
    async with publishing(database, journal, home) as publisher:
        await publisher.once()
        made = await newest(database, publisher)
        assert made.size == 601  # the lane's boot and 600 reads
        await grow(journal, 5)
        await publisher.once()
        assert (await newest(database, publisher)).size == 606
        assert (publisher.state.signed, publisher.state.verified, publisher.state.tail_since) == (606, 606, None)


async def test_without_growth_nothing_is_signed_again(database: Database, journal: Writer, home: Path) -> None:
    await grow(journal, 3)
    async with publishing(database, journal, home) as publisher:
        await publisher.once()
        before = await newest(database, publisher)
        await publisher.once()
        assert await newest(database, publisher) == before


async def test_a_running_publisher_signs_within_a_second(database: Database, journal: Writer, home: Path) -> None:
    async with publishing(database, journal, home) as publisher:
        stop = asyncio.Event()
        task = asyncio.create_task(publisher.run(stop))
        await grow(journal, 20)
        begun = time.monotonic()
        while publisher.state.signed < 21:
            assert time.monotonic() < begun + 1
            await asyncio.sleep(0.01)
        stop.set()
        await task
        assert (await newest(database, publisher)).size == 21


async def test_a_publisher_that_starts_anew_goes_on_where_the_last_one_was(
    database: Database, journal: Writer, home: Path
) -> None:
    await grow(journal, 2500)
    async with publishing(database, journal, home) as publisher:
        await publisher.close()
        assert publisher.state.signed == 2501
    await grow(journal, 10)
    async with publishing(database, journal, home) as another:
        async with another._own.single() as session:
            follower = Follower(AUTHORITY)
            await follower.take_up(session, await store.position(session, audit_logs.ORIGIN))
        assert follower.tree.size == 2501
        await another.once()
        assert (await newest(database, another)).size == 2511


async def test_a_position_that_is_not_ours_is_not_believed(
    database: Database, journal: Writer, home: Path, administrator: audit_logs.Administrator
) -> None:
    await grow(journal, 300)
    async with publishing(database, journal, home) as publisher:
        await publisher.close()
    kept = bytes(administrator.run("SELECT state FROM audit_position")[0][0])
    forged = kept[:32] + kept[32:].replace(b"301", b"300")
    administrator.run("UPDATE audit_position SET state = ?", given=(forged,))
    async with publishing(database, journal, home) as another:
        async with another._own.single() as session:
            follower = Follower(AUTHORITY)
            await follower.take_up(session, await store.position(session, audit_logs.ORIGIN))
        assert follower.tree.size == 0
        await another.once()
        assert (another.state.verified, another.state.breaker) == (301, "")


class Killed(BaseException):
    """What ends a process in the middle of a line."""


class LastWords:
    """A signer whose answer is the last thing that its caller's process hears."""

    def __init__(self, signer: Any) -> None:
        self._signer = signer
        self.keys = ()

    async def open(self) -> int:
        size: int = await self._signer.open()
        self.keys = self._signer.keys
        return size

    async def sign(self, *given: Any, **named: Any) -> tuple[str, ...]:
        await self._signer.sign(*given, **named)
        raise Killed

    async def close(self) -> None:
        await self._signer.close()


async def test_a_kill_between_signing_and_storing_leaves_no_second_truth(database: Database, journal: Writer, home: Path) -> None:
    await grow(journal, 10)
    async with publishing(database, journal, home) as publisher:
        await publisher.once()
    await grow(journal, 10)
    async with publishing(database, journal, home, signer=LastWords(logs.signer(home))) as publisher:
        with pytest.raises(Killed):
            await publisher.once()
        assert (await newest(database, publisher)).size == 11
    assert await logs.signer(home).open() == 21
    await grow(journal, 10)
    async with publishing(database, journal, home) as another:
        await another.once()
        assert (await newest(database, another)).size == 31


async def test_two_publishers_at_once_publish_one_log(database: Database, journal: Writer, home: Path) -> None:
    async with (
        publishing(database, journal, home, elect=False) as one,
        publishing(database, journal, home, elect=False) as other,
    ):
        for _ in range(6):
            await asyncio.gather(grow(journal, 30), one.once(), other.once())
        await asyncio.gather(one.once(), other.once())
        await asyncio.gather(one.once(), other.once())
        assert (one.state.breaker, other.state.breaker) == ("", "")
        assert one.state.signed == other.state.signed == (await newest(database, one)).size == 181


async def test_of_two_instances_on_postgresql_one_follows_and_the_other_knows(postgresql_url: str, home: Path) -> None:
    async with (
        audit_logs.at_work(postgresql_url, home) as (database, journal),
        publishing(database, journal, home) as first,
        publishing(database, journal, home) as second,
    ):
        await grow(journal, 5)
        await first.once()
        await second.once()
        assert (first.state.leading, second.state.leading) == (True, False)
        assert second.state.signed == 6
        await first._own.close()
        await grow(journal, 5)
        await second.once()
        assert (second.state.leading, second.state.signed) == (True, 11)


async def test_a_second_signature_under_ml_dsa_44(database: Database, journal: Writer, home: Path) -> None:
    await grow(journal, 3)
    async with publishing(database, journal, home, signer=logs.signer(home, second=True)) as publisher:
        await publisher.once()
        made = await newest(database, publisher)
        signed = open_checkpoint(made.note.encode(), publisher.keys).signed
        assert [one.key.kind for one in signed] == [Kind.ED25519, Kind.ML_DSA_44]
        assert signed[1].time


async def test_an_answer_that_asks_for_a_signature_waits_for_it(database: Database, journal: Writer, home: Path) -> None:
    async with publishing(database, journal, home) as publisher:
        journal.assure(publisher, {"export": Ack.SIGNED})
        waiting = asyncio.create_task(journal.append(logs.export(), CLERK))
        await journal.append(audit_logs.read(), CLERK)
        while not publisher._waiting:
            await asyncio.sleep(0.01)
        assert not waiting.done()
        await publisher.once()
        receipt = await waiting
        assert publisher.state.signed >= receipt.size > receipt.index


async def test_who_waits_wakes_the_publisher_at_once(database: Database, journal: Writer, home: Path) -> None:
    async with publishing(database, journal, home) as publisher:
        journal.assure(publisher, {"export/exportMembers": Ack.SIGNED})
        stop = asyncio.Event()
        task = asyncio.create_task(publisher.run(stop))
        await grow(journal, 1)
        taken = []
        for _ in range(5):
            begun = time.monotonic()
            await journal.append(logs.export(), CLERK)
            taken.append(time.monotonic() - begun)
        stop.set()
        await task
        assert sorted(taken)[2] < 0.4, "a round is half a second when nobody waits"


async def test_a_signature_that_does_not_come_in_time_is_no_answer(database: Database, journal: Writer, home: Path) -> None:
    async with publishing(database, journal, home, patience=0.05) as publisher:
        journal.assure(publisher, {"export": Ack.SIGNED})
        with pytest.raises(RecordUnavailable, match="signed"):
            await journal.append(logs.export(), CLERK)


async def test_who_waits_while_the_log_breaks_is_told_so(
    database: Database, journal: Writer, home: Path, administrator: audit_logs.Administrator
) -> None:
    async with publishing(database, journal, home) as publisher:
        await grow(journal, 3)
        administrator.run("UPDATE audit_entry SET leaf = ? WHERE idx = 2", given=(bytes(32),))
        journal.assure(publisher, {"export": Ack.SIGNED})
        waiting = asyncio.create_task(journal.append(logs.export(), CLERK))
        while not publisher._waiting:
            await asyncio.sleep(0.01)
        with pytest.raises(LogBroken):
            await publisher.once()
        with pytest.raises(LogBroken):
            await waiting


class Fading:
    """A session on a database that goes away after so many statements."""

    def __init__(self, session: Any, statements: int) -> None:
        self._session = session
        self._left = statements
        self.dialect = session.dialect

    async def rows(self, *given: Any) -> Any:
        if not self._left:
            raise StoreUnavailable("gone")
        self._left -= 1
        return await self._session.rows(*given)


async def test_a_database_that_went_away_in_between_leaves_the_follower_where_it_was(
    database: Database, journal: Writer, home: Path
) -> None:
    await grow(journal, 300)
    head = await log.head(database.read, audit_logs.ORIGIN)
    assert head is not None
    follower = Follower(AUTHORITY)
    with pytest.raises(StoreUnavailable):
        await follower.follow(Fading(database.read, 1), head)
    assert (follower.tree.size, follower.lanes) == (0, {})
    await follower.follow(database.read, head)
    assert follower.tree.size == 301

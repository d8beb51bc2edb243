"""Cosignatures are stored with the checkpoint, an answer can wait for them, and a witness that knows better stops the log."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from menshen_verifier import merkle
from menshen_verifier.checkpoint import open_checkpoint
from menshen_verifier.note import Key, Kind, cosigned
from service.audit.journal import Ack
from service.audit.writer import Writer
from service.checkpoints.model import Cosigned, Proof, RootAt
from service.db.engine import Database
from service.errors import LogBroken, RecordUnavailable
from service.hazmat import signing
from tests.service.audit.logs import CLERK, Administrator, at_work, read
from tests.service.checkpoints.logs import export, grow, newest, publishing

SEED = merkle.EMPTY_ROOT


class Party:
    """One witness at hand: silent, willing, or one that has seen another log."""

    def __init__(self) -> None:
        self.keys = (Key("witness.example.cn/w1", Kind.COSIGNATURE_V1, signing.public_key(SEED)),)
        self.parties, self.quorum = (self.keys,), 1
        self.willing = True
        self.accuses = False
        self.asked = 0

    async def cosign(self, checkpoint_note: str, *, old: int, proof: Proof) -> Cosigned:
        self.asked += 1
        if self.accuses:
            raise LogBroken("a witness has cosigned another log")
        if not self.willing:
            return Cosigned((), enough=False, problems={"witness.example.cn/w1": "SLOW"})
        text = checkpoint_note.rpartition("\n\n")[0] + "\n"
        line = self.keys[0].line((7).to_bytes(8, "big") + signing.sign(SEED, cosigned(text.encode(), 7)))
        return Cosigned((line,), enough=True)

    async def seen(self) -> int:
        return 0

    async def check(self, size: int, root_at: RootAt) -> None:
        return None

    async def agree(self, size: int, root_at: RootAt) -> None:
        return None

    async def close(self) -> None:
        return None


async def working(publisher: Any, stop: asyncio.Event) -> "asyncio.Task[None]":
    return asyncio.create_task(publisher.run(stop))


async def test_an_answer_waits_for_the_witness_and_the_note_holds_its_line(
    database: Database, journal: Writer, home: Path
) -> None:
    party, stop = Party(), asyncio.Event()
    async with publishing(database, journal, home, cosigners=party) as publisher:
        journal.assure(publisher, {"export": Ack.WITNESSED})
        task = await working(publisher, stop)
        receipt = await journal.append(export(), CLERK)
        made = await newest(database, publisher)
        assert made.size >= receipt.size
        signed = open_checkpoint(made.note.encode(), publisher.keys, party.keys).signed
        assert [one.key for one in signed] == [*publisher.keys, *party.keys]
        assert made.witnessed_at is not None
        stop.set()
        await task


async def test_a_witness_that_is_silent_is_told_of_and_asked_again_and_only_who_needs_it_waits(
    database: Database, journal: Writer, home: Path, eventually: Callable[..., Awaitable[None]]
) -> None:
    party, stop = Party(), asyncio.Event()
    party.willing = False
    async with publishing(database, journal, home, cosigners=party, patience=0.3) as publisher:
        journal.assure(publisher, {"export": Ack.WITNESSED})
        task = await working(publisher, stop)
        await grow(journal, 3)
        with pytest.raises(RecordUnavailable, match="witnessed"):
            await journal.append(export(), CLERK)

        async def silent() -> dict[str, str]:
            return publisher.state.witnesses

        await eventually(silent, {"witness.example.cn/w1": "SLOW"})
        party.willing = True

        async def unwitnessed() -> int:
            return publisher.state.signed - publisher.state.cosigned

        await eventually(unwitnessed, 0)
        await eventually(silent, {})
        stop.set()
        await task


async def test_witnesses_that_are_away_are_asked_ever_more_seldom_and_at_once_by_who_needs_them(
    database: Database, journal: Writer, home: Path, eventually: Callable[..., Awaitable[None]]
) -> None:
    party, stop, loop = Party(), asyncio.Event(), asyncio.get_running_loop()
    party.willing = False

    async def asked() -> int:
        return party.asked

    async with publishing(database, journal, home, cosigners=party, patience=5) as publisher:
        task = await working(publisher, stop)
        await grow(journal, 1)
        await eventually(asked, 3)
        # A second and two have passed; the next pause is four, however much is signed meanwhile.
        until = loop.time() + 2.5
        while loop.time() < until:
            receipt = await journal.append(read(), CLERK)
            await publisher.reached(receipt.size, Ack.SIGNED)
        assert party.asked == 3
        party.willing, begun = True, loop.time()
        await publisher.reached(receipt.size, Ack.WITNESSED)
        assert loop.time() < begun + 1
        stop.set()
        await task


@pytest.mark.obligation("AL-03")
async def test_a_witness_that_has_seen_another_log_stops_this_one(
    database: Database, journal: Writer, home: Path, eventually: Callable[..., Awaitable[None]]
) -> None:
    party, stop = Party(), asyncio.Event()
    party.accuses = True
    async with publishing(database, journal, home, cosigners=party) as publisher:
        task = await working(publisher, stop)
        await grow(journal, 3)

        async def health() -> str:
            return journal.health()

        await eventually(health, "broken")
        await task
        assert publisher.state.breaker == "a witness has cosigned another log"


@pytest.mark.obligation("AL-03")
async def test_what_only_a_row_says_was_cosigned_releases_nobody(postgresql_url: str, home: Path) -> None:
    party = Party()
    party.willing = False
    async with (
        at_work(postgresql_url, home) as (database, journal),
        publishing(database, journal, home, cosigners=party, patience=0.05) as first,
        publishing(database, journal, home, cosigners=party, patience=0.05) as second,
    ):
        await grow(journal, 5)
        await first.once()
        Administrator(postgresql_url).run("UPDATE audit_checkpoint SET witnessed_at = ?", given=("2026-11-22T02:00:00.000000Z",))
        await second.once()
        await first._own.close()
        # The one that watches, and one that takes over and begins with that row.
        async with publishing(database, journal, home, cosigners=party, patience=0.05) as third:
            await third.once()
            assert third.state.leading and not second.state.leading
            for one in (second, third):
                assert (one.state.signed, one.state.cosigned) == (6, 0)
                with pytest.raises(RecordUnavailable, match="witnessed"):
                    await one.reached(6, Ack.WITNESSED)


@pytest.mark.obligation("AL-03")
async def test_a_checkpoint_that_somebody_else_added_breaks_the_one_that_follows(
    database: Database, journal: Writer, home: Path, administrator: Administrator
) -> None:
    async with publishing(database, journal, home) as publisher:
        await grow(journal, 5)
        await publisher.once()
        made = await newest(database, publisher)
        forged = (
            "INSERT INTO audit_checkpoint (size, root, note, signed_at, witnessed_at) SELECT size + 1, root, note, signed_at, ?"
        )
        administrator.run(f"{forged} FROM audit_checkpoint WHERE size = ?", given=(None, made.size))
        with pytest.raises(LogBroken, match="says something else"):
            await publisher.once()
        assert journal.health() == "broken"

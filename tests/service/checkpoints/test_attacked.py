"""A log that somebody touched is never signed: found at once, and nothing is answered any more."""

import asyncio
import shutil
import time
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest

from menshen_verifier import merkle
from menshen_verifier.checkpoint import Checkpoint
from service.audit import store as log
from service.audit.head import Authority
from service.audit.writer import Writer
from service.checkpoints import store
from service.checkpoints.follower import Follower
from service.checkpoints.model import Published
from service.checkpoints.notes import note_of
from service.db.engine import Database
from service.errors import LogBroken
from tests.service.audit import logs as audit_logs
from tests.service.audit.logs import CLERK, Administrator, Begin
from tests.service.checkpoints.logs import grow, newest, publishing, signer

NOTHING = bytes(32)


def touched(statement: str, *given: object) -> Callable[[Administrator], None]:
    return lambda administrator: administrator.run(statement, given=given) and None


def bytes_changed(administrator: Administrator) -> None:
    (raw,) = administrator.run("SELECT entry FROM audit_entry WHERE idx = 400")[0]
    administrator.run("UPDATE audit_entry SET entry = ? WHERE idx = 400", given=(bytes(raw).replace(b"clerk-7", b"clerk-8"),))


def bytes_and_leaf_changed(administrator: Administrator, index: int = 400) -> None:
    (raw,) = administrator.run("SELECT entry FROM audit_entry WHERE idx = ?", given=(index,))[0]
    raw = bytes(raw).replace(b'"cnt":1', b'"cnt":2')
    leaf = merkle.leaf_hash(raw)
    administrator.run("UPDATE audit_entry SET entry = ?, leaf = ? WHERE idx = ?", given=(raw, leaf, index))


ATTACKS = {
    "a byte": bytes_changed,
    "a byte and its leaf": bytes_and_leaf_changed,
    "a byte and its leaf on the edge": partial(bytes_and_leaf_changed, index=590),
    "a search column": touched("UPDATE audit_entry SET actor = 'staff:nobody' WHERE idx = 400"),
    "whom it is about": touched("DELETE FROM audit_subject WHERE idx = 400"),
    "a leaf": touched("UPDATE audit_entry SET leaf = ? WHERE idx = 400", NOTHING),
    "a leaf on the edge": touched("UPDATE audit_entry SET leaf = ? WHERE idx = 590", NOTHING),
    "a tile": touched("UPDATE audit_tile SET hashes = ? WHERE n = 1", NOTHING * 256),
    "a tile's root": touched("UPDATE audit_tile SET root = ? WHERE n = 1", NOTHING),
    "a tile is gone": touched("DELETE FROM audit_tile WHERE n = 1"),
    "a row is gone": touched("DELETE FROM audit_entry WHERE idx = 400"),
    "the tail is gone": touched("DELETE FROM audit_entry WHERE idx > 500"),
    "a forged size": touched("UPDATE audit_head SET size = size - 1"),
    "a forged root": touched("UPDATE audit_head SET root = ?", NOTHING),
    "no head": touched("DELETE FROM audit_head"),
    "another's bytes": touched("UPDATE audit_entry SET entry = ? WHERE idx = 400", b"not an entry"),
}


@pytest.mark.obligation("AL-02", "AL-03")
@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
async def test_what_was_touched_is_never_signed_and_nothing_is_answered_within_a_second(
    database: Database, journal: Writer, home: Path, administrator: Administrator, attack: Callable[[Administrator], None]
) -> None:
    async with publishing(database, journal, home) as publisher:
        await grow(journal, 300)
        await publisher.once()
        signed = await newest(database, publisher)
        await grow(journal, 300)
        attack(administrator)
        begun = time.monotonic()
        stop = asyncio.Event()
        async with asyncio.timeout(30):
            await publisher.run(stop)  # ends by itself, because it broke off
        assert time.monotonic() < begun + 3, "the first round finds it; this machine has others to serve"
        assert publisher.state.breaker
        assert journal.health() == "broken"
        with pytest.raises(LogBroken):
            await journal.append(audit_logs.read(), CLERK)
        assert await newest(database, publisher) == signed


@pytest.mark.obligation("AL-03")
@pytest.mark.parametrize("attack", ["a byte", "a byte and its leaf on the edge", "a leaf on the edge", "a search column"])
async def test_what_was_touched_before_the_first_checkpoint_is_not_signed_either(
    database: Database, journal: Writer, home: Path, administrator: Administrator, attack: str
) -> None:
    """No signer and no checkpoint remembers anything yet: what was written is read again all the same."""
    async with publishing(database, journal, home) as publisher:
        await grow(journal, 600)
        ATTACKS[attack](administrator)
        with pytest.raises(LogBroken):
            await publisher.once()
        assert await store.newest(database.read) is None


@pytest.mark.obligation("AL-03")
async def test_a_tail_that_was_cut_off_with_an_older_head_is_found_against_the_last_published_checkpoint(
    database: Database, begin: Begin, home: Path, administrator: Administrator
) -> None:
    """The whole log put back to an older true state, and every memory of the instances with it: the checkpoint knows more."""
    first = await begin(home)
    await grow(first, 300)
    await first.close()
    kept = administrator.backup()
    (home / "audit-head").unlink()
    second = await begin(home)
    await grow(second, 50)
    async with publishing(database, second, home) as publisher:
        await publisher.once()
        signed = await newest(database, publisher)
    await second.close()
    administrator.restore(kept)
    (home / "audit-head").unlink()
    (home / "log.key.state").unlink()
    third = await begin(home)
    async with publishing(database, third, home) as publisher:
        with pytest.raises(LogBroken, match="rolled back"):
            await publisher.once()
        assert third.health() == "broken"
        assert await newest(database, publisher) == signed


@pytest.mark.obligation("AL-03")
async def test_a_log_that_was_put_back_and_grew_again_is_not_signed_by_whoever_signed_the_other(
    database: Database, begin: Begin, home: Path, administrator: Administrator
) -> None:
    """A fork: the checkpoints' table went back, too; the signer's own memory is what remains."""
    first = await begin(home)
    await grow(first, 20)
    kept = administrator.backup()
    await first.close()
    async with publishing(database, first, home) as publisher:
        await publisher.once()
    administrator.restore(kept)
    administrator.run("DELETE FROM audit_checkpoint")
    (home / "audit-head").unlink()
    second = await begin(home)
    async with publishing(database, second, home) as publisher:
        await grow(second, 100)
        with pytest.raises(LogBroken, match="the signer refuses"):
            await publisher.once()
    assert second.health() == "broken"
    assert await store.newest(database.read) is None


@pytest.mark.obligation("AL-03")
async def test_a_log_that_was_put_back_and_grew_again_is_found_against_the_checkpoint_though_the_signer_forgot(
    database: Database, begin: Begin, home: Path, administrator: Administrator
) -> None:
    first = await begin(home)
    await grow(first, 20)
    kept = administrator.backup()
    await first.close()
    async with publishing(database, first, home) as publisher:
        await publisher.once()
        signed = await newest(database, publisher)
    administrator.restore(kept)
    for memory in ("audit-head", "log.key.state"):
        (home / memory).unlink()
    second = await begin(home)
    await grow(second, 100)
    async with publishing(database, second, home) as publisher:
        with pytest.raises(LogBroken, match="signed checkpoint"):
            await publisher.once()
        assert await newest(database, publisher) == signed


@pytest.mark.obligation("AL-03")
async def test_an_older_true_log_with_its_checkpoint_is_found_by_what_the_signer_remembers_though_nobody_appends(
    database: Database, begin: Begin, home: Path, administrator: Administrator
) -> None:
    first = await begin(home)
    await grow(first, 20)
    async with publishing(database, first, home) as publisher:
        await publisher.once()
        older, kept = await newest(database, publisher), administrator.backup()
        await grow(first, 20)
        await publisher.once()
    administrator.restore(kept)
    administrator.run("DELETE FROM audit_checkpoint WHERE size > ?", given=(older.size,))
    (home / "audit-head").unlink()
    second = await begin(home)
    async with publishing(database, second, home) as publisher:
        with pytest.raises(LogBroken, match="the signer has signed"):
            await publisher.once()


@pytest.mark.obligation("AL-03")
async def test_an_older_true_log_under_a_running_publisher_is_found_though_nobody_appends(
    database: Database, journal: Writer, home: Path, administrator: Administrator
) -> None:
    async with publishing(database, journal, home) as publisher:
        await grow(journal, 20)
        kept = administrator.backup()
        await grow(journal, 20)
        await publisher.once()
        administrator.restore(kept)
        with pytest.raises(LogBroken, match="rolled back"):
            await publisher.once()
    assert journal.health() == "broken"


@pytest.mark.obligation("AL-02")
async def test_a_trigger_that_alters_what_is_written_is_found(postgresql_url: str, home: Path) -> None:
    administrator = Administrator(postgresql_url)
    async with audit_logs.at_work(postgresql_url, home) as (database, journal), publishing(database, journal, home) as publisher:
        await grow(journal, 5)
        await publisher.once()
        administrator.run(
            "CREATE FUNCTION quiet() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "NEW.entry = convert_to(replace(convert_from(NEW.entry, 'UTF8'), 'clerk-7', 'clerk-8'), 'UTF8'); RETURN NEW; END $$",
            "CREATE TRIGGER quiet BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION quiet()",
        )
        await grow(journal, 1)
        with pytest.raises(LogBroken, match="altered"):
            await publisher.once()
        assert (publisher.state.signed, journal.health()) == (6, "broken")


@pytest.mark.obligation("AL-02")
async def test_a_trigger_that_drops_rows_is_found(postgresql_url: str, home: Path) -> None:
    administrator = Administrator(postgresql_url)
    async with audit_logs.at_work(postgresql_url, home) as (database, journal), publishing(database, journal, home) as publisher:
        await grow(journal, 5)
        administrator.run(
            "CREATE FUNCTION gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
            "CREATE TRIGGER gone BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION gone()",
        )
        await grow(journal, 1)
        with pytest.raises(LogBroken, match="entry 6 is missing"):
            await publisher.once()


@pytest.mark.obligation("AL-03")
async def test_a_number_that_is_missing_in_its_lane_is_found_in_a_log_that_is_otherwise_whole(
    database: Database, journal: Writer, home: Path
) -> None:
    """An entry that was lost between the service and the tree: nothing of the tree can show it."""
    async with publishing(database, journal, home) as publisher:
        await grow(journal, 5)
        await publisher.once()
        journal._reads.next += 1
        await grow(journal, 1)
        with pytest.raises(LogBroken, match="lane"):
            await publisher.once()


@pytest.mark.obligation("AL-03")
async def test_a_checkpoint_that_our_key_did_not_sign_is_not_gone_on_from(
    database: Database, journal: Writer, home: Path, administrator: Administrator
) -> None:
    async with publishing(database, journal, home) as publisher:
        await grow(journal, 5)
        await publisher.once()
    (note,) = administrator.run("SELECT note FROM audit_checkpoint")[0]
    administrator.run("UPDATE audit_checkpoint SET note = ?", given=(note.replace("\n6\n", "\n5\n"),))
    async with publishing(database, journal, home) as another:
        with pytest.raises(LogBroken, match="not signed by this log's key"):
            await another.once()


@pytest.mark.obligation("AL-03")
async def test_a_row_that_lies_where_the_next_checkpoint_will_is_no_checkpoint(
    database: Database, journal: Writer, home: Path, administrator: Administrator
) -> None:
    async with publishing(database, journal, home) as publisher:
        await grow(journal, 2)
        await publisher.once()
        await grow(journal, 3)
        administrator.run(
            "INSERT INTO audit_checkpoint (size, root, note, signed_at)"
            " SELECT head.size, head.root, 'no note at all', point.signed_at FROM audit_head head, audit_checkpoint point"
        )
        with pytest.raises(LogBroken, match="not signed"):
            await publisher.once()
        assert publisher.state.breaker


@pytest.mark.obligation("AL-03")
async def test_another_root_that_our_stolen_key_signed_at_the_next_size_is_a_fork(
    database: Database, journal: Writer, home: Path, tmp_path: Path
) -> None:
    async with publishing(database, journal, home) as publisher:
        await grow(journal, 5)
        await publisher.once()
        await grow(journal, 5)
        head = await log.head(database.read, audit_logs.ORIGIN)
        assert head is not None
        forged = Checkpoint(audit_logs.ORIGIN, head.size, NOTHING)
        thief = tmp_path / "thief"
        thief.mkdir()
        shutil.copy(home / "log.key", thief)
        stolen = signer(thief)
        await stolen.open()
        note = note_of(forged, await stolen.sign(forged, old=0, proof=[], time=0))
        async with database.write() as transaction:
            await store.publish(transaction, Published(head.size, NOTHING, note, audit_logs.now(), None))
            await transaction.commit()
        with pytest.raises(LogBroken, match="another root is published"):
            await publisher.once()


@pytest.mark.obligation("AL-03")
async def test_a_position_that_was_not_written_under_our_key_makes_nobody_skip_what_was_altered(
    database: Database, journal: Writer, home: Path, administrator: Administrator
) -> None:
    await grow(journal, 600)
    head = await log.head(database.read, audit_logs.ORIGIN)
    assert head is not None
    forged = Follower(Authority(audit_logs.ORIGIN, lambda message: sha256(message).digest()))
    await forged.follow(database.read, head)
    bytes_changed(administrator)
    async with database.write() as transaction:
        await store.move_position(transaction, audit_logs.ORIGIN, forged.sealed())
        await transaction.commit()
    async with publishing(database, journal, home) as publisher:
        with pytest.raises(LogBroken, match="entry 400"):
            await publisher.once()
    assert await store.newest(database.read) is None, "found before it is signed, and not by who walks behind"


@pytest.mark.obligation("AL-03")
async def test_when_the_one_that_follows_breaks_off_the_next_one_looks_and_breaks_off_too(
    postgresql_url: str, home: Path, tmp_path: Path
) -> None:
    administrator = Administrator(postgresql_url)
    other_home = tmp_path / "other"
    other_home.mkdir()
    async with (
        audit_logs.at_work(postgresql_url, home) as (database, one),
        audit_logs.at_work(postgresql_url, other_home) as (other_database, other),
        publishing(database, one, home) as first,
        publishing(other_database, other, home) as second,
    ):
        await grow(one, 5)
        await first.once()
        await second.once()
        administrator.run("UPDATE audit_entry SET leaf = ? WHERE idx = 3", given=(NOTHING,))
        administrator.run("DELETE FROM audit_position")
        await grow(one, 5)
        administrator.run("UPDATE audit_entry SET leaf = ? WHERE idx = 8", given=(NOTHING,))
        begun = time.monotonic()
        stop = asyncio.Event()
        await asyncio.gather(first.run(stop), second.run(stop))
        assert time.monotonic() < begun + 5
        assert (one.health(), other.health()) == ("broken", "broken")

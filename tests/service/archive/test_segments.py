"""Segments leave for the archive and come back; every proof holds meanwhile, and nothing leaves that is not there."""

import os
import shutil
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from sqlalchemy import create_engine, text

from menshen_verifier import merkle, tiles
from service.app import parts
from service.approvals.exports import Export
from service.archive import checking, proofs, store
from service.archive.checking import folder_of
from service.archive.model import SEGMENT, kept_since
from service.archive.queries import Asked
from service.audit import inclusion
from service.audit.consistency import consistency
from service.audit.findings import Part, Verdict
from service.audit.store import head, leaves
from service.audit.verify import verify
from service.config import Config
from service.errors import BadInput, ChangeRefused, ConfigError, Forbidden, LogBroken, Malformed, RecordUnavailable
from tests.factories import a_call
from tests.service.approvals.leaves import AUDITOR, allowed
from tests.service.archive.conftest import Kept
from tests.service.archive.logs import Published, Signer
from tests.service.audit import logs
from tests.service.audit.logs import Administrator

OFFICER = a_call("compliance_officer")


async def archived(kept: Kept) -> None:
    done = await kept.running.operations.archive_segments(OFFICER, kept.house, kept.base)
    assert [one.n for one in done] == [0]


async def pruned(kept: Kept, months: int = 36) -> list[int]:
    return [one.n for one in await kept.running.operations.prune_segments(OFFICER, kept.house, months=months)]


async def replayed(kept: Kept):
    journal = kept.running.journal
    return await verify(kept.running.database, journal.authority, journal.remembered.read(journal.authority))


async def rows(kept: Kept) -> list[tuple]:
    """Everything of the log's two large tables, as it is stored."""
    administrator = Administrator(kept.running.config.database)
    entries = administrator.run("SELECT * FROM audit_entry WHERE idx < ? ORDER BY idx", given=(SEGMENT,))
    return entries + administrator.run("SELECT * FROM audit_subject WHERE idx < ? ORDER BY idx, sub", given=(SEGMENT,))


@pytest.mark.obligation("AL-01")
async def test_a_log_goes_to_the_archive_is_pruned_and_comes_back_byte_for_byte(kept: Kept) -> None:
    before, database = await rows(kept), kept.running.database
    authority = kept.running.journal.authority
    kept_proof = await inclusion.prove(database.read, authority, 40_000, (await leaves(database.read, 40_000, 40_001))[0])
    await archived(kept)
    assert await pruned(kept) == [0]
    assert await store.count(database.read, 0, SEGMENT) == 0
    report = await replayed(kept)
    assert (report.verdict, report.pruned) == (Verdict.OK, SEGMENT)

    # Everything that needs hashes lives on.
    [leaf] = await leaves(database.read, 40_000, 40_001)
    proof = await inclusion.prove(database.read, authority, 40_000, leaf)
    assert kept_proof is not None and proof is not None
    assert merkle.climbed(40_000, proof.size, leaf, proof.path) == (await head(database.read, authority.origin)).root
    assert await consistency(database.read, 1000, SEGMENT + 300)
    text_of = await proofs.proof_of(database.read, authority, SEGMENT + 100)
    assert text_of.startswith("c2sp.org/tlog-proof@v1\n")
    with pytest.raises(BadInput):
        await proofs.proof_of(database.read, authority, 40_000)

    assert await kept.running.operations.restore_segment(OFFICER, kept.house, 0) == SEGMENT
    assert await rows(kept) == before
    report = await replayed(kept)
    assert (report.verdict, report.pruned) == (Verdict.OK, 0)
    assert (await proofs.proof_of(database.read, authority, 40_000)).startswith("c2sp.org/tlog-proof@v1\n")


@pytest.mark.obligation("AL-01")
async def test_the_prune_entry_says_what_will_be_gone_before_it_is(kept: Kept) -> None:
    await archived(kept)
    await pruned(kept)
    said = [one for one in await logs.entries(kept.running.database) if one["typ"] in {"export", "prune", "result"}]
    kinds = [(one["typ"], one["op"]) for one in said]
    assert kinds == [("export", "segments"), ("prune", "segments"), ("result", "prune")]
    prune = said[1]
    assert prune["x"]["before"] == SEGMENT and prune["cnt"] == SEGMENT
    assert len(prune["x"]["manifests"]) == 1


async def test_an_instance_starts_appends_and_exports_behind_what_was_pruned(kept: Kept, full, tmp_path: Path) -> None:
    await archived(kept)
    await pruned(kept)
    await kept.running.journal.close()
    await kept.running.publisher.close()
    async with parts(full, clock=kept.clock) as again:
        receipt = await again.journal.append(logs.read(), logs.CLERK)
        assert receipt.index > SEGMENT
        await Published(again).publish()
        await allowed(again, OFFICER, Export("audit", AUDITOR, Asked().text))
        out = tmp_path / "out"
        plan, done = await again.operations.export(OFFICER, Asked(), out, origin=kept.house.origin, recipient=AUDITOR)
        assert (plan.first, done.count) == (SEGMENT, plan.last - plan.first)
        with pytest.raises(BadInput):
            await again.operations.export(OFFICER, Asked(first=0), tmp_path / "other", origin=kept.house.origin)
    assert len(list((tmp_path / "out" / "tile" / "0").rglob("*"))) > 256


@pytest.mark.obligation("AL-01")
async def test_what_is_younger_than_its_time_stays_and_a_shorter_time_is_refused(kept: Kept) -> None:
    await archived(kept)
    kept.clock.now -= timedelta(days=365 * 3 + 31 - 183)
    assert await pruned(kept) == []
    for months in (5, 0, -1):
        with pytest.raises(ConfigError, match="MENSHEN_AUDIT_MONTHS"):
            await pruned(kept, months)
    report = await replayed(kept)
    assert (report.verdict, report.pruned) == (Verdict.OK, 0)
    raws = (await logs.store.page(kept.running.database.read, 0, SEGMENT)).raws
    assert len(raws) == SEGMENT


@pytest.mark.obligation("AL-01")
@pytest.mark.parametrize("month", range(1, 13))
def test_the_shortest_time_keeps_183_days_in_every_month_of_the_year(month: int) -> None:
    for day in (1, 28):
        now = datetime(2027, month, day, 9, tzinfo=UTC)
        assert kept_since(now, 6) <= now - timedelta(days=184)
        assert kept_since(now, 6) >= now - timedelta(days=188), "and what is older may go"


@pytest.mark.obligation("AL-01")
def test_a_deployment_that_would_keep_less_does_not_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MENSHEN_HOME", str(tmp_path))
    for months, fits in (("6", True), ("5", False)):
        monkeypatch.setenv("MENSHEN_AUDIT_MONTHS", months)
        with nullcontext() if fits else pytest.raises(ConfigError, match="MENSHEN_AUDIT_MONTHS"):
            assert Config.load().audit_months == 6


@pytest.mark.obligation("AL-01")
async def test_logs_of_183_days_ago_are_here_and_whole_under_the_shortest_time_that_there_is(kept: Kept) -> None:
    await archived(kept)
    (segment,) = await store.segments(kept.running.database.read)
    last = datetime.fromisoformat(segment.last_ts)
    kept.clock.now = last + timedelta(days=183)
    assert await pruned(kept, 6) == []
    # It began long ago: its youngest entry counts.
    Administrator(kept.running.config.database).run("UPDATE audit_segment SET first_ts = '2020-01-01T00:00:00.000000Z'")
    assert await pruned(kept, 6) == []
    assert await store.count(kept.running.database.read, 0, SEGMENT) == SEGMENT
    assert (await replayed(kept)).verdict is Verdict.OK
    kept.clock.now = last + timedelta(days=190)
    assert await pruned(kept, 6) == [0]


@pytest.mark.obligation("AL-01")
async def test_what_is_not_archived_is_not_pruned(kept: Kept) -> None:
    assert await pruned(kept) == []
    await archived(kept)
    Administrator(kept.running.config.database).run("UPDATE audit_segment SET n = 1")
    assert await pruned(kept) == [], "nor what lies behind it"
    assert await store.count(kept.running.database.read, 0, SEGMENT) == SEGMENT


VICTIMS = ("tile/entries/000", "tile/0/017", "tile/1/000", "checkpoint", "manifest.json", "log.vkey")


@pytest.mark.obligation("AL-01")
async def test_an_archive_that_is_another_than_was_made_or_than_the_logs_own_keeps_everything_where_it_is(kept: Kept) -> None:
    await archived(kept)
    path = folder_of(kept.base, 0) / "manifest.json"
    whole = path.read_bytes()
    told = orjson.loads(whole)
    path.write_bytes(orjson.dumps(told | {"last_ts": told["first_ts"]}))
    with pytest.raises(Malformed, match="not the one that was made"):
        await pruned(kept)
    path.write_bytes(whole)
    Administrator(kept.running.config.database).run("UPDATE audit_tile SET root = ? WHERE level = 1", given=(bytes(32),))
    with pytest.raises(Malformed, match="not the one that was made"):
        await pruned(kept)
    assert await store.count(kept.running.database.read, 0, SEGMENT) == SEGMENT


@pytest.mark.obligation("AL-01")
async def test_an_archive_that_was_touched_anywhere_keeps_everything_where_it_is(kept: Kept) -> None:
    await archived(kept)
    for victim in VICTIMS:
        path = folder_of(kept.base, 0) / victim
        whole = path.read_bytes()
        raw = bytearray(whole)
        raw[len(raw) // 2] ^= 1
        path.write_bytes(raw)
        with pytest.raises(Malformed):
            await pruned(kept)
        path.write_bytes(whole)
    (folder_of(kept.base, 0) / "more").write_text("")
    with pytest.raises(Malformed):
        await pruned(kept)
    (folder_of(kept.base, 0) / "more").unlink()
    for victim in ("pipe", tiles.bundle_path(3), tiles.tile_path(0, 3), checking.CHECKPOINT):
        path = folder_of(kept.base, 0) / victim
        path.unlink(missing_ok=True)
        os.mkfifo(path)
        with pytest.raises(Malformed):
            await pruned(kept)
    assert await store.count(kept.running.database.read, 0, SEGMENT) == SEGMENT
    assert not [one for one in await logs.entries(kept.running.database) if one["typ"] == "prune"]


@pytest.mark.obligation("AL-01")
async def test_a_folder_verifies_alone_and_under_the_logs_key_only(kept: Kept, tmp_path: Path) -> None:
    await archived(kept)
    moved = tmp_path / "usb" / "stick"
    shutil.copytree(folder_of(kept.base, 0), moved)
    found = checking.check(moved, kept.house.origin, 0, kept.house.keys)
    stored = await store.tile_root(kept.running.database.read, 1, 0)
    assert found.root == stored
    root = checking.check(moved, kept.house.origin, 0).root
    assert len(checking.entries(moved, 0, root)) == SEGMENT
    with pytest.raises(Malformed, match=r"\(5\)"):
        checking.check(moved, kept.house.origin, 0, [Signer(kept.house.origin).key])
    with pytest.raises(Malformed, match=r"\(1\)"):
        checking.check(moved, "another.example.cn/audit", 0, kept.house.keys)
    with pytest.raises(Malformed, match=r"\(1\)"):
        checking.check(moved, kept.house.origin, 1, kept.house.keys)
    manifest = moved / "manifest.json"
    told = orjson.loads(manifest.read_bytes())
    manifest.write_bytes(orjson.dumps(told | {"path": [bytes(32).hex() for _ in told["path"]]}))
    with pytest.raises(Malformed, match=r"\(4\)"):
        checking.check(moved, kept.house.origin, 0, kept.house.keys)
    path = moved / tiles.bundle_path(3)
    path.write_bytes(path.read_bytes()[:-1] + b"]")
    with pytest.raises(Malformed):
        checking.entries(moved, 0, root)  # somebody waited until it was checked


async def test_a_run_that_was_cut_off_while_it_archived_is_done_again(kept: Kept) -> None:
    half = folder_of(kept.base, 0)
    half.mkdir(mode=0o700, parents=True)
    kept.base.chmod(0o700)
    (half / "tile" / "0").mkdir(parents=True)
    (half / "tile" / "0" / "000").write_bytes(b"half of i")
    (half / "manifest.json.part").write_bytes(b"{")
    await archived(kept)
    assert await pruned(kept) == [0]


async def test_a_run_that_was_cut_off_before_its_row_finds_its_folder(kept: Kept) -> None:
    await archived(kept)
    Administrator(kept.running.config.database).run("DELETE FROM audit_segment")
    manifest = folder_of(kept.base, 0) / "manifest.json"
    before = manifest.stat().st_mtime_ns
    await archived(kept)
    assert manifest.stat().st_mtime_ns == before


@pytest.mark.obligation("AL-01")
async def test_entries_that_are_missing_are_not_archived(kept: Kept) -> None:
    Administrator(kept.running.config.database).run("DELETE FROM audit_entry WHERE idx = 5")
    with pytest.raises(LogBroken):
        await archived(kept)


async def test_who_takes_a_segment_away_and_says_it_was_pruned_is_found_out(kept: Kept) -> None:
    await archived(kept)
    administrator = Administrator(kept.running.config.database)
    administrator.run("UPDATE audit_segment SET pruned_at = archived_at WHERE n = 0")
    administrator.run("DELETE FROM audit_entry WHERE idx < ?", given=(SEGMENT,))
    administrator.run("DELETE FROM audit_subject WHERE idx < ?", given=(SEGMENT,))
    report = await replayed(kept)
    assert report.verdict is Verdict.REMOVED
    assert (report.findings[0].part, report.findings[0].first, report.findings[0].last) == (Part.ENTRY, 0, SEGMENT - 1)


async def test_a_tile_that_was_changed_behind_what_was_pruned_is_found(kept: Kept) -> None:
    await archived(kept)
    await pruned(kept)
    administrator = Administrator(kept.running.config.database)
    administrator.run("UPDATE audit_tile SET hashes = ? WHERE level = 0 AND n = 7", given=(bytes(8192),))
    report = await replayed(kept)
    assert report.verdict is not Verdict.OK
    assert report.findings[0].first <= 7 * 256 <= report.findings[0].last


async def test_a_full_segment_that_is_not_signed_yet_is_told_and_not_counted_as_none(kept: Kept) -> None:
    """Somebody who runs this each night must not read "0 segments" while the signer is away."""
    operations = kept.running.operations
    with pytest.raises(RecordUnavailable, match="cosigned"):
        await operations.archive_segments(OFFICER, replace(kept.house, witnessed=True), kept.base)
    administrator = Administrator(kept.running.config.database)
    point = administrator.run("SELECT * FROM audit_checkpoint ORDER BY size DESC")[0]
    administrator.run("UPDATE audit_checkpoint SET size = 300 WHERE size = ?", given=(point[0],))
    with pytest.raises(RecordUnavailable, match="audit status"):
        await operations.archive_segments(OFFICER, kept.house, kept.base)
    administrator.run("UPDATE audit_checkpoint SET size = ? WHERE size = 300", given=(point[0],))
    await archived(kept)
    assert await operations.archive_segments(OFFICER, kept.house, kept.base) == [], "there is no other"


@pytest.mark.obligation("AL-01")
async def test_only_who_may_prune(kept: Kept) -> None:
    auditor, operations = a_call("auditor"), kept.running.operations
    with pytest.raises(Forbidden):
        await operations.archive_segments(auditor, kept.house, kept.base)
    assert not folder_of(kept.base, 0).exists(), "not a byte has left for them"
    await archived(kept)
    with pytest.raises(Forbidden):
        await operations.prune_segments(auditor, kept.house, months=36)
    await pruned(kept)
    with pytest.raises(Forbidden):
        await operations.restore_segment(auditor, kept.house, 0)


@pytest.mark.obligation("AL-01")
async def test_a_segment_that_is_here_is_not_restored_and_a_false_archive_neither(kept: Kept, tmp_path: Path) -> None:
    await archived(kept)
    with pytest.raises(BadInput):
        await kept.running.operations.restore_segment(OFFICER, kept.house, 0)
    await pruned(kept)
    manifest = folder_of(kept.base, 0) / "manifest.json"
    whole = manifest.read_bytes()
    manifest.write_bytes(orjson.dumps(orjson.loads(whole) | {"last_ts": "2020"}))
    with pytest.raises(Malformed):
        await kept.running.operations.restore_segment(OFFICER, kept.house, 0)
    manifest.write_bytes(whole)
    path = folder_of(kept.base, 0) / tiles.bundle_path(3)
    path.write_bytes(path.read_bytes()[:-1] + b"]")
    with pytest.raises(Malformed):
        await kept.running.operations.restore_segment(OFFICER, kept.house, 0)
    assert await store.count(kept.running.database.read, 0, SEGMENT) == 0


@pytest.mark.obligation("AL-03")
async def test_no_row_leaves_that_was_not_archived_and_pruned(kept: Kept) -> None:
    engine = create_engine(kept.running.config.database)
    with engine.connect() as connection:
        for statement in ("DELETE FROM audit_entry WHERE idx = 3", "DELETE FROM audit_subject WHERE idx < 100"):
            with pytest.raises(Exception, match="append-only"):
                connection.execute(text(statement))
            connection.rollback()
    engine.dispose()
    with pytest.raises(ChangeRefused):
        if kept.running.database.dialect == "postgresql":
            await kept.running.database.read.rows(store._PRUNE, {"first": 0, "last": 0})
        else:
            async with kept.running.database.write() as transaction:
                await transaction.run(store._DELETE[1], {"first": 0, "last": 10})

"""What an administrator can do to the log, and what `verify` says to it: the verdict, the part, the first bad index."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from menshen_verifier import merkle
from service.audit.findings import Finding, Part, Report, Verdict
from service.audit.tree import Tree
from service.audit.verify import verify
from service.db.engine import Database
from tests.service.audit import logs
from tests.service.audit.logs import AUTHORITY, CLERK, Administrator, Begin

SIZE = 600
"""Two full tiles, and 88 entries on the edge: subtrees of 64, 16 and 8."""


@pytest.fixture
async def log(database: Database, home: Path, begin: Begin) -> AsyncIterator[Database]:
    """A log of 600 entries, whose writer has stopped in order."""
    journal = await begin(home)
    await asyncio.gather(*(journal.append(logs.read(), CLERK) for _ in range(SIZE - 2)))
    await journal.close()
    yield database


async def found(database: Database, home: Path) -> tuple[Verdict, Part, int, int]:
    """The first finding, which must be the verdict."""
    report = await logs.verified(database, home)
    first = report.findings[0]
    assert report.verdict is first.verdict
    return first.verdict, first.part, first.first, first.last


def leaf_of(administrator: Administrator, index: int) -> bytes:
    ((raw,),) = administrator.run("SELECT entry FROM audit_entry WHERE idx = ?", given=(index,))
    return merkle.leaf_hash(bytes(raw))


def forge(administrator: Administrator, index: int, *, leaf: bool) -> None:
    """Change one byte of an entry, and its leaf hash with it if so wanted."""
    ((raw,),) = administrator.run("SELECT entry FROM audit_entry WHERE idx = ?", given=(index,))
    forged = bytes(raw).replace(b'"phone"', b'"photo"')
    assert forged != bytes(raw)
    administrator.run("UPDATE audit_entry SET entry = ? WHERE idx = ?", given=(forged, index))
    if leaf:
        administrator.run("UPDATE audit_entry SET leaf = ? WHERE idx = ?", given=(merkle.leaf_hash(forged), index))


def forge_tile(administrator: Administrator, index: int) -> None:
    """Make the full tile fit the forged entry, as whoever knows the format would."""
    ((hashes,),) = administrator.run("SELECT hashes FROM audit_tile WHERE level = 0 AND n = ?", given=(index // 256,))
    at = index % 256 * 32
    forged = bytes(hashes)[:at] + leaf_of(administrator, index) + bytes(hashes)[at + 32 :]
    root = merkle.tile_root([forged[start : start + 32] for start in range(0, 8192, 32)])
    administrator.run("UPDATE audit_tile SET hashes = ? WHERE level = 0 AND n = ?", given=(forged, index // 256))
    administrator.run("UPDATE audit_tile SET root = ? WHERE level = 0 AND n = ?", given=(root, index // 256))


def remove(administrator: Administrator, index: int) -> None:
    administrator.run("DELETE FROM audit_subject WHERE idx = ?", given=(index,))
    administrator.run("DELETE FROM audit_entry WHERE idx = ?", given=(index,))


async def test_an_untouched_log_is_found_whole(log: Database, home: Path) -> None:
    report = await logs.verified(log, home)
    assert (report.verdict, report.findings, report.entries, report.size, report.remembered) == (Verdict.OK, (), SIZE, SIZE, SIZE)


async def test_a_log_that_nobody_began_is_whole_and_empty(database: Database, home: Path) -> None:
    report = await logs.verified(database, home)
    assert (report.verdict, report.size, report.root, report.remembered) == (Verdict.OK, 0, merkle.EMPTY_ROOT.hex(), None)


async def test_the_progress_is_told_and_ends_at_the_size(log: Database, home: Path) -> None:
    seen: list[tuple[int, int]] = []
    await verify(log, AUTHORITY, None, progress=lambda done, size: seen.append((done, size)))
    assert seen[-1] == (SIZE, SIZE)


@pytest.mark.obligation("AL-03")
@pytest.mark.parametrize("index", [0, 1, 255, 256, 511, 512, 575, 576, SIZE - 1])
async def test_one_changed_byte_of_any_entry_is_found_at_its_index(
    log: Database, home: Path, administrator: Administrator, index: int
) -> None:
    ((raw,),) = administrator.run("SELECT entry FROM audit_entry WHERE idx = ?", given=(index,))
    for at in (0, len(raw) // 2, len(raw) - 1):
        forged = bytearray(raw)
        forged[at] ^= 1
        administrator.run("UPDATE audit_entry SET entry = ? WHERE idx = ?", given=(bytes(forged), index))
        assert await found(log, home) == (Verdict.ALTERED, Part.ENTRY, index, index)
    administrator.run("UPDATE audit_entry SET entry = ? WHERE idx = ?", given=(bytes(raw), index))
    assert (await logs.verified(log, home)).verdict is Verdict.OK


@pytest.mark.obligation("AL-03")
@pytest.mark.parametrize("instead", ["'text'", "'{}'", "''", "'a\nb'"])
async def test_whatever_stands_in_the_place_of_an_entry_is_found_at_its_index(
    log: Database, home: Path, administrator: Administrator, instead: str
) -> None:
    administrator.run(f"UPDATE audit_entry SET entry = {instead} WHERE idx = 301")
    assert await found(log, home) == (Verdict.ALTERED, Part.ENTRY, 301, 301)


@pytest.mark.obligation("AL-03")
async def test_an_entry_changed_with_its_leaf_is_found_at_its_index_by_the_tile(
    log: Database, home: Path, administrator: Administrator
) -> None:
    forge(administrator, 300, leaf=True)
    assert await found(log, home) == (Verdict.ALTERED, Part.ENTRY, 300, 300)


@pytest.mark.obligation("AL-03")
async def test_an_entry_changed_with_its_leaf_and_tile_is_found_in_the_heads_subtree(
    log: Database, home: Path, administrator: Administrator
) -> None:
    forge(administrator, 300, leaf=True)
    forge_tile(administrator, 300)
    assert await found(log, home) == (Verdict.ALTERED, Part.ENTRY, 0, 511)


@pytest.mark.obligation("AL-03")
@pytest.mark.parametrize(("index", "first", "last"), [(520, 512, 575), (580, 576, 591), (595, 592, 599)])
async def test_an_entry_on_the_edge_changed_with_its_leaf_is_found_in_the_heads_subtree(
    log: Database, home: Path, administrator: Administrator, index: int, first: int, last: int
) -> None:
    forge(administrator, index, leaf=True)
    assert await found(log, home) == (Verdict.ALTERED, Part.ENTRY, first, last)


@pytest.mark.obligation("AL-03")
@pytest.mark.parametrize("index", [0, 100, 256, 550, SIZE - 2])
async def test_a_row_that_was_taken_out_is_missed_at_its_index(
    log: Database, home: Path, administrator: Administrator, index: int
) -> None:
    remove(administrator, index)
    assert await found(log, home) == (Verdict.REMOVED, Part.ENTRY, index, index)


@pytest.mark.obligation("AL-03")
@pytest.mark.parametrize("index", [1, 100, 256, 550, 580])
async def test_a_row_that_was_taken_out_and_the_gap_closed_is_missed_at_its_index(
    log: Database, home: Path, administrator: Administrator, index: int
) -> None:
    remove(administrator, index)
    administrator.renumber(index + 1, -1)
    assert await found(log, home) == (Verdict.REMOVED, Part.ENTRY, index, index)


@pytest.mark.obligation("AL-03")
@pytest.mark.parametrize("left", [0, 1, 256, 511, 513, SIZE - 1])
async def test_a_tail_that_was_cut_off_is_missed_from_its_first_index(
    log: Database, home: Path, administrator: Administrator, left: int
) -> None:
    administrator.run("DELETE FROM audit_subject WHERE idx >= ?", given=(left,))
    administrator.run("DELETE FROM audit_entry WHERE idx >= ?", given=(left,))
    assert await found(log, home) == (Verdict.REMOVED, Part.ENTRY, left, SIZE - 1)


@pytest.mark.obligation("AL-03")
@pytest.mark.parametrize("index", [100, 256, 550, SIZE])
async def test_an_entry_that_was_put_in_is_found_at_its_index(
    log: Database, home: Path, administrator: Administrator, index: int
) -> None:
    rows = administrator.run("SELECT * FROM audit_entry WHERE idx = 7")
    administrator.renumber(index, 1)
    administrator.run(f"INSERT INTO audit_entry VALUES ({', '.join('?' * 10)})", given=(index, *rows[0][1:]))
    assert await found(log, home) == (Verdict.INSERTED, Part.ENTRY, index, index)


@pytest.mark.obligation("AL-03")
@pytest.mark.parametrize(("one", "other"), [(100, 400), (300, 301), (520, 590), (580, 581)])
async def test_two_entries_that_changed_places_are_found_at_the_first(
    log: Database, home: Path, administrator: Administrator, one: int, other: int
) -> None:
    for table in ("audit_entry", "audit_subject"):
        for old, new in ((one, -5), (other, one), (-5, other)):
            administrator.run(f"UPDATE {table} SET idx = ? WHERE idx = ?", given=(new, old))
    assert await found(log, home) == (Verdict.ALTERED, Part.ENTRY, one, one)


@pytest.mark.obligation("AL-03")
async def test_an_older_true_head_in_the_place_of_the_newest_is_a_rollback(
    database: Database, home: Path, administrator: Administrator, begin: Begin
) -> None:
    journal = await begin(home)
    await journal.append(logs.read(), CLERK)
    ((size, frontier, root, mac),) = administrator.run("SELECT size, frontier, root, mac FROM audit_head")
    await journal.append(logs.read(), CLERK)
    await journal.close()
    older = (size, bytes(frontier), bytes(root), bytes(mac))
    administrator.run("UPDATE audit_head SET size = ?, frontier = ?, root = ?, mac = ?", given=older)
    assert await found(database, home) == (Verdict.ROLLED_BACK, Part.HEAD, 2, 3)
    (home / "audit-head").unlink()
    assert await found(database, home) == (Verdict.INSERTED, Part.ENTRY, 2, 2)


@pytest.mark.obligation("AL-03")
async def test_a_log_that_is_gone_altogether_is_missed_by_whoever_remembers_its_head(
    log: Database, home: Path, administrator: Administrator
) -> None:
    for table in ("audit_head", "audit_subject", "audit_entry", "audit_tile"):
        administrator.run(f"DELETE FROM {table}")
    assert await found(log, home) == (Verdict.REMOVED, Part.HEAD, 0, 0)


@pytest.mark.obligation("AL-03")
async def test_a_head_made_without_the_key_is_found(log: Database, home: Path, administrator: Administrator) -> None:
    forge(administrator, 598, leaf=True)
    leaves = [bytes(leaf) for (leaf,) in administrator.run("SELECT leaf FROM audit_entry ORDER BY idx")]
    tree, _ = Tree().grown(leaves)
    administrator.run("UPDATE audit_head SET root = ?, frontier = ?", given=(tree.root, b"".join(tree.frontier)))
    assert await found(log, home) == (Verdict.ALTERED, Part.HEAD, 0, SIZE - 1)


@pytest.mark.obligation("AL-03")
@pytest.mark.parametrize("size", [0, 5, SIZE + 1, 2**62, -1])
async def test_a_head_of_another_size_is_found_and_nobody_looks_for_entries_that_it_invents(
    log: Database, home: Path, administrator: Administrator, size: int
) -> None:
    administrator.run("UPDATE audit_head SET size = ?", given=(size,))
    verdict, part, _, _ = await found(log, home)
    assert (verdict, part) == (Verdict.ALTERED, Part.HEAD)


@pytest.mark.obligation("AL-03")
@pytest.mark.parametrize(
    ("change", "verdict", "part", "place"),
    [
        ("UPDATE audit_entry SET leaf = entry WHERE idx = 41", Verdict.ALTERED, Part.LEAF, (41, 41)),
        ("UPDATE audit_entry SET actor = 'staff:x' WHERE idx = 42", Verdict.ALTERED, Part.COLUMNS, (42, 42)),
        ("UPDATE audit_entry SET dec = 'deny' WHERE idx = 43", Verdict.ALTERED, Part.COLUMNS, (43, 43)),
        ("UPDATE audit_entry SET entry_id = 'x' WHERE idx = 44", Verdict.ALTERED, Part.COLUMNS, (44, 44)),
        ("DELETE FROM audit_subject WHERE idx = 45", Verdict.ALTERED, Part.SUBJECTS, (45, 45)),
        ("UPDATE audit_subject SET sub = 'p1:x' WHERE idx = 46", Verdict.ALTERED, Part.SUBJECTS, (46, 46)),
        ("INSERT INTO audit_subject VALUES ('p1:x', 599)", Verdict.ALTERED, Part.SUBJECTS, (599, 599)),
        ("INSERT INTO audit_subject VALUES ('p1:x', 600)", Verdict.INSERTED, Part.SUBJECTS, (600, 600)),
        ("DELETE FROM audit_tile WHERE n = 1", Verdict.REMOVED, Part.TILE, (256, 511)),
        ("UPDATE audit_tile SET root = hashes WHERE n = 1", Verdict.ALTERED, Part.TILE, (256, 511)),
        (
            "INSERT INTO audit_tile SELECT level, 2, hashes, root FROM audit_tile WHERE n = 1",
            Verdict.INSERTED,
            Part.TILE,
            (600, 600),
        ),
    ],
)
async def test_what_is_kept_beside_the_entries_is_held_to_them(
    log: Database, home: Path, administrator: Administrator, change: str, verdict: Verdict, part: Part, place: tuple[int, int]
) -> None:
    administrator.run(change)
    assert await found(log, home) == (verdict, part, *place)


async def test_entries_that_are_appended_meanwhile_disturb_nobody(database: Database, home: Path, begin: Begin) -> None:
    journal = await begin(home)
    await asyncio.gather(*(journal.append(logs.read(), CLERK) for _ in range(300)))

    async def look() -> Report:
        return await verify(database, AUTHORITY, None)

    async def write() -> None:
        for _ in range(100):
            await journal.append(logs.read(), CLERK)

    *reports, _ = await asyncio.gather(look(), look(), look(), write())
    assert [report.findings for report in reports] == [(), (), ()]
    await journal.close()


@pytest.mark.obligation("AL-03")
@pytest.mark.parametrize("number", [0, 1])
async def test_a_lane_that_does_not_begin_with_its_boot_is_found_in_a_log_that_is_otherwise_whole(
    database: Database, home: Path, begin: Begin, number: int
) -> None:
    journal = await begin(home)
    await journal.append(logs.read(), CLERK)
    scribe = journal._scribe
    entry = scribe.write(scribe.lane("read"), number, logs.read(), CLERK, now=logs.now())
    await journal._appender.append([entry], [])
    await journal.close()
    assert await found(database, home) == (Verdict.REMOVED, Part.NUMBERS, 0, 2)


@pytest.mark.obligation("AL-03")
async def test_a_row_that_waits_out_of_turn_is_found(
    database: Database, home: Path, administrator: Administrator, begin: Begin
) -> None:
    from service.audit import pending, store

    journal = await begin(home)
    scribe = journal._scribe
    lane = scribe.lane("change")
    made = [scribe.write(lane, number, logs.change(), CLERK, now=logs.now()) for number in (0, 2)]
    rows = [
        pending.waiting(entry, AUTHORITY, writer=lane.writer, number=number) for number, entry in zip((0, 2), made, strict=True)
    ]
    async with database.write() as transaction:
        await store.add_pending(transaction, rows, logs.now())
        await transaction.commit()
    report = await logs.verified(database, home)
    assert report.findings == (Finding(Verdict.REMOVED, Part.WAITING, 0, 0),)
    administrator.run("DELETE FROM audit_pending")
    await journal.close()

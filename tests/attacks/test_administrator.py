"""The administrator of the database edits the record while the service runs. Found within a second by the instance that follows the log,
however old the entry; by `menshen audit verify`; and by an auditor who has nothing but an export, the public keys and an old checkpoint.
"""

import asyncio
import json

import pytest

from menshen_verifier.findings import Part, Verdict
from tests.attacks import mischief
from tests.attacks.house import House
from tests.attacks.mischief import Mischief

AT, TILE = 200, 256
LINES = {
    mischief.change_a_byte: Verdict.ALTERED,
    mischief.change_a_word: Verdict.ALTERED,
    mischief.change_a_word_and_every_tile: Verdict.ALTERED,
    mischief.take_a_row_out: Verdict.REMOVED,
    mischief.take_a_row_out_and_close_the_gap: Verdict.REMOVED,
    mischief.put_a_row_in: Verdict.INSERTED,
    mischief.exchange_two: Verdict.ALTERED,
}


@pytest.mark.obligation("AL-02", "AL-03")
@pytest.mark.parametrize("do", mischief.EDITS, ids=lambda one: one.__name__.replace("_", " "))
async def test_what_is_edited_is_found_online_by_the_replay_and_by_a_stranger_with_an_export(lived_in: House, do: Mischief):
    await lived_in.serve()
    note, size = await lived_in.note(), lived_in.size
    first, last = do(lived_in, AT)

    await lived_in.refuses()
    lived_in.kill()
    replayed = verify(lived_in)
    assert replayed["verdict"] == LINES[do]
    found = replayed["findings"][0]
    assert first <= found["first"] <= found["last"] <= last

    report = await lived_in.verdict(since=note)
    assert report.verdict is LINES[do] and report.size == size
    # Where a tile's entries are not all there, its bundle is not, and the range is the tile.
    assert first // TILE * TILE <= report.findings[0].first <= report.findings[0].last <= last | (TILE - 1)


@pytest.mark.parametrize("table", ["audit_entry", "audit_subject"])
async def test_an_edited_search_column_hides_nothing_for_long_and_the_record_itself_stays_proven(lived_in: House, table: str):
    await lived_in.serve()
    if table == "audit_entry":
        lived_in.sql("UPDATE audit_entry SET actor = 'staff:nobody' WHERE idx = %s", AT)
    else:
        lived_in.sql("DELETE FROM audit_subject WHERE idx = %s", AT)

    await lived_in.refuses()
    lived_in.kill()
    replayed = verify(lived_in)
    (found,) = replayed["findings"]
    part = "columns" if table == "audit_entry" else "subjects"
    assert (replayed["verdict"], found["part"]) == ("ALTERED", part)
    assert found["first"] <= AT <= found["last"]
    assert (await lived_in.verdict()).verdict is Verdict.OK, "an export has no columns: what was signed is whole"


async def test_a_tail_that_is_cut_off_is_found_at_the_first_entry_that_is_missing(lived_in: House):
    url = await lived_in.serve()
    note, size = await lived_in.note(), lived_in.size
    lived_in.sql("DELETE FROM audit_entry WHERE idx >= %s", size - 10)
    await lived_in.refuses(url)
    lived_in.kill()
    replayed = verify(lived_in)
    assert (replayed["verdict"], replayed["findings"][0]["first"]) == ("REMOVED", size - 10)
    report = await lived_in.verdict(since=note)
    assert report.verdict is Verdict.REMOVED
    assert report.findings[0].part is Part.ENTRY and report.findings[0].last == size - 1


async def test_a_head_that_was_forged_is_not_believed_by_anybody(lived_in: House):
    url = await lived_in.serve()
    lived_in.sql("UPDATE audit_head SET root = sha256('another'::bytea)")
    await lived_in.refuses(url)
    lived_in.kill()
    child, _ = lived_in.begin()
    assert await asyncio.to_thread(child.wait) == 2 and "AUDIT_LOG_BROKEN" in child.said
    replayed = verify(lived_in)
    assert (replayed["verdict"], replayed["findings"][0]["part"]) == ("ALTERED", "head")


def verify(house: House) -> dict:
    """What `menshen audit verify` says."""
    out = house.folder / f"verify-{len(list(house.folder.iterdir()))}"
    child = house.nursery.begin(house.settings(), "audit", "verify", "--json", out=out)
    assert child.wait() == 1, child.said
    return json.loads(child.said[child.said.index("{") :])

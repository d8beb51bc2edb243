"""An import that stops, one that meets another, and a file that changes under it."""

import asyncio

import pytest
from sqlalchemy import select

from service.db.statement import Prepared
from service.db.tables import import_run, member
from service.intake.model import FileProblem, ImportBusy
from tests.factories import a_call, a_member, a_profile
from tests.service.intake.exports import a_row, dirty, load, rejects_of, write
from tests.service.intake.looking import count, entries, many, member_of

SIZE = 7
"""Rows in a batch: few, so that few rows make many."""


class Stopped(Exception):
    """The process dies here."""


async def stopped_after(running, path, batches):
    """Load so many batches and no more."""
    seen = []

    def progress(_):
        seen.append(1)
        if len(seen) == batches:
            raise Stopped

    with pytest.raises(Stopped):
        await load(running, path, size=SIZE, progress=progress)


@pytest.mark.parametrize("batches", [1, 3, 8])
async def test_an_import_goes_on_where_it_stopped_and_its_reject_file_is_complete(running, tmp_path, batches):
    made = dirty(40)
    path = write(tmp_path / "a.csv", made.rows)
    expected = await load(running, path, rejects=tmp_path / "expected", dry_run=True)
    await stopped_after(running, path, batches)
    there = await count(running, member)
    outcome = await load(running, path, rejects=tmp_path / "r", size=SIZE)
    assert 0 < there <= 40 and outcome.carried_on >= 7 * batches and not outcome.already
    assert outcome.tally == expected.tally and await count(running, member) == 40
    assert (tmp_path / "r").read_bytes() == (tmp_path / "expected").read_bytes()
    run = await running.database.read.rows(
        Prepared(
            select(import_run.c.rows_done, import_run.c.members_made, import_run.c.rows_rejected, import_run.c.rows_duplicate)
        )
    )
    assert run == [(outcome.tally.read, 40, outcome.tally.rejected, outcome.tally.duplicates)]


async def test_a_dry_run_in_the_middle_knows_what_is_done(running, tmp_path):
    made = dirty(20)
    path = write(tmp_path / "a.csv", made.rows)
    expected = await load(running, path, dry_run=True)
    await stopped_after(running, path, 2)
    assert (await load(running, path, dry_run=True)).tally == expected.tally


async def test_two_at_once_double_nobody_and_one_of_them_is_told(running, tmp_path):
    path = write(tmp_path / "a.csv", many(70))
    outcomes = await asyncio.gather(*(load(running, path, size=SIZE) for _ in range(2)), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["ImportBusy", "Outcome"]
    assert await count(running, member) == 70
    refused = [entry for entry in await entries(running) if entry["dec"] == "deny"]
    assert [entry["rsn"] for entry in refused] == [ImportBusy().code]


async def test_whoever_joins_meanwhile_keeps_what_is_theirs(running, tmp_path):
    rows = many(30)
    joined = []

    def progress(_):
        if not joined:
            joined.append(asyncio.ensure_future(a_member(running, a_profile(phone=rows[-1]["手机号"]))))

    outcome = await load(running, write(tmp_path / "a.csv", rows), size=SIZE, progress=progress)
    assert await member_of(running, rows[-1]["手机号"]) == await joined[0]
    assert (outcome.tally.made, outcome.tally.duplicates) == (29, 1)
    assert await count(running, member) == 30


async def test_a_file_that_changes_under_the_reader_stops_it(running, tmp_path):
    path = write(tmp_path / "a.csv", many(30))

    def progress(_):
        path.write_text(path.read_text() + "\n")

    with pytest.raises(FileProblem) as problem:
        await load(running, path, size=SIZE, progress=progress)
    assert problem.value.code == "FILE_CHANGED" and await count(running, member) < 30


async def test_a_row_that_was_too_early_is_not_let_in_by_the_time_that_passes(running, clock, tmp_path):
    rows = [a_row(入会时间="2026-11-23"), *many(20)]
    path = write(tmp_path / "a.csv", rows)
    await stopped_after(running, path, 1)
    clock.advance(days=3)
    outcome = await load(running, path, rejects=tmp_path / "r", size=SIZE)
    assert outcome.tally.made == 20 and rejects_of(tmp_path / "r") == [("2", "入会时间", "DATE_INVALID")]


async def test_a_row_whose_reason_has_gone_meanwhile_is_listed_and_not_loaded(running, tmp_path):
    rows = [*many(3), *many(20)]
    before = await a_member(running, a_profile(phone=rows[0]["手机号"]))
    path = write(tmp_path / "a.csv", rows)
    await stopped_after(running, path, 1)
    await running.operations.erase(a_call("compliance_officer"), member_id=before)
    outcome = await load(running, path, rejects=tmp_path / "r", size=SIZE)
    assert rejects_of(tmp_path / "r") == [("2", "", "LEFT_OUT")]
    assert outcome.tally.made == 22 and await member_of(running, rows[0]["手机号"]) is None

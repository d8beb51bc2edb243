"""What others hold or set: the clock, the archive's files, an erased member's old number."""

from datetime import timedelta

import pytest

from menshen_verifier import tiles
from menshen_verifier.findings import Part, Verdict
from service import app
from service.audit.entry import Draft
from service.values import Actor, ActorKind, Call
from tests.attacks.house import House, config_of

CLERK = Call(Actor(ActorKind.STAFF, "clerk-7", frozenset({"customer_service_agent"})), "r-1")


@pytest.mark.obligation("AL-02")
@pytest.mark.parametrize("off", [timedelta(hours=-3), timedelta(hours=3)], ids=["slow", "fast"])
async def test_a_clock_that_was_set_wrong_is_told_by_the_times_of_the_cosignatures(house: House, off: timedelta):
    await house.open()
    await house.live(20)
    first = await house.settled()
    house.kill()
    async with app.parts(config_of(house), clock=lambda: app.now() + off) as running:
        await running.journal.append(Draft(typ="access", operation="member"), CLERK)
    last = house.size
    await house.serve()
    await house.live(last + 4)
    await house.settled()

    report = await house.verdict()
    assert report.verdict is Verdict.ALTERED
    found = [one for one in report.findings if one.part is Part.CLOCK]
    assert found and first <= found[0].first <= found[0].last < last


async def test_a_segment_that_the_archive_lost_is_named_and_the_rest_stays_proven(lived_in: House):
    folder = await lived_in.exported("archive")
    (folder / tiles.bundle_path(1)).unlink()
    report = await lived_in.verdict(folder)
    assert report.verdict is Verdict.REMOVED
    assert (report.findings[0].first, report.findings[0].last) == (256, 511)


async def test_a_bit_that_rotted_in_the_archive_is_found_at_its_entry(lived_in: House):
    folder = await lived_in.exported("rotten")
    path = folder / tiles.bundle_path(1)
    raw = bytearray(path.read_bytes())
    entries = tiles.parse_bundle(bytes(raw))
    at = 2 + sum(len(entry) + 2 for entry in entries[:44]) + 20
    raw[at] ^= 1
    path.write_bytes(raw)
    report = await lived_in.verdict(folder)
    assert report.verdict is Verdict.ALTERED
    assert (300, 300) in {(one.first, one.last) for one in report.findings if one.part is Part.ENTRY}, report.findings


async def test_an_export_that_is_old_says_so(lived_in: House):
    assert (await lived_in.verdict()).verdict is Verdict.OK
    report = await lived_in.verdict(later=2 * 24 * 3600)
    assert report.verdict is Verdict.STALE

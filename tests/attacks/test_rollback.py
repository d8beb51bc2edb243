"""An older state of the log, true once, with its valid MAC and its valid signatures, is put back in the place of the present one."""

import asyncio
import signal

import pytest

from menshen_verifier.findings import Part, Verdict
from tests.attacks.house import BROKEN, House


@pytest.mark.obligation("AL-03")
async def test_while_instances_run_each_of_them_remembers_more(house: House):
    await house.open(instances=2)
    await house.live(40)
    await house.settled()
    before = house.dump()
    for _, url in house.instances:
        await house.live(house.size + 10, url)
    await house.settled()

    house.restore(before)
    for _, url in house.instances:
        await house.refuses(url, reading=True)
    assert "rolled back" in house.said()


@pytest.mark.obligation("AL-02", "AL-03")
async def test_while_none_runs_none_starts_again_not_even_with_every_memory_of_this_machine_taken_away(house: House):
    await house.open()
    await house.live(40)
    old = await house.settled()
    before, memories = house.dump(), remembered(house)
    await house.live(old + 20)
    size, note = await house.settled(), await house.note()
    house.kill()

    house.restore(before)
    assert "rolled back" in await refused(house), "what the instance remembered"
    put_back(house, memories)
    assert f"a witness has seen {size}" in await refused(house), "what somebody else has seen"

    report = await house.verdict(since=note)
    assert report.verdict is Verdict.ROLLED_BACK
    assert (report.findings[0].part, report.findings[0].first, report.findings[0].last) == (Part.CHECKPOINT, old, size - 1)


async def test_who_silences_the_witness_too_keeps_the_service_from_starting(house: House):
    await house.open()
    await house.live(20)
    await house.settled()
    house.kill()
    assert house.witness is not None
    house.witness.kill(signal.SIGKILL)
    assert "witness" in (await refused(house, code="")).lower()
    await house.open_witness()
    await house.serve()
    assert await house.read() == "ok"


@pytest.mark.obligation("AL-02")
async def test_an_old_dump_that_has_grown_on_is_refused_by_what_the_witness_remembers(house: House):
    """The old state is put back, and has grown beyond what the witness saw before anybody looks: it is another log, and only a proof tells."""
    await house.open()
    await house.live(40)
    old = await house.settled()
    before, memories = house.dump(), remembered(house)
    await house.live(old + 4)
    await house.settled()
    house.kill()

    house.restore(before)
    put_back(house, memories)
    house.witnessed = False
    url = await house.serve()
    await house.live(old + 60, url)
    await house.settled()
    house.kill()

    house.witnessed = True
    assert "that a witness has seen" in await refused(house)


def remembered(house: House) -> dict[str, bytes]:
    """All that this machine keeps outside the database."""
    return {path.name: path.read_bytes() for path in house.home.iterdir() if path.is_file()}


def put_back(house: House, memories: dict[str, bytes]) -> None:
    """The attacker has the machine's files, too."""
    for path in house.folder.glob("home*/*"):
        if path.is_file():
            path.unlink()
    for name, content in memories.items():
        (house.home / name).touch(mode=0o600)
        (house.home / name).write_bytes(content)


async def refused(house: House, code: str = BROKEN) -> str:
    """An instance does not start, and says why."""
    child, _ = house.begin()
    assert await asyncio.to_thread(child.wait) == 2, child.said
    assert code in child.said
    house.instances.pop()
    return child.said

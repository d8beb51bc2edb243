"""Sixteen senders ask for the same members at once: nobody ever gets a fourth, and nothing that was free is lost."""

import asyncio
import json
import os
import signal
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest

from service.cli.alone import only_server
from service.errors import ConfigError
from tests.journeys.servers import begun
from tests.plugins.nursery import Child
from tests.service.gate import made, racer
from tests.service.gate.counting import live, most

MEMBERS, SENDERS, PROCESSES = 12, 16, 4


async def _everybody(running, tmp_path: Path) -> tuple[list[str], list[str], Path]:
    """Members who want it, one campaign for each sender, and both written down for other processes."""
    members = [await made.subscriber(running) for _ in range(MEMBERS)]
    campaigns = [await made.campaign(running) for _ in range(SENDERS)]
    file = tmp_path / "race.json"
    file.write_text(json.dumps({"members": members, "campaigns": campaigns}), "utf-8")
    return members, campaigns, file


@pytest.mark.obligation("MK-01")
async def test_sixteen_senders_in_one_process_never_take_a_fourth(running, clock, tmp_path: Path, kept) -> None:
    """Mautic counts and then sends, so two workers pass its cap together."""
    members, campaigns, _ = await _everybody(running, tmp_path)
    await racer.race(running, members, campaigns, SENDERS)
    found = await live(running.database, clock())
    assert {member_id: most(found[member_id]) for member_id in members} == dict.fromkeys(members, 3)
    clock.advance(minutes=5)
    assert await live(running.database, clock()) == {}
    again = await made.decide(running, campaigns[0], *members)
    assert all(decision.allowed for decision in again), "what nobody used is free again"
    for member_id in members:
        window, rebuilt = await kept(member_id)
        assert window == rebuilt


@pytest.mark.obligation("MK-01")
async def test_sixteen_senders_in_four_processes_of_which_one_is_killed(running, clock, tmp_path: Path, kept) -> None:
    """Mautic: two workers pass the cap together; here they are processes, and one dies."""
    if running.database.dialect != "postgresql":
        # Its race is the test above, because it serves one process: what there is to prove here is that a second one is turned away.
        with only_server(running.config), pytest.raises(ConfigError):
            only_server(running.config)
        return
    members, campaigns, file = await _everybody(running, tmp_path)
    with ExitStack() as stack:
        racers = [stack.enter_context(_racer(running, clock, number, file, campaigns)) for number in range(PROCESSES)]
        while not racers[0].said:
            assert racers[0].poll() is None
            await asyncio.sleep(0.005)
        racers[0].kill()
        assert [await asyncio.to_thread(one.wait) for one in racers] == [-signal.SIGKILL, 0, 0, 0]
    found = await live(running.database, clock())
    assert {member_id: most(found[member_id]) for member_id in members} == dict.fromkeys(members, 3)
    clock.advance(minutes=5)
    assert all(decision.allowed for decision in await made.decide(running, campaigns[0], *members))
    for member_id in members:
        window, rebuilt = await kept(member_id)
        assert window == rebuilt


def _racer(running, clock, number: int, file: Path, campaigns: list[str]) -> AbstractContextManager[Child]:
    """Its own process, with its share of the campaigns."""
    share = file.with_name(f"race-{number}.json")
    given = json.loads(file.read_text("utf-8"))
    share.write_text(json.dumps(given | {"campaigns": campaigns[number::PROCESSES]}), "utf-8")
    home = file.parent / f"home-{number}"
    home.mkdir(mode=0o700)
    config = running.config
    for key in ("development.key", "log.key"):
        (home / key).write_bytes((config.home / key).read_bytes())
        (home / key).chmod(0o600)
    given = [str(home), config.database_url, clock().isoformat(), str(SENDERS // PROCESSES), str(share)]
    return begun(dict(os.environ), *given, module="tests.service.gate.racer")

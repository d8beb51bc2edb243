"""Three instances, killed at random while clients are at them (the minute of it: `python -m bench kills`, bench/README.md)."""

import random

import pytest

from tests.journeys.servers import environment, menshen
from tests.journeys.storm import Storm, faults
from tests.plugins import canary


@pytest.mark.obligation("AL-02", "AL-03")
async def test_under_kill_9_of_random_instances_nothing_that_was_answered_is_missing_and_the_log_is_whole(
    postgresql_url, tmp_path
):
    storm = Storm(tmp_path, postgresql_url, count=3, phone=lambda: canary.value("phone"), chance=random.Random(5))
    await storm.blow(4, clients=9, pause=(0.2, 0.9))
    assert storm.kills >= 3
    assert len(storm.joined) > 10 and len(storm.read) > 10, "too little was answered to prove anything"

    found, types = await faults(storm)
    assert found == []
    assert types["boot"] > len(storm.instances), "nobody wrote after a kill"
    assert types["access"] >= len(storm.read) and types["stop"] == 0, "who is killed says no last word"
    verdict = menshen(environment(storm.instances[0].home, postgresql_url), "audit", "verify", "--json")
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr

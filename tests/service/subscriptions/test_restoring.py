"""RD-06: an older backup is brought back, and whoever said no since is still written to by nobody."""

import shutil
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.app import Parts, parts
from service.config import Config
from service.errors import Malformed
from service.suppression import commands, store
from service.suppression.model import read, written
from tests.conftest import StillClock
from tests.factories import a_call
from tests.journeys.servers import environment, menshen
from tests.service.gate.made import campaign, one, subscriber, why
from tests.service.subscriptions.saying import within


def _open(home: Path, url: str) -> AbstractAsyncContextManager[Parts]:
    """By day in Shanghai, whenever this runs: at night nobody would be sent anything anyhow."""
    home.mkdir(mode=0o700, exist_ok=True)
    return parts(Config(home=home, database_url=url), clock=StillClock())


@pytest.mark.obligation("RD-06")
async def test_a_no_said_after_the_backup_comes_back_with_the_file(sqlite_url, tmp_path):
    home, database = tmp_path / "home", Path(sqlite_url.removeprefix("sqlite:///"))
    settings = environment(home, sqlite_url)
    async with _open(home, sqlite_url) as running:
        member_id = await subscriber(running)
    backup = shutil.copy(database, tmp_path / "backup")
    head = shutil.copytree(home, tmp_path / "home-then")
    async with _open(home, sqlite_url) as running:
        await running.operations.unsubscribe(
            a_call("member", member_id=member_id), member_id=None, channel="sms", topic=None, brand=None
        )
    kept = tmp_path / "noes.jsonl"
    exported = menshen(settings, "suppression", "export", str(kept))
    assert exported.returncode == 0, exported.stderr
    assert kept.stat().st_mode & 0o077 == 0 and member_id not in kept.read_text("utf-8")

    shutil.rmtree(home)
    shutil.copytree(head, home)
    for side in ("-wal", "-shm"):
        Path(f"{database}{side}").unlink(missing_ok=True)
    shutil.copy(backup, database)
    async with _open(home, sqlite_url) as running:
        assert (await one(running, await campaign(running), member_id)).allowed, "the backup knows nothing of it"
    for brought in ("1 条已恢复", "0 条已恢复"):
        done = menshen(settings, "suppression", "replay", str(kept))
        assert done.returncode == 0 and brought in done.stdout, done.stdout + done.stderr
    async with _open(home, sqlite_url) as running:
        assert why(await one(running, await campaign(running), member_id))[0] == "SUPPRESSED"


@given(st.text() | st.dictionaries(st.sampled_from(["channel", "mark", "state", "reason", "since"]), st.text()).map(str))
def test_any_line_that_export_did_not_write_is_refused(line):
    with pytest.raises(Malformed):
        read(line)


async def test_the_file_has_every_no_once_and_what_is_newer_here_stays(running):
    noes = [("sms", bytes([n]) * 16) for n in range(4)] + [("phone", bytes(16))]
    await within(running, lambda unit: commands.suppress(unit, noes, reason="UNSUBSCRIBED", way="SMS_REPLY"))
    found = []
    while page := await store.page(running.database.read, after=found[-1] if found else None, size=2):
        found += page
    assert [(each.channel, each.mark) for each in found] == sorted(noes)
    assert [read(written(each)) for each in found] == found
    lifted = noes[:1]
    running.clock.advance(60)
    await within(running, lambda unit: commands.lift(unit, lifted, way="GRAPHQL"))
    assert await within(running, lambda unit: commands.replay(unit, found)) == 0
    assert (await store.known(running.database.read, *lifted[0])).stands is False

"""SE-10 at the terminal: `menshen policy publish` knows by itself how many persons were counted last, and refuses a notice without a contact."""

import asyncio
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from policies.loading import files
from service.cli.policy import policy
from service.config import Config
from service.db import migrate
from service.db.engine import connect
from service.oversight import store
from service.oversight.model import Persons
from tests.policy_folder import draft, shipped


def counted(config: Config, persons: int) -> None:
    """As the deployment has counted."""

    async def run() -> None:
        database = connect(config.database, pool_size=1)
        await database.start()
        async with database.write() as transaction:
            now = datetime(2026, 11, 22, tzinfo=UTC)
            await store.add_count(transaction, Persons(date(2026, 11, 22), persons), now=now)
            await transaction.commit()
        await database.close()

    asyncio.run(run())


@pytest.mark.obligation("SE-10")
@pytest.mark.parametrize(("persons", "code"), [(999_999, 0), (1_000_000, 1)])
def test_a_notice_without_a_contact_is_published_below_a_million_counted_persons_only(
    config: Config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, persons: int, code: int
) -> None:
    migrate.upgrade(config.database)
    monkeypatch.setenv("MENSHEN_HOME", str(config.home))
    monkeypatch.setenv("MENSHEN_DATABASE_URL", config.database)
    counted(config, persons)
    folder = shipped(tmp_path)
    draft(folder, "2026-12", effective_at="2026-12-01T00:00:00+08:00")
    path = folder / "notices/2026-12/zh-CN.md"
    path.write_text(path.read_text("utf-8").replace("个人信息保护负责人", ""), "utf-8")
    before = files.snapshot(folder)
    shown = CliRunner().invoke(policy, ["publish", "2026-12", str(folder), "--json"])
    assert shown.exit_code == code, shown.output
    assert (files.snapshot(folder) == before) is bool(code)
    assert ("OFFICER_CONTACT_MISSING" in shown.output) is bool(code)

"""AL-06: a pack holds its days by Shanghai's clock and no second more, and its log is the export's, entry by entry."""

import json
from datetime import date, timedelta
from hashlib import sha256

import pytest

from policies.clock import day_in_shanghai
from service.archive.queries import Asked
from tests.factories import a_call, a_member
from tests.policy_folder import edit, shipped
from tests.service.archive.logs import Published
from tests.service.oversight.house import seen_to, under
from tests.service.oversight.test_pack import lived_in, packed, rows_of, stated


def told(raw: bytes) -> dict[str, str]:
    """A row of log.csv as a stranger makes it of an exported entry."""
    entry = json.loads(raw)
    keys = {"at": "ts", "typ": "typ", "operation": "op", "decision": "dec", "reason": "rsn", "purpose": "pur", "basis": "bas"}
    plain = {name: entry.get(key, "") for name, key in keys.items()}
    counts = {"count": str(entry.get("cnt", "")), "subjects": str(len(entry.get("sub", ())))}
    return plain | counts | {"actor": entry["act"]["k"], "leaf": sha256(b"\0" + raw).hexdigest()}


@pytest.mark.obligation("AL-06")
async def test_the_packs_log_is_the_exports_entry_by_entry(running, ask, tmp_path):
    await lived_in(running, ask)
    await packed(running, tmp_path / "pack.zip")
    await Published(running).publish()
    await running.operations.export(a_call("auditor"), Asked(), tmp_path / "out", origin=running.vault.origin)
    lines = (tmp_path / "out" / "entries.jsonl").read_bytes().splitlines()
    rows = rows_of(tmp_path / "pack.zip", "data/log.csv")
    assert len(rows) >= 10
    assert rows == [{"index": str(index)} | told(raw) for index, raw in enumerate(lines[: len(rows)])]


@pytest.mark.obligation("AL-06")
async def test_a_pack_holds_what_happened_on_its_days_in_shanghai_and_no_second_more(running, clock, tmp_path):
    clock.advance(hours=-10, seconds=-1)
    await a_member(running, yes=["birthday_gift"])
    clock.advance(seconds=1)
    for _ in range(2):
        await a_member(running, yes=["birthday_gift"])
    clock.advance(hours=24, seconds=-1)
    await a_member(running, no=["birthday_gift"])
    clock.advance(seconds=1)
    for _ in range(3):
        await a_member(running, yes=["birthday_gift"])
    days = {date(2026, 11, 21): 1, date(2026, 11, 22): 2, date(2026, 11, 23): 3}
    for day, many in days.items():
        path = tmp_path / f"{day}.zip"
        await packed(running, path, since=day, until=day)
        found = stated(path)
        assert found["consent_events"]["birthday_gift|GIVEN"] == many
        joined = [row for row in rows_of(path, "data/log.csv") if row["operation"] == "joinMember"]
        assert len(joined) == many + (day.day == 22)
    assert joined[0]["at"] == "2026-11-22T16:00:00.000000Z"


@pytest.mark.obligation("AL-06")
async def test_a_pack_holds_the_registers_of_its_days_and_of_no_others(running, config, clock, tmp_path):
    folder = shipped(tmp_path)
    edit(folder, "controller.toml", "个人信息保护负责人 · ", "首席隐私官 · ")
    await seen_to(running)
    clock.advance(days=1)
    async with under(config, folder, clock) as later:
        digests = {}
        for day in (21, 22, 23, 24):
            path = tmp_path / f"{day}.zip"
            await packed(later, path, since=date(2026, 11, day), until=date(2026, 11, day))
            digests[day] = {row["digest"] for row in rows_of(path, "data/purposes.csv")}
        first, second = running.catalogue.digest, later.catalogue.digest
    assert digests == {21: set(), 22: {first}, 23: {first, second}, 24: {second}}, "the 23rd began under the first"


@pytest.mark.obligation("AL-06")
async def test_a_notice_is_in_the_packs_from_its_first_day_on(running, clock, tmp_path):
    version, notice = min(running.catalogue.notices.items(), key=lambda item: item[1].effective_at)
    first = day_in_shanghai(notice.effective_at)
    told = {}
    for number, day in enumerate((first - timedelta(days=1), first)):
        path = tmp_path / f"{number}.zip"
        await packed(running, path, since=day, until=day)
        told[number] = {row["version"] for row in rows_of(path, "data/notices.csv")}
    assert version not in told[0] and version in told[1]

"""More rows than the policy says leave only for somebody who is registered, and when another person has allowed it (LB-07)."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from menshen_verifier import merkle
from service.app import Parts
from service.approvals.exports import Export, admit
from service.archive.exporting import MANIFEST
from service.archive.model import where
from service.archive.queries import Asked
from service.audit.entry import Draft
from service.config import Config
from service.errors import Refused
from service.inspection.answering import leaving
from service.inspection.model import Filter
from tests.api.front_end import entries
from tests.factories import a_call, a_member
from tests.policy_folder import set_key, shipped
from tests.service.approvals.leaves import AUDITOR, allowed
from tests.service.inspection.records import OFFICER, read, signed
from tests.service.tally.house import alarms, clerk

EVERYTHING = Asked()
SINCE = datetime(2026, 11, 1, tzinfo=UTC)
TOO_MUCH = [("BULK_READING", f"staff:{OFFICER.actor.name} OTHER", 1)]


@pytest.fixture
def rows() -> int:
    """How many rows are many under this test's policy."""
    return 5


@pytest.fixture
def config(config: Config, tmp_path: Path, rows: int) -> Config:
    """A policy under which few rows are many, and more than four members of them."""
    folder = shipped(tmp_path)
    set_key(folder, "fields.toml", "exports.rows", rows)
    for key, count in {"PROPERTY": 1, "TRANSACTION": 2, "OTHER": 4}.items():
        set_key(folder, "fields.toml", f"bulk.{key}", count)
    with (folder / "recipients.toml").open("a", encoding="utf-8") as file:
        for key, role, region in (("example_abroad", "ENTRUSTED", "SG"), ("example_overseas", "OVERSEAS", "CN")):
            file.write(
                f'\n[recipients.{key}]\nname = {{ zh = "示例", en = "Example" }}\nrole = "{role}"\nregion = "{region}"\n'
                f'contact = "privacy@{region.lower()}.example.com"\ncontract = "DPA-{role}"\nknown_by = "phone"\n'
            )
    return config.model_copy(update={"policies": folder})


@pytest.fixture
async def members(running: Parts) -> list[str]:
    """Six, each of whom a clerk of their own has read."""
    found = [await a_member(running) for _ in range(6)]
    for number, member in enumerate(found):
        await read(running, member, call=clerk(f"clerk-{number}", "customer_service_agent"))
    await signed(running)
    return found


async def export(running: Parts, out: Path, asked: Asked = EVERYTHING, recipient: str = AUDITOR) -> Any:
    return await running.operations.export(OFFICER, asked, out, origin=running.vault.origin, recipient=recipient)


async def refused(code: str, doing: Any) -> None:
    with pytest.raises(Refused) as refusal:
        await doing
    assert refusal.value.code == code


@pytest.mark.obligation("LB-07")
async def test_the_log_leaves_with_another_persons_leave_for_a_registered_recipient_and_the_entry_names_both(
    running: Parts, members: list[str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    await refused("APPROVAL_REQUIRED", export(running, out))
    assert list(out.iterdir()) == []
    denied = (await entries(running, "audit"))[-1]
    assert (denied["typ"], denied["dec"], denied["rsn"]) == ("export", "deny", "APPROVAL_REQUIRED")
    assert await alarms(running) == TOO_MUCH
    approval = await allowed(running, OFFICER, Export("audit", AUDITOR, EVERYTHING.text))
    await export(running, out)
    assert (out / MANIFEST).exists()
    entry = (await entries(running, "audit"))[-1]
    assert (entry["dec"], entry["x"]["recipient"], entry["x"]["approval"]) == ("allow", AUDITOR, approval)
    await refused("APPROVAL_REQUIRED", export(running, tmp_path / "b", recipient="example_authority"))
    await refused("APPROVAL_REQUIRED", export(running, tmp_path / "c", Asked(0)))


@pytest.mark.obligation("LB-07")
@pytest.mark.parametrize("recipient", ["", "nobody", "example_abroad", "example_overseas"])
async def test_without_a_registered_recipient_no_leave_helps(
    running: Parts, members: list[str], tmp_path: Path, recipient: str
) -> None:
    await allowed(running, OFFICER, Export("audit", recipient, EVERYTHING.text))
    await refused("RECIPIENT_NOT_REGISTERED", export(running, tmp_path / "out", recipient=recipient))
    entry = (await entries(running, "audit"))[-1]
    assert (entry["rsn"], "recipient" in entry["x"]) == ("RECIPIENT_NOT_REGISTERED", False)
    assert await alarms(running) == TOO_MUCH


@pytest.mark.obligation("LB-07")
async def test_as_many_rows_as_the_policy_says_need_nobody_and_one_more_needs_a_recipient_and_leave(running: Parts) -> None:
    async def leaves(rows: int, recipient: str = "") -> bool:
        given = {"export": Export("audit", recipient, "some"), "rows": rows}
        return await running.units.change(OFFICER, Draft(typ="export", operation="audit"), partial(admit, **given))

    assert await leaves(5) is False
    await refused("RECIPIENT_NOT_REGISTERED", leaves(6))
    await refused("APPROVAL_REQUIRED", leaves(6, AUDITOR))


@pytest.mark.obligation("LB-07")
async def test_an_answer_takes_the_log_of_its_time_along_and_is_an_export_of_it(
    running: Parts, members: list[str], tmp_path: Path
) -> None:
    async def answer(recipient: str, file: str) -> None:
        given: dict[str, Any] = {"member_id": members[0], "field": "", "since": SINCE, "until": None}
        await running.operations.who_saw(OFFICER, **given, output=tmp_path / file, recipient=recipient)

    await refused("RECIPIENT_NOT_REGISTERED", answer("", "a.zip"))
    await refused("APPROVAL_REQUIRED", answer(AUDITOR, "a.zip"))
    assert await alarms(running) == [(*TOO_MUCH[0][:2], 2)]
    approval = await allowed(running, OFFICER, leaving(AUDITOR, since=SINCE, until=None))
    await answer(AUDITOR, "a.zip")
    entry = (await entries(running, "whoSaw"))[-1]
    assert (entry["x"]["recipient"], entry["x"]["approval"]) == (AUDITOR, approval)


class TestWhereManyRowsAreFew:
    """The rows of one export are few, and the members that it names are many in a day."""

    @pytest.fixture
    def rows(self) -> int:
        return 5000

    @pytest.mark.obligation("LB-07")
    async def test_the_log_in_small_exports_is_counted_by_the_members_that_stand_in_it(
        self, running: Parts, members: list[str], tmp_path: Path
    ) -> None:
        await refused("APPROVAL_REQUIRED", export(running, tmp_path / "a", recipient=""))
        assert list((tmp_path / "a").iterdir()) == []
        assert await alarms(running) == TOO_MUCH

    @pytest.mark.obligation("LB-07")
    async def test_whom_the_log_names_is_counted_though_what_is_asked_for_is_of_another_class(
        self, running: Parts, members: list[str], tmp_path: Path
    ) -> None:
        given: dict[str, Any] = {"member_id": members[0], "field": "tier", "since": SINCE, "until": None, "recipient": ""}
        await refused("APPROVAL_REQUIRED", running.operations.who_saw(OFFICER, output=tmp_path / "a.zip", **given))
        assert not (tmp_path / "a.zip").exists()
        assert await alarms(running) == TOO_MUCH

    @pytest.mark.obligation("LB-07")
    async def test_a_walk_over_the_bundles_is_refused_with_the_fifth_member(self, running: Parts, members: list[str]) -> None:
        newest = await running.operations.checkpoint()
        assert newest is not None and newest.size < merkle.TILE_WIDTH
        bundle = where("entries", f"000.p/{newest.size}")
        assert bundle is not None
        await refused("APPROVAL_REQUIRED", running.operations.bundle(OFFICER, bundle))
        assert await alarms(running) == TOO_MUCH

    @pytest.mark.obligation("LB-07")
    async def test_a_walk_over_the_pages_of_a_search_is_refused_with_the_fifth_member(
        self, running: Parts, members: list[str]
    ) -> None:
        async def page(after: str | None) -> str | None:
            wanted = Filter(operation="member")
            found = await running.operations.audit_entries(OFFICER, wanted, member_id=None, first=2, after=after)
            assert found is not None
            return found.end

        after = await page(await page(None))
        assert after is not None
        await refused("APPROVAL_REQUIRED", page(after))
        assert await page(None) is not None, "who was shown before is not counted again"

    async def test_a_row_that_is_looked_at_counts_as_one_however_many_it_names(self, running: Parts, members: list[str]) -> None:
        draft = Draft(typ="access", operation="test", subjects=[f"p1:{name * 21}A" for name in "ABCDEFG"], count=7)
        receipt = await running.journal.append(draft, a_call())
        wanted = Filter(operation="test")
        assert await running.operations.audit_entries(OFFICER, wanted, member_id=None, first=2, after=None) is not None
        assert await running.operations.entry(OFFICER, receipt.index) is not None

    @pytest.mark.obligation("LB-07")
    async def test_entry_by_entry_is_counted_like_a_page(self, running: Parts, members: list[str]) -> None:
        wanted = Filter(operation="member")
        found = await running.operations.audit_entries(OFFICER, wanted, member_id=None, first=4, after=None)
        assert found is not None and found.end is not None
        older = int(found.end) - 1
        await refused("APPROVAL_REQUIRED", running.operations.entry(OFFICER, older))
        await refused("APPROVAL_REQUIRED", running.operations.proof(OFFICER, running.journal.authority, older))
        assert await running.operations.entry(OFFICER, int(found.end)) is not None

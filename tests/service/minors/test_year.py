"""The yearly account of minors' data: each band by itself, and every total held against the audit log (MIN 37)."""

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, insert

from service.cli.minors import told
from service.db.statement import Prepared
from service.db.tables import guardian_request, minor_approval
from tests.factories import a_call
from tests.service.minors.family import CARE, CHILD, GIFT, YOUTH, answer, code_of, family, read, someone
from tests.service.minors.test_requests import asked, decide
from tests.service.minors.test_staff import AGENT, OFFICER, approve, reveal

PACK = """query ($year: Int!) { minorsAuditPack(year: $year) {
  year closed reportDueOn approvals incidents reconciles
  bands { band members entries consents { purpose state count } uses { purpose allowed denied byStaff approved } }
  links { state count } requests { kind state count } checks { name kept logged } } }"""
AFTERWARDS = datetime(2027, 1, 2, 2, tzinfo=UTC)


async def pack(ask, year=2026):
    return (await ask(PACK, role=OFFICER, variables={"year": year}))["data"]["minorsAuditPack"]


async def a_year(running, ask):
    """Two children, of whom one has a guardian who answered, one youth who was looked at, one adult; and an approval."""
    child, guardian = await family(running, ask)
    await someone(running, CHILD)
    await answer(running, ask, guardian, of=child)
    youth = await someone(running, YOUTH)
    await answer(running, ask, youth, kind="GENERAL", granted=False)
    await read(ask, youth, CARE, AGENT)
    await reveal(ask, youth)
    await approve(running, ask, youth)
    await reveal(ask, youth)
    request = await asked(ask, guardian, child, "VIEW")
    await asked(ask, guardian, child, "VIEW")
    await decide(ask, child, request["requestId"], accept=True)
    return child, guardian, youth


@pytest.mark.obligation("SM-10")
async def test_both_bands_are_counted_distinctly_and_the_totals_are_those_of_the_log(running, ask, clock):
    await a_year(running, ask)
    clock.now = AFTERWARDS
    found = await pack(ask)
    assert (found["closed"], found["reportDueOn"], found["incidents"], found["reconciles"]) == (True, "2027-01-31", None, True)
    bands = {band["band"]: band for band in found["bands"]}
    assert {key: band["members"] for key, band in bands.items()} == {"child": 2, "youth": 1}
    assert bands["child"]["consents"] == [{"purpose": GIFT, "state": "GIVEN", "count": 1}]
    assert bands["youth"]["consents"] == [{"purpose": GIFT, "state": "REFUSED", "count": 1}]
    (care,) = [use for use in bands["youth"]["uses"] if use["purpose"] == CARE]
    assert care == {"purpose": CARE, "allowed": 2, "denied": 1, "byStaff": 3, "approved": 1}
    assert found["links"] == [{"state": "PENDING", "count": 0}, {"state": "VERIFIED", "count": 1}, {"state": "ENDED", "count": 0}]
    assert (found["approvals"], found["requests"]) == (1, [{"kind": "VIEW", "state": "ACCEPTED", "count": 1}])
    checks = {check["name"]: (check["kept"], check["logged"]) for check in found["checks"]}
    assert checks["approvals"] == checks["requests"] == checks["decisions"] == (1, 1)
    assert checks["entries"][0] == checks["entries"][1] == sum(band["entries"] for band in bands.values())


@pytest.mark.obligation("SM-10")
async def test_a_total_that_is_not_that_of_the_log_is_told(running, ask, clock):
    """The attacker is whoever slips an approval into the table, or takes a request out of it, without an act that was recorded."""
    _, _, youth = await a_year(running, ask)
    forged = {
        "member_id": youth,
        "approval_id": "019a0000-0000-7000-8000-00000000000a",
        "staff": "x",
        "approver": "y",
        "reason": "z",
    }
    async with running.database.write() as transaction:
        moments = {"created_at": running.clock(), "expires_at": running.clock()}
        await transaction.run(Prepared(insert(minor_approval).values(**forged, **moments)), {})
        await transaction.run(Prepared(delete(guardian_request)), {})
        await transaction.commit()
    clock.now = AFTERWARDS
    found = await pack(ask)
    assert not found["reconciles"]
    checks = {check["name"]: (check["kept"], check["logged"]) for check in found["checks"]}
    assert (checks["approvals"], checks["requests"], checks["decisions"]) == ((2, 1), (0, 1), (0, 1))


@pytest.mark.obligation("SM-10")
async def test_a_year_is_chinas_and_ages_are_those_of_its_last_day(running, ask, clock):
    """Born on 31 December 2012: fourteen on the year's last day. Whoever joins at 00:00 of the new year is of the next one."""
    clock.now = datetime(2026, 12, 31, 15, 59, tzinfo=UTC)
    await someone(running, "2012-12-31")
    await someone(running, "2013-01-01")
    clock.advance(minutes=1)
    await someone(running, CHILD)
    assert {band["band"]: band["members"] for band in (await pack(ask))["bands"]} == {"child": 1, "youth": 1}
    assert {band["band"]: band["members"] for band in (await pack(ask, 2027))["bands"]} == {"child": 1, "youth": 2}
    assert (await pack(ask, 2027))["closed"] is False


async def test_the_account_is_compliances_alone_and_leaves_one_entry(running, ask):
    from tests.api.front_end import entries

    assert code_of(await ask(PACK, role=AGENT, variables={"year": 2026})) == "FORBIDDEN"
    assert code_of(await ask(PACK, role=OFFICER, variables={"year": 1999})) == "BAD_INPUT"
    await pack(ask)
    assert [entry["dec"] for entry in await entries(running, "minorsAuditPack")] == ["deny", "deny", "allow"]


async def test_the_terminal_says_the_same_as_graphql(running, ask, clock):
    await a_year(running, ask)
    clock.now = AFTERWARDS
    by_graphql = await pack(ask)
    found = told(await running.operations.minors_audit_pack(a_call(OFFICER), year_of=2026))
    shown = json.loads(json.dumps(found))
    for key in ("year", "closed", "reportDueOn", "approvals", "requests", "incidents", "checks", "reconciles"):
        assert shown[key] == by_graphql[key], key
    assert [band["consents"] for band in shown["bands"]] == [band["consents"] for band in by_graphql["bands"]]


@pytest.mark.obligation("SM-10")
def test_the_command_prints_the_account_and_records_that_it_was_asked_for(config, monkeypatch):
    from typer.testing import CliRunner

    from service.cli.audit import audit

    monkeypatch.setenv("MENSHEN_HOME", str(config.home))
    monkeypatch.setenv("MENSHEN_DATABASE_URL", config.database_url)
    result = CliRunner().invoke(audit, ["minors", "2026", "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert (found["year"], found["incidents"], found["reconciles"]) == (2026, None, True)
    assert [band["band"] for band in found["bands"]] == ["child", "youth"]
    shown = CliRunner().invoke(audit, ["minors", "2026"])
    assert "2027-01-31" in shown.output and "与审计日志一致" in shown.output
    searched = CliRunner().invoke(audit, ["search", "--json"])
    assert [one["entry"].get("op") for one in json.loads(searched.output)].count("minorsAuditPack") == 2

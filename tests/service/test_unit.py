"""The door: what is recorded when work refuses, fails or collides, and what stays of it."""

import json

import pytest
from sqlalchemy import select

from service.audit.entry import Draft
from service.db.engine import Duplicate, Retry
from service.db.statement import Prepared
from service.db.tables import audit_entry
from service.errors import Conflict, Refused
from tests.factories import a_call, a_member

ENTRIES = Prepared(select(audit_entry.c.entry).order_by(audit_entry.c.idx))


async def entries(running, operation):
    rows = await running.database.read.rows(ENTRIES)
    return [entry for (raw,) in rows if (entry := json.loads(raw)).get("op") == operation]


@pytest.mark.obligation("AL-02")
async def test_each_operation_leaves_exactly_one_entry_with_all_its_parts(running):
    member_id = await a_member(running, yes=["marketing_sms"])
    call = a_call("order_service", request="req-42")
    await running.operations.member(call, member_id=member_id, purpose="order_fulfilment", fields=["name", "birthday"])
    (entry,) = await entries(running, "member")
    assert entry["typ"] == "access" and entry["dec"] == "allow" and entry["req"] == "req-42"
    assert entry["act"]["k"] == "staff" and entry["act"]["role"] == ["order_service"]
    assert (entry["pur"], entry["bas"], entry["fld"], entry["wth"]) == ("order_fulfilment", "CONTRACT", ["name"], ["birthday"])
    assert len(entry["sub"]) == 1 and entry["sub"][0].startswith("p1:") and entry["cnt"] == 1
    assert entry["pol"] == running.catalogue.digest and entry["act"]["ip"] != "192.0.2.7"


@pytest.mark.obligation("AL-02")
async def test_a_refusal_is_recorded_and_what_it_undid_is_gone(running):
    async def refuse(unit):
        await unit.session.run(Prepared(select(1)))
        raise Refused("NOT_LIKE_THIS")

    with pytest.raises(Refused):
        await running.units.change(a_call(), Draft(typ="change", operation="try"), refuse)
    (entry,) = await entries(running, "try")
    assert (entry["dec"], entry["rsn"]) == ("deny", "NOT_LIKE_THIS")


async def test_a_fault_is_recorded_by_its_kind_and_never_by_its_message(running):
    async def fail(unit):
        raise ValueError("13800138000")

    with pytest.raises(ValueError, match="13800138000"):
        await running.units.disclose(a_call(), Draft(typ="access", operation="fault"), fail)
    (entry,) = await entries(running, "fault")
    assert entry["rsn"] == "INTERNAL" and "13800138000" not in json.dumps(entry)


@pytest.mark.parametrize("collision", [Retry, Duplicate])
async def test_work_that_collides_is_run_again_from_the_beginning(running, collision):
    tries = []

    async def work(unit):
        tries.append(len(unit.draft.subjects))
        unit.draft.subjects.append("p1:" + "A" * 22)
        if len(tries) < 3:
            raise collision
        return "done"

    assert await running.units.change(a_call(), Draft(typ="change", operation="again"), work) == "done"
    assert tries == [0, 0, 0] and len(await entries(running, "again")) == 1


async def test_work_that_never_stops_colliding_ends_in_a_conflict(running):
    async def work(unit):
        raise Retry

    with pytest.raises(Conflict):
        await running.units.change(a_call(), Draft(typ="change", operation="never"), work)
    (entry,) = await entries(running, "never")
    assert entry["rsn"] == "CONFLICT"


@pytest.mark.obligation("SE-02")
async def test_a_reader_has_no_vault(running):
    async def work(reader):
        assert not hasattr(reader, "vault") and not hasattr(reader, "draft")
        return await reader.session.rows(Prepared(select(audit_entry.c.idx)))

    await running.units.read(a_call(), work)


async def test_a_reader_can_write_nothing(running):
    from sqlalchemy import text

    from service.errors import StoreUnavailable

    async def work(reader):
        await reader.session.run(Prepared(text("DELETE FROM audit_pending")))

    with pytest.raises(StoreUnavailable):
        await running.units.read(a_call(), work)

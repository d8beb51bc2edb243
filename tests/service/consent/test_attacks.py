"""What attackers tried on members' data and consents, each as it was tried."""

import asyncio

import pytest

from policies.terms import ConsentState, MemberStatus
from service.consent.model import CaptureChannel, Client, ConsentNeeded, ConsentRejected, Decision
from service.errors import BadInput, Refused
from service.members.model import FieldRejected, MemberNotFound, Updated
from tests.factories import a_call, a_member, a_profile, evidence
from tests.plugins import canary

GIFT = "birthday_gift"


async def update(running, member_id, changes, *, role="mini_program", purpose="account_service"):
    call = a_call(role, member_id=member_id if role == "member" else None)
    return await running.operations.update(call, member_id=member_id, purpose=purpose, changes=changes)


@pytest.mark.parametrize(
    "change", [{"points": 999_999}, {"tier": "钻石"}, {"tags": ["vip"]}, {"joined_on": "1990-01-01"}, {"notes": "x"}]
)
async def test_a_member_cannot_write_what_the_shop_keeps_about_them(running, change):
    member_id = await a_member(running)
    outcome = await update(running, member_id, change, role="member", purpose=running.catalogue.self_purpose)
    assert outcome == FieldRejected(next(iter(change)), "SHOP_RECORD")


@pytest.mark.obligation("WX-08", "SE-07")
@pytest.mark.parametrize("kind", ["phone", "email"])
async def test_nothing_personal_is_stored_where_values_are_not_sealed(running, kind):
    member_id = await a_member(running)
    value = canary.value(kind).removeprefix("+86")
    assert await update(running, member_id, {"tier": f"金卡 {value}"}) == FieldRejected("tier", "CONTACT_UNSEALED")


@pytest.mark.obligation("SE-08")
@pytest.mark.parametrize("place", ["screen", "device", "app"])
async def test_the_ledger_has_no_room_for_a_value_in_the_names_it_keeps(running, place):
    member_id = await a_member(running)
    value = canary.value("phone").removeprefix("+86")
    clients = {"device": Client(device_digest=value), "app": Client(app_id=value)}
    more = {"screen": f"tel:{value}"} if place == "screen" else {"client": clients[place]}
    outcome = await running.operations.record_consents(
        a_call("member", member_id=member_id),
        member_id=None,
        decisions=[Decision("marketing_sms", True)],
        evidence=evidence(running.catalogue, running.clock(), **more),
    )
    assert outcome == ConsentRejected("EVIDENCE_INCOMPLETE")


@pytest.mark.obligation("WD-01")
async def test_an_update_that_races_a_withdrawal_is_not_taken_once_the_withdrawal_stands(running):
    """Whatever the order of arrival: if the update was taken, its entry stands before the withdrawal's in the log."""
    import json

    from sqlalchemy import select

    from service.db.statement import Prepared
    from service.db.tables import audit_entry

    for _ in range(8):
        member_id = await a_member(running, yes=[GIFT])
        withdrawal = running.operations.withdraw(
            a_call("member", member_id=member_id), member_id=None, purpose=GIFT, channel=CaptureChannel.WEB
        )
        _, outcome = await asyncio.gather(withdrawal, update(running, member_id, {"birthday": "1990-07-14"}, purpose=GIFT))
        if isinstance(outcome, Updated):
            rows = await running.database.read.rows(Prepared(select(audit_entry.c.entry).order_by(audit_entry.c.idx)))
            said = [
                entry.get("op") for (raw,) in rows if (entry := json.loads(raw)).get("op") in {"withdrawConsent", "updateMember"}
            ]
            assert said[-2:] == ["updateMember", "withdrawConsent"]
        else:
            assert isinstance(outcome, ConsentNeeded)


@pytest.mark.parametrize("strange", ["a\x00b", "x" * 50_000, "", "018F0000-0000-7000-8000-00000000000A", "../../etc"])
async def test_an_id_that_is_none_of_ours_is_simply_nobody(running, strange):
    found = await running.operations.member(
        a_call("order_service"), member_id=strange, purpose="order_fulfilment", fields=["phone"]
    )
    assert found is None
    assert await update(running, strange, {"name": "x"}) == MemberNotFound()


@pytest.mark.parametrize("value", ["a\x00b", "abc\u202edef", "\ud800"])
async def test_what_nobody_can_see_is_not_stored(running, value):
    assert await update(running, await a_member(running), {"name": value}) == FieldRejected("name", "CONTROL_CHARACTER")


@pytest.mark.parametrize("points", [-1, 2**31, 10**15])
async def test_points_that_could_never_be_read_are_not_stored(running, points):
    assert isinstance(await update(running, await a_member(running), {"points": points}), FieldRejected)


@pytest.mark.parametrize("day", ["1899-12-31", "2026-11-23", "9999-12-31"])
async def test_a_birthday_that_nobody_can_have_is_refused(running, day):
    assert await update(running, await a_member(running), {"birthday": day}) == FieldRejected("birthday", "DATE_IMPOSSIBLE")


@pytest.mark.obligation("SM-05")
async def test_a_mistyped_birthday_can_be_corrected_by_the_service_and_by_nobody_else(running):
    member_id = await a_member(running, a_profile(birthday="2020-01-01"))
    change = {"birthday": "1990-01-01"}
    assert await update(running, member_id, change, role="member", purpose=running.catalogue.self_purpose) == MemberNotFound()
    assert await update(running, member_id, {**change, "name": "x"}) == MemberNotFound()
    assert isinstance(await update(running, member_id, change), Updated)
    found = await running.operations.me(a_call("member", member_id=member_id), fields=["birthday"])
    assert found.values["birthday"].year == 1990


@pytest.mark.obligation("SE-02")
async def test_a_token_narrowed_to_one_purpose_answers_for_no_other(running):
    member_id = await a_member(running, yes=["marketing_sms"])
    narrowed = a_call("mini_program", purposes=["order_fulfilment"])
    seen = await running.operations.consents(narrowed, member_id=member_id, purpose="order_fulfilment")
    assert seen == ()
    with pytest.raises(Refused):
        await running.operations.record_consents(
            narrowed,
            member_id=member_id,
            decisions=[Decision(GIFT, True)],
            evidence=evidence(running.catalogue, running.clock()),
        )


async def test_a_restricted_member_gives_no_new_consent_and_may_still_take_one_back(running):
    from dataclasses import replace

    from service.members import store

    member_id = await a_member(running, yes=["marketing_sms"])
    row = await store.row(running.database.read, member_id)
    async with running.database.write() as transaction:
        await store.change(transaction, replace(row, status=MemberStatus.RESTRICTED), now=running.clock())
        await transaction.commit()
    call = a_call("member", member_id=member_id)
    asked = {"member_id": None, "decisions": [Decision(GIFT, True)], "evidence": evidence(running.catalogue, running.clock())}
    assert await running.operations.record_consents(call, **asked) == ConsentRejected("PROCESSING_RESTRICTED")
    taken = await running.operations.withdraw(call, member_id=None, purpose="marketing_sms", channel=CaptureChannel.WEB)
    assert taken.standings[0].state is ConsentState.WITHDRAWN
    assert (await running.operations.me(call, fields=["phone"])).values["phone"], "their own they may always see"


async def test_naming_nobody_is_bad_input_and_not_a_matter_of_rights(running):
    with pytest.raises(BadInput):
        await running.operations.withdraw(a_call(), member_id=None, purpose=GIFT, channel=CaptureChannel.WEB)

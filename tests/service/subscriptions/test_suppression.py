"""A no outlives the member, the list and the name above the message; nothing but its owner's own newer yes ends it (RD-06, MK-05)."""

import pytest

from service.consent.model import Decision
from service.subscriptions.model import Way
from service.suppression import commands
from tests.factories import a_call, a_member, a_profile, evidence
from tests.service.intake.exports import a_row, load, write
from tests.service.subscriptions.saying import (
    SMS,
    a_proven_member,
    consented,
    known,
    leave,
    states,
    subscribed,
    within,
)

SUPPRESSED = ("SUPPRESSED", "UNSUBSCRIBED")


async def said_yes(running, member_id, *, by="mini_program", **proof):
    call = a_call(by, member_id=member_id if by == "member" else None)
    return await running.operations.record_consents(
        call,
        member_id=None if by == "member" else member_id,
        decisions=[Decision(SMS, True)],
        evidence=evidence(running.catalogue, running.clock(), **proof),
    )


@pytest.mark.obligation("RD-06")
async def test_an_erased_members_number_stays_suppressed_when_an_old_list_brings_it_back(running, tmp_path, clock):
    """listmonk, Mautic, emailflare #191: a deleted subscriber's refusal is deleted along."""
    row = a_row(短信营销="是", 同意时间="2026-11-01", 隐私政策版本="2026-10")
    await load(running, write(tmp_path / "a.csv", [row]))
    member_id = await found_by(running, row["手机号"])
    await running.operations.erase(a_call("compliance_officer"), member_id=member_id)
    clock.advance(days=1)
    await load(running, write(tmp_path / "b.csv", [row | {"姓名": "又来了"}]))
    again = await found_by(running, row["手机号"])
    assert again not in {None, member_id}
    assert (await known(running, row["手机号"]))["sms"] == ("SUPPRESSED", "ERASED")


@pytest.mark.obligation("RD-06", "MK-05")
async def test_an_old_list_over_unsubscribed_and_erased_members_brings_nobody_back(running, tmp_path, clock):
    """listmonk #2008, #2452: an import overwrites who has unsubscribed."""
    rows = [a_row(短信营销="是", 同意时间="2026-11-01", 隐私政策版本="2026-10") for _ in range(3)]
    await load(running, write(tmp_path / "a.csv", rows))
    for row in rows:
        await leave(running, await found_by(running, row["手机号"]))
    gone = await found_by(running, rows[0]["手机号"])
    await running.operations.erase(a_call("compliance_officer"), member_id=gone)
    clock.advance(days=1)
    await load(running, write(tmp_path / "b.csv", [row | {"会员等级": "金卡"} for row in rows]))
    assert [(await known(running, row["手机号"]))["sms"] for row in rows] == [SUPPRESSED] * 3


@pytest.mark.obligation("RD-06")
@pytest.mark.parametrize("by", ["member", "mini_program"])
async def test_a_newer_yes_of_the_verified_owner_lifts_it(running, clock, by):
    profile = a_profile()
    member_id = await a_proven_member(running, profile)
    await leave(running, member_id)
    clock.advance(60)
    await said_yes(running, member_id, by=by)
    assert await known(running, profile["phone"]) == {"sms": ("LIFTED", "UNSUBSCRIBED")}
    clock.advance(60)
    await leave(running, member_id)
    assert await known(running, profile["phone"]) == {"sms": SUPPRESSED}


@pytest.mark.obligation("RD-06")
async def test_whoever_has_not_proven_the_number_lifts_nothing(running, clock):
    profile = a_profile()
    member_id = await a_member(running, profile)
    await leave(running, member_id)
    clock.advance(60)
    found = await subscribed(running, member_id)
    assert found.shown.suppressed and await known(running, profile["phone"]) == {"sms": SUPPRESSED}


@pytest.mark.obligation("RD-06")
async def test_a_screen_of_before_the_no_lifts_nothing_of_an_address_that_came_later(running, clock):
    """The number said no as a stranger's: a yes shown before that is older than the no."""
    profile = a_profile()
    mark = running.vault.mark("phone", "+86" + str(profile["phone"]).removeprefix("+86"))
    member_id = await a_proven_member(running, profile)
    shown = clock()
    clock.advance(60)
    await within(running, lambda unit: commands.suppress(unit, [("sms", mark)], reason="UNSUBSCRIBED", way="SMS_REPLY"))
    clock.advance(60)
    await said_yes(running, member_id, presented_at=shown)
    assert await known(running, profile["phone"]) == {"sms": SUPPRESSED}
    await said_yes(running, member_id)
    assert (await known(running, profile["phone"]))["sms"][0] == "LIFTED"


@pytest.mark.obligation("RD-06")
async def test_staff_lift_nothing_though_the_member_confirmed(running, clock):
    profile = a_profile()
    member_id = await a_proven_member(running, profile)
    await leave(running, member_id)
    clock.advance(60)
    shown, decisions = evidence(running.catalogue, clock()), [Decision(SMS, True)]
    act = await running.operations.confirm_consents(
        a_call("member", member_id=member_id), decisions=decisions, evidence=shown, assistant="store_clerk-1"
    )
    await running.operations.record_consents(
        a_call("store_clerk"), member_id=member_id, decisions=decisions, evidence=shown, member_act=act.token
    )
    assert (await consented(running, member_id))[SMS] == "GIVEN"
    assert await known(running, profile["phone"]) == {"sms": SUPPRESSED}


@pytest.mark.obligation("MK-05")
async def test_a_new_account_with_the_same_number_stays_suppressed_until_its_owner_says_otherwise(running, clock):
    """Mautic: merging two contacts clears do-not-contact. Here a second account is what a merge would be made of."""
    profile = a_profile()
    first = await a_proven_member(running, profile)
    await leave(running, first)
    clock.advance(60)
    second = await a_proven_member(running, a_profile(phone=profile["phone"]))
    assert second != first and await known(running, profile["phone"]) == {"sms": SUPPRESSED}
    clock.advance(60)
    await said_yes(running, second)
    assert (await known(running, profile["phone"]))["sms"][0] == "LIFTED"


async def test_suppressing_and_lifting_twice_changes_nothing(running):
    targets = [("sms", bytes(16)), ("sms", bytes(16)), ("phone", bytes(16))]

    async def twice(unit):
        said = {"reason": "COMPLAINED", "way": Way.COMPLAINT.value}
        return [
            await commands.lift(unit, targets, way="CONSENT"),
            await commands.suppress(unit, targets, **said),
            await commands.suppress(unit, targets, **said),
            await commands.lift(unit, targets, way="CONSENT"),
            await commands.lift(unit, targets, way="CONSENT"),
        ]

    assert await within(running, twice) == [0, 2, 0, 2, 0]


@pytest.mark.obligation("SMS-01")
async def test_a_number_that_was_asked_by_text_message_is_never_asked_so_again_whoever_holds_it(running, clock):
    profile = a_profile()
    first = await a_member(running, profile)
    assert await asked(running, first, SMS) == [SMS]
    clock.advance(days=800)
    assert await asked(running, first, SMS) == []
    assert await asked(running, first, "marketing_phone") == [], "nor anything similar"
    await running.operations.erase(a_call("compliance_officer"), member_id=first)
    second = await a_member(running, a_profile(phone=profile["phone"]))
    clock.advance(days=800)
    assert await asked(running, second, SMS) == []
    other = await a_member(running)
    assert await asked(running, other, SMS, "marketing_phone") == [SMS, "marketing_phone"]


async def asked(running, member_id, *purposes):
    from service.consent.asks import Initiator
    from service.consent.model import CaptureChannel

    found = await running.operations.consents_to_ask(
        a_call(), member_id=member_id, purposes=purposes, channel=CaptureChannel.SMS, initiator=Initiator.MEMBER
    )
    return [question.purpose.key for question in found.questions]


async def found_by(running, number):
    from tests.service.intake.looking import member_of

    return await member_of(running, number)


async def test_an_erased_member_has_no_subscription_and_the_ledger_stays(running):
    """Mautic: do-not-contact goes with the contact."""
    from service.subscriptions import store

    member_id = await a_member(running)
    await subscribed(running, member_id)
    await running.operations.erase(a_call("compliance_officer"), member_id=member_id)
    assert await store.standings(running.database.read, member_id) == {}
    assert len(await store.events(running.database.read, member_id)) == 1
    assert (await leave(running, member_id)).known is False


@pytest.mark.obligation("EM-01", "MK-02")
async def test_a_mail_address_from_a_list_has_agreed_to_nothing_and_subscribed_to_nothing(running, tmp_path):
    row = a_row(邮件营销="是", 同意时间="2026-11-01", 隐私政策版本="2026-10")
    await load(running, write(tmp_path / "a.csv", [row]))
    member_id = await found_by(running, row["手机号"])
    assert (await consented(running, member_id))["marketing_email"] == "UNKNOWN"
    assert await states(running, member_id) == {}

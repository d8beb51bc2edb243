"""Joining, answering, withdrawing: what counts as an answer, what is written down, what can never be changed."""

from datetime import timedelta

import pytest

from policies.terms import Basis, ConsentState, MemberStatus
from service.consent.ledger import GENESIS
from service.consent.model import (
    BoxState,
    CaptureChannel,
    ConsentNeeded,
    ConsentRejected,
    ConsentsRecorded,
    Decision,
    Expression,
    GuardianConsentRequired,
    NothingToWithdraw,
    NoticeNotPresented,
    SeparateConsentRequired,
)
from service.errors import ChangeRefused, Conflict, Refused
from service.members.model import ContactTaken, FieldNotInPurpose, FieldRejected, Joined, Updated
from tests.factories import a_call, a_member, a_profile, evidence

SMS, GIFT = "marketing_sms", "birthday_gift"


async def join(running, fields=None, *, decisions=(), key=None, proof="shown", purpose="account_service"):
    shown = evidence(running.catalogue, running.clock()) if proof == "shown" else proof
    return await running.operations.join(
        a_call(),
        purpose=purpose,
        fields=a_profile() if fields is None else fields,
        evidence=shown,
        decisions=decisions,
        idempotency_key=key,
    )


async def answer(running, member_id, *decisions, role="member", **proof):
    call = a_call(role, member_id=member_id if role == "member" else None)
    target = None if role == "member" else member_id
    shown = evidence(running.catalogue, running.clock(), **proof)
    return await running.operations.record_consents(
        call, member_id=target, decisions=[Decision(key, granted) for key, granted in decisions], evidence=shown
    )


async def standings(running, member_id, at=None):
    found = await running.operations.consents(a_call("member", member_id=member_id), member_id=None, at=at)
    return {standing.purpose: standing.state for standing in found}


async def rows_in(running, *tables):
    from sqlalchemy import func, select

    from service.db.statement import Prepared
    from service.db.tables import metadata

    counts = [await running.database.read.rows(Prepared(select(func.count()).select_from(metadata.tables[t]))) for t in tables]
    return sum(count[0][0] for count in counts)


@pytest.mark.obligation("LB-03")
async def test_a_phone_number_is_all_it_takes_to_join_with_everything_refused(running):
    refused = [Decision(key, False) for key, p in running.catalogue.purposes.items() if p.basis is Basis.CONSENT]
    from tests.plugins import canary

    joined = await join(running, {"phone": canary.value("phone")}, decisions=refused)
    assert isinstance(joined, Joined) and joined.status is MemberStatus.ACTIVE
    profile = await running.operations.me(a_call("member", member_id=joined.member_id), fields=["phone", "tier", "points"])
    assert profile.values["phone"] and not profile.withheld


@pytest.mark.obligation("NC-04")
async def test_nothing_is_collected_before_the_notice_was_shown(running):
    tables = ("member", "member_secret", "member_lookup", "consent_event", "consent_standing", "idempotency")
    now = running.clock()
    unshown = (
        None,
        evidence(running.catalogue, now, notice_version="1999-01"),
        evidence(running.catalogue, now, presented_at=now + timedelta(minutes=5)),
        evidence(running.catalogue, now, presented_at=now - timedelta(days=9000)),
    )
    for proof in unshown:
        assert isinstance(await join(running, proof=proof), NoticeNotPresented)
    assert await rows_in(running, *tables) == 0


@pytest.mark.obligation("NC-05")
async def test_a_box_that_was_ticked_beforehand_is_no_consent(running):
    member_id = await a_member(running)
    outcome = await answer(running, member_id, (SMS, True), box=BoxState.TICKED)
    assert outcome == ConsentRejected("PRETICKED")
    assert (await standings(running, member_id))[SMS] is ConsentState.NEVER_ASKED


@pytest.mark.obligation("NC-05")
def test_no_expression_means_an_implied_consent():
    assert {e.value for e in Expression} == {"TAP_UNTICKED_BOX", "BUTTON", "SIGNATURE", "KEYWORD_REPLY", "VOICE"}


@pytest.mark.obligation("NC-06", "NC-16")
async def test_joining_with_a_phone_number_is_consent_to_nothing_else(running):
    member_id = await a_member(running)
    found = await standings(running, member_id)
    assert set(found.values()) == {ConsentState.NEVER_ASKED}
    assert {SMS, "marketing_email", "marketing_wechat", "marketing_phone", "personalised_recommendation"} <= set(found)
    profile = await running.operations.member(a_call("marketer"), member_id=member_id, purpose=SMS, fields=["phone"])
    assert profile.values == {} and profile.withheld[0].reason == "CONSENT_REQUIRED"


@pytest.mark.obligation("NC-06")
async def test_each_purpose_is_answered_on_its_own_and_what_the_law_lists_is_asked_alone(running):
    member_id = await a_member(running)
    await answer(running, member_id, (SMS, True), (GIFT, False))
    found = await standings(running, member_id)
    assert (found[SMS], found[GIFT], found["marketing_email"]) == (
        ConsentState.GIVEN,
        ConsentState.REFUSED,
        ConsentState.NEVER_ASKED,
    )
    separate = next(p.key for p in running.catalogue.purposes.values() if p.separate_consent)
    assert isinstance(await answer(running, member_id, (separate, True), (SMS, True)), SeparateConsentRequired)
    assert isinstance(await answer(running, member_id, (separate, True)), SeparateConsentRequired), "nor without its own words"
    assert isinstance(await answer(running, member_id, (separate, True), purpose=separate), ConsentsRecorded)


@pytest.mark.obligation("NC-08")
async def test_a_record_carries_every_mandatory_field_and_is_chained(running):
    member_id = await a_member(running)
    await answer(running, member_id, (SMS, True))
    running.clock.advance(60)
    await answer(running, member_id, (SMS, False))
    first, second = await running.operations.consent_history(a_call("compliance_officer"), member_id=member_id, purpose="audit")
    mandatory = {
        "schemaVersion", "recordId", "piiPrincipalId", "privacyNotice", "language", "purpose", "piiInformation", "piiControllers",
        "storageLocations", "retentionMonths", "jurisdiction", "recipientThirdParties", "withdrawalMethod", "eventTime", "validityMonths",
        "entityId", "eventType", "eventState", "noticeSha256", "screen", "channel", "expression", "client", "requestId", "previousEventHash",
    }  # fmt: skip
    assert mandatory <= set(first.record) and all(
        first.record[key] not in (None, []) for key in mandatory - {"recipientThirdParties"}
    )
    assert {"partyId", "name", "address", "contact", "type"} <= set(first.record["piiControllers"][0])
    assert first.previous_hash == GENESIS and second.previous_hash == first.hash


@pytest.mark.obligation("NC-08")
@pytest.mark.parametrize("gap", [{"language": "xx"}, {"screen": "  "}])
async def test_a_record_with_a_mandatory_field_missing_is_refused(running, gap):
    member_id = await a_member(running)
    assert await answer(running, member_id, (SMS, True), **gap) == ConsentRejected("EVIDENCE_INCOMPLETE")
    assert await rows_in(running, "consent_event") == 0


@pytest.mark.obligation("NC-08")
@pytest.mark.parametrize("attempt", ["UPDATE consent_event SET state = 'GIVEN'", "DELETE FROM consent_event"])
async def test_nobody_changes_or_deletes_a_consent_event_not_even_the_tables_owner_and_whoever_tries_is_an_alarm(
    running, attempt, capsys
):
    from sqlalchemy import text

    from service.db.statement import Prepared

    member_id = await a_member(running, no=[SMS])
    with pytest.raises(ChangeRefused):
        async with running.database.write() as transaction:
            await transaction.run(Prepared(text(attempt)))
            await transaction.commit()
    assert "change_refused" in "".join(capsys.readouterr())
    assert (await standings(running, member_id))[SMS] is ConsentState.REFUSED


@pytest.mark.obligation("WD-01")
async def test_withdrawing_is_one_call_without_a_reason_and_answers_with_the_new_state(running):
    member_id = await a_member(running, yes=[SMS])
    call = a_call("member", member_id=member_id)
    outcome = await running.operations.withdraw(call, member_id=None, purpose=SMS, channel=CaptureChannel.MINI_PROGRAM)
    assert [s.state for s in outcome.standings] == [ConsentState.WITHDRAWN]
    again = await running.operations.withdraw(call, member_id=None, purpose=SMS, channel=CaptureChannel.MINI_PROGRAM)
    assert [s.state for s in again.standings] == [ConsentState.WITHDRAWN]
    assert len(await running.operations.consent_history(call, member_id=None)) == 2


@pytest.mark.obligation("WD-02")
async def test_the_past_stays_as_it_was(running):
    given_at = running.clock()
    member_id = await a_member(running, yes=[SMS])
    running.clock.advance(days=3)
    withdrawn_at = running.clock()
    await running.operations.withdraw(
        a_call("member", member_id=member_id), member_id=None, purpose=SMS, channel=CaptureChannel.MINI_PROGRAM
    )
    instant = timedelta(microseconds=1)
    moments = {given_at: "GIVEN", withdrawn_at - instant: "GIVEN", withdrawn_at: "WITHDRAWN", given_at - instant: "NEVER_ASKED"}
    for moment, state in moments.items():
        assert (await standings(running, member_id, at=moment))[SMS] == state


async def test_what_needs_no_consent_cannot_be_withdrawn(running):
    member_id = await a_member(running)
    call = a_call("member", member_id=member_id)
    outcome = await running.operations.withdraw(call, member_id=None, purpose="order_fulfilment", channel=CaptureChannel.WEB)
    assert isinstance(outcome, NothingToWithdraw)


@pytest.mark.obligation("SM-05")
async def test_a_member_under_fourteen_waits_for_a_guardian_and_nothing_is_processed(running):
    joined = await join(running, a_profile(birthday="2013-01-01"))
    assert joined.status is MemberStatus.GUARDIAN_PENDING
    assert isinstance(await answer(running, joined.member_id, (SMS, True)), GuardianConsentRequired)
    profile = await running.operations.member(
        a_call("order_service"), member_id=joined.member_id, purpose="order_fulfilment", fields=["phone"]
    )
    assert profile.values == {} and profile.withheld[0].reason == "GUARDIAN_CONSENT_REQUIRED"
    page = await running.operations.page(
        a_call("order_service"), purpose="order_fulfilment", fields=["phone"], first=5, after=None, edge_cursors=False
    )
    assert page.profiles == ()


@pytest.mark.obligation("SM-05")
async def test_a_child_cannot_consent_while_joining_and_nothing_is_stored(running):
    outcome = await join(running, a_profile(birthday="2013-01-01"), decisions=[Decision(SMS, True)])
    assert isinstance(outcome, GuardianConsentRequired) and await rows_in(running, "member") == 0


async def test_a_retried_join_makes_one_member_and_a_reused_key_is_a_conflict(running):
    fields = a_profile()
    first, second = await join(running, fields, key="k-1"), await join(running, fields, key="k-1")
    assert (first.member_id, first.again, second.again) == (second.member_id, False, True)
    with pytest.raises(Conflict):
        await join(running, a_profile(), key="k-1")
    assert await rows_in(running, "member") == 1


async def test_a_retry_that_asks_for_something_else_is_a_conflict_and_drops_no_consent(running):
    fields = a_profile()
    await join(running, fields, key="k-1")
    with pytest.raises(Conflict):
        await join(running, fields, key="k-1", decisions=[Decision(SMS, True)])


async def test_answers_sent_twice_under_one_key_are_written_down_once(running):
    member_id = await a_member(running)
    call = a_call("member", member_id=member_id)
    sent = {"decisions": [Decision(SMS, True)], "evidence": evidence(running.catalogue, running.clock())}
    for _ in range(2):
        outcome = await running.operations.record_consents(call, member_id=None, idempotency_key="k-2", **sent)
        assert [standing.state for standing in outcome.standings] == [ConsentState.GIVEN]
    assert len(await running.operations.consent_history(call, member_id=None)) == 1


async def test_the_standing_is_what_the_ledger_says(running):
    """Rebuild it from the events and compare: derived state must never say more than its ledger."""
    from dataclasses import replace

    from sqlalchemy import select

    from service.consent import ledger, store
    from service.db.statement import Prepared
    from service.db.tables import member

    for _ in range(3):
        member_id = await a_member(running, yes=[SMS], no=[GIFT])
        await answer(running, member_id, (GIFT, True))
        await running.operations.withdraw(
            a_call("member", member_id=member_id), member_id=None, purpose=SMS, channel=CaptureChannel.WEB
        )
    for (member_id,) in await running.database.read.rows(Prepared(select(member.c.member_id))):
        found = await store.standings(running.database.read, member_id)
        kept = {key: replace(standing, propagation=None) for key, (standing, _) in found.items()}
        assert kept == ledger.latest(await store.events(running.database.read, member_id), running.clock() + timedelta(days=1))


@pytest.mark.obligation("LB-01")
async def test_somebody_elses_consents_are_read_for_a_purpose_or_not_at_all(running):
    member_id = await a_member(running)
    officer = a_call("compliance_officer")
    for purpose in (None, "crm_analytics", SMS):
        with pytest.raises(Refused):
            await running.operations.consents(officer, member_id=member_id, purpose=purpose)
    assert await running.operations.consents(officer, member_id=member_id, purpose="audit")


async def test_an_identity_belongs_to_one_member_even_when_two_join_at_once(running):
    import asyncio

    fields = a_profile()
    outcomes = await asyncio.gather(*(join(running, fields) for _ in range(6)))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["ContactTaken"] * 5 + ["Joined"]
    assert outcomes[[type(o) for o in outcomes].index(ContactTaken)].field == "phone"
    assert await rows_in(running, "member") == 1


@pytest.mark.obligation("LB-02")
async def test_an_update_with_a_field_outside_its_purpose_stores_nothing(running):
    member_id = await a_member(running)
    outcome = await running.operations.update(
        a_call(), member_id=member_id, purpose="account_service", changes={"name": "改名", "skin_type": "油性"}
    )
    assert outcome == FieldNotInPurpose("account_service", ("skin_type",))
    profile = await running.operations.me(a_call("member", member_id=member_id), fields=["name", "skin_type"])
    assert profile.values["name"] != "改名" and "skin_type" not in profile.values


@pytest.mark.obligation("NC-04")
async def test_a_value_for_a_consented_purpose_is_taken_with_the_consent_or_after_it_never_before(running):
    member_id = await a_member(running)
    change = {"member_id": member_id, "purpose": "personalised_recommendation", "changes": {"interests": ["美食"]}}
    assert isinstance(await running.operations.update(a_call(), **change), ConsentNeeded)
    await answer(running, member_id, ("personalised_recommendation", True))
    assert isinstance(await running.operations.update(a_call(), **change), Updated)
    with_consent = await join(running, a_profile(interests=["旅行"]), decisions=[Decision("personalised_recommendation", True)])
    assert isinstance(with_consent, Joined)
    without = await join(running, a_profile(interests=["旅行"]), decisions=[Decision("personalised_recommendation", False)])
    assert without == FieldNotInPurpose("account_service", ("interests",))


async def test_a_consent_ends_with_its_period(running):
    purpose = next(p for p in running.catalogue.purposes.values() if p.consent_months)
    member_id = await a_member(running, yes=[purpose.key])
    role = min(role for role in purpose.roles if running.catalogue.roles[role].kind == "staff")
    field = min(purpose.fields)

    async def page():
        return await running.operations.page(
            a_call(role), purpose=purpose.key, fields=[field], first=5, after=None, edge_cursors=False
        )

    assert len((await page()).profiles) == 1
    running.clock.advance(days=31 * purpose.consent_months + 1)
    assert len((await page()).profiles) == 0
    found = await running.operations.member(a_call(role), member_id=member_id, purpose=purpose.key, fields=[field])
    assert found.withheld[0].reason == "CONSENT_EXPIRED"


@pytest.mark.obligation("RD-07")
async def test_an_identity_number_typed_into_free_text_is_refused(running):
    member_id = await a_member(running)
    outcome = await running.operations.update(
        a_call(), member_id=member_id, purpose="order_fulfilment", changes={"address": "身份证11010519491231002X"}
    )
    assert outcome == FieldRejected("address", "IDENTITY_NUMBER")
    profile = await running.operations.me(a_call("member", member_id=member_id), fields=["address"])
    assert profile.values == {}


@pytest.mark.obligation("SE-05")
async def test_a_member_cannot_take_or_probe_an_identity_by_typing_it(running):
    own, other = a_profile(), a_profile()
    member_id = await a_member(running, own)
    await a_member(running, other)
    for phone in (other["phone"], "+8613800138000"):
        outcome = await running.operations.update(
            a_call("member", member_id=member_id),
            member_id=None,
            purpose=running.catalogue.self_purpose,
            changes={"phone": phone},
        )
        assert outcome == FieldRejected("phone", "VERIFICATION_REQUIRED")

"""WeChat's acceptances: each is one message, counted here because WeChat tells nobody (WX-02, WX-04, WX-06)."""

import pytest
from graphql import GraphQLInputObjectType, build_schema
from sqlalchemy import select

from schema import print_schema
from service.db.statement import Prepared
from service.db.tables import quota_event
from service.errors import BadInput
from service.subscriptions import quota, store
from service.subscriptions.reports import PrivacyEvent, Reported, TemplateResult
from tests.api.front_end import entries
from tests.factories import a_call, a_member
from tests.service.subscriptions.saying import SMS, consented, states, subscribed, within

ONE = "tmpl-1"


async def report(running, member_id, *results, dialog):
    return await running.operations.report_wechat_subscription(
        a_call(),
        member_id=member_id,
        reported=[Reported(template, TemplateResult[result]) for template, result in results],
        reference=dialog,
    )


async def spend(running, member_id, sending):
    return await within(running, lambda unit: quota.spend(unit, member_id, ONE, reference=sending))


@pytest.mark.obligation("WX-04")
async def test_two_acceptances_are_two_messages_and_the_third_is_refused_here(running):
    member_id = await a_member(running)
    for dialog in ("d-1", "d-2"):
        await report(running, member_id, (ONE, "ACCEPT"), ("tmpl-2", "REJECT"), dialog=dialog)
    assert [await spend(running, member_id, f"s-{each}") for each in range(3)] == [1, 0, None]
    assert await store.balances(running.database.read, member_id) == {ONE: 0, "tmpl-2": 0}


@pytest.mark.obligation("WX-04")
async def test_what_wechat_refuses_sets_the_count_to_nothing_and_the_refusal_is_recorded(running):
    member_id = await a_member(running)
    for dialog in ("d-1", "d-2"):
        await report(running, member_id, (ONE, "ACCEPT"), dialog=dialog)
    assert await within(running, lambda unit: quota.exhaust(unit, member_id, ONE, reference="43101:s-1")) == 0
    assert await spend(running, member_id, "s-2") is None
    assert await within(running, lambda unit: quota.exhaust(unit, member_id, ONE, reference="43101:s-9")) == 0
    rows = await running.database.read.rows(
        Prepared(select(quota_event.c.change).where(quota_event.c.reason == "EXHAUSTED").order_by(quota_event.c.event_id))
    )
    assert sorted(rows) == [(-2,), (0,)]


async def test_the_same_dialog_or_sending_told_twice_counts_once(running):
    member_id = await a_member(running)
    for _ in range(2):
        found = await report(running, member_id, (ONE, "ACCEPT"), dialog="d-1")
        assert found.quotas[0].balance == 1
    assert [await spend(running, member_id, "s-1") for _ in range(2)] == [0, 0]


@pytest.mark.obligation("WX-04")
@pytest.mark.parametrize("result", ["REJECT", "BAN", "FILTER"])
async def test_an_answer_that_is_no_acceptance_is_recorded_and_allows_nothing(running, result):
    member_id = await a_member(running)
    await report(running, member_id, (ONE, "ACCEPT"), dialog="d-1")
    assert (await report(running, member_id, (ONE, result), dialog="d-2")).quotas[0].balance == 1
    rows = await running.database.read.rows(Prepared(select(quota_event.c.reason)))
    assert sorted(rows) == sorted([("ACCEPTED",), ({"REJECT": "REJECTED", "BAN": "BANNED", "FILTER": "FILTERED"}[result],)])


@pytest.mark.parametrize(
    ("results", "dialog"),
    [
        ([], "d-1"),
        ([(f"t-{each}", "ACCEPT") for each in range(4)], "d-1"),
        ([(ONE, "ACCEPT"), (ONE, "ACCEPT")], "d-1"),
        ([("a b", "ACCEPT")], "d-1"),
        ([(ONE, "ACCEPT")], ""),
    ],
)
async def test_what_no_dialog_can_have_said_is_not_counted(running, results, dialog):
    member_id = await a_member(running)
    with pytest.raises(BadInput):
        await report(running, member_id, *results, dialog=dialog)
    assert await store.balances(running.database.read, member_id) == {}


@pytest.mark.obligation("WX-02")
async def test_agreeing_to_wechats_guideline_is_evidence_and_changes_nothing_of_marketing(running):
    member_id = await a_member(running, yes=["birthday_gift"])
    await subscribed(running, member_id)
    before = await consented(running, member_id), await states(running, member_id)
    for event in PrivacyEvent:
        await running.operations.report_privacy_authorization(
            a_call("member", member_id=member_id),
            member_id=None,
            appid=running.catalogue.controller.brands[0].wechat_appid,
            contract="《示例生活小程序隐私保护指引》",
            event=event,
            at=running.clock(),
        )
    assert (await consented(running, member_id), await states(running, member_id)) == before
    assert before[0][SMS] == "GIVEN" and before[0]["marketing_wechat"] == "NEVER_ASKED"
    told = [entry["x"]["event"] for entry in await entries(running, "reportPrivacyAuthorization")]
    assert told == [event.value for event in PrivacyEvent]


@pytest.mark.obligation("WX-06")
def test_there_is_no_place_for_a_reward_where_somebody_subscribes():
    schema = build_schema(print_schema.text())
    asked = schema.type_map["SubscribeInput"]
    assert isinstance(asked, GraphQLInputObjectType)
    assert asked.fields.keys() == {"channel", "topic", "brand", "monthly", "months"}
    assert schema.mutation_type is not None
    taken = {name for field in ("subscribe", "reportWechatSubscription") for name in schema.mutation_type.fields[field].args}
    assert taken == {"input", "evidence", "memberId", "idempotencyKey", "results", "dialog"}

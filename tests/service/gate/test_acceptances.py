"""WeChat's acceptances as an attacker would like to count them: one is one message, whoever reports what in which order (WX-04)."""

import pytest

from service.gate.model import Outcome, Report
from service.subscriptions import quota
from tests.factories import a_profile
from tests.plugins import canary
from tests.service.gate import made
from tests.service.gate.made import ENGINE, campaign, one, subscriber, why


async def _a_follower(running, *, acceptances: int) -> str:
    profile = a_profile(wechat_openid=canary.value("openid"))
    member_id = await subscriber(running, profile, yes=("marketing_wechat",), channel="wechat")

    async def accepted(unit) -> None:
        for tap in range(acceptances):
            await quota.accept(unit, member_id, "T1", reference=f"tap-{tap}")

    await made.changed(running, accepted)
    return member_id


@pytest.mark.obligation("WX-04")
async def test_one_acceptance_is_one_token(running, clock) -> None:
    member_id = await _a_follower(running, acceptances=1)
    wanted = {"channel": "wechat", "purpose": "marketing_wechat"}
    assert (await one(running, await campaign(running, made.WECHAT, **wanted), member_id)).allowed
    assert why(await one(running, await campaign(running, made.WECHAT, **wanted), member_id)) == ["QUOTA_EXHAUSTED"]
    clock.advance(minutes=6)
    assert (await one(running, await campaign(running, made.WECHAT, **wanted), member_id)).allowed


@pytest.mark.obligation("WX-04")
async def test_no_order_of_reports_brings_an_acceptance_back_that_was_used(running) -> None:
    member_id = await _a_follower(running, acceptances=1)
    wanted = {"channel": "wechat", "purpose": "marketing_wechat"}
    decision = await one(running, await campaign(running, made.WECHAT, **wanted), member_id)
    for outcome in (Outcome.FAILED, Outcome.SENT, Outcome.FAILED):
        said = Report(decision.send_id, member_id, decision.token, outcome)
        await running.operations.record_outcomes(ENGINE, reports=[said])
    assert why(await one(running, await campaign(running, made.WECHAT, **wanted), member_id)) == ["QUOTA_EXHAUSTED"]

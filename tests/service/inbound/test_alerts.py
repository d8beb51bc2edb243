"""What of the sending needs a person stands among the alerts, as counts, until it is a week old."""

import pytest

from service.gate import commands as gate
from service.gate.model import Outcome
from service.inbound import queries
from service.senders.model import SEND
from service.work import store as jobs
from service.work.model import Job, State
from tests.service.gate.made import campaign, changed, one, subscriber
from tests.service.inbound.outside import MAIL, link
from tests.service.inbound.test_parsing import ARF
from tests.service.inbound.test_received import a_sent_mail


async def alerts(ask):
    found = (await ask("{ complianceAlerts { code open count limit } }", role="compliance_officer"))["data"]["complianceAlerts"]
    return {each["code"]: (each["open"], each["count"], each["limit"]) for each in found}


async def sent(running, member_id, send_id, code=""):
    await changed(running, lambda unit: gate.record(unit, member_id, send_id, Outcome.SENT, code=code))


@pytest.mark.parametrize(
    ("sent_", "complained", "rate"), [(1000, 1, 100), (999, 1, 101), (1000, 3, 300), (999, 3, 301), (0, 0, 0), (0, 2, 200_000)]
)
def test_a_rate_is_never_told_as_less_than_it_is(sent_, complained, rate):
    found = {("a.example.com", "SENT"): sent_, ("a.example.com", "COMPLAINED"): complained}
    assert queries.per_100_000(found, "a.example.com") == rate


@pytest.mark.obligation("EM-07")
async def test_complaints_over_one_and_over_three_in_a_thousand_are_alarms(client, running, ask):
    await a_sent_mail(running)
    found = await alerts(ask)
    assert found["COMPLAINT_RATE_HIGH"] == (False, 0, 100) and found["COMPLAINT_RATE_CRITICAL"] == (False, 0, 300)
    member_id, send_id, _ = await a_sent_mail(running)
    await client.post(
        f"/hooks/mail/{MAIL}", content=ARF.format(kind="abuse", token=link(running, member_id, send=send_id)).encode()
    )
    found = await alerts(ask)
    assert found["COMPLAINT_RATE_HIGH"] == (True, 50_000, 100) and found["COMPLAINT_RATE_CRITICAL"] == (True, 50_000, 300)


async def test_what_was_sent_after_its_leave_is_an_alarm_for_a_week(running, ask, clock):
    member_id, campaign_id = await subscriber(running), await campaign(running)
    decision = await one(running, campaign_id, member_id)
    clock.advance(minutes=6)
    assert (await alerts(ask))["SENT_AFTER_TOKEN"] == (False, 0, 0)
    await sent(running, member_id, decision.send_id, code="OK")
    assert (await alerts(ask))["SENT_AFTER_TOKEN"] == (True, 1, 0), "a vendor's own word does not hide it"
    clock.advance(days=8)
    assert (await alerts(ask))["SENT_AFTER_TOKEN"] == (False, 0, 0)


async def test_what_was_sent_in_time_is_none(running, ask, clock):
    member_id, campaign_id = await subscriber(running), await campaign(running)
    decision = await one(running, campaign_id, member_id)
    clock.advance(minutes=4)
    await sent(running, member_id, decision.send_id)
    assert (await alerts(ask))["SENT_AFTER_TOKEN"] == (False, 0, 0)


async def test_a_send_that_only_a_person_can_end_is_an_alarm(running, ask, clock):
    member_id = await subscriber(running)
    made = {"purpose": "marketing_sms", "event_id": "", "due_at": clock(), "created_at": clock(), "recipient": "living_sms"}
    dead, other = (
        Job(member_id=member_id, job_id=f"019a0000-0000-7000-8000-00000000000{number}", kind=kind, **made)
        for number, kind in enumerate((SEND, "tell_recipient"))
    )

    async def fail(unit):
        await jobs.queue(unit.session, [dead, other])
        for each in (dead, other):
            await jobs.settle(unit.session, each, State.FAILED, "OUTCOME_UNKNOWN", now=unit.now)

    assert (await alerts(ask))["SENDS_FAILED"] == (False, 0, 0)
    await changed(running, fail)
    assert (await alerts(ask))["SENDS_FAILED"] == (True, 1, 0)

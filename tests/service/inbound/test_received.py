"""A message that went out and came back: its outcome, the next decision, and the figures of its sending domain."""

import pytest

from service.gate import commands as gate
from service.gate.model import Outcome
from tests.factories import a_profile
from tests.service.campaigns.made import words
from tests.service.gate.made import campaign, changed, one, subscriber, why
from tests.service.inbound.outside import MAIL, ONE_CLICK, link, outcomes
from tests.service.inbound.test_mail import bounce
from tests.service.inbound.test_parsing import ARF


async def a_sent_mail(running):
    """A mail of a campaign, sent; its member, its id and the campaign."""
    member_id = await subscriber(running, a_profile(), yes=("marketing_email",), channel="email")
    body = words(channel="email", sender="living_email", subject="广告：新品", text="…")
    campaign_id = await campaign(running, body, channel="email", purpose="marketing_email")
    decision = await one(running, campaign_id, member_id)
    assert "SUPPRESSED" not in why(decision)
    await changed(running, lambda unit: gate.record(unit, member_id, decision.send_id, Outcome.SENT))
    return member_id, decision.send_id, campaign_id


@pytest.mark.obligation("EM-07")
async def test_a_complaint_shows_in_the_figures_of_the_sending_domain_and_names_nobody(client, running):
    member_id, send_id, campaign_id = await a_sent_mail(running)
    raw = ARF.format(kind="abuse", token=link(running, member_id, send=send_id)).encode()
    await client.post(f"/hooks/mail/{MAIL}", content=raw)
    assert (send_id, "COMPLAINED") in [found[:2] for found in await outcomes(running)]
    metrics = (await client.get("/metrics")).text
    assert 'menshen_mail_day{domain="mail.retail.example.com",outcome="SENT"} 1.0' in metrics
    assert 'menshen_mail_day{domain="mail.retail.example.com",outcome="COMPLAINED"} 1.0' in metrics
    assert 'menshen_mail_complaint_ratio{domain="mail.retail.example.com"} 1.0' in metrics
    assert "SUPPRESSED" in why(await one(running, campaign_id, member_id))


@pytest.mark.obligation("EM-09")
async def test_after_a_hard_bounce_the_gate_says_that_nobody_is_there(client, running):
    member_id, send_id, campaign_id = await a_sent_mail(running)
    await client.post(f"/hooks/mail/{MAIL}", content=bounce(link(running, member_id, send=send_id)))
    assert (send_id, "BOUNCED", "5.1.1") in await outcomes(running)
    assert why(await one(running, campaign_id, member_id))[0] == "ADDRESS_UNREACHABLE"


@pytest.mark.obligation("MK-04", "EM-05")
async def test_after_one_click_the_next_decision_says_suppressed(client, running):
    member_id, send_id, campaign_id = await a_sent_mail(running)
    assert (await client.post(f"/u/{link(running, member_id, send=send_id)}", data=ONE_CLICK)).status_code == 200
    assert why(await one(running, campaign_id, member_id))[0] == "SUPPRESSED"

"""From the decision to the mailbox and to WeChat's card, and back: the link in the mail is the member's own way out."""

import re
from pathlib import Path

import pytest

from service.app import Parts
from service.subscriptions import quota
from service.subscriptions import store as subscriptions
from service.subscriptions.links import opened
from service.unit import Unit
from tests.factories import a_profile
from tests.plugins import canary
from tests.service.gate.made import campaign, changed, one, subscriber, why
from tests.service.senders import made
from tests.service.senders.house import PUBLIC, became, jobs, queue, working
from tests.service.senders.post import post
from tests.service.senders.vendors import Wechat, vendor

MAIL = {"channel": "email", "purpose": "marketing_email"}
CARD = {"channel": "wechat", "purpose": "marketing_wechat"}
OPENED = re.compile(r"<(https://[^>]+)>")


@pytest.mark.obligation("EM-05", "EM-08", "AD-01")
async def test_a_mail_carries_its_own_members_way_out(running: Parts, tmp_path: Path) -> None:
    address = canary.value("email")
    member_id = await subscriber(running, a_profile(email=address), yes=("marketing_email",), channel="email")
    async with post() as server, working(running, tmp_path, living_email=str(server.port)) as worker:
        campaign_id = await campaign(running, made.a_body("living_email"), **MAIL)
        decision = await one(running, campaign_id, member_id)
        assert decision.allowed, why(decision)
        await queue(running, campaign_id, decision)
        await worker.once()
        assert server.recipients == [address]
        mail = server.mail()
    found = OPENED.search(str(mail["List-Unsubscribe"]))
    assert found is not None
    link, token = found[1], found[1].removeprefix(f"{PUBLIC}/u/")
    for kind in ("plain", "html"):
        part = mail.get_body((kind,))
        assert part is not None
        assert link in part.get_content()
    about = opened(running.vault, token, now=running.clock(), life=running.catalogue.marketing.link_life)
    assert (about.member_id, about.channel, about.topic, about.brand) == (member_id, "email", "news", "living")
    assert about.send_id == decision.send_id
    assert mail["Message-ID"] == f"<{decision.send_id}@mail.retail.example.com>"
    assert member_id not in mail.as_string()
    assert await became(running, decision) == ["DISPATCHED", "SENT"]


async def test_words_that_cannot_be_written_need_a_person_and_free_the_slot(running: Parts, tmp_path: Path) -> None:
    nameless = {"phone": canary.value("phone"), "email": canary.value("email")}
    member_id = await subscriber(running, nameless, yes=("marketing_email",), channel="email")
    async with post() as server, working(running, tmp_path, living_email=str(server.port)) as worker:
        campaign_id = await campaign(running, made.a_body("living_email"), **MAIL)
        decision = await one(running, campaign_id, member_id)
        await queue(running, campaign_id, decision)
        await worker.once()
        assert server.mails == []
    assert await became(running, decision) == ["DISPATCHED", "FAILED"]
    assert await jobs(running) == [("FAILED", "VARIABLE_UNKNOWN")]
    again = await one(running, campaign_id, member_id)
    assert again.allowed


@pytest.mark.obligation("WX-04")
async def test_accepted_twice_sent_three_times_the_third_never_reaches_wechat(running: Parts, tmp_path: Path) -> None:
    openid = canary.value("openid")
    member_id = await subscriber(running, a_profile(wechat_openid=openid), yes=("marketing_wechat",), channel="wechat")

    async def accepts(unit: Unit) -> None:
        for tap in ("tap-1", "tap-2"):
            await quota.accept(unit, member_id, "tmpl-3003", reference=tap)

    await changed(running, accepts)
    wechat = Wechat(acceptances={openid: 9})
    async with vendor(wechat) as listening, working(running, tmp_path, living_wechat=listening.url) as worker:
        for _ in range(2):
            campaign_id = await campaign(running, made.a_body("living_wechat"), **CARD)
            decision = await one(running, campaign_id, member_id)
            assert decision.allowed, why(decision)
            await queue(running, campaign_id, decision)
            await worker.once()
            assert await became(running, decision) == ["DISPATCHED", "SENT"]
        third = await one(running, await campaign(running, made.a_body("living_wechat"), **CARD), member_id)
        assert why(third) == ["QUOTA_EXHAUSTED"]
    assert wechat.acceptances[openid] == 7


@pytest.mark.obligation("WX-04")
async def test_43101_sets_the_count_to_nothing_and_records_the_refusal(running: Parts, tmp_path: Path) -> None:
    openid = canary.value("openid")
    member_id = await subscriber(running, a_profile(wechat_openid=openid), yes=("marketing_wechat",), channel="wechat")

    async def accepts(unit: Unit) -> None:
        for tap in ("tap-1", "tap-2", "tap-3"):
            await quota.accept(unit, member_id, "tmpl-3003", reference=tap)

    await changed(running, accepts)
    async with vendor(Wechat()) as listening, working(running, tmp_path, living_wechat=listening.url) as worker:
        campaign_id = await campaign(running, made.a_body("living_wechat"), **CARD)
        decision = await one(running, campaign_id, member_id)
        await queue(running, campaign_id, decision)
        await worker.once()
    assert await became(running, decision) == ["DISPATCHED", "FAILED"]
    assert await subscriptions.balance(running.database.read, member_id, "tmpl-3003") == 0
    assert await subscriptions.counted(
        running.database.read, member_id, "tmpl-3003", reason="EXHAUSTED", reference=decision.send_id
    )
    assert why(await one(running, campaign_id, member_id)) == ["QUOTA_EXHAUSTED"]

"""The archive: everything that was ever done with a campaign, whole and unchangeable for more than three years (ADV-03); and the estimate."""

import pytest
from sqlalchemy import delete, insert, update

from service.app import Parts
from service.db.statement import Prepared
from service.db.tables import campaign_event, member, send_decision, send_outcome, subscription
from service.errors import ChangeRefused
from tests.api.front_end import entries
from tests.factories import a_member, a_profile
from tests.service.campaigns import desk
from tests.service.campaigns.desk import answer

ARCHIVE = (
    "query ($after: ID) { campaignArchive(after: $after, first: 2) { campaignId state template { text } content { title } } }"
)
ESTIMATE = "query ($id: ID!) { audienceEstimate(campaignId: $id) }"


@pytest.mark.obligation("ADV-03")
async def test_a_campaign_that_ended_almost_three_years_ago_is_whole_and_cannot_be_changed(running: Parts, ask, clock) -> None:
    done = await desk.approved(running, ask, audience={"tags": ["outdoor"]})
    await answer(ask, desk.END, id=done["campaignId"])
    before = await answer(ask, desk.LOOK, id=done["campaignId"])
    clock.advance(days=2 * 365 + 364)

    listed = await answer(ask, ARCHIVE)
    assert [(one["campaignId"], one["state"], one["template"]["text"]) for one in listed] == [
        (done["campaignId"], "ENDED", desk.SMS)
    ]
    found = await answer(ask, desk.LOOK, "auditor", id=done["campaignId"])
    assert found == before
    assert [step["step"] for step in found["history"]] == ["CREATED", "SUBMITTED", "APPROVED", "ENDED"]
    for step in found["history"]:
        assert (step["text"], step["sender"], step["digest"]) == (desk.SMS, "living_sms", done["digest"])
        assert step["content"]["audience"]["tags"] == ["outdoor"]
    for statement in (update(campaign_event).values(content="{}"), delete(campaign_event)):
        with pytest.raises(ChangeRefused):
            async with running.database.write() as transaction:
                await transaction.run(Prepared(statement))


async def test_what_ran_out_is_in_the_archive_without_anybody_ending_it(running: Parts, ask, clock) -> None:
    found = [await desk.a_draft(running, ask) for _ in range(3)]
    assert await answer(ask, ARCHIVE) == []
    clock.advance(days=8)
    first = await answer(ask, ARCHIVE)
    rest = await answer(ask, ARCHIVE, after=first[-1]["campaignId"])
    assert [one["campaignId"] for one in [*first, *rest]] == sorted(one["campaignId"] for one in found)
    assert [len(first), len(rest)] == [2, 1]


async def test_campaigns_are_listed_by_where_they_stand(running: Parts, ask) -> None:
    await desk.a_draft(running, ask)
    waiting = await desk.submitted(running, ask)
    query = "{ campaigns(state: SUBMITTED) { campaignId digest } }"
    assert await answer(ask, query, "campaign_reviewer") == [{"campaignId": waiting["campaignId"], "digest": waiting["digest"]}]
    for first in (0, -1, 51):
        said = await answer(ask, f"{{ campaigns(state: DRAFT, first: {first}) {{ campaignId }} }}")
        assert said["code"] == "BAD_INPUT"


@pytest.mark.parametrize("role", ["store_clerk", "mini_program", "analyst", "customer_service_agent"])
async def test_campaigns_are_shown_to_those_only_who_work_with_them(running: Parts, ask, role: str) -> None:
    draft = await desk.a_draft(running, ask)
    for query in (desk.LOOK, ESTIMATE):
        assert (await answer(ask, query, role, id=draft["campaignId"]))["code"] == "FORBIDDEN"
    for query in (ARCHIVE, "{ campaigns(state: DRAFT) { campaignId } }"):
        assert (await answer(ask, query, role))["code"] == "FORBIDDEN"


async def test_what_there_is_not_is_null(running: Parts, ask) -> None:
    for named in ("019a0000-0000-7000-8000-000000000000", "x\x00y", ""):
        assert await answer(ask, desk.LOOK, id=named) is None
        assert await answer(ask, ESTIMATE, id=named) is None
        assert (await answer(ask, desk.SUBMIT, id=named))["code"] == "CAMPAIGN_NOT_FOUND"


async def test_the_counts_are_of_the_last_outcome_of_each_decision(running: Parts, ask, clock) -> None:
    done = await desk.approved(running, ask)

    def decided(number, *, allowed):
        given = {"batch": "b", "campaign_id": done["campaignId"], "channel": "sms", "allowed": int(allowed)}
        rest = {"reasons": "[]", "evidence": "{}", "decided_at": clock(), "expires_at": None}
        return insert(send_decision).values(member_id=f"m{number}", send_id=f"s{number}", **given, **rest)

    def became(number, order, outcome):
        given = {"code": "", "reference": "", "recorded_at": clock()}
        place = {"member_id": f"m{number}", "outcome_id": f"o{order}", "send_id": f"s{number}"}
        return insert(send_outcome).values(outcome=outcome, **place, **given)

    async with running.database.write() as transaction:
        for statement in (
            decided(1, allowed=True),
            decided(2, allowed=True),
            decided(3, allowed=True),
            decided(4, allowed=False),
            became(1, 1, "DISPATCHED"),
            became(1, 2, "SENT"),
            became(2, 1, "DISPATCHED"),
        ):
            await transaction.run(Prepared(statement))
        await transaction.commit()
    counts = (await answer(ask, desk.LOOK, id=done["campaignId"]))["counts"]
    assert {count["outcome"]: count["count"] for count in counts} == {"ALLOWED": 1, "DENIED": 1, "DISPATCHED": 1, "SENT": 1}


async def subscribed(running: Parts, clock, *members: str, state: str = "SUBSCRIBED") -> None:
    """These members take the news of the brand over text messages."""
    async with running.database.write() as transaction:
        for member_id in members:
            given = {"channel": "sms", "topic": "news", "brand": "living", "state": state, "since": clock(), "event_id": "e"}
            row = insert(subscription).values(member_id=member_id, hash=b"", expires_at=None, **given)
            await transaction.run(Prepared(row))
        await transaction.commit()


async def test_the_estimate_counts_whom_the_rule_covers_and_who_said_yes(running: Parts, ask, clock) -> None:
    gold = a_profile(tier="gold")
    both = await a_member(running, gold, yes=["marketing_sms"])
    silver = await a_member(running, a_profile(tier="silver"), yes=["marketing_sms"])
    refused = await a_member(running, a_profile(tier="gold"), no=["marketing_sms"])
    await a_member(running, a_profile(tier="gold"), yes=["marketing_sms"])
    await subscribed(running, clock, both, silver, refused)
    draft = await desk.a_draft(running, ask, audience={"tiers": ["gold"]})

    assert await answer(ask, ESTIMATE, id=draft["campaignId"]) == 1
    (entry,) = await entries(running, "audienceEstimate")
    assert (entry["cnt"], entry["pur"], entry["bas"], entry["dec"]) == (1, "marketing_sms", "CONSENT", "allow")
    assert "sub" not in entry
    clock.advance(days=366)
    assert await answer(ask, ESTIMATE, id=draft["campaignId"]) == 0


@pytest.mark.obligation("AD-01")
async def test_whom_a_machine_would_pick_is_counted_only_where_they_wished_it(running: Parts, ask, clock) -> None:
    found = [await a_member(running, yes=["marketing_sms"]) for _ in range(3)]
    await subscribed(running, clock, *found)
    async with running.database.write() as transaction:
        for member_id, switch in zip(found, (1, 0, None), strict=True):
            row = update(member).where(member.c.member_id == member_id).values(tags='["outdoor"]', personalisation=switch)
            await transaction.run(Prepared(row))
        await transaction.commit()
    plain = await desk.a_draft(running, ask)
    picked = await desk.a_draft(running, ask, audience={"tags": ["outdoor"]})
    assert [await answer(ask, ESTIMATE, id=one["campaignId"]) for one in (plain, picked)] == [3, 1]


async def test_nobody_counts_for_a_purpose_that_is_not_theirs(running: Parts, ask) -> None:
    draft = await desk.a_draft(running, ask)
    said = await answer(ask, ESTIMATE, "auditor", id=draft["campaignId"])
    assert said["code"] == "ROLE_NOT_ALLOWED"
    narrowed = await ask(ESTIMATE, role="marketer", variables={"id": draft["campaignId"]}, purposes=["birthday_gift"])
    assert narrowed["errors"][0]["extensions"]["code"] == "ROLE_NOT_ALLOWED"

"""Nothing is sent that somebody else has not approved exactly as it stands (promise 9)."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from service.app import Parts
from service.campaigns import queries, store
from service.campaigns.model import CampaignRejected, canonical, template_document
from service.db.engine import Database
from service.db.statement import Prepared
from service.db.tables import campaign, campaign_event, template
from service.errors import ChangeRefused, Forbidden
from service.values import Actor, ActorKind, Call
from tests.api.front_end import entries
from tests.service.audit.logs import Administrator
from tests.service.campaigns import desk, made
from tests.service.campaigns.desk import answer, by


async def loaded(running, found):
    """The campaign as the gate reads it."""
    kept = await store.loaded(running.database.read, found["campaignId"])
    assert kept is not None
    return kept[0]


async def test_a_campaign_is_drafted_returned_submitted_again_and_approved(running: Parts, ask) -> None:
    draft = await desk.a_draft(running, ask)
    assert (draft["state"], draft["approved"], draft["author"]) == ("DRAFT", False, "marketer@development")
    given = {"id": draft["campaignId"]}
    assert (await answer(ask, desk.SUBMIT, **given))["state"] == "SUBMITTED"
    returned = await answer(ask, desk.RETURN, "campaign_reviewer", comment="请写明活动门店", **given)
    assert returned["state"] == "RETURNED"
    assert (await answer(ask, desk.SUBMIT, **given))["state"] == "SUBMITTED"
    final = await answer(ask, desk.APPROVE, "campaign_reviewer", digest=draft["digest"], **given)
    assert (final["state"], final["approved"], final["digest"]) == ("APPROVED", True, draft["digest"])
    assert (await loaded(running, draft)).approved
    assert [entry["x"]["digest"] for entry in await entries(running, "approveCampaign")] == [draft["digest"]]

    history = (await answer(ask, desk.LOOK, **given))["history"]
    assert [(step["step"], step["comment"]) for step in history] == [
        ("CREATED", ""),
        ("SUBMITTED", ""),
        ("RETURNED", "请写明活动门店"),
        ("SUBMITTED", ""),
        ("APPROVED", ""),
    ]


@pytest.mark.parametrize(
    "changed",
    [
        {"title": "另一个标题"},
        {"topic": "offers"},
        {"audience": {"tags": ["outdoor"]}},
        {"audience": {"pointsFrom": 1}},
        {"startsAt": "2026-11-22T03:00:00Z"},
        {"endsAt": "2026-11-30T00:00:00Z"},
        {"reward": "PURCHASE"},
        "template",
        "channel",
        "brand",
    ],
    ids=str,
)
async def test_any_change_voids_the_approval(running: Parts, ask, changed) -> None:
    done = await desk.approved(running, ask)
    used = (await loaded(running, done)).content.template_id
    given = desk.content(running, used)
    if changed == "template":
        revised = await answer(
            ask, desk.REVISE_TEMPLATE, template=used, words=desk.words(text="【示例生活】新品到店。拒收请回复R")
        )
        given = desk.content(running, used, version=revised["template"]["version"])
    elif changed == "channel":
        kept = await answer(ask, desk.CREATE_TEMPLATE, words=desk.mail())
        given = desk.content(running, kept["template"]["templateId"], channel="email", purpose="marketing_email")
    elif changed == "brand":
        other = await desk.a_template(ask, sender="beauty_sms", text="【示例美妆】新品到店。退订回T")
        given = desk.content(running, other, brand="beauty")
    else:
        given |= changed
    now = await answer(ask, desk.REVISE, id=done["campaignId"], version=done["version"], content=given)

    assert (now["state"], now["approved"]) == ("DRAFT", False)
    assert now["digest"] != done["digest"]
    assert not (await loaded(running, done)).approved
    stale = await answer(ask, desk.APPROVE, "campaign_reviewer", id=done["campaignId"], digest=done["digest"])
    assert stale["code"] == "CAMPAIGN_CHANGED"


async def test_the_same_content_again_changes_nothing(running: Parts, ask) -> None:
    done = await desk.approved(running, ask)
    used = (await loaded(running, done)).content.template_id
    given = desk.content(running, used)
    again = await answer(ask, desk.REVISE, id=done["campaignId"], version=1, content=given)
    assert (again["state"], again["approved"], again["version"]) == ("APPROVED", True, done["version"])


async def test_a_new_version_of_a_template_leaves_what_was_approved_as_it_was(running: Parts, ask) -> None:
    done = await desk.approved(running, ask)
    used = (await loaded(running, done)).content.template_id
    await answer(ask, desk.REVISE_TEMPLATE, template=used, words=desk.words(text="【示例生活】别的。拒收请回复R"))
    shown = await answer(ask, desk.LOOK, id=done["campaignId"])
    assert shown["campaign"]["approved"]
    assert shown["campaign"]["template"]["text"] == desk.SMS


async def test_the_approval_of_what_was_edited_meanwhile_is_refused(running: Parts, ask) -> None:
    for number in range(4):
        found = await desk.submitted(running, ask)
        used = (await loaded(running, found)).content.template_id
        edited = desk.content(running, used, title=f"改动{number}")
        revising = answer(ask, desk.REVISE, id=found["campaignId"], version=found["version"], content=edited)
        approving = answer(ask, desk.APPROVE, "campaign_reviewer", id=found["campaignId"], digest=found["digest"])
        _, said = await asyncio.gather(revising, approving)

        after = await loaded(running, found)
        assert after.approved == (after.content.title == "秋季上新")
        assert after.approved or said.get("code") == "CAMPAIGN_CHANGED" or said["state"] == "APPROVED"


async def test_a_change_that_began_from_an_older_version_is_refused(running: Parts, ask) -> None:
    draft = await desk.a_draft(running, ask)
    used = (await loaded(running, draft)).content.template_id
    first = desk.content(running, used, title="第一位")
    assert (await answer(ask, desk.REVISE, id=draft["campaignId"], version=1, content=first))["version"] == 2
    second = desk.content(running, used, title="第二位")
    said = await answer(ask, desk.REVISE, id=draft["campaignId"], version=1, content=second)
    assert said["code"] == "CAMPAIGN_CHANGED"


@pytest.mark.parametrize(
    ("reviewer", "roles"),
    [
        ("li", ("campaign_reviewer",)),
        ("li", ("marketer", "campaign_reviewer")),
        ("LI", ("campaign_reviewer",)),
        ("ｌｉ", ("campaign_reviewer",)),
        ("editor", ("campaign_reviewer",)),
        ("writer", ("campaign_reviewer",)),
        ("first-writer", ("compliance_officer",)),
        ("sender", ("campaign_reviewer",)),
    ],
)
async def test_whoever_wrote_any_of_it_does_not_approve_it(running: Parts, reviewer: str, roles: tuple[str, ...]) -> None:
    """The author, who changed or submitted it, who wrote the template: under another role, and with another token."""
    ops = running.operations
    body = made.words()
    first = await ops.create_template(by("first-writer", "marketer"), body=made.words(title="草稿"))
    kept = await ops.revise_template(by("writer", "marketer"), template_id=first.template.template_id, body=body)
    given = made.content(body, template_id=kept.template.template_id, template_version=2)
    found, _ = await ops.create_campaign(by("li", "marketer", "campaign_reviewer"), content=given)
    edited = made.content(body, template_id=kept.template.template_id, template_version=2, title="改过")
    changed, _ = await ops.revise_campaign(by("editor", "marketer"), campaign_id=found.campaign_id, version=1, content=edited)
    await ops.submit_campaign(by("sender", "marketer"), campaign_id=found.campaign_id)

    call = by(reviewer, *roles, purposes=["marketing_sms"], request="req-2")
    said = await ops.approve_campaign(call, campaign_id=found.campaign_id, digest=changed.digest.hex())
    assert said == CampaignRejected("OWN_CAMPAIGN")
    approved, _ = await ops.approve_campaign(by("wang", *roles), campaign_id=found.campaign_id, digest=changed.digest.hex())
    assert approved.approved


async def test_a_machine_approves_nothing(running: Parts, ask) -> None:
    found = await desk.submitted(running, ask)
    machine = Call(Actor(ActorKind.SERVICE, "bot", frozenset({"campaign_reviewer"})), "req-1")
    with pytest.raises(Forbidden):
        await running.operations.approve_campaign(machine, campaign_id=found["campaignId"], digest=found["digest"])


@pytest.mark.parametrize("role", ["marketer", "marketing_engine", "auditor", "store_clerk", "mini_program"])
async def test_only_reviewers_review(running: Parts, ask, role: str) -> None:
    found = await desk.submitted(running, ask)
    given = {"id": found["campaignId"]}
    assert (await answer(ask, desk.APPROVE, role, digest=found["digest"], **given))["code"] == "FORBIDDEN"
    assert (await answer(ask, desk.RETURN, role, comment="不合适", **given))["code"] == "FORBIDDEN"
    assert [entry["dec"] for entry in await entries(running, "approveCampaign")] == ["deny"]


@pytest.mark.parametrize("role", ["campaign_reviewer", "marketing_engine", "auditor", "customer_service_agent"])
async def test_only_marketers_write(running: Parts, ask, role: str) -> None:
    draft = await desk.a_draft(running, ask)
    used = (await loaded(running, draft)).content.template_id
    given = desk.content(running, used)
    assert (await answer(ask, desk.CREATE_TEMPLATE, role, words=desk.words()))["code"] == "FORBIDDEN"
    assert (await answer(ask, desk.CREATE, role, content=given))["code"] == "FORBIDDEN"
    assert (await answer(ask, desk.REVISE, role, id=draft["campaignId"], version=1, content=given))["code"] == "FORBIDDEN"
    assert (await answer(ask, desk.SUBMIT, role, id=draft["campaignId"]))["code"] == "FORBIDDEN"
    assert (await answer(ask, desk.END, role, id=draft["campaignId"]))["code"] == "FORBIDDEN"


async def test_what_was_not_submitted_is_not_approved(running: Parts, ask) -> None:
    draft = await desk.a_draft(running, ask)
    given = {"id": draft["campaignId"], "digest": draft["digest"]}
    assert (await answer(ask, desk.APPROVE, "campaign_reviewer", **given))["code"] == "CAMPAIGN_STATE"
    assert not (await loaded(running, draft)).approved


async def test_a_return_takes_an_approval_back_and_says_why(running: Parts, ask) -> None:
    done = await desk.approved(running, ask)
    for comment, code in (("  ", "REASON_REQUIRED"), ("打给13800138000问问", "REASON_PERSONAL"), ("长" * 501, "REASON_PERSONAL")):
        said = await answer(ask, desk.RETURN, "campaign_reviewer", id=done["campaignId"], comment=comment)
        assert said["code"] == code
    said = await answer(ask, desk.RETURN, "compliance_officer", id=done["campaignId"], comment="优惠信息有误")
    assert (said["state"], said["approved"]) == ("RETURNED", False)
    assert not (await loaded(running, done)).approved


async def test_an_ended_campaign_is_over_for_good(running: Parts, ask) -> None:
    done = await desk.approved(running, ask)
    used = (await loaded(running, done)).content.template_id
    given = {"id": done["campaignId"]}
    assert (await answer(ask, desk.END, **given))["state"] == "ENDED"
    assert (await answer(ask, desk.END, **given))["state"] == "ENDED"
    assert not (await loaded(running, done)).approved
    changed = desk.content(running, used, title="再来一次")
    assert (await answer(ask, desk.REVISE, version=9, content=changed, **given))["code"] == "CAMPAIGN_STATE"
    assert (await answer(ask, desk.SUBMIT, **given))["code"] == "CAMPAIGN_STATE"
    assert (await answer(ask, desk.APPROVE, "campaign_reviewer", digest=done["digest"], **given))["code"] == "CAMPAIGN_STATE"


async def test_what_is_over_is_neither_submitted_nor_approved(running: Parts, ask, clock) -> None:
    draft, found = await desk.a_draft(running, ask), await desk.submitted(running, ask)
    clock.advance(days=8)
    assert (await answer(ask, desk.SUBMIT, id=draft["campaignId"]))["code"] == "WINDOW_INVALID"
    said = await answer(ask, desk.APPROVE, "campaign_reviewer", id=found["campaignId"], digest=found["digest"])
    assert said["code"] == "WINDOW_INVALID"


async def tampered(database: Database, statement) -> None:
    """What somebody does who has got at the database itself."""
    async with database.write() as transaction:
        await transaction.run(Prepared(statement))
        await transaction.commit()


async def test_content_that_was_edited_in_the_database_was_not_approved(running: Parts, ask) -> None:
    done = await desk.approved(running, ask)
    kept = await store.loaded(running.database.read, done["campaignId"])
    assert kept is not None
    row = store._values(kept[0])
    text = str(row["content"]).replace("2026-11-29", "2026-12-29")
    await tampered(running.database, update(campaign).values(content=text))
    assert not (await loaded(running, done)).approved

    # And with the approval rewritten to fit: no step of the archive vouches for it.
    edited = await loaded(running, done)
    await tampered(running.database, update(campaign).values(approved_digest=edited.digest, digest=edited.digest))
    assert not (await loaded(running, done)).approved
    assert not (await answer(ask, desk.LOOK, id=done["campaignId"]))["campaign"]["approved"]


async def test_words_and_archive_cannot_be_edited_in_the_database(running: Parts, ask) -> None:
    await desk.approved(running, ask)
    body = canonical(template_document(made.words(text="别的")))
    for statement in (update(template).values(body=body), update(campaign_event).values(digest=b"x"), template.delete()):
        with pytest.raises(ChangeRefused):
            await tampered(running.database, statement)


async def test_other_words_than_the_approved_ones_are_not_approved(running: Parts, ask, database_url: str) -> None:
    """Where even the trigger was taken away: the digest is worked out from the words that are there."""
    done = await desk.approved(running, ask)
    other = canonical(template_document(made.words(text="【示例生活】别的。拒收请回复R")))
    Administrator(database_url).run("UPDATE template SET body = ?", given=(other,))
    assert not (await loaded(running, done)).approved
    assert not (await answer(ask, desk.LOOK, id=done["campaignId"]))["campaign"]["approved"]


async def test_an_archive_that_was_rewritten_is_not_shown_as_if_it_were_whole(running: Parts, ask, database_url: str) -> None:
    done = await desk.approved(running, ask)
    Administrator(database_url).run("UPDATE campaign_event SET content = replace(content, '秋季上新', '春季上新')")
    assert (await answer(ask, desk.LOOK, id=done["campaignId"]))["code"] == "MALFORMED"


async def test_an_approval_that_no_longer_fits_the_policy_is_told(running: Parts, ask) -> None:
    done = await desk.approved(running, ask)
    found = await store.loaded(running.database.read, done["campaignId"])
    assert found is not None
    assert queries.compliant(running.catalogue, *found)
    unregistered = replace(running.catalogue, senders={})
    assert not queries.compliant(unregistered, *found)


async def test_a_campaign_of_a_week_is_approved_until_its_end(running: Parts, ask, clock) -> None:
    done = await desk.approved(running, ask)
    clock.advance(days=6)
    kept = await loaded(running, done)
    assert kept.approved
    assert kept.content.ends_at - running.clock() == timedelta(days=1)

"""Somebody who is inferred to be a child is treated as one until shown otherwise, whatever birthday was told (PIPL 31)."""

import pytest

from service.members import store as members
from tests.service.minors.family import ADULT, GIFT, UPDATE, WARD, answer, last, link, read, someone, verify

PRESUME = "mutation ($id: ID!) { presumeMinor(memberId: $id) { __typename ... on Refusal { code } } }"
CHECKED = """mutation ($id: ID!, $birthday: Date) {
  updateMember(memberId: $id, purpose: "account_service", changes: { birthday: $birthday }) { __typename ... on Refusal { code } } }"""
PAGE = '{ members(purpose: "birthday_gift", first: 50) { nodes { id } } }'
WAITS = {"GUARDIAN_CONSENT_REQUIRED"}
TOLD = {"nothing": None, "an adult's birthday": ADULT}


async def presume(ask, member_id, role="recommender"):
    answered = await ask(PRESUME, role=role, variables={"id": member_id})
    return answered["data"]["presumeMinor"] or answered["errors"][0]["extensions"]


async def checked(ask, member_id, birthday, role="mini_program"):
    variables = {"id": member_id, "birthday": birthday}
    told = await ask(CHECKED, role=role, member_id=member_id if role == "member" else None, variables=variables)
    return told["data"]["updateMember"]["__typename"]


@pytest.mark.obligation("SM-05")
@pytest.mark.parametrize("birthday", TOLD.values(), ids=TOLD)
async def test_nothing_is_done_with_them_and_their_own_consent_is_none(running, ask, birthday):
    member_id = await someone(running, birthday)
    await answer(running, ask, member_id, kind="GENERAL")
    assert (await read(ask, member_id, GIFT, "mini_program"))[1] == set()
    assert (await presume(ask, member_id))["__typename"] == "MinorPresumed"
    for purpose, role in ((GIFT, "mini_program"), ("order_fulfilment", "order_service"), ("account_service", "mini_program")):
        assert (await read(ask, member_id, purpose, role))[1] == WAITS
    assert (await ask(PAGE, role="mini_program"))["data"]["members"]["nodes"] == []
    for kind in ("GENERAL", "CHILD"):
        assert (await answer(running, ask, member_id, kind=kind))["code"] == "GUARDIAN_CONSENT_REQUIRED"
    assert (await members.row(running.database.read, member_id)).sensitive
    assert (await last(running, "recordConsents"))["x"]["band"] == "child"


@pytest.mark.obligation("SM-05", "SM-07")
async def test_a_guardian_answers_for_them_and_what_they_said_themselves_does_not_come_back(running, ask):
    member_id, guardian = await someone(running, ADULT), await someone(running, ADULT)
    for purpose in (GIFT, "personalised_recommendation"):
        await answer(running, ask, member_id, kind="GENERAL", purpose=purpose)
    await presume(ask, member_id)
    assert (await link(ask, member_id, guardian))["state"] == "PENDING"
    assert (await verify(ask, member_id, guardian))["state"] == "VERIFIED"
    seen = await ask(WARD, role="member", member_id=guardian, variables={"child": member_id})
    assert seen["data"]["ward"]["birthday"] == ADULT
    assert (await answer(running, ask, guardian, of=member_id))["standings"][0]["state"] in {"GIVEN", "RENEWED"}
    assert (await read(ask, member_id, GIFT, "mini_program"))[1] == set()
    running.clock.advance(minutes=1)
    await answer(running, ask, guardian, of=member_id, purpose="personalised_recommendation")
    reasons = (await read(ask, member_id, "personalised_recommendation", "recommender"))[1]
    assert reasons == {"MINOR_ADM_MARKETING_FORBIDDEN"}, "a guardian's yes does not let a machine market to them"


@pytest.mark.obligation("SM-05")
async def test_it_ends_with_a_birthday_that_a_service_has_checked_and_with_nothing_the_member_types(running, ask):
    member_id = await someone(running, ADULT)
    await answer(running, ask, member_id, kind="GENERAL")
    await presume(ask, member_id)
    changes = {"changes": {"birthday": "1980-01-01"}}
    own = await ask(UPDATE, role="member", member_id=member_id, variables=changes)
    assert own["data"]["updateMember"]["__typename"] != "MemberUpdated"
    assert (await read(ask, member_id, GIFT, "mini_program"))[1] == WAITS
    assert await checked(ask, member_id, ADULT) == "MemberUpdated"
    assert (await read(ask, member_id, GIFT, "mini_program"))[1] == set(), "they were grown up all the time: what they said holds"
    await presume(ask, member_id)
    assert await checked(ask, member_id, "2015-05-05") == "MemberUpdated"
    assert (await read(ask, member_id, GIFT, "mini_program"))[1] == WAITS


async def test_whoever_presumes_learns_nothing_and_not_everybody_may(running, ask):
    adult, child = await someone(running, ADULT), await someone(running, "2015-05-05")
    assert await presume(ask, adult) == await presume(ask, child) == await presume(ask, adult)
    assert (await presume(ask, "019a0000-0000-7000-8000-000000000009"))["code"] == "MEMBER_NOT_FOUND"
    for role in ("marketer", "store_clerk", "partner_gateway"):
        assert (await presume(ask, child, role))["code"] == "FORBIDDEN"
    assert (await last(running, "presumeMinor"))["dec"] == "deny"


@pytest.mark.obligation("SM-10")
async def test_the_yearly_account_counts_them_among_the_children(running, ask):
    await presume(ask, await someone(running, ADULT))
    told = await ask("{ minorsAuditPack(year: 2026) { bands { band members } } }", role="compliance_officer")
    assert {"band": "child", "members": 1} in told["data"]["minorsAuditPack"]["bands"]

"""Tags: a closed vocabulary, told to the member with its source, deleted in one call, and not made again of the same data (AD-02, AD-06)."""

import hashlib

import pytest
from sqlalchemy import select

from service.db.statement import Prepared
from service.db.tables import member_tag, member_tag_refused
from service.errors import Forbidden, Refused
from service.members.model import FieldRejected, Updated
from tests.api.test_personalisation import TASTE, turned
from tests.factories import a_call, a_member, a_profile
from tests.service.intake.looking import entries

RECORD = """mutation Record($id: ID!, $source: TagSource!, $tags: [TagInput!]!, $purpose: PurposeKey!) {
  recordTags(memberId: $id, purpose: $purpose, source: $source, tags: $tags) {
    __typename ... on TagsRecorded { memberId tags blocked } ... on TagUnknown { position }
    ... on PersonalisationOff { purpose reason } ... on ConsentNeeded { reason } ... on Refusal { code message zh } } }"""
MINE = "{ myTags { tag title { zh en } meaning { zh } source recordedAt usedFor { key title { zh } } } }"
DELETE = "mutation Delete($tag: String!) { deleteTag(tag: $tag) { ... on TagsDeleted { tags } ... on Refusal { code } } }"
DELETE_ALL = "mutation { deleteAllTags { ... on TagsDeleted { tags } ... on Refusal { code } } }"


def digest(history: str) -> str:
    """What a tagging job says of the data that it looked at."""
    return hashlib.sha256(history.encode()).hexdigest()


async def record(ask, member_id, *tags, history="two years of purchases", source="PURCHASES", purpose=TASTE, role="recommender"):
    """The nightly tagging job, for one member."""
    given = [{"tag": tag, "sourceDigest": digest(history)} for tag in tags]
    variables = {"id": member_id, "source": source, "purpose": purpose, "tags": given}
    answer = await ask(RECORD, role=role, variables=variables)
    return answer["data"]["recordTags"] if answer.get("data") and answer["data"]["recordTags"] else answer


async def mine(ask, member_id):
    answer = await ask(MINE, role="member", member_id=member_id)
    return {tag["tag"]: tag for tag in answer["data"]["myTags"]}


async def read(ask, member_id):
    """The codes, as the recommender reads them."""
    query = f'query Tags($id: ID!) {{ member(id: $id, purpose: "{TASTE}") {{ tags }} }}'
    return (await ask(query, role="recommender", variables={"id": member_id}))["data"]["member"]["tags"]


async def rows(running, table, member_id):
    return await running.database.read.rows(Prepared(select(table.c.tag).where(table.c.member_id == member_id)))


@pytest.mark.obligation("AD-02")
async def test_a_deleted_tag_is_not_made_again_by_the_nightly_job_on_the_same_history(ask, running):
    member_id = await a_member(running, yes=[TASTE])
    assert (await record(ask, member_id, "price_sensitive", "home_living"))["blocked"] == []
    gone = await ask(DELETE, role="member", member_id=member_id, variables={"tag": "price_sensitive"})
    assert gone["data"]["deleteTag"] == {"tags": ["price_sensitive"]}
    assert await read(ask, member_id) == ["home_living"]

    running.clock.advance(days=1)
    again = await record(ask, member_id, "price_sensitive", "home_living")
    assert (again["tags"], again["blocked"]) == (["home_living"], ["price_sensitive"])
    assert await read(ask, member_id) == ["home_living"]
    assert "price_sensitive" not in await mine(ask, member_id)

    changed = await record(ask, member_id, "price_sensitive", "home_living", history="and one purchase more")
    assert changed["blocked"] == []
    assert set(await read(ask, member_id)) == {"home_living", "price_sensitive"}


@pytest.mark.obligation("AD-02")
async def test_a_member_sees_each_tag_with_its_source_and_what_it_is_used_for(ask, running):
    member_id = await a_member(running, yes=[TASTE])
    await record(ask, member_id, "fragrance")
    await record(ask, member_id, "outdoor", history="what she said", source="SURVEY")
    found = await mine(ask, member_id)
    assert {tag: shown["source"] for tag, shown in found.items()} == {"fragrance": "PURCHASES", "outdoor": "SURVEY"}
    fragrance = found["fragrance"]
    assert fragrance["title"] == {"zh": "香氛爱好", "en": "Fragrance"} and fragrance["meaning"]["zh"]
    assert fragrance["recordedAt"] == "2026-11-22T02:00:00Z"
    assert TASTE in {purpose["key"] for purpose in fragrance["usedFor"]}


@pytest.mark.obligation("AD-02")
async def test_one_call_deletes_every_tag_and_none_comes_back_from_any_of_the_sources(ask, running):
    member_id = await a_member(running, yes=[TASTE])
    await record(ask, member_id, "fragrance", "outdoor")
    await record(ask, member_id, "fragrance", history="what she said", source="SURVEY")
    gone = await ask(DELETE_ALL, role="member", member_id=member_id)
    assert set(gone["data"]["deleteAllTags"]["tags"]) == {"fragrance", "outdoor"}
    assert await read(ask, member_id) is None and await mine(ask, member_id) == {}
    assert (await record(ask, member_id, "fragrance", "outdoor"))["tags"] == []
    assert (await record(ask, member_id, "fragrance", history="what she said", source="SURVEY"))["tags"] == []
    assert (await ask(DELETE_ALL, role="member", member_id=member_id))["data"]["deleteAllTags"] == {"tags": []}


@pytest.mark.obligation("AD-02")
async def test_what_a_member_deleted_cannot_be_entered_by_hand_instead(ask, running):
    member_id = await a_member(running, yes=[TASTE])
    await record(ask, member_id, "fragrance")
    await ask(DELETE_ALL, role="member", member_id=member_id)
    change = {"member_id": member_id, "purpose": TASTE}
    by_hand = await running.operations.update(a_call(), **change, changes={"tags": ["fragrance"]})
    assert by_hand == FieldRejected("tags", "TAG_DELETED")
    assert isinstance(await running.operations.update(a_call(), **change, changes={"tags": ["outdoor"]}), Updated)
    assert (await mine(ask, member_id))["outdoor"]["source"] == "STAFF"


@pytest.mark.obligation("AD-02")
async def test_a_deleted_tag_stays_away_though_the_consent_was_taken_back_and_given_again(ask, running, clock):
    from tests.api.test_personalisation import shown

    member_id = await a_member(running, yes=[TASTE])
    await record(ask, member_id, "fragrance")
    await ask(DELETE, role="member", member_id=member_id, variables={"tag": "fragrance"})
    await turned(ask, member_id, on=False)
    clock.advance(minutes=1)
    assert (await turned(ask, member_id, on=True, proof=shown(running)))["on"] is True
    assert (await record(ask, member_id, "fragrance"))["blocked"] == ["fragrance"]


async def test_a_job_puts_its_tags_in_the_place_of_those_from_before_and_touches_no_other_source(ask, running):
    member_id = await a_member(running, yes=[TASTE])
    await record(ask, member_id, "fragrance", "outdoor")
    await record(ask, member_id, "outdoor", "home_living", history="what she said", source="SURVEY")
    assert set((await record(ask, member_id, "weekend_shopper", history="later"))["tags"]) == {
        "outdoor",
        "home_living",
        "weekend_shopper",
    }
    assert (await record(ask, member_id, history="later still"))["tags"] == ["outdoor", "home_living"]


@pytest.mark.obligation("AD-06")
@pytest.mark.parametrize("word", ["pregnant", "孕期", "PRICE_SENSITIVE", "", "home_living; drop"])
async def test_a_word_outside_the_vocabulary_is_refused_and_not_repeated(ask, running, word):
    member_id = await a_member(running, yes=[TASTE])
    refused = await record(ask, member_id, "home_living", word)
    assert (refused["__typename"], refused["code"], refused["position"]) == ("TagUnknown", "TAG_UNKNOWN", 2)
    assert not word or word not in refused["message"] + refused["zh"]
    assert await read(ask, member_id) is None, "all or nothing"


@pytest.mark.obligation("AD-06")
@pytest.mark.parametrize("door", ["update", "join"])
async def test_no_door_takes_a_tag_that_is_free_text(running, door):
    if door == "join":
        with pytest.raises(AssertionError, match="TAG_UNKNOWN"):
            await a_member(running, a_profile(tags=["pregnant"]), yes=[TASTE])
        return
    member_id = await a_member(running, yes=[TASTE])
    change = {"member_id": member_id, "purpose": TASTE}
    assert await running.operations.update(a_call(), **change, changes={"tags": ["pregnant"]}) == FieldRejected(
        "tags", "TAG_UNKNOWN"
    )
    assert isinstance(
        await running.operations.update(a_call(), **change, changes={"tags": ["香氛爱好", "Outdoor", "outdoor"]}), Updated
    )
    profile = await running.operations.me(a_call("member", member_id=member_id), fields=["tags"])
    assert profile.values["tags"] == ("fragrance", "outdoor")


@pytest.mark.obligation("AD-01")
async def test_no_tag_is_derived_without_the_consent_or_against_the_switch(ask, running):
    member_id = await a_member(running)
    needed = await record(ask, member_id, "fragrance")
    assert (needed["__typename"], needed["reason"]) == ("ConsentNeeded", "CONSENT_REQUIRED")
    await turned(ask, member_id, on=False)
    off = await record(ask, member_id, "fragrance")
    assert (off["__typename"], off["code"], off["reason"]) == ("PersonalisationOff", "PERSONALISATION_OFF", "PERSONALISATION_OFF")
    assert await rows(running, member_tag, member_id) == []


@pytest.mark.obligation("AD-01")
@pytest.mark.parametrize("way", ["setPersonalisation", "withdrawConsent", "withdrawAll"])
async def test_when_the_consent_ends_the_tags_are_gone_at_once(ask, running, way):
    member_id = await a_member(running, yes=[TASTE])
    await record(ask, member_id, "fragrance", "outdoor")
    calls = {
        "setPersonalisation": "setPersonalisation(on: false, channel: WEB)",
        "withdrawConsent": f'withdrawConsent(purpose: "{TASTE}", channel: WEB)',
        "withdrawAll": "withdrawAll(channel: WEB)",
    }
    done = await ask(f"mutation {{ {calls[way]} {{ __typename }} }}", role="member", member_id=member_id)
    assert "errors" not in done
    assert await mine(ask, member_id) == {}
    assert await rows(running, member_tag, member_id) == []
    own = await ask("{ me { tags withheld { field } } }", role="member", member_id=member_id)
    assert own["data"]["me"] == {"tags": None, "withheld": []}


async def test_only_the_service_that_may_records_tags_and_only_for_a_purpose_that_has_them(ask, running):
    member_id = await a_member(running, yes=[TASTE])
    for role in ("mini_program", "member", "marketer"):
        call = a_call(role, member_id=member_id if role == "member" else None)
        with pytest.raises(Forbidden):
            await running.operations.record_tags(call, member_id=member_id, purpose=TASTE, source="SURVEY", tags=())
    outside = await record(ask, member_id, "fragrance", purpose="skin_profile")
    assert outside["code"] == "FIELD_NOT_IN_PURPOSE"
    with pytest.raises(Refused):
        await running.operations.record_tags(
            a_call("recommender"), member_id=member_id, purpose="order_fulfilment", source="SURVEY", tags=()
        )
    assert (await record(ask, "018f0000-0000-7000-8000-000000000000", "fragrance"))["code"] == "MEMBER_NOT_FOUND"


@pytest.mark.obligation("AD-01")
async def test_nothing_is_derived_about_a_minor_whatever_was_consented(ask, running):
    member_id = await a_member(running, a_profile(birthday="2010-05-01"), yes=[TASTE])
    refused = await record(ask, member_id, "fragrance")
    assert (refused["__typename"], refused["reason"]) == ("PersonalisationOff", "MINOR_ADM_MARKETING_FORBIDDEN")


async def test_nobody_turns_anothers_switch_or_deletes_anothers_tags(ask, running):
    member_id, stranger = await a_member(running, yes=[TASTE]), await a_member(running)
    await record(ask, member_id, "fragrance")
    for call in (
        f'deleteAllTags(memberId: "{member_id}")',
        f'setPersonalisation(on: false, channel: WEB, memberId: "{member_id}")',
    ):
        answer = await ask(f"mutation {{ {call} {{ __typename }} }}", role="member", member_id=stranger)
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert await read(ask, member_id) == ["fragrance"]
    served = await ask(
        f'mutation {{ deleteAllTags(memberId: "{member_id}") {{ ... on TagsDeleted {{ tags }} }} }}', role="mini_program"
    )
    assert served["data"]["deleteAllTags"] == {"tags": ["fragrance"]}


async def test_a_digest_that_is_none_and_a_tag_given_twice_are_bad_input(ask, running):
    member_id = await a_member(running, yes=[TASTE])
    variables = {"id": member_id, "source": "PURCHASES", "purpose": TASTE, "tags": [{"tag": "fragrance", "sourceDigest": "2026"}]}
    answer = await ask(RECORD, role="recommender", variables=variables)
    assert answer["errors"][0]["extensions"]["code"] == "BAD_INPUT"
    twice = await record(ask, member_id, "fragrance", "fragrance")
    assert twice["errors"][0]["extensions"]["code"] == "BAD_INPUT"


async def test_the_record_tells_that_tags_were_changed_and_never_which(ask, running):
    member_id = await a_member(running, yes=[TASTE])
    before = len(await entries(running))
    await record(ask, member_id, "fragrance", "outdoor")
    await ask(DELETE, role="member", member_id=member_id, variables={"tag": "fragrance"})
    await record(ask, member_id, "fragrance", "outdoor")
    await mine(ask, member_id)
    written = (await entries(running))[before:]
    assert [entry["op"] for entry in written] == ["recordTags", "deleteTag", "recordTags", "myTags"]
    assert all(entry["fld"] == ["tags"] and len(entry["sub"]) == 1 for entry in written)
    assert written[2]["x"] | {"source": "PURCHASES", "recorded": 1, "blocked": 1} == written[2]["x"]
    assert not any("fragrance" in str(entry) or "outdoor" in str(entry) for entry in written)


async def test_erasing_a_member_takes_the_tags_and_what_they_deleted_along(ask, running):
    member_id = await a_member(running, yes=[TASTE])
    await record(ask, member_id, "fragrance", "outdoor")
    await ask(DELETE, role="member", member_id=member_id, variables={"tag": "fragrance"})
    assert await rows(running, member_tag, member_id) and await rows(running, member_tag_refused, member_id)
    assert await running.operations.erase(a_call("compliance_officer"), member_id=member_id)
    for table in (member_tag, member_tag_refused):
        assert await rows(running, table, member_id) == []
    assert (await record(ask, member_id, "outdoor", history="again"))["code"] == "MEMBER_NOT_FOUND"

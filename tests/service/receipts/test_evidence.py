"""The burden of proof (PIPL 69): from one entry of the log back to the words that were shown, and nothing is called whole that is not."""

import hashlib
import json
from typing import Any

import pytest

from service.app import Parts
from service.config import Config
from service.consent.ledger import digest
from service.receipts import store
from tests.conftest import StillClock
from tests.factories import a_call, a_member
from tests.service.audit.logs import Administrator
from tests.service.receipts.asking import EVIDENCE, MEMBER_EVIDENCE, Ask, answered, withdrawn

GIFT, SMS, PARTNER = "birthday_gift", "marketing_sms", "partner_offers"
HOLDS = {"ENTRY", "SUBJECT", "EVENT", "CHAIN", "LOGGED", "DECISION", "NOTICE", "WORDS", "RECEIPT"}


async def used(
    running: Parts, member_id: str, purpose: str = SMS, fields: tuple[str, ...] = ("phone",), role: str = "marketer"
) -> None:
    profile = await running.operations.member(a_call(role), member_id=member_id, purpose=purpose, fields=fields)
    assert profile is not None and profile.values.keys() >= set(fields), profile


async def about(ask: Ask, member_id: str, **more: Any) -> dict[str, Any]:
    variables = {"member": member_id, "purpose": "audit", **more}
    answer = await ask(MEMBER_EVIDENCE, role="compliance_officer", variables=variables)
    assert "errors" not in answer, answer
    found: dict[str, Any] = answer["data"]["memberEvidence"]
    return found


async def disclosure(ask: Ask, member_id: str, purpose: str = SMS) -> dict[str, Any]:
    """The newest evidence of a read for a purpose."""
    items = (await about(ask, member_id))["items"]
    return next(one for one in items if one["entry"]["kind"] == "access" and one["entry"]["purpose"] == purpose)


async def behind(ask: Ask, entry_id: str) -> dict[str, Any]:
    answer = await ask(EVIDENCE, role="compliance_officer", variables={"entry": entry_id, "purpose": "audit"})
    assert "errors" not in answer, answer
    found: dict[str, Any] = answer["data"]["evidence"]
    return found


def links(found: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
    return {one["part"]: (one["holding"], one["code"]) for one in found["findings"]}


def broken(found: dict[str, Any]) -> dict[str, str | None]:
    assert (found["whole"], found["code"]) == (False, "EVIDENCE_BROKEN")
    return {part: code for part, (holding, code) in links(found).items() if holding in {"BROKEN", "MISSING"}}


@pytest.mark.obligation("LB-09")
async def test_a_use_of_six_months_ago_is_proven_down_to_the_words_that_were_shown(
    running: Parts, ask: Ask, clock: StillClock
) -> None:
    member_id = await a_member(running)
    event_id = await answered(running, member_id, SMS)
    clock.advance(60)
    await used(running, member_id)
    moment = clock()
    clock.advance(days=183)
    await withdrawn(running, member_id, SMS)
    entry_id = (await disclosure(ask, member_id))["entry"]["id"]
    found = await behind(ask, entry_id)
    assert (found["whole"], found["code"], found["policyInForce"]) == (True, None, True)
    assert {part for part, (holding, _) in links(found).items() if holding == "HOLDS"} == HOLDS
    entry, event, notice = found["entry"], found["event"], found["notice"]
    assert (entry["actor"], entry["roles"], entry["purpose"], entry["basis"], entry["decision"]) == (
        "marketer-1", ["marketer"], SMS, "CONSENT", "allow",
    )  # fmt: skip
    assert entry["fields"] == ["phone"] and entry["at"].startswith(moment.strftime("%Y-%m-%dT%H:%M:%S"))
    assert entry["policyDigest"] == running.catalogue.digest == json.loads(event["record"])["policyDigest"]
    assert (event["id"], event["state"]) == (event_id, "GIVEN")
    assert hashlib.sha256(b"menshen/consent-event/v1\0" + event["record"].encode()).hexdigest() == event["hash"]
    assert hashlib.sha256(notice["text"].encode()).hexdigest() == notice["sha256"] == json.loads(event["record"])["noticeSha256"]
    assert notice["text"].encode() == running.catalogue.notices[notice["version"]].texts["zh-CN"]
    assert hashlib.sha256(notice["words"].encode()).hexdigest() == json.loads(event["record"])["wordsSha256"]
    assert found["receipt"]["eventId"] == event_id


@pytest.mark.obligation("LB-09")
async def test_what_rests_on_a_contract_needs_no_consent_and_what_was_refused_rests_on_nothing(running: Parts, ask: Ask) -> None:
    member_id = await a_member(running)
    await running.operations.member(
        a_call("customer_service_agent"), member_id=member_id, purpose="customer_service", fields=("phone",)
    )
    await running.operations.member(a_call("marketer"), member_id=member_id, purpose=SMS, fields=("phone",))
    by_contract, refused = await disclosure(ask, member_id, "customer_service"), await disclosure(ask, member_id, SMS)
    for found in (by_contract, refused):
        assert found["whole"] and found["event"] is None
        assert {part for part, (holding, _) in links(found).items() if holding == "NOT_NEEDED"} == HOLDS - {"ENTRY"}
    assert by_contract["entry"]["basis"] == "CONTRACT"
    assert (refused["entry"]["decision"], refused["entry"]["reason"]) == ("deny", "CONSENT_REQUIRED")


@pytest.mark.obligation("LB-09")
async def test_a_row_of_a_list_rests_on_each_members_own_consent(running: Parts, ask: Ask) -> None:
    ann, ben = await a_member(running), await a_member(running)
    events = {member_id: await answered(running, member_id, SMS) for member_id in (ann, ben)}
    page = await running.operations.page(
        a_call("marketer"), purpose=SMS, fields=("phone",), first=10, after=None, edge_cursors=False
    )
    assert len(page.profiles) == 2
    for member_id, event_id in events.items():
        found = await disclosure(ask, member_id)
        assert found["entry"]["operation"] == "members" and found["event"]["id"] == event_id and found["whole"]
    alone = await behind(ask, found["entry"]["id"])
    assert broken(alone)["EVENT"] == "EVENT_NOT_NAMED"


async def a_use(running: Parts, ask: Ask, clock: StillClock) -> tuple[str, str, str]:
    """Somebody said no, then yes, and was read: member, event, entry."""
    member_id = await a_member(running)
    await answered(running, member_id, SMS, granted=False)
    clock.advance(days=40)
    event_id = await answered(running, member_id, SMS)
    clock.advance(60)
    await used(running, member_id)
    found = await disclosure(ask, member_id)
    assert found["whole"], found
    return member_id, event_id, found["entry"]["id"]


def administrator(config: Config, statement: str) -> None:
    """Somebody with every right on the database, who takes the triggers away first."""
    Administrator(config.database_url).run(statement)


@pytest.mark.obligation("LB-09")
async def test_an_event_that_was_altered_is_said_to_be(running: Parts, ask: Ask, clock: StillClock, config: Config) -> None:
    _, event_id, entry_id = await a_use(running, ask, clock)
    administrator(
        config, f"UPDATE consent_event SET evidence = replace(evidence, '\"GIVEN\"', '\"RENEWED\"') WHERE event_id = '{event_id}'"
    )
    found = await behind(ask, entry_id)
    assert found["event"] is None and found["receipt"] is None
    assert broken(found)["EVENT"] == "EVENT_ALTERED"


@pytest.mark.obligation("LB-09")
@pytest.mark.parametrize("column", ["purpose", "state", "notice_version"])
async def test_a_column_that_says_something_else_than_the_record_is_an_altered_event(
    running: Parts, ask: Ask, clock: StillClock, config: Config, column: str
) -> None:
    _, event_id, entry_id = await a_use(running, ask, clock)
    administrator(config, f"UPDATE consent_event SET {column} = 'RENEWED' WHERE event_id = '{event_id}'")
    assert broken(await behind(ask, entry_id))["EVENT"] == "EVENT_ALTERED"


@pytest.mark.obligation("LB-09")
async def test_an_event_that_is_gone_is_said_to_be(running: Parts, ask: Ask, clock: StillClock, config: Config) -> None:
    _, event_id, entry_id = await a_use(running, ask, clock)
    administrator(config, f"DELETE FROM consent_event WHERE event_id = '{event_id}'")
    found = await behind(ask, entry_id)
    assert broken(found)["EVENT"] == "EVENT_NOT_FOUND"
    assert (found["event"], found["notice"], found["receipt"]) == (None, None, None)


@pytest.mark.obligation("LB-09")
async def test_a_refusal_taken_out_from_before_the_consent_breaks_the_chain(
    running: Parts, ask: Ask, clock: StillClock, config: Config
) -> None:
    _, _, entry_id = await a_use(running, ask, clock)
    administrator(config, "DELETE FROM consent_event WHERE state = 'REFUSED'")
    assert broken(await behind(ask, entry_id)) == {"CHAIN": "CHAIN_BROKEN"}


@pytest.mark.obligation("LB-09")
async def test_an_event_that_was_rewritten_together_with_its_hash_is_not_the_one_that_was_logged(
    running: Parts, ask: Ask, clock: StillClock, config: Config
) -> None:
    member_id, event_id, entry_id = await a_use(running, ask, clock)
    whole = next(link for link in await store.links(running.database.read, member_id) if link.event_id == event_id)
    forged = whole.body.replace('"screen":"mini/consent"', '"screen":"mini/prettier"')
    assert forged != whole.body
    Administrator(config.database_url).run(
        f"UPDATE consent_event SET evidence = ?, hash = ? WHERE event_id = '{event_id}'", given=(forged, digest(forged))
    )
    assert broken(await behind(ask, entry_id)) == {"LOGGED": "NOT_IN_LOG"}


@pytest.mark.obligation("LB-09")
async def test_an_entry_whose_bytes_were_altered_is_said_to_be(
    running: Parts, ask: Ask, clock: StillClock, config: Config
) -> None:
    _, _, entry_id = await a_use(running, ask, clock)
    administrator(config, f"UPDATE audit_entry SET leaf = entry WHERE entry_id = '{entry_id}'")
    assert broken(await behind(ask, entry_id)) == {"ENTRY": "ENTRY_ALTERED"}


@pytest.mark.obligation("LB-09")
async def test_an_entry_whose_bytes_are_none_any_more_proves_nothing(
    running: Parts, ask: Ask, clock: StillClock, config: Config
) -> None:
    _, _, entry_id = await a_use(running, ask, clock)
    administrator(config, f"UPDATE audit_entry SET entry = leaf WHERE entry_id = '{entry_id}'")
    found = await behind(ask, entry_id)
    assert found["entry"] is None and broken(found).keys() == HOLDS


@pytest.mark.obligation("LB-09")
async def test_another_members_event_does_not_prove_it(running: Parts, ask: Ask, clock: StillClock, config: Config) -> None:
    _, _, entry_id = await a_use(running, ask, clock)
    other = await a_member(running)
    administrator(config, f"UPDATE consent_event SET member_id = '{other}'")
    assert broken(await behind(ask, entry_id))["SUBJECT"] == "OTHER_MEMBER"


@pytest.mark.obligation("LB-09")
async def test_after_an_erasure_the_ledger_still_speaks_and_whom_it_is_about_cannot_be_proven(
    running: Parts, ask: Ask, clock: StillClock
) -> None:
    member_id, event_id, entry_id = await a_use(running, ask, clock)
    assert await running.operations.erase(a_call("compliance_officer"), member_id=member_id)
    found = await behind(ask, entry_id)
    assert found["event"]["id"] == event_id and found["receipt"] is None
    assert broken(found) == {"SUBJECT": "ERASED", "LOGGED": "ERASED", "RECEIPT": "ERASED"}
    assert await about(ask, member_id) is None


async def test_a_members_evidence_comes_in_pages_without_a_gap_over_three_years(
    running: Parts, ask: Ask, clock: StillClock
) -> None:
    member_id = await a_member(running)
    for _ in range(7):
        clock.advance(days=50)
        await running.operations.member(
            a_call("customer_service_agent"), member_id=member_id, purpose="customer_service", fields=("name",)
        )
    seen, after = [], None
    while True:
        page = await about(ask, member_id, first=3, after=after)
        seen += [one["entry"]["index"] for one in page["items"] if one["entry"]["kind"] != "audit"]
        after = page["end"]
        if not page["hasNext"]:
            break
    assert len(seen) == len(set(seen)) == 8 and seen == sorted(seen, reverse=True)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"first": 0}, "PAGE_SIZE_TOO_LARGE"),
        ({"first": 21}, "PAGE_SIZE_TOO_LARGE"),
        ({"after": "x"}, "CURSOR_INVALID"),
        ({"after": "-1"}, "CURSOR_INVALID"),
        ({"after": "9" * 40}, "CURSOR_INVALID"),
        ({"purpose": "nothing_of_ours"}, "PURPOSE_UNKNOWN"),
        ({"purpose": "customer_service"}, "ROLE_NOT_ALLOWED"),
    ],
)
async def test_what_is_asked_wrongly_is_refused(running: Parts, ask: Ask, more: dict[str, Any], code: str) -> None:
    member_id = await a_member(running)
    answer = await ask(MEMBER_EVIDENCE, role="compliance_officer", variables={"member": member_id, "purpose": "audit", **more})
    assert answer["errors"][0]["extensions"]["code"] == code


@pytest.mark.parametrize("role", ["auditor", "marketer", "customer_service_agent", "mini_program", "member"])
async def test_evidence_is_for_those_who_may_see_both_the_log_and_the_consents(running: Parts, ask: Ask, role: str) -> None:
    member_id = await a_member(running)
    own = member_id if role == "member" else None
    for query, named in ((EVIDENCE, {"entry": member_id}), (MEMBER_EVIDENCE, {"member": member_id})):
        answer = await ask(query, role=role, member_id=own, variables={**named, "purpose": "audit"})
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


@pytest.mark.obligation("LB-09")
async def test_looking_at_evidence_is_recorded_as_looking_into_the_log(running: Parts, ask: Ask, clock: StillClock) -> None:
    member_id, _, entry_id = await a_use(running, ask, clock)
    await behind(ask, entry_id)
    assert await behind(ask, "019a0000-0000-7000-8000-00000000beef") is None
    looks = [one["entry"] for one in (await about(ask, member_id))["items"] if one["entry"]["kind"] == "audit"]
    assert looks[0]["operation"] == "evidence" and looks[0]["purpose"] == "audit"
    assert {look["operation"] for look in looks} == {"evidence", "memberEvidence"}

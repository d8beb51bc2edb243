"""Receipts through GraphQL: what stands in one, who gets it, and that a stranger can prove it with a library that is not ours."""

import base64
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import httpx2
import jwt
import pytest

from service.addresses import build
from service.app import Parts, parts
from service.config import Config, Mode
from service.consent.ledger import WITHDRAWAL_METHOD
from tests.conftest import StillClock
from tests.factories import a_call, a_member
from tests.service.identity.issuers import jwks
from tests.service.receipts.asking import RECEIPT, Ask, Stranger, answered, receipt_of, withdrawn

GIFT, SMS = "birthday_gift", "marketing_sms"


async def history(running: Parts, member_id: str) -> dict:
    found = await running.operations.consent_history(a_call("compliance_officer"), member_id=member_id, purpose="audit")
    return {event.event_id: event for event in found}


@pytest.mark.obligation("NC-15", "NC-08")
async def test_a_members_receipt_says_what_the_store_says(running: Parts, ask: Ask, client: httpx2.AsyncClient) -> None:
    member_id = await a_member(running)
    event_id = await answered(running, member_id, GIFT)
    event = (await history(running, member_id))[event_id]
    receipt = await receipt_of(ask, member_id, event_id)
    said = (await Stranger.reading(client)).read(receipt["jws"])
    assert json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False) == receipt["jsonLd"]
    assert said["@type"] == "dpv:ConsentReceipt" and "menshen/consent-receipt/v1" in said["dct:conformsTo"]
    assert said["dct:identifier"] == receipt["receiptId"]
    source, process = said["dct:source"], said["dpv:hasProcess"]
    assert (source["dct:identifier"], receipt["eventId"]) == (event.record["recordId"], event_id)
    assert (source["menshen:hash"], source["menshen:previousHash"]) == (event.hash.hex(), event.previous_hash.hex())
    assert process["dpv:hasPurpose"]["dct:identifier"] == event.purpose == GIFT
    assert process["dpv:hasPurpose"]["dct:hasVersion"] == event.record["purposeVersion"]
    assert process["dpv:hasConsentControl"]["dct:description"] == event.record["withdrawalMethod"]
    assert WITHDRAWAL_METHOD in process["dpv:hasConsentControl"]["dct:description"]
    assert [party["@id"] for party in process["dpv:hasRecipient"]] == [
        f"menshen:party:{key}" for key in event.record["recipientThirdParties"]
    ]
    assert process["dpv:hasDataController"][0]["dpv:hasName"] == running.catalogue.controller.legal_name.zh
    assert process["dpv:hasStorageCondition"]["dpv:hasDuration"] == f"P{event.record['retentionMonths']}M"
    assert said["dpv:hasConsentStatus"]["@id"] == "dpv:ConsentGiven"
    assert said["dpv:isIndicatedAtTime"] == event.record["eventTime"]
    assert said["dpv:hasNotice"]["menshen:sha256"] == event.record["noticeSha256"]


@pytest.mark.obligation("NC-15", "NC-03")
async def test_the_permalink_in_a_receipt_serves_the_bytes_that_were_shown(
    running: Parts, ask: Ask, client: httpx2.AsyncClient
) -> None:
    member_id = await a_member(running)
    receipt = await receipt_of(ask, member_id, await answered(running, member_id, GIFT))
    notice = (await Stranger.reading(client)).read(receipt["jws"])["dpv:hasNotice"]
    served = await client.get(notice["@id"])
    assert served.status_code == 200
    assert hashlib.sha256(served.content).hexdigest() == notice["menshen:sha256"]


@pytest.mark.obligation("NC-15")
async def test_a_receipt_has_the_question_in_the_words_that_were_shown(running: Parts, ask: Ask) -> None:
    member_id = await a_member(running)
    event_id = await answered(running, member_id, GIFT)
    receipt = await receipt_of(ask, member_id, event_id)
    question = json.loads(receipt["jsonLd"])["menshen:question"]
    words = running.catalogue.notices["2026-10"].scopes[GIFT].words
    assert (question["menshen:words"], question["menshen:evidenced"]) == (words["zh-CN"], True)
    assert question["menshen:sha256"] == hashlib.sha256(words["zh-CN"].encode()).hexdigest()
    assert words["zh-CN"] in receipt["textZh"] and words["en"] in receipt["textEn"]
    for text in (receipt["textZh"], receipt["textEn"]):
        assert event_id in text and receipt["receiptId"] in text and WITHDRAWAL_METHOD in text
    assert "结果：同意" in receipt["textZh"] and "Answer: given" in receipt["textEn"]


async def test_every_answer_has_its_receipt_the_refusals_and_the_withdrawal_too(
    running: Parts, ask: Ask, clock: StillClock
) -> None:
    member_id = await a_member(running)
    states = {}
    for granted in (False, True, True):
        clock.advance(days=40)
        said = json.loads((await receipt_of(ask, member_id, await answered(running, member_id, GIFT, granted=granted)))["jsonLd"])
        states[said["menshen:state"]] = said
    clock.advance(60)
    taken_back = json.loads((await receipt_of(ask, member_id, await withdrawn(running, member_id, GIFT)))["jsonLd"])
    assert {state: said["dpv:hasConsentStatus"]["@id"] for state, said in states.items()} == {
        "REFUSED": "dpv:ConsentRefused",
        "GIVEN": "dpv:ConsentGiven",
        "RENEWED": "dpv:RenewedConsentGiven",
    }
    assert taken_back["dpv:hasConsentStatus"]["@id"] == "dpv:ConsentWithdrawn"
    assert "menshen:validUntil" in states["GIVEN"] and "menshen:validUntil" not in taken_back
    assert "menshen:validUntil" not in states["REFUSED"]
    assert "dpv:hasNotice" not in taken_back


@pytest.mark.obligation("NC-15")
async def test_the_same_event_gives_the_same_receipt_also_after_a_restart(
    running: Parts, ask: Ask, config: Config, clock: StillClock
) -> None:
    member_id = await a_member(running)
    event_id = await answered(running, member_id, GIFT)
    first = await receipt_of(ask, member_id, event_id)
    clock.advance(days=400)
    assert await receipt_of(ask, member_id, event_id) == first


async def test_a_receipt_names_its_member_by_a_name_of_its_own_and_holds_nothing_personal(running: Parts, ask: Ask) -> None:
    ann, ben = await a_member(running), await a_member(running)
    receipts = [await receipt_of(ask, ann, await answered(running, ann, purpose)) for purpose in (GIFT, SMS)]
    receipts.append(await receipt_of(ask, ben, await answered(running, ben, GIFT)))
    names = [json.loads(receipt["jsonLd"])["dpv:hasDataSubject"]["@id"] for receipt in receipts]
    assert names[0] == names[1] != names[2]
    assert all(name.startswith("menshen:principal:r1:") for name in names)
    whole = json.dumps(receipts)
    assert ann not in whole and ben not in whole
    entries = await running.database.read.rows(_entries())
    assert all(name.removeprefix("menshen:principal:r1:").encode() not in raw for (raw,) in entries for name in names)


def _entries():
    from sqlalchemy import select

    from service.db.statement import Prepared
    from service.db.tables import audit_entry

    return Prepared(select(audit_entry.c.entry))


@pytest.mark.obligation("NC-15")
async def test_a_receipt_altered_by_one_byte_anywhere_is_refused(running: Parts, ask: Ask, client: httpx2.AsyncClient) -> None:
    member_id = await a_member(running)
    receipt = await receipt_of(ask, member_id, await answered(running, member_id, GIFT))
    stranger = await Stranger.reading(client)
    parts_of = [base64.urlsafe_b64decode(part + "==") for part in receipt["jws"].split(".")]
    for place, raw in enumerate(parts_of):
        for index in {0, 1, len(raw) // 3, len(raw) // 2, len(raw) - 2, len(raw) - 1}:
            altered = bytearray(raw)
            altered[index] ^= 1
            changed = [*parts_of]
            changed[place] = bytes(altered)
            compact = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in changed)
            with pytest.raises((jwt.PyJWTError, KeyError, ValueError)):
                stranger.read(compact)


@pytest.mark.obligation("NC-15")
async def test_after_an_erasure_none_can_be_made_and_an_old_one_still_holds(
    running: Parts, ask: Ask, client: httpx2.AsyncClient
) -> None:
    member_id = await a_member(running)
    event_id = await answered(running, member_id, GIFT)
    receipt = await receipt_of(ask, member_id, event_id)
    assert await running.operations.erase(a_call("compliance_officer"), member_id=member_id)
    for role in ("member", "compliance_officer"):
        named = {"event": event_id} | ({"purpose": "audit"} if role != "member" else {})
        answer = await ask(RECEIPT, role=role, member_id=member_id if role == "member" else None, variables=named)
        assert answer["data"]["consentReceipt"] is None
    said = (await Stranger.reading(client)).read(receipt["jws"])
    assert said["dct:source"]["dct:identifier"] == event_id


async def test_a_receipt_is_its_members_and_of_nobody_else(running: Parts, ask: Ask) -> None:
    ann, ben = await a_member(running), await a_member(running)
    event_id = await answered(running, ann, GIFT)
    assert await receipt_of(ask, ben, event_id) is None
    assert await receipt_of(ask, ann, "019a0000-0000-7000-8000-000000000009") is None
    assert await receipt_of(ask, ann, "not an id \x00") is None
    for role, purpose in (("mini_program", "account_service"), ("compliance_officer", "audit")):
        answer = await ask(RECEIPT, role=role, variables={"event": event_id, "purpose": purpose})
        assert answer["data"]["consentReceipt"]["eventId"] == event_id


@pytest.mark.parametrize(
    ("role", "purpose", "code"),
    [
        ("marketer", "marketing_sms", "FORBIDDEN"),
        ("auditor", "audit", "FORBIDDEN"),
        ("mini_program", "audit", "ROLE_NOT_ALLOWED"),
        ("mini_program", None, "PURPOSE_UNKNOWN"),
    ],
)
async def test_whoever_may_not_read_consents_gets_no_receipt(
    running: Parts, ask: Ask, role: str, purpose: str, code: str
) -> None:
    event_id = await answered(running, await a_member(running), GIFT)
    answer = await ask(RECEIPT, role=role, variables={"event": event_id, "purpose": purpose})
    assert answer["errors"][0]["extensions"]["code"] == code


async def test_a_token_narrowed_to_other_purposes_gets_no_receipt_of_this_one(running: Parts, ask: Ask) -> None:
    event_id = await answered(running, await a_member(running), GIFT)
    named = {"event": event_id, "purpose": "account_service"}
    answer = await ask(RECEIPT, role="mini_program", purposes=["account_service", SMS], variables=named)
    assert answer["data"]["consentReceipt"] is None


async def test_each_receipt_that_is_asked_for_leaves_one_entry(running: Parts, ask: Ask) -> None:
    member_id = await a_member(running)
    event_id = await answered(running, member_id, GIFT)
    await receipt_of(ask, member_id, event_id)  # the first read of an instance begins its lane with an entry of its own
    before = len(await running.database.read.rows(_entries()))
    await receipt_of(ask, member_id, event_id)
    rows = await running.database.read.rows(_entries())
    assert len(rows) == before + 1
    entry = next(found for found in map(json.loads, (raw for (raw,) in rows)) if found.get("op") == "consentReceipt")
    assert (entry["typ"], entry["dec"], entry["pur"], entry["cnt"]) == ("access", "allow", "self_access", 1)
    assert entry["x"] == {"event": event_id} and len(entry["sub"]) == 1


async def test_the_keys_are_published_in_production_too(running: Parts, client: httpx2.AsyncClient, tmp_path: Path) -> None:
    keys = tmp_path / "jwks.json"
    keys.write_bytes(jwks())
    config = running.config.model_copy(update={"mode": Mode.PRODUCTION, "issuer": "https://id.example.cn", "jwks_file": keys})
    transport = httpx2.ASGITransport(app=build(replace(running, config=config)), raise_app_exceptions=True)
    async with httpx2.AsyncClient(transport=transport, base_url="http://menshen.test") as production:
        published = (await production.get("/.well-known/menshen/jwks.json")).content
    assert published == (await client.get("/.well-known/menshen/jwks.json")).content


async def test_the_keys_are_public_and_may_be_cached(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/.well-known/menshen/jwks.json")
    assert answer.headers["content-type"] == "application/jwk-set+json"
    assert answer.headers["cache-control"] == "public, max-age=3600"
    (key,) = answer.json()["keys"]
    assert key.keys() == {"alg", "crv", "kid", "kty", "use", "x"}
    again = await client.get("/.well-known/menshen/jwks.json", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.obligation("NC-15")
async def test_a_receipt_outlives_its_key(running: Parts, ask: Ask, config: Config, clock: StillClock) -> None:
    """The receipt key gets a successor: what the old one signed still holds, and both are published."""
    member_id = await a_member(running)
    event_id = await answered(running, member_id, GIFT)
    receipt = await receipt_of(ask, member_id, event_id)
    await _second_generation(running, config)
    async with parts(config, clock=clock) as renewed:
        transport = httpx2.ASGITransport(app=build(renewed), raise_app_exceptions=True)
        async with httpx2.AsyncClient(transport=transport, base_url="http://menshen.test") as client:
            stranger = await Stranger.reading(client)
        assert len(stranger.keys) == 2
        assert stranger.read(receipt["jws"])["dct:source"]["dct:identifier"] == event_id
        call = a_call("member", member_id=member_id)
        newer = await renewed.operations.consent_receipt(call, event_id=event_id)
        assert newer is not None and newer.jws != receipt["jws"] and newer.document == receipt["jsonLd"]
        assert stranger.read(newer.jws) == stranger.read(receipt["jws"])


async def _second_generation(running: Parts, config: Config) -> None:
    """As an operator would: a key of generation 2 through the same KMS, and the first one only proves from now on."""
    import os

    from sqlalchemy import update

    from service.db.statement import Prepared
    from service.db.tables import keyring
    from service.vault import store
    from service.vault.keys import Suite
    from service.vault.kms import kms_for
    from service.vault.store import KeyRow

    controller, key_id = running.catalogue.controller.id, "019a0000-0000-7000-8000-0000000000aa"
    context = {"controller": controller, "generation": "2", "key": key_id, "suite": "1", "use": "receipt"}
    kms = kms_for(config.kms, chance=os.urandom, production=False)
    made = await kms.generate_data_key(context)
    retire = Prepared(update(keyring).where(keyring.c.use == "receipt").values(state="decrypt-only"))
    async with running.database.write() as transaction:
        await transaction.run(retire, {})
        row = KeyRow(key_id, "receipt", 2, "active", Suite.AES256_GCM.header + made.wrapped, kms.uri)
        await store.add_key(transaction, row, now=running.clock())
        await transaction.commit()

"""Consent events and members' acts against their vectors, which were made from the words of docs/formats with hashlib and json alone."""

import hashlib
import hmac
import json
from dataclasses import replace
from datetime import datetime

import pytest

from policies.naming import Title
from policies.terms import Catalogue, ConsentState, Shape
from service.audit.entry import Draft
from service.consent import assisting, ledger
from service.consent.model import BoxState, CaptureChannel, Client, Decision, Evidence, Expression
from service.errors import Malformed
from service.unit import Unit
from service.values import Actor, ActorKind, Call
from tests.vectors.reading import Case, cases, vault_of, whole


@pytest.mark.parametrize("case", cases("consent-event"))
def test_a_consent_event(case: Case) -> None:
    body, expected = case["body"], bytes.fromhex(case["hash"])
    if case["expect"] == "Malformed":
        with pytest.raises(Malformed) as caught:
            ledger.read_record(body, expected)
        assert not body or body not in str(caught.value)
        return
    assert ledger.read_record(body, expected) == case["record"]
    assert ledger.canonical(case["record"]) == body
    assert json.dumps(case["record"], sort_keys=True, separators=(",", ":"), ensure_ascii=False) == body
    assert hashlib.sha256(b"menshen/consent-event/v1\0" + body.encode()).digest() == expected


@pytest.mark.parametrize("case", [case for case in cases("consent-event") if case.values[0]["expect"] == "event"])
def test_what_happens_is_written_down_as_the_vectors_record_it(case: Case, catalogue: Catalogue) -> None:
    event = ledger.make_event(policy_of_the_vectors(catalogue), happening(case["record"], catalogue))
    assert ledger.canonical(event.record) == case["body"]
    assert (event.hash.hex(), event.previous_hash.hex()) == (case["hash"], case["record"]["previousEventHash"])


def test_the_second_event_of_the_vectors_is_chained_to_the_first() -> None:
    first, second, *_ = whole("consent-event")["vectors"]
    assert second["record"]["previousEventHash"] == first["hash"]
    assert first["record"]["previousEventHash"] == ledger.GENESIS.hex()


def policy_of_the_vectors(catalogue: Catalogue) -> Catalogue:
    """Ours, with the words that a record takes from the policy replaced by the vectors': theirs do not change with the policy."""
    policy = whole("consent-event")["policy"]
    said, notice = policy["controller"], policy["notice"]
    controller = replace(
        catalogue.controller,
        id=said["id"],
        legal_name=Title(zh=said["name"], en=""),
        address=Title(zh=said["address"], en=""),
        contact_email=said["contact"],
        storage_location=Title(zh=said["storage"], en=""),
        jurisdiction=said["jurisdiction"],
    )
    shown = replace(next(iter(catalogue.notices.values())), digests={notice["language"]: notice["sha256"]}, scopes={})
    return replace(catalogue, controller=controller, notices={notice["version"]: shown}, digest=policy["digest"])


def happening(record: Case, catalogue: Catalogue) -> ledger.Happening:
    said = whole("consent-event")["policy"]["purpose"]
    purpose = replace(
        catalogue.purposes[said["key"]],
        title=Title(zh=said["title"], en=""),
        fields=dict.fromkeys(said["fields"], Shape.PLAIN),
        recipients=tuple(said["recipients"]),
        retention_months=said["retention_months"],
        consent_months=said["consent_months"],
        version=record["purposeVersion"],
    )
    return ledger.Happening(
        event_id=record["recordId"],
        member_id=record["piiPrincipalId"],
        purpose=purpose,
        state=ConsentState(record["eventState"]),
        at=datetime.fromisoformat(record["eventTime"]),
        actor=Actor(ActorKind(record["entityKind"]), record["entityId"], frozenset()),
        request_id=record["requestId"],
        channel=CaptureChannel(record["channel"]),
        evidence=evidence(record) if "privacyNotice" in record else None,
        previous_hash=bytes.fromhex(record["previousEventHash"]),
        source=record.get("source"),
        role=record["entityRole"],
        address=record.get("entityAddress", ""),
    )


def evidence(record: Case) -> Evidence:
    client = record["client"]
    return Evidence(
        notice_version=record["privacyNotice"],
        language=record["language"],
        presented_at=datetime.fromisoformat(record["presentedAt"]),
        expression=Expression(record["expression"]),
        screen=record["screen"],
        channel=CaptureChannel(record["channel"]),
        box=BoxState(record["box"]),
        client=Client(client["appId"], client["appVersion"], client["deviceDigest"]),
        purposes_on_screen=record.get("screenPurposeCount"),
        words_digest=record.get("wordsSha256", ""),
    )


@pytest.mark.obligation("NC-14")
@pytest.mark.parametrize("case", cases("member-act"))
def test_a_members_act(case: Case, catalogue: Catalogue) -> None:
    now = datetime.fromisoformat(case["now"])
    call = Call(Actor(ActorKind.STAFF, case["assistant"], frozenset({"store_clerk"})), "r-1")
    unit = Unit(
        session=None,  # type: ignore[arg-type] - an act is checked without the database
        catalogue=catalogue,
        now=now,
        call=call,
        vault=vault_of(case),
        draft=Draft(typ="consent"),
        chance=lambda _: bytes.fromhex(case["nonce"]),
    )
    shown = Evidence(
        case["notice"], case["language"], now, Expression.BUTTON, "pos", CaptureChannel.STORE, words_digest=case["words"]
    )
    decisions = [Decision(purpose, granted) for purpose, granted in case["decisions"]]
    said = assisting.nonce_of(unit, case["token"], member_id=case["member"], decisions=decisions, evidence=shown)
    if case["expect"] == "refused":
        assert said is None
        return
    assert said == case["nonce"]
    tag = hmac.digest(bytes.fromhex(case["key"]), b"menshen/member-act/v1\0" + case["message"].encode(), "sha256")
    assert case["token"].endswith(assisting._text(tag))
    made_at = datetime.fromtimestamp(case["expires"], now.tzinfo) - assisting.LASTS
    made = assisting.confirm(
        replace(unit, now=made_at), member_id=case["member"], to=case["assistant"], decisions=decisions, evidence=shown
    )
    assert made.token == case["token"]

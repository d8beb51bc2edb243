"""Receipts against their vectors, which were made from the words of docs/formats/consent-receipt.md by other code than this."""

import hashlib
import json
from base64 import urlsafe_b64encode
from datetime import datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.naming import Title
from policies.terms import ConsentState, Scope
from service.consent.ledger import canonical as record_bytes
from service.consent.model import ConsentEvent
from service.errors import Malformed
from service.receipts import jws
from service.receipts.document import canonical, document
from service.receipts.model import Verdict
from service.receipts.verdict import found_in, judge, read_document
from service.vault.keyring import USES, Keyring
from service.vault.keys import CIPHERS, MemberKeys, RingKey, Suite
from service.vault.vault import Vault
from tests.service.vault import vaults

Case = dict[str, Any]
WHOLE: Case = json.loads(Path(__file__).with_name("consent-receipt.json").read_text("utf-8"))
PUBLIC = bytes.fromhex(WHOLE["key"]["public"])
KEYS = {WHOLE["key"]["kid"]: PUBLIC}


def cases(*, of: str = "") -> list[Any]:
    found = [case for case in WHOLE["vectors"] if of in {"", case["expect"]}]
    assert {case["expect"] for case in found} <= set(WHOLE["expect"])
    return [pytest.param(case, id=case["comment"]) for case in found]


def vault() -> Vault:
    """A vault that signs with the vectors' key."""
    seed = bytes.fromhex(WHOLE["key"]["seed"])
    return vaults.vault(of=Keyring([RingKey(use, 1, suite=Suite.AES256_GCM, active=True, key=seed) for use in USES]))


def event_of(case: Case) -> ConsentEvent:
    record = case["record"]
    at = datetime.fromisoformat(record["eventTime"])
    return ConsentEvent(
        event_id=record["recordId"],
        purpose=record["purpose"],
        state=ConsentState(record["eventState"]),
        recorded_at=at,
        expires_at=None,
        notice_version=record.get("privacyNotice"),
        record=record,
        previous_hash=bytes.fromhex(record["previousEventHash"]),
        hash=bytes.fromhex(case["hash"]),
    )


@pytest.mark.parametrize("case", cases(of="VALID"))
def test_an_event_becomes_the_document_and_the_document_the_signed_text(case: Case) -> None:
    record = case["record"]
    assert hashlib.sha256(b"menshen/consent-event/v1\0" + record_bytes(record).encode()).hexdigest() == case["hash"]
    scope = Scope(1, frozenset(), Title("", ""), frozenset(), 24, 12, WHOLE["words"]) if "privacyNotice" in record else None
    made = document(event_of(case), WHOLE["principal"]["subject"], scope)
    assert made == case["document"]
    assert canonical(made) == json.dumps(case["document"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert jws.signed(vault(), canonical(made).encode()) == case["jws"]


@pytest.mark.parametrize("case", cases())
def test_a_receipt_is_judged(case: Case) -> None:
    if case["expect"] == "Malformed":
        with pytest.raises(Malformed) as caught:
            judge(case["jws"], KEYS)
        assert not case["jws"] or case["jws"] not in str(caught.value)
        return
    judged = judge(case["jws"], KEYS)
    assert judged.verdict is Verdict(case["expect"])
    assert judged.document == case.get("document")


@pytest.mark.parametrize("case", cases(of="VALID"))
def test_every_receipt_begins_with_the_one_header_that_there_is(case: Case) -> None:
    header, _, _ = case["jws"].partition(".")
    assert urlsafe_b64encode(WHOLE["header"].encode()).rstrip(b"=").decode() == header


@pytest.mark.parametrize("case", cases(of="VALID"))
def test_a_library_that_is_not_ours_reads_the_same(case: Case) -> None:
    published = jwt.PyJWKSet.from_json(jws.key_set(vault().public_keys("receipt")).decode())
    payload = jwt.PyJWS(algorithms=["EdDSA"]).decode(case["jws"], published[WHOLE["key"]["kid"]], algorithms=["EdDSA"])
    assert json.loads(payload) == case["document"]


def test_the_keys_name_is_its_thumbprint_and_only_the_public_half_is_shown() -> None:
    assert jws.thumbprint(PUBLIC) == WHOLE["key"]["kid"]
    (key,) = vault().public_keys("receipt")
    assert (key.raw, key.active, key.generation) == (PUBLIC, True, 1)
    assert WHOLE["key"]["seed"] not in jws.key_set([key]).decode()


def test_the_members_name_on_receipts() -> None:
    principal = WHOLE["principal"]
    suite = Suite(principal["suite"])
    keys = MemberKeys("", 1, b"", suite.header, CIPHERS[suite](bytes(32)), bytes.fromhex(principal["pseudonym_key"]))
    assert principal["origin"] == vaults.ORIGIN
    assert vault().receipt_pseudonym(keys) == principal["subject"]
    assert vault().pseudonym_at(keys, "2026-11").removeprefix("p1:") not in principal["subject"]


def test_a_key_under_a_name_that_is_not_its_own_proves_nothing() -> None:
    stranger = vaults.vault()
    raw = stranger.public_keys("receipt")[0].raw
    receipt = WHOLE["vectors"][0]["jws"]
    assert judge(receipt, {WHOLE["key"]["kid"]: raw}).verdict is Verdict.UNKNOWN_KEY
    assert judge(receipt, {}).verdict is Verdict.UNKNOWN_KEY


@pytest.mark.parametrize("notice", [None, b"", b"another"])
def test_another_notice_is_said_to_differ(notice: bytes | None) -> None:
    judged = judge(WHOLE["vectors"][0]["jws"], KEYS, lambda _version, _language: notice)
    assert (judged.verdict, judged.notice_checked) == (Verdict.NOTICE_DIFFERS, False)
    assert judged.document is not None


def test_what_needs_no_notice_is_not_asked_for_one() -> None:
    assert judge(WHOLE["vectors"][1]["jws"], KEYS, lambda _version, _language: None).verdict is Verdict.VALID


_TEXT = st.text(max_size=80) | st.text(alphabet="abcAB-_.=09", max_size=80)


@given(_TEXT | st.tuples(_TEXT, _TEXT, _TEXT).map(".".join))
def test_whatever_the_text_it_is_malformed_or_taken_apart(text: str) -> None:
    try:
        found = jws.parse(text)
    except Malformed:
        return
    assert len(found.signature) == 64


@given(st.binary(max_size=200) | st.recursive(st.none() | st.text(max_size=9), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
    st.sampled_from(["data", "jws", "consentReceipt", "x"]), inner, max_size=3), max_leaves=8).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_whatever_the_file_a_text_is_found_in_it_or_one_error_raised(raw: bytes) -> None:
    try:
        assert isinstance(found_in(raw), str)
    except Malformed:
        return


@given(st.binary(max_size=200) | st.dictionaries(st.sampled_from(["dct:source", "dct:identifier", "dct:conformsTo", "x"]), st.none() | st.text() | st.lists(
    st.text()) | st.dictionaries(st.just("menshen:hash"), st.text() | st.integers())).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_whatever_was_signed_it_is_a_receipt_or_malformed(payload: bytes) -> None:
    with pytest.raises(Malformed):
        read_document(payload)


@given(st.integers(0, 10_000), st.integers(0, 7))
def test_one_bit_anywhere_and_it_is_no_longer_valid(place: int, bit: int) -> None:
    text = bytearray(WHOLE["vectors"][0]["jws"].encode())
    text[place % len(text)] ^= 1 << bit
    try:
        verdict = judge(text.decode("latin-1"), KEYS).verdict
    except Malformed:
        return
    assert verdict in {Verdict.ALTERED, Verdict.UNKNOWN_KEY}

"""Links and subscription events against their vectors, made from the words of docs/formats with hashlib, json and a plain AEAD."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from service.errors import BadInput, Malformed
from service.subscriptions import ledger, links
from service.subscriptions.links import Addressed, Confirmation, Link
from service.vault.keys import Suite
from tests.service.vault import vaults
from tests.vectors.reading import Case, cases, vault_of, whole

LIFE = timedelta(days=1095)
READERS: dict[str, Callable[..., object]] = {"unsubscribe": links.opened, "confirm": links.confirmed, "address": links.addressed}

WRITERS: dict[str, Callable[..., str]] = {
    "unsubscribe": links.make,
    "confirm": links.make_confirmation,
    "address": links.make_addressed,
}


@pytest.mark.parametrize("case", cases("link"))
def test_a_link(case: Case) -> None:
    read, now = READERS[case["kind"]], datetime.fromisoformat(case["now"])
    if case["expect"] != "link":
        with pytest.raises(BadInput) as caught:
            read(vault_of(case), case["token"], now=now, life=LIFE)
        assert caught.value.code == case["expect"]
        return
    assert read(vault_of(case), case["token"], now=now, life=LIFE) == link_of(case)


@pytest.mark.parametrize("case", [case for case in cases("link") if case.values[0]["expect"] == "link"])
def test_a_link_is_made_as_the_vectors_have_it(case: Case) -> None:
    ring = vaults.ring(Suite(case["suite"]), chance=lambda _: bytes.fromhex(case["key"]))
    vault = vaults.vault(of=ring, chance=lambda _: bytes.fromhex(case["nonce"]))
    made = link_of(case)
    assert WRITERS[case["kind"]](vault, made) == case["token"]


def link_of(case: Case) -> Link | Confirmation | Addressed:
    said = case["link"]
    if case["kind"] == "address":
        return Addressed(said["channel"], said["address"], datetime.fromisoformat(said["issued_at"]).astimezone(UTC))
    at, about = datetime.fromisoformat(said["issued_at"]).astimezone(UTC), (said["channel"], said["topic"], said["brand"])
    if case["kind"] == "unsubscribe":
        return Link(said["member"], *about, said["send"], at)
    return Confirmation(said["member"], *about, said["event"], bytes.fromhex(said["mark"]), at)


@pytest.mark.parametrize("case", cases("subscription-event"))
def test_a_subscription_event(case: Case) -> None:
    body, expected = case["body"], bytes.fromhex(case["hash"])
    if case["expect"] == "Malformed":
        with pytest.raises(Malformed) as caught:
            ledger.read_record(body, expected)
        assert not body or body not in str(caught.value)
        return
    assert ledger.read_record(body, expected) == case["record"]
    assert ledger.canonical(case["record"]) == body
    assert json.dumps(case["record"], sort_keys=True, separators=(",", ":"), ensure_ascii=False) == body
    assert hashlib.sha256(b"menshen/subscription-event/v1\0" + body.encode()).digest() == expected


def test_the_second_event_of_the_vectors_is_chained_to_the_first() -> None:
    first, second, *_ = whole("subscription-event")["vectors"]
    assert second["record"]["previousEventHash"] == first["hash"]
    assert first["record"]["previousEventHash"] == ledger.GENESIS.hex()

"""The gate's formats, by their words."""

import hashlib
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from service.errors import BadInput
from service.gate import deciding, tokens, window
from service.gate.model import Kept
from tests.vectors.reading import Case, cases, mac_of, vault_of


@pytest.mark.parametrize("case", cases("decision-token"))
def test_a_decision_token(case: Case) -> None:
    vault = vault_of(case)
    bound = tokens.Bound(case["member"], case["send"], case["channel"], bytes.fromhex(case["template"]))
    if case["expect"] == "DECISION_TOKEN_INVALID":
        with pytest.raises(BadInput) as caught:
            tokens.check(vault, case["token"], bound)
        assert caught.value.code == "DECISION_TOKEN_INVALID"
        return
    end = datetime.fromisoformat(case["expires"])
    assert tokens.check(vault, case["token"], bound) == end
    assert tokens.make(vault, bound, end) == case["token"]
    micros = (int(end.timestamp()) * 10**6).to_bytes(8, "big")
    send, member = UUID(case["send"]).bytes, UUID(case["member"]).bytes
    message = b"menshen/decision-token/v1\0" + micros + send + member + bytes.fromhex(case["template"]) + case["channel"].encode()
    raw = b"\x01" + mac_of(case, message)[:16] + micros + send
    assert raw.hex() == case["raw"]
    assert urlsafe_b64encode(raw).rstrip(b"=").decode() == case["token"]


@pytest.mark.parametrize("case", cases("send-decision"))
def test_the_digest_of_a_call(case: Case) -> None:
    leaves = [hashlib.sha256(b"menshen/send-decision/v1\0" + _text(one)).digest() for one in case["decisions"]]
    assert [leaf.hex() for leaf in leaves] == case["leaves"]
    assert hashlib.sha256(b"menshen/send-decisions/v1\0" + b"".join(leaves)).hexdigest() == case["digest"]
    kept = [_kept(one) for one in case["decisions"]]
    assert deciding.digest(reversed(kept)) == case["digest"]
    held = window.rebuilt(kept, {}, datetime(2026, 11, 22, 2, 0, tzinfo=UTC), longest=timedelta(days=7))
    assert window.written(held) == case["window"]
    assert window.read(case["window"]) == held


def _text(one: Case) -> bytes:
    names = ("member", "send", "batch", "campaign", "channel")
    said = [*(one[name] for name in names), "1" if one["allowed"] else "0", ",".join(one["reasons"])]
    return "\0".join([*said, one["decidedAt"], one["expiresAt"] or "", one["evidence"]]).encode()


def _kept(one: Case) -> Kept:
    ends = datetime.fromisoformat(one["expiresAt"]) if one["expiresAt"] else None
    return Kept(
        one["member"],
        one["send"],
        one["batch"],
        one["campaign"],
        one["channel"],
        one["allowed"],
        tuple(one["reasons"]),
        one["evidence"],
        datetime.fromisoformat(one["decidedAt"]),
        ends,
    )

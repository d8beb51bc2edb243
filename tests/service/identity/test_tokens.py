"""A token that holds becomes an Actor; every other token, whatever is wrong with it, the same refusal."""

import base64
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from policies.catalogue import SHIPPED, load
from policies.terms import Catalogue
from service.errors import Unauthenticated
from service.identity.claims import Expected
from service.identity.keys import FixedKeys, JwksFile, parse_jwks
from service.identity.verifier import LARGEST_TOKEN, Verifier
from service.values import ActorKind
from tests.conftest import StillClock
from tests.service.identity.issuers import (
    AUDIENCE,
    ISSUER,
    KEYS,
    MEMBER,
    NOW,
    bearer,
    claims,
    jwks,
    public,
    sign,
    touch,
    verifier,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "jwks.json"


@pytest.fixture
def checking(file: Path, catalogue: Catalogue, clock: StillClock) -> Verifier:
    return verifier(file, catalogue.roles, clock)


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_token_of_each_algorithm_says_who_calls(checking: Verifier, algorithm: str) -> None:
    actor = checking.actor(bearer(sign(algorithm=algorithm)))
    assert (actor.kind, actor.name, actor.roles) == (ActorKind.STAFF, "clerk-17", {"store_clerk"})
    assert actor.purposes is None
    assert actor.member_id is None


def test_the_token_narrows_the_purposes(checking: Verifier) -> None:
    actor = checking.actor(bearer(sign(claims(purposes=["order_fulfilment"]))))
    assert actor.purposes == {"order_fulfilment"}


def test_an_empty_list_of_purposes_leaves_none(checking: Verifier) -> None:
    assert checking.actor(bearer(sign(claims(purposes=[])))).purposes == frozenset()


def test_a_members_token_names_the_member_and_leaves_the_subject_behind(checking: Verifier) -> None:
    actor = checking.actor(bearer(sign(claims(sub="oX3f9Kc2a7Yq", roles=["member"], member_id=MEMBER))))
    assert (actor.kind, actor.member_id) == (ActorKind.MEMBER, MEMBER)
    assert "oX3f9Kc2a7Yq" not in repr(actor)


def test_a_role_that_the_policy_does_not_know_gives_nothing(checking: Verifier) -> None:
    actor = checking.actor(bearer(sign(claims(roles=["store_clerk", "emperor"]))))
    assert actor.roles == {"store_clerk"}


WRONG_CLAIMS: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://id.example.com"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "somebody-else"},
    "no audience": {"aud": None},
    "an audience that is a number": {"aud": 7},
    "an audience inside a text": {"aud": "menshen-and-more"},
    "no expiry": {"exp": None},
    "an expiry that is a text": {"exp": "2030-01-01"},
    "an expiry that is true": {"exp": True},
    "an endless expiry": {"exp": float("inf")},
    "expired": {"exp": int((NOW - timedelta(seconds=60)).timestamp())},
    "no time of issue": {"iat": None},
    "issued in the future": {"iat": int((NOW + timedelta(seconds=61)).timestamp())},
    "not yet": {"nbf": int((NOW + timedelta(seconds=61)).timestamp())},
    "a not-before that is a text": {"nbf": "now"},
    "no subject": {"sub": None},
    "an empty subject": {"sub": ""},
    "a subject with a line break": {"sub": "clerk\n17"},
    "a subject that is a number": {"sub": 17},
    "no roles": {"roles": None},
    "no role known here": {"roles": ["emperor"]},
    "roles that are a text": {"roles": "store_clerk"},
    "a role that is a list": {"roles": [["store_clerk"]]},
    "a member who is a clerk": {"roles": ["member", "store_clerk"], "member_id": MEMBER},
    "a service that is a clerk": {"roles": ["order_service", "store_clerk"]},
    "a member without an id": {"roles": ["member"]},
    "a member whose id is none": {"roles": ["member"], "member_id": "1 OR 1=1"},
    "purposes that are a text": {"purposes": "order_fulfilment"},
}


@pytest.mark.obligation("SE-05")
@pytest.mark.parametrize("changes", WRONG_CLAIMS.values(), ids=WRONG_CLAIMS)
def test_a_claim_that_does_not_hold_is_refused_without_saying_which(checking: Verifier, changes: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        checking.actor(bearer(sign(claims(**changes))))
    assert str(refusal.value) == str(Unauthenticated())
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize("changes", [{"exp": int((NOW - timedelta(seconds=59)).timestamp())}, {"iat": int(NOW.timestamp()) + 59}])
def test_clocks_may_differ_by_a_minute(checking: Verifier, changes: dict[str, Any]) -> None:
    assert checking.actor(bearer(sign(claims(**changes)))).name == "clerk-17"


def test_one_of_several_audiences_is_enough(checking: Verifier) -> None:
    assert checking.actor(bearer(sign(claims(aud=["other", "menshen"])))).name == "clerk-17"


WRONG_HEADERS: dict[str, dict[str, Any]] = {
    "an unknown key": {"kid": "nobody"},
    "the key of another algorithm": {"kid": "RS256"},
    "no key": {"kid": ""},
    "another kind of token": {"typ": "id+jwt"},
    "a demand that we do not know": {"crit": ["exp"], "exp": 1},
}


@pytest.mark.parametrize("headers", WRONG_HEADERS.values(), ids=WRONG_HEADERS)
def test_a_header_that_asks_for_something_else_is_refused(checking: Verifier, headers: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated):
        checking.actor(bearer(sign(**headers)))


def unsigned(algorithm: str, signature: str = "") -> str:
    """A token with a header of the attacker's choice."""

    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': algorithm, 'kid': 'EdDSA', 'typ': 'JWT'})}.{part(claims())}.{signature}"


@pytest.mark.parametrize(
    "token", [unsigned("none"), unsigned("None"), unsigned("EdDSA"), unsigned("EdDSA", "AAAA"), unsigned("")]
)
def test_an_unsigned_token_is_refused(checking: Verifier, token: str) -> None:
    with pytest.raises(Unauthenticated):
        checking.actor(bearer(token))


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_a_public_key_is_never_taken_for_a_secret(checking: Verifier, algorithm: str) -> None:
    # The oldest attack on JWT: the public key, which everybody has, used as the key of an HMAC.
    spki = KEYS["EdDSA"].public_key().public_bytes(Encoding.Raw, PublicFormat.Raw) * 2
    forged = jwt.encode(claims(), spki, algorithm, headers={"kid": "EdDSA"})
    with pytest.raises(Unauthenticated):
        checking.actor(bearer(forged))


def test_a_token_of_somebody_elses_key_is_refused(checking: Verifier) -> None:
    with pytest.raises(Unauthenticated):
        checking.actor(bearer(sign(key=Ed25519PrivateKey.generate())))


def test_changed_claims_no_longer_fit_the_signature(checking: Verifier) -> None:
    header, payload, signature = sign().split(".")
    promoted = base64.urlsafe_b64encode(json.dumps(claims(roles=["compliance_officer"])).encode()).rstrip(b"=").decode()
    assert payload != promoted
    with pytest.raises(Unauthenticated):
        checking.actor(bearer(f"{header}.{promoted}.{signature}"))


@pytest.mark.parametrize("scheme", ["Basic", "Token", "", "Bearer,"])
def test_only_bearer_tokens_are_taken(checking: Verifier, scheme: str) -> None:
    with pytest.raises(Unauthenticated):
        checking.actor(f"{scheme} {sign()}".encode())


def test_a_token_that_is_too_large_is_not_even_read(checking: Verifier) -> None:
    padded = sign(claims(padding="x" * LARGEST_TOKEN))
    with pytest.raises(Unauthenticated):
        checking.actor(bearer(padded))


def test_a_kept_token_ends_when_it_expires(checking: Verifier, clock: StillClock) -> None:
    token = bearer(sign())
    assert checking.actor(token) is checking.actor(token)
    clock.advance(minutes=11, seconds=1)
    with pytest.raises(Unauthenticated):
        checking.actor(token)


def test_a_removed_key_ends_the_tokens_that_are_kept(checking: Verifier, clock: StillClock, file: Path) -> None:
    token = bearer(sign())
    assert checking.actor(token).name == "clerk-17"
    touch(file, jwks(public("RS256")))
    clock.advance(seconds=6)
    with pytest.raises(Unauthenticated):
        checking.actor(token)


def test_a_new_key_is_believed_at_once(file: Path, catalogue: Catalogue, clock: StillClock) -> None:
    checking = verifier(file, catalogue.roles, clock, jwks(public("RS256")))
    with pytest.raises(Unauthenticated):
        checking.actor(bearer(sign()))
    touch(file, jwks())
    assert checking.actor(bearer(sign())).name == "clerk-17"


def test_no_more_tokens_are_kept_than_there_is_room_for(file: Path, catalogue: Catalogue, clock: StillClock) -> None:
    file.write_bytes(jwks())
    small = Verifier(source=JwksFile(file), expected=Expected(ISSUER, AUDIENCE), roles=catalogue.roles, clock=clock, most_kept=3)
    for number in range(9):
        assert small.actor(bearer(sign(claims(sub=f"clerk-{number}")))).name == f"clerk-{number}"
    assert len(small._kept) == 3


ANY = Verifier(
    source=FixedKeys(parse_jwks(jwks())),
    expected=Expected(ISSUER, AUDIENCE),
    roles=load(SHIPPED).roles,
    clock=StillClock(),
)
"""For Hypothesis, which wants no fixtures."""


@given(st.binary(max_size=200))
def test_whatever_the_bytes_there_is_one_refusal(raw: bytes) -> None:
    with pytest.raises(Unauthenticated):
        ANY.actor(b"Bearer " + raw)


@given(st.text(alphabet="ABCDabcd0123._-=", max_size=120))
def test_whatever_looks_like_a_token_there_is_one_refusal(text: str) -> None:
    with pytest.raises(Unauthenticated):
        ANY.actor(bearer(text))

"""The key file: what is a key for us, what is a mistake, and what happens when the file changes under a running service."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from service.errors import ConfigError, Malformed
from service.identity.keys import JwksFile, parse_jwks
from tests.service.identity.issuers import KEYS, jwks, public, touch


def test_every_key_has_its_one_algorithm() -> None:
    keys = parse_jwks(jwks())
    assert {kid: key.algorithm_name for kid, key in keys.items()} == {kid: kid for kid in KEYS}


PASSED_OVER: dict[str, dict[str, Any]] = {
    "a key for encryption": public("RS256", use="enc"),
    "a key for signing only": public("ES256", key_ops=["sign"]),
    "a key of another algorithm": public("RS256", alg="RS512"),
    "an algorithm that is none": public("RS256", alg="none"),
    "a curve that is not ours": ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1()).public_key(), as_dict=True),
    "a key without an id": {**public("EdDSA"), "kid": None},
    "a short RSA key": {
        **RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 1024).public_key(), as_dict=True),
        "kid": "short",
    },
}


@pytest.mark.parametrize("entry", PASSED_OVER.values(), ids=PASSED_OVER)
def test_what_is_not_for_us_is_passed_over(entry: dict[str, Any]) -> None:
    assert set(parse_jwks(jwks(public("EdDSA", kid="ours"), entry))) == {"ours"}


@pytest.mark.parametrize(
    "secret",
    [
        OKPAlgorithm.to_jwk(KEYS["EdDSA"], as_dict=True),
        RSAAlgorithm.to_jwk(KEYS["RS256"], as_dict=True),
        {"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0", "alg": "HS256"},
    ],
)
def test_a_file_with_a_secret_in_it_is_refused_whole(secret: dict[str, Any]) -> None:
    with pytest.raises(Malformed, match="private or secret"):
        parse_jwks(jwks(public("ES256"), {**secret, "kid": "leaked"}))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        b"[]",
        b'{"keys": 7}',
        b'{"keys": []}',
        b'{"keys": ["x"]}',
        b'{"keys": {"a": 1}}',
        jwks(public("RS256", n="AA")),
    ],
)
def test_what_is_no_key_set_is_refused(raw: bytes) -> None:
    with pytest.raises(Malformed):
        parse_jwks(raw)


def test_two_keys_under_one_id_are_refused() -> None:
    with pytest.raises(Malformed, match="same kid"):
        parse_jwks(jwks(public("EdDSA", kid="one"), public("ES256", kid="one")))


@given(
    st.binary(max_size=300)
    | st.recursive(st.none() | st.text(), lambda v: st.lists(v) | st.dictionaries(st.text(), v)).map(json.dumps).map(str.encode)
)
def test_whatever_the_bytes_there_is_one_error(raw: bytes) -> None:
    with pytest.raises(Malformed):
        parse_jwks(raw)


def test_a_missing_file_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="MENSHEN_JWKS_FILE"):
        JwksFile(tmp_path / "none.json")


def test_a_broken_file_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "jwks.json").write_bytes(b"{}")
    with pytest.raises(ConfigError, match="MENSHEN_JWKS_FILE"):
        JwksFile(tmp_path / "jwks.json")


@pytest.mark.parametrize("damage", [lambda path: touch(path, b"{"), lambda path: path.unlink()], ids=["broken", "removed"])
def test_the_last_good_keys_stay_when_the_file_goes_bad(tmp_path: Path, damage: Any) -> None:
    path = tmp_path / "jwks.json"
    path.write_bytes(jwks())
    file = JwksFile(path)
    before = file.current()
    damage(path)
    assert file.current() is before
    touch(path, jwks(public("ES256")))
    assert set(file.current()) == {"ES256"}


def test_an_unchanged_file_gives_the_same_keys(tmp_path: Path) -> None:
    path = tmp_path / "jwks.json"
    path.write_bytes(jwks())
    file = JwksFile(path)
    assert file.current() is file.current()

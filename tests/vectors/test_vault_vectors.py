"""The vault against its vectors, which were made from the words of docs/formats by other code than this.

Every `expect` is one of the file's closed list; what is sealed with a known nonce must come out byte for byte.
"""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import msgpack
import pytest

from service.errors import BadInput, ConfigError, KeyUnavailable, SealBroken
from service.vault import field
from service.vault.address import Marks
from service.vault.field import Suffixes, open_fields, seal_fields
from service.vault.framing import framed, framed_text
from service.vault.keyring import USES, Keyring
from service.vault.keys import CIPHERS, MemberKeys, RingKey, Suite
from service.vault.kms.local import LocalKms
from service.vault.lookup import Lookups
from service.vault.normalise import normalise
from service.vault.pseudonym import Pseudonyms
from service.vault.secret import Secrets
from service.vault.value import Value
from tests.service.vault import vaults
from tests.vectors.reading import Case, cases

ERRORS = {error.__name__: error for error in (BadInput, ConfigError, KeyUnavailable, SealBroken)}


def member_keys(case: Case, *, data_key: bytes, pseudonym_key: bytes = bytes(32)) -> MemberKeys:
    suite = Suite(case["suite"])
    member = case.get("member", "")
    return MemberKeys(
        member, case.get("generation", 1), framed_text(member), suite.header, CIPHERS[suite](data_key), pseudonym_key
    )


def prefix(label: bytes, case: Case) -> bytes:
    return framed(label, case["controller"].encode(), case["member"].encode())


def value_of(stated: Case) -> Value:
    readers = {"text": str, "integer": int, "date": date.fromisoformat, "texts": tuple}
    value: Value = readers[stated["type"]](stated["is"])
    return value


@pytest.mark.parametrize("case", cases("sealed-field"))
def test_a_sealed_field(case: Case) -> None:
    keys = member_keys(case, data_key=bytes.fromhex(case["data_key"]))
    sealed, key = bytes.fromhex(case["sealed"]), case["field"]
    place: Any = {"prefix": prefix(field.LABEL, case), "suffixes": Suffixes(case["generation"])}
    if case["expect"] == "SealBroken":
        with pytest.raises(SealBroken):
            open_fields(keys, {key: sealed}, wanted=[key], **place)
        return
    value = value_of(case["value"])
    found = open_fields(keys, {key: sealed}, wanted=[key], **place)[key]
    assert (found, type(found)) == (value, type(value))
    assert seal_fields(keys, {key: value}, noise=bytes.fromhex(case["nonce"]), **place) == {key: sealed}


@pytest.mark.parametrize("case", cases("sealed-map", "sealed_map"))
def test_a_sealed_map(case: Case) -> None:
    # Through the vault itself: what it binds a map and its fields to is part of the format.
    noise = bytes.fromhex(case.get("nonces", ""))
    vault = vaults.vault(Suite(case["suite"]), controller=case["controller"], chance=lambda _: noise)
    keys = member_keys(case, data_key=bytes.fromhex(case["data_key"]))
    sealed, leave = bytes.fromhex(case["sealed"]), vaults.permit(case["member"], case["wanted"])
    if case["expect"] == "SealBroken":
        with pytest.raises(SealBroken):
            vault.open(leave, keys, sealed)
        return
    values = {key: value_of(stated) for key, stated in case["values"].items()}
    assert vault.open(leave, keys, sealed) == values
    if noise:
        assert vault.seal(keys, values) == sealed


def test_a_map_is_in_the_order_of_its_keys_whatever_the_callers_order() -> None:
    case = next(param.values[0] for param in cases("sealed-map", "sealed_map") if len(param.values[0].get("values", {})) == 2)
    vault = vaults.vault(controller=case["controller"])
    keys = member_keys(case, data_key=bytes.fromhex(case["data_key"]))
    values = {key: value_of(stated) for key, stated in case["values"].items()}
    for sealed in (vault.seal(keys, dict(reversed(values.items()))), vault.reseal(keys, vault.seal(keys, {"z": 1}), {"a": "x"})):
        names = list(msgpack.unpackb(sealed[30:]))
        assert names == sorted(names)
        assert len(names) == 2


@pytest.mark.parametrize("case", cases("sealed-map", "wrapped_secret"))
def test_a_wrapped_secret(case: Case) -> None:
    key, generation = bytes.fromhex(case["keyring_key"]), case["keyring_generation"]
    ring = Keyring([RingKey("members", generation, suite=Suite(case["suite"]), active=True, key=key)])
    wrapped = bytes.fromhex(case["wrapped"])
    if case["expect"] == "SealBroken":
        secrets = Secrets(ring, controller=case["controller"], chance=bytes)
        with pytest.raises(SealBroken):
            secrets.open(case["member"], case["generation"], wrapped)
        return
    secret = bytes.fromhex(case["secret"])
    secrets = Secrets(ring, controller=case["controller"], chance=lambda _: bytes.fromhex(case["nonce"]) + secret)
    keys = secrets.open(case["member"], case["generation"], wrapped)
    assert keys.hazmat_pseudonym_key == secret[32:]
    assert keys.hazmat_cipher.decrypt(bytes(12), sealed_with(case, secret[:32]), None) == b"data key"
    if case["generation"] == 1:
        assert secrets.make(case["member"])[1] == wrapped


def sealed_with(case: Case, data_key: bytes) -> bytes:
    return CIPHERS[Suite(case["suite"])](data_key).encrypt(bytes(12), b"data key", None)


@pytest.mark.parametrize("case", cases("lookup"))
def test_a_lookup(case: Case) -> None:
    key = RingKey("lookup", 1, suite=Suite(case["suite"]), active=True, key=bytes.fromhex(case["key"]))
    lookups = Lookups(Keyring([key]))
    assert lookups.digest(case["field"], case["value"]).hex() == case["digest"]


@pytest.mark.parametrize("case", cases("address-mark"))
def test_an_address_mark(case: Case) -> None:
    key = RingKey("suppression", 1, suite=Suite(case["suite"]), active=True, key=bytes.fromhex(case["key"]))
    marks = Marks(key.hazmat_mac(), controller=case["controller"])
    if case["expect"] != "mark":
        with pytest.raises(ERRORS[case["expect"]]):
            marks.mark(case["field"], case["value"])
        return
    assert marks.mark(case["field"], case["value"]).hex() == case["mark"]


@pytest.mark.parametrize("case", cases("pseudonym"))
def test_a_pseudonym(case: Case) -> None:
    keys = member_keys(case, data_key=bytes(32), pseudonym_key=bytes.fromhex(case["key"]))
    if case["expect"] != "pseudonym":
        with pytest.raises(ERRORS[case["expect"]]):
            Pseudonyms(case["origin"]).at_epoch(keys, case["epoch"])
        return
    pseudonyms = Pseudonyms(case["origin"])
    assert pseudonyms.at_epoch(keys, case["epoch"]) == case["pseudonym"]
    if "moment" in case:
        assert pseudonyms.at_moment(keys, datetime.fromisoformat(case["moment"])) == case["pseudonym"]


@pytest.mark.parametrize("case", cases("normalisers"))
def test_a_normaliser(case: Case) -> None:
    given: Any = {"appid": case["appid"]}
    if case["expect"] == "text":
        assert normalise(case["normaliser"], case["value"], **given) == case["text"]
        return
    with pytest.raises(ERRORS[case["expect"]]) as caught:
        normalise(case["normaliser"], case["value"], **given)
    # The refusal is shown and logged: it names the rule and not the value.
    assert len(case["value"]) < 3 or case["value"] not in str(caught.value)
    assert caught.value.__context__ is None


def test_every_use_of_the_keyring_is_described() -> None:
    text = (Path(__file__).parents[2] / "docs" / "formats" / "wrapped-secret.md").read_text("utf-8")
    assert all(f"| `{use}` |" in text for use in USES)


@pytest.mark.parametrize("case", cases("wrapped-secret", "local_kms"))
async def test_a_key_that_the_local_kms_wrapped(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    path.write_text(case["file"])
    path.chmod(0o600)
    wrapped = bytes.fromhex(case["wrapped"])
    if case["expect"] != "opens":
        with pytest.raises(ERRORS[case["expect"]]):
            await LocalKms(path, chance=bytes).unwrap(wrapped, case["context"])
        return
    plaintext, nonce = bytes.fromhex(case["plaintext"]), bytes.fromhex(case["nonce"])
    kms = LocalKms(path, chance={12: nonce, 32: plaintext}.__getitem__)
    assert await kms.unwrap(wrapped, case["context"]) == plaintext
    assert (await kms.generate_data_key(case["context"])).wrapped == wrapped

"""Keys do not talk: not when printed, formatted, logged, pickled or copied; and nobody but the vault touches them."""

import ast
import copy
import logging
import pickle
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from policies.decide import Permit
from service.errors import SealBroken
from service.hazmat.aead import aes_256_gcm, sm4_gcm
from service.vault.keys import MemberKeys, RingKey, Suite
from service.vault.kms.port import DataKey
from service.vault.secret import Secrets
from service.vault.value import padded
from tests.service.vault.vaults import ANN, CONTROLLER, permit, ring, vault

ROOT = Path(__file__).parents[3]
KEY = b"KEYKEYKEYKEYKEYKEYKEYKEYKEYKEYKE"


def keepers() -> Iterator[object]:
    keyring = ring(chance=lambda size: KEY[:size])
    secrets = Secrets(keyring, controller=CONTROLLER, chance=lambda size: (KEY * 3)[:size])
    yield secrets
    yield secrets.make(ANN)[0]
    yield keyring
    yield keyring.newest("members")
    yield vault(of=keyring)
    yield vault(Suite.SM4_GCM).new_member(ANN)[0]
    yield DataKey(KEY, wrapped=b"")
    yield aes_256_gcm(KEY)
    yield sm4_gcm(KEY[:16])


@pytest.mark.parametrize("keeper", list(keepers()), ids=lambda keeper: type(keeper).__name__)
def test_what_holds_a_key_shows_nothing_and_stays_in_the_process(keeper: object, caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("test").warning("%s %r", keeper, keeper)
    shown = [repr(keeper), str(keeper), f"{keeper}", f"{[keeper]}", caplog.text]
    assert not any(form in text for text in shown for form in ("KEYKEY", KEY.hex()[:12], "75, 69, 89"))
    for way in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            way(keeper)
    with pytest.raises(TypeError):
        vars(keeper)


def test_keys_do_not_change_hands() -> None:
    source = (ROOT / "service" / "vault" / "keys.py").read_text("utf-8")
    classes = {node.name: node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)}
    for name in (MemberKeys.__name__, RingKey.__name__):
        assigned = [node for node in ast.walk(classes[name]) if isinstance(node, ast.AnnAssign | ast.Assign)]
        # mypy, which runs over the whole project, holds every other file to `Final`.
        stated = [node for node in assigned if isinstance(node, ast.AnnAssign)]
        assert {ast.unparse(node.annotation) for node in stated} == {"Final"}
        assert [ast.unparse(node.targets[0]) for node in assigned if isinstance(node, ast.Assign)] == ["__slots__"]


def test_nobody_but_the_vault_touches_a_raw_key() -> None:
    touching = set()
    for path in (path for folder in ("policies", "schema", "service") for path in (ROOT / folder).rglob("*.py")):
        names = {node.attr for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Attribute)}
        if any(name.startswith("hazmat_") for name in names):
            touching.add(path.relative_to(ROOT).as_posix())
    assert touching == {
        f"service/vault/{name}.py"
        for name in ("field", "keys", "lookup", "pseudonym", "sealed_map", "secret", "signing", "token", "vault")
    }


def test_a_broken_value_is_not_shown_by_the_error_that_it_causes() -> None:
    # Sealed by a writer with a bug: the text is not UTF-8, and Python's own error would carry it along.
    v = vault()
    keys, _ = v.new_member(ANN)
    plain = (b"\xffTELLTALE" + b"\x01").ljust(16, b"\x00")

    class Bugged:
        decrypt = keys.hazmat_cipher.decrypt

        def encrypt(self, nonce: bytes, data: bytes, associated: bytes | None, /) -> bytes:
            return keys.hazmat_cipher.encrypt(nonce, plain if data == padded("TELLTALE") else data, associated)

    bugged = MemberKeys(ANN, 1, keys.framed_id, keys.header, Bugged(), keys.hazmat_pseudonym_key)
    sealed = v.seal(bugged, {"name": "TELLTALE"})
    with pytest.raises(SealBroken) as caught:
        v.open(permit(ANN, ["name"]), keys, sealed)
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value.__context__)
    assert "TELLTALE" not in told.replace('"name": "TELLTALE"', "")


def test_one_broken_field_shows_none_of_the_others() -> None:
    v = vault()
    keys, _ = v.new_member(ANN)
    other, _ = v.new_member(ANN)
    mixed = v._present(other, v.seal(other, {"phone": "+8613800138000"}))
    sealed = v._seal(keys, mixed, {"name": "高颖"})
    wide = Permit(ANN, "p", permit(ANN, ["name", "phone"]).shapes)
    with pytest.raises(SealBroken):
        v.open(wide, keys, sealed)
    assert v.open(permit(ANN, ["name"]), keys, sealed) == {"name": "高颖"}

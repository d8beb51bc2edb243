"""The vectors of a file, as a test takes them."""

import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from service.vault.keys import RingKey, Suite
from service.vault.vault import Vault
from tests.service.vault import vaults

Case = dict[str, Any]


def whole(file: str) -> Case:
    """Everything in it."""
    found: Case = json.loads(Path(__file__).with_name(f"{file}.json").read_text("utf-8"))
    return found


def cases(file: str, key: str = "vectors") -> list[Any]:
    """The vectors of a file, each under its comment; what they `expect` is one of the file's closed list."""
    found = whole(file)
    assert {case["expect"] for case in found[key]} <= set(found["expect"])
    return [pytest.param(case, id=case["comment"]) for case in found[key]]


def vault_of(case: Case) -> Vault:
    """A vault whose every key is the one of this vector."""
    return vaults.vault(of=vaults.ring(Suite(case["suite"]), chance=lambda _: bytes.fromhex(case["key"])))


def mac_of(case: Case, message: bytes) -> bytes:
    """The suite's MAC under the vector's key, by the product's code; for suite 1 held to `hmac` alone."""
    key = RingKey("head", 1, suite=Suite(case["suite"]), active=True, key=bytes.fromhex(case["key"]))
    made = key.mac(key.hazmat_key, message)
    assert case["suite"] != 1 or made == hmac.digest(bytes.fromhex(case["key"]), message, "sha256")
    return made

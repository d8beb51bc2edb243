"""Vaults for tests: real keys and real chance, without a database or a KMS."""

import os
from collections.abc import Iterable
from datetime import UTC, datetime

from policies.decide import Permit
from policies.terms import Shape
from service.values import Chance
from service.vault.keyring import USES, Keyring
from service.vault.keys import RingKey, Suite
from service.vault.vault import Vault

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
CONTROLLER = "example-retail"
ORIGIN = "members.example.cn/audit"
ANN = "019aa8f2-7c00-7000-8000-00000000a001"
BEN = "019aa8f2-7c00-7000-8000-00000000a002"


def ring(suite: Suite = Suite.AES256_GCM, *, generation: int = 1, chance: Chance = os.urandom) -> Keyring:
    """A keyring with one active key for every use."""
    return Keyring([RingKey(use, generation, suite=suite, active=True, key=chance(32)) for use in USES])


def vault(
    suite: Suite = Suite.AES256_GCM, *, of: Keyring | None = None, controller: str = CONTROLLER, chance: Chance = os.urandom
) -> Vault:
    """A vault, with a keyring of its own unless one is given."""
    return Vault(of or ring(suite), controller=controller, origin=ORIGIN, chance=chance)


def permit(member_id: str, fields: Iterable[str]) -> Permit:
    """Leave to open these fields, whole."""
    return Permit(member_id, "order_fulfilment", dict.fromkeys(fields, Shape.PLAIN))

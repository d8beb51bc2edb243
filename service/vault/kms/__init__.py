"""The KMS: keeps the one master key, which never leaves it, and wraps the keyring's keys under it.

It is trusted: who can use the master key and read the database can open everything. The scheme of `MENSHEN_KMS_URI`
picks the implementation from a table; one contract test runs on each (tests/service/vault/test_kms_contract.py).
"""

from typing import Final

from service.errors import ConfigError
from service.values import Chance
from service.vault.kms.local import LocalKms
from service.vault.kms.pkcs11 import Pkcs11Kms
from service.vault.kms.port import Context, DataKey, Kms, Maker

__all__ = ["SCHEMES", "Context", "DataKey", "Kms", "kms_for"]

SCHEMES: Final[dict[str, Maker]] = {"local": LocalKms.from_uri, "pkcs11": Pkcs11Kms.from_uri}
"""What stands before the first colon, and who understands the rest."""


def kms_for(uri: str, *, chance: Chance, production: bool) -> Kms:
    """The KMS at `uri`. Nothing is opened yet. Raises ConfigError, without repeating the URI: it may hold a PIN."""
    scheme, colon, _ = uri.partition(":")
    make = SCHEMES.get(scheme)
    if not colon or make is None:
        raise ConfigError(f"MENSHEN_KMS_URI: begins with one of {', '.join(f'{name}:' for name in SCHEMES)}")
    return make(uri, chance=chance, production=production)

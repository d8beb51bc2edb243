"""What the record keeps of a caller beside the account: digests of the address and of the token's id (docs/formats/keyed-digests.md)."""

from service.vault.vault import Vault

_SHORT = 12
_USE = "address"


def address_digest(vault: Vault, address: str, month: str) -> str:
    """`act.ip` of the entries of this month ("YYYY-MM")."""
    return _digest(vault, f"menshen/audit-address/v1\0{month}\0{address}")


def token_digest(vault: Vault, token: str) -> str:
    """`act.tok`. `token` is the token's `jti`, or its SHA-256 in hex where it has none."""
    return _digest(vault, f"menshen/audit-token/v1\0{token}")


def _digest(vault: Vault, message: str) -> str:
    return vault.mac(_USE, message.encode())[:_SHORT].hex()

"""A master key in a hardware security module, through PKCS#11. It is used inside the token and cannot leave it.

`pkcs11:token=LABEL;object=LABEL?module-path=/…/lib.so&pin-source=file:/…` (RFC 7512). All calls come from one thread
with one session: a session does one thing at a time, and not every vendor's library survives two threads.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

from service.errors import ConfigError, KeyUnavailable, SealBroken
from service.hazmat import Unspoken
from service.hazmat.aead import NONCE_SIZE, TAG_SIZE
from service.values import Chance
from service.vault.kms.pkcs11_uri import Pkcs11Uri, parse_pkcs11_uri
from service.vault.kms.port import BLOB_VERSION, KEY_SIZE, Context, DataKey, bound

if TYPE_CHECKING:
    from service.vault.kms.pkcs11_token import Token

P = ParamSpec("P")
T = TypeVar("T")
LABEL: Final = b"menshen/kms/pkcs11/v1"

PATIENCE_SECONDS: Final = 10.0
_BLOB_SIZE: Final = 1 + NONCE_SIZE + KEY_SIZE + TAG_SIZE


class Pkcs11Kms(Unspoken):
    """See `Kms`. The token's own chance makes keys and nonces, so ours is not asked."""

    __slots__ = ("_address", "_patience", "_thread", "_token")

    def __init__(self, address: Pkcs11Uri, *, token: "Token", patience: float = PATIENCE_SECONDS) -> None:
        self._address = address
        self._token = token
        self._patience = patience
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pkcs11")

    @classmethod
    def from_uri(cls, uri: str, *, chance: Chance, production: bool) -> "Pkcs11Kms":  # noqa: ARG003  (one table, one signature)
        """Raises ConfigError for a URI that is not understood, and where python-pkcs11 is not installed."""
        address = parse_pkcs11_uri(uri)
        try:
            from service.vault.kms.pkcs11_token import Token
        except ImportError:
            raise ConfigError("MENSHEN_KMS_URI: pkcs11: needs the extra menshen[pkcs11]") from None
        return cls(address, token=Token(address))

    @property
    def uri(self) -> str:
        """Token and object; neither module nor PIN."""
        return self._address.without_secrets

    async def generate_data_key(self, context: Context) -> DataKey:
        """See `Kms`."""
        plaintext, wrapped = await self._in_thread(self._token.generate, bound(LABEL, context))
        return DataKey(plaintext, wrapped=BLOB_VERSION + wrapped)

    async def unwrap(self, wrapped: bytes, context: Context) -> bytes:
        """See `Kms`."""
        return await self._in_thread(self._token.unwrap, _sealed(wrapped), bound(LABEL, context))

    async def rewrap(self, wrapped: bytes, context: Context) -> bytes:
        """See `Kms`. A token has one key of a label; a new master key is a new label and a new URI."""
        return BLOB_VERSION + await self._in_thread(self._token.rewrap, _sealed(wrapped), bound(LABEL, context))

    async def health(self) -> None:
        """See `Kms`."""
        await self._in_thread(self._token.check)

    async def make_master_key(self) -> None:
        """Make the key in the token, once.

        Not part of `Kms`, and never done unasked: a lost key must not come back as another one.

        Raises Conflict when there is one of this label.
        """
        await self._in_thread(self._token.make_key)

    async def close(self) -> None:
        """See `Kms`."""
        await self._in_thread(self._token.close)
        self._thread.shutdown(wait=False)

    async def _in_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Raises KeyUnavailable when the token does not answer in time.

        It keeps its thread, so the next call finds it busy still.
        """
        done = asyncio.get_running_loop().run_in_executor(self._thread, partial(work, *args, **kwargs))
        try:
            return await asyncio.wait_for(done, self._patience)
        except TimeoutError:
            raise KeyUnavailable("PKCS#11: the token does not answer") from None


def _sealed(wrapped: bytes) -> bytes:
    """What goes to the token. Other lengths never do: some libraries are not careful with them."""
    if len(wrapped) != _BLOB_SIZE or wrapped[:1] != BLOB_VERSION:
        raise SealBroken
    return wrapped[1:]

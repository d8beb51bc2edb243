"""The log's Ed25519 key in a hardware security module, through PKCS#11 (CKM_EDDSA): it signs inside the token and cannot leave it.

`pkcs11:token=LABEL;object=LABEL?module-path=/…/lib.so&pin-source=file:/…` (RFC 7512). All calls come from one thread, as in the KMS.
"""

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

from menshen_verifier.checkpoint import Checkpoint
from menshen_verifier.note import Key, Kind
from service.errors import ConfigError, Conflict, KeyUnavailable
from service.hazmat import Unspoken
from service.vault.kms.pkcs11_uri import Pkcs11Uri, parse_pkcs11_uri

if TYPE_CHECKING:
    from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass

T = TypeVar("T")


class _Key(Protocol):
    """What we use of the library's keys."""

    def __getitem__(self, attribute: "Attribute") -> object: ...

    def sign(self, data: bytes, *, mechanism: "Mechanism") -> bytes: ...


class _Curve(Protocol):
    def generate_keypair(self, **options: object) -> object: ...


class _Session(Protocol):
    """What we use of the library's session."""

    def get_key(self, *, object_class: "ObjectClass", key_type: "KeyType", label: str) -> _Key: ...

    def get_objects(self, attrs: dict["Attribute", object]) -> Iterable[object]: ...

    def create_domain_parameters(self, key_type: "KeyType", attrs: dict["Attribute", object], *, local: bool) -> _Curve: ...

    def close(self) -> None: ...


_SETTING = "MENSHEN_SIGNER"
_PATIENCE_SECONDS = 10.0
_CURVE = b"\x13\x0cedwards25519"
"""CKA_EC_PARAMS: a PrintableString, which SoftHSM and newer tokens take for Ed25519."""

_POINT = b"\x04\x20"
"""What stands before the 32 bytes of a public key in CKA_EC_POINT: an OCTET STRING."""


class TokenKey(Unspoken):
    """See `SigningKey`. `key` is known after `open`."""

    __slots__ = ("_address", "_origin", "_session", "_thread", "key")

    def __init__(self, address: Pkcs11Uri, origin: str) -> None:
        self._address = address
        self._origin = origin
        self._session: _Session | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pkcs11")
        self.key = Key(origin, Kind.ED25519, b"")

    async def open(self) -> None:
        """Read the public key. Raises KeyUnavailable, also for a private key that could be taken out."""
        self.key = Key(self._origin, Kind.ED25519, await self._in_thread(self._use, _public, self._address.object))

    async def line(self, checkpoint: Checkpoint, time: int) -> str:  # noqa: ARG002  (of this kind, a signature has no time)
        """See `SigningKey`."""
        text = checkpoint.text.encode()
        return self.key.line(await self._in_thread(self._use, _sign, self._address.object, text))

    async def make(self) -> None:
        """Make the key in the token, once; never done unasked. Raises Conflict when there is one of this label."""
        await self._in_thread(self._made)

    async def close(self) -> None:
        """Forget the session."""
        await self._in_thread(self._forget)
        self._thread.shutdown(wait=False)

    async def _in_thread(self, work: Callable[..., T], *given: object) -> T:
        done = asyncio.get_running_loop().run_in_executor(self._thread, partial(work, *given))
        try:
            return await asyncio.wait_for(done, _PATIENCE_SECONDS)
        except TimeoutError:
            raise KeyUnavailable("PKCS#11: the token does not answer") from None

    def _use(self, work: Callable[..., T], *given: object) -> T:
        """With a session; once more with a new one, because the old one may have died since the last call."""
        from pkcs11 import PKCS11Error

        for fresh in (self._session is None, True):
            try:
                self._session = self._session or self._opened(rw=False)
                return work(self._session, *given)
            except PKCS11Error as problem:
                self._forget()
                if fresh:
                    raise KeyUnavailable(f"PKCS#11: {type(problem).__name__}") from None
        raise KeyUnavailable("PKCS#11: no session")

    def _made(self) -> None:
        from pkcs11 import PKCS11Error

        try:
            session = self._opened(rw=True)
            try:
                _make(session, self._address.object)
            finally:
                session.close()
        except PKCS11Error as problem:
            raise KeyUnavailable(f"PKCS#11: {type(problem).__name__}") from None

    def _forget(self) -> None:
        from pkcs11 import PKCS11Error

        session, self._session = self._session, None
        if session is not None:
            with suppress(PKCS11Error):
                session.close()

    def _opened(self, *, rw: bool) -> _Session:
        import pkcs11

        chosen: dict[str, object] = {"token_label": self._address.token}
        if self._address.serial is not None:
            chosen["token_serial"] = self._address.serial.encode()
        token = pkcs11.lib(self._address.module_path).get_token(**chosen)
        try:
            return cast("_Session", token.open(rw=rw, user_pin=self._address.pin()))
        except pkcs11.UserAlreadyLoggedIn:
            # A login holds for the whole process; the KMS may have it.
            return cast("_Session", token.open(rw=rw))


def token_key(uri: str, origin: str) -> TokenKey:
    """The key at a PKCS#11 URI; nothing is opened yet. Raises ConfigError, without repeating the URI: it may hold a PIN."""
    try:
        import pkcs11
    except ImportError:
        raise ConfigError(f"{_SETTING}: pkcs11: needs the extra menshen[pkcs11]") from None
    assert pkcs11
    try:
        return TokenKey(parse_pkcs11_uri(uri), origin)
    except ConfigError as problem:
        raise ConfigError(problem.detail.replace("MENSHEN_KMS_URI", _SETTING)) from None


def _private(session: _Session, label: str) -> _Key:
    from pkcs11 import Attribute, KeyType, ObjectClass

    key = session.get_key(object_class=ObjectClass.PRIVATE_KEY, key_type=KeyType.EC_EDWARDS, label=label)
    if key[Attribute.EXTRACTABLE] or not key[Attribute.SENSITIVE]:
        raise KeyUnavailable("PKCS#11: the log's key can be taken out of the token; make one that cannot")
    return key


def _public(session: _Session, label: str) -> bytes:
    from pkcs11 import Attribute, KeyType, ObjectClass

    _private(session, label)
    public = session.get_key(object_class=ObjectClass.PUBLIC_KEY, key_type=KeyType.EC_EDWARDS, label=label)
    point = cast("bytes", public[Attribute.EC_POINT])
    raw = point.removeprefix(_POINT) if len(point) == len(_POINT) + 32 else point
    if len(raw) != 32:
        raise KeyUnavailable("PKCS#11: the log's key is not an Ed25519 key")
    return raw


def _sign(session: _Session, label: str, text: bytes) -> bytes:
    from pkcs11 import Mechanism

    return _private(session, label).sign(text, mechanism=Mechanism.EDDSA)


def _make(session: _Session, label: str) -> None:
    from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass

    if list(session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.LABEL: label})):
        raise Conflict("PKCS#11: there is a key of this label already")
    curve = session.create_domain_parameters(KeyType.EC_EDWARDS, {Attribute.EC_PARAMS: _CURVE}, local=True)
    kept = {Attribute.PRIVATE: True, Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False}
    curve.generate_keypair(mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN, label=label, store=True, private_template=kept)

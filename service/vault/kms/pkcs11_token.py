"""One token, one session, one thread: everything that touches the vendor's library, and nothing else.

python-pkcs11 loads the library in the thread that first uses the token, not before: a library that was loaded before a
fork is broken after it.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Protocol, TypeVar, cast

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass, PKCS11Error
from pkcs11.mechanisms import GCMParams

from service.errors import Conflict, KeyUnavailable, SealBroken
from service.hazmat import Unspoken
from service.hazmat.aead import NONCE_SIZE, TAG_SIZE
from service.vault.kms.pkcs11_uri import Pkcs11Uri
from service.vault.kms.port import KEY_SIZE

T = TypeVar("T")
Work = Callable[["_Session", "_Key"], T]


class _Key(Protocol):
    """What we use of the library's secret key, whose own types do not say that it encrypts."""

    def __getitem__(self, attribute: Attribute) -> object: ...

    def encrypt(self, data: bytes, *, mechanism: Mechanism, mechanism_param: GCMParams) -> bytes: ...

    def decrypt(self, data: bytes, *, mechanism: Mechanism, mechanism_param: GCMParams) -> bytes: ...


class _Session(Protocol):
    """What we use of the library's session."""

    def generate_random(self, nbits: int) -> bytes: ...

    def generate_key(self, key_type: KeyType, key_length: int, **options: object) -> object: ...

    def get_key(self, *, object_class: ObjectClass, key_type: KeyType, label: str) -> _Key: ...

    def get_objects(self, attrs: dict[Attribute, object]) -> Iterable[object]: ...

    def close(self) -> None: ...


class Token(Unspoken):
    """A session on a token, opened when needed and opened anew when it died. To be used from one thread.

    Every method raises KeyUnavailable for whatever the library says, but for the one case that `unwrap` names.
    """

    __slots__ = ("_address", "_session")

    def __init__(self, address: Pkcs11Uri) -> None:
        self._address = address
        self._session: _Session | None = None

    def generate(self, associated: bytes) -> tuple[bytes, bytes]:
        """A new key from the token's own source of chance, and its wrapped form."""

        def work(session: _Session, key: _Key) -> tuple[bytes, bytes]:
            plaintext = session.generate_random(KEY_SIZE * 8)
            return plaintext, _encrypt(session, key, plaintext, associated)

        return self._use(work)

    def unwrap(self, sealed: bytes, associated: bytes) -> bytes:
        """Raises SealBroken when the token refuses these bytes but not others."""
        return self._use(lambda session, key: _decrypt(session, key, sealed, associated))

    def rewrap(self, sealed: bytes, associated: bytes) -> bytes:
        """The same key under a new nonce. Raises as `unwrap` does."""

        def work(session: _Session, key: _Key) -> bytes:
            return _encrypt(session, key, _decrypt(session, key, sealed, associated), associated)

        return self._use(work)

    def check(self) -> None:
        """Returns when the master key wraps and unwraps."""
        self._use(_try_out)

    def make_key(self) -> None:
        """Make the master key: AES-256, never to leave the token. Raises Conflict when there is one of this label."""
        try:
            session = self._open(rw=True)
            try:
                _make_key(session, self._address.object)
            finally:
                session.close()
        except PKCS11Error as problem:
            raise _unavailable(problem) from None

    def close(self) -> None:
        """Forget the session. A dead one cannot be closed, and that is no news."""
        session, self._session = self._session, None
        if session is not None:
            with suppress(PKCS11Error):
                session.close()

    def _use(self, work: "Work[T]") -> T:
        had_session = self._session is not None
        try:
            return self._run(work)
        except PKCS11Error as problem:
            self.close()
            if not had_session:
                raise _unavailable(problem) from None
        # The session may have died since the last call: the token was taken out, or somebody logged us out. Once more,
        # with a new one.
        return self._use(work)

    def _run(self, work: "Work[T]") -> T:
        if self._session is None:
            self._session = self._open(rw=False)
        # Looked up each time, so that a destroyed key is gone at once.
        key = self._session.get_key(object_class=ObjectClass.SECRET_KEY, key_type=KeyType.AES, label=self._address.object)
        if key[Attribute.EXTRACTABLE] or not key[Attribute.SENSITIVE]:
            raise KeyUnavailable("PKCS#11: the master key can be taken out of the token; make one that cannot")
        if not (key[Attribute.ENCRYPT] and key[Attribute.DECRYPT]):
            raise KeyUnavailable("PKCS#11: the master key is disabled")
        return work(self._session, key)

    def _open(self, *, rw: bool) -> _Session:
        chosen: dict[str, object] = {"token_label": self._address.token}
        if self._address.serial is not None:
            chosen["token_serial"] = self._address.serial.encode()
        token = pkcs11.lib(self._address.module_path).get_token(**chosen)
        try:
            session = token.open(rw=rw, user_pin=self._address.pin())
        except pkcs11.UserAlreadyLoggedIn:
            # A login holds for the whole process; another session of ours has it.
            session = token.open(rw=rw)
        return cast("_Session", session)


def _encrypt(session: _Session, key: _Key, plaintext: bytes, associated: bytes) -> bytes:
    nonce = session.generate_random(NONCE_SIZE * 8)
    parameters = GCMParams(nonce, associated, TAG_SIZE * 8)
    return nonce + key.encrypt(plaintext, mechanism=Mechanism.AES_GCM, mechanism_param=parameters)


def _decrypt(session: _Session, key: _Key, sealed: bytes, associated: bytes) -> bytes:
    """Tokens have many words for a wrong tag, and some say the same when they are ill.

    So a refusal is followed by a trial.
    """
    parameters = GCMParams(sealed[:NONCE_SIZE], associated, TAG_SIZE * 8)
    try:
        return key.decrypt(sealed[NONCE_SIZE:], mechanism=Mechanism.AES_GCM, mechanism_param=parameters)
    except PKCS11Error:
        _try_out(session, key)
    raise SealBroken


def _try_out(session: _Session, key: _Key) -> None:
    sealed = _encrypt(session, key, bytes(KEY_SIZE), b"trial")
    parameters = GCMParams(sealed[:NONCE_SIZE], b"trial", TAG_SIZE * 8)
    key.decrypt(sealed[NONCE_SIZE:], mechanism=Mechanism.AES_GCM, mechanism_param=parameters)


def _make_key(session: _Session, label: str) -> None:
    if list(session.get_objects({Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.LABEL: label})):
        raise Conflict("PKCS#11: there is a key of this label already")
    session.generate_key(
        KeyType.AES,
        KEY_SIZE * 8,
        label=label,
        store=True,
        capabilities=MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT,
        template={Attribute.PRIVATE: True, Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False},
    )


def _unavailable(problem: PKCS11Error) -> KeyUnavailable:
    """The kind of the failure and nothing else: some messages of the library quote what they were given."""
    return KeyUnavailable(f"PKCS#11: {type(problem).__name__}")

"""The token: its URI, its key that cannot leave, its silence."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import ConfigError, Conflict, KeyUnavailable
from service.values import new_id
from service.vault.kms import kms_for
from service.vault.kms.pkcs11 import Pkcs11Kms
from service.vault.kms.pkcs11_uri import parse_pkcs11_uri
from tests.service.vault.conftest import PIN, TOKEN, SoftHsm
from tests.service.vault.vaults import NOW

pkcs11 = pytest.importorskip("pkcs11", reason="python-pkcs11 is not installed (the extra menshen[pkcs11])")
from pkcs11 import Attribute, KeyType  # noqa: E402  (after the question whether it is there)

from service.vault.kms.pkcs11_token import Token  # noqa: E402

CONTEXT = {"use": "members"}
GOOD = "pkcs11:token=a%20b;object=k?module-path=/lib.so&pin-source=/run/pin"


@pytest.fixture
async def kms(softhsm: SoftHsm) -> AsyncIterator[Pkcs11Kms]:
    made = at(softhsm.uri(new_id(NOW, os.urandom)))
    await made.make_master_key()
    yield made
    await made.close()


def at(uri: str) -> Pkcs11Kms:
    kms = kms_for(uri, chance=os.urandom, production=True)
    assert isinstance(kms, Pkcs11Kms)
    return kms


@contextmanager
def operator(softhsm: SoftHsm) -> Iterator[Any]:
    """The token as its operator sees it."""
    token = pkcs11.lib(softhsm.module).get_token(token_label=TOKEN)
    try:
        session = token.open(rw=True, user_pin=PIN)
    except pkcs11.UserAlreadyLoggedIn:
        session = token.open(rw=True)
    with session:
        yield session


async def test_the_master_key_cannot_leave_the_token(softhsm: SoftHsm, kms: Pkcs11Kms) -> None:
    with operator(softhsm) as session:
        key = session.get_key(label=kms._address.object)
        assert key[Attribute.SENSITIVE]
        assert key[Attribute.ALWAYS_SENSITIVE]
        assert key[Attribute.NEVER_EXTRACTABLE]
        assert not key[Attribute.EXTRACTABLE]
        assert key.key_length == 256
        with pytest.raises(pkcs11.AttributeSensitive):
            key[Attribute.VALUE]
        with pytest.raises(pkcs11.PKCS11Error):
            key[Attribute.EXTRACTABLE] = True


@pytest.mark.parametrize(("sensitive", "extractable"), [(False, True), (True, True), (False, False)])
async def test_a_master_key_that_could_leave_is_refused(softhsm: SoftHsm, *, sensitive: bool, extractable: bool) -> None:
    label = new_id(NOW, os.urandom)
    open_to_all = {Attribute.SENSITIVE: sensitive, Attribute.EXTRACTABLE: extractable}
    with operator(softhsm) as session:
        session.generate_key(KeyType.AES, 256, label=label, store=True, template=open_to_all)
    kms = at(softhsm.uri(label))
    with pytest.raises(KeyUnavailable, match="taken out"):
        await kms.generate_data_key(CONTEXT)
    await kms.close()


async def test_a_second_key_of_one_label_is_not_made_and_two_are_not_chosen_between(softhsm: SoftHsm, kms: Pkcs11Kms) -> None:
    with pytest.raises(Conflict):
        await kms.make_master_key()
    await kms.health()
    twin = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False}
    with operator(softhsm) as session:
        session.generate_key(KeyType.AES, 256, label=kms._address.object, store=True, template=twin)
    with pytest.raises(KeyUnavailable, match="MultipleObjectsReturned"):
        await kms.health()


async def test_a_wrong_pin_opens_nothing(softhsm: SoftHsm, tmp_path: Path) -> None:
    # No session of this process may be logged in, or the library would let this one in with it.
    label = new_id(NOW, os.urandom)
    right = at(softhsm.uri(label))
    await right.make_master_key()
    await right.close()
    pin = tmp_path / "pin"
    pin.write_text("0000")
    wrong = at(softhsm.uri(label, pin=pin))
    with pytest.raises(KeyUnavailable, match="PinIncorrect"):
        await wrong.health()
    pin.write_text(PIN + "\n", "utf-8")
    await wrong.health()
    await wrong.close()


async def test_a_key_that_was_never_made_is_missed_and_not_made(softhsm: SoftHsm) -> None:
    kms = at(softhsm.uri(new_id(NOW, os.urandom)))
    for _ in range(2):
        with pytest.raises(KeyUnavailable, match="NoSuchKey"):
            await kms.generate_data_key(CONTEXT)
    await kms.close()


async def test_a_missing_token_and_a_missing_library_are_one_error(softhsm: SoftHsm, tmp_path: Path) -> None:
    no_library = tmp_path / "lib.so"
    no_library.write_text("not a library")
    for uri in (
        softhsm.uri("k", token="nobody"),
        softhsm.uri("k").replace(softhsm.module, "/nowhere/lib.so"),
        softhsm.uri("k").replace(softhsm.module, str(no_library)),
        softhsm.uri("k", pin=tmp_path / "nowhere"),
        softhsm.uri("k").replace(";object", ";serial=0;object"),
    ):
        kms = at(uri)
        with pytest.raises(KeyUnavailable):
            await kms.health()
        await kms.close()


async def test_a_session_that_died_is_opened_anew(kms: Pkcs11Kms) -> None:
    made = await kms.generate_data_key(CONTEXT)
    session = kms._token._session
    assert session is not None
    session.close()
    assert await kms.unwrap(made.wrapped, CONTEXT) == made.plaintext
    assert kms._token._session is not session


async def test_a_silent_token_is_an_error_and_not_a_wait(softhsm: SoftHsm, kms: Pkcs11Kms) -> None:
    made = await kms.generate_data_key(CONTEXT)
    address = parse_pkcs11_uri(softhsm.uri(kms._address.object))
    hasty = Pkcs11Kms(address, token=Token(address), patience=0.05)
    speaks = threading.Event()
    hasty._thread.submit(speaks.wait, 30)
    with pytest.raises(KeyUnavailable, match="does not answer"):
        await hasty.unwrap(made.wrapped, CONTEXT)
    speaks.set()
    assert await kms.unwrap(made.wrapped, CONTEXT) == made.plaintext
    hasty._thread.shutdown()


async def test_a_token_that_refuses_everything_is_ill_and_the_bytes_are_not_called_wrong(
    softhsm: SoftHsm, kms: Pkcs11Kms
) -> None:
    made = await kms.generate_data_key(CONTEXT)

    class Ill:
        """A key in a device that answers every use of it with the word that others have for a wrong tag."""

        def encrypt(self, _data: bytes, **_: object) -> bytes:
            raise pkcs11.GeneralError

        decrypt = encrypt

    class IllToken(Token):
        def _run(self, work):
            return super()._run(lambda session, _: work(session, Ill()))

    address = parse_pkcs11_uri(softhsm.uri(kms._address.object))
    ill = Pkcs11Kms(address, token=IllToken(address))
    with pytest.raises(KeyUnavailable, match="GeneralError"):
        await ill.unwrap(made.wrapped, CONTEXT)
    await ill.close()


async def test_all_calls_come_from_one_thread(softhsm: SoftHsm, kms: Pkcs11Kms) -> None:
    threads = set()

    class Watched(Token):
        def _run(self, work):
            threads.add(threading.current_thread().name)
            return super()._run(work)

    address = parse_pkcs11_uri(softhsm.uri(kms._address.object))
    watched = Pkcs11Kms(address, token=Watched(address))
    await asyncio.gather(*(watched.generate_data_key(CONTEXT) for _ in range(20)), watched.health())
    await watched.close()
    assert len(threads) == 1
    assert threads != {threading.main_thread().name}


def test_the_pin_is_in_no_text_that_leaves(softhsm: SoftHsm) -> None:
    uri = softhsm.uri("k").replace(f"pin-source=file:{softhsm.pin_file}", "pin-value=4711%2D")
    kms = at(uri)
    assert kms.uri == "pkcs11:token=menshen%20test;object=k"
    assert "4711" not in repr(parse_pkcs11_uri(uri))
    assert parse_pkcs11_uri(uri).pin() == "4711-"


def test_a_good_uri_is_read_as_rfc_7512_says() -> None:
    uri = parse_pkcs11_uri(GOOD)
    assert (uri.token, uri.object, uri.module_path, str(uri.pin_source)) == ("a b", "k", "/lib.so", "/run/pin")
    assert parse_pkcs11_uri(GOOD.replace("/run/pin", "file:///run/a%2520b")).pin_source == Path("/run/a b")
    assert parse_pkcs11_uri(GOOD.replace("object=k", "object=k;type=secret-key;serial=0f")).serial == "0f"


@pytest.mark.parametrize(
    "uri",
    [
        "pkcs11:",
        GOOD.replace("token=a%20b;", ""),
        GOOD.replace("object=k", "object="),
        GOOD.replace("module-path=/lib.so&", ""),
        GOOD.replace("object=k", "object=k;token=c"),
        GOOD.replace("object=k", "object=k;type=private"),
        GOOD.replace("object=k", "object=k;slot-id=1"),
        GOOD.replace("object=k", "object"),
        GOOD.replace("object=k", "object=%ff"),
        GOOD.replace("&pin-source=/run/pin", ""),
        GOOD + "&pin-value=1234",
        GOOD + "&x-more=1",
        GOOD.replace("/run/pin", "|cat /run/pin"),
        GOOD.replace("/run/pin", "run/pin"),
        GOOD.replace("/run/pin", "http://host/pin"),
        GOOD.replace("/run/pin", "file://host/pin"),
    ],
)
def test_a_uri_that_is_not_understood_is_refused(uri: str) -> None:
    with pytest.raises(ConfigError, match="MENSHEN_KMS_URI") as caught:
        parse_pkcs11_uri(uri)
    assert "1234" not in str(caught.value)


@given(st.text(alphabet="pkcs11:token=;objectmdule-ahinsrcv%20?&/|\x00门", max_size=80))
def test_whatever_the_uri_parsing_raises_one_error(text: str) -> None:
    with suppress(ConfigError):
        assert parse_pkcs11_uri(f"pkcs11:{text}").token

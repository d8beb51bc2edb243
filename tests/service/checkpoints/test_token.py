"""The log's key in a token: it signs there, and cannot leave."""

import os
from pathlib import Path
from typing import Any

import pytest

from menshen_verifier.checkpoint import open_checkpoint
from service.audit.writer import Writer
from service.checkpoints.opening import TokenSigner, signer_for
from service.config import Config, Mode
from service.db.engine import Database
from service.errors import ConfigError, Conflict, KeyUnavailable
from service.values import new_id
from tests.service.audit import logs as audit_logs
from tests.service.audit.logs import ORIGIN
from tests.service.checkpoints.logs import grow, newest, publishing
from tests.service.vault.conftest import PIN, TOKEN, SoftHsm, softhsm

pkcs11 = pytest.importorskip("pkcs11", reason="python-pkcs11 is not installed (the extra menshen[pkcs11])")

__all__ = ["softhsm"]


def at(softhsm: SoftHsm, home: Path) -> TokenSigner:
    return TokenSigner(softhsm.uri(new_id(audit_logs.now(), os.urandom)), origin=ORIGIN, state=home / "state")


async def test_a_log_is_signed_inside_the_token(database: Database, journal: Writer, home: Path, softhsm: SoftHsm) -> None:
    signer = at(softhsm, home)
    await signer.make()
    await grow(journal, 3)
    async with publishing(database, journal, home, signer=signer) as publisher:
        await publisher.once()
        made = await newest(database, publisher)
        assert open_checkpoint(made.note.encode(), [await signer.public()]).checkpoint.size == 4
        await grow(journal, 3)
        await publisher.once()
        assert (await newest(database, publisher)).size == 7
    await signer.close()


async def test_the_key_cannot_leave_and_a_second_one_is_not_made(softhsm: SoftHsm, home: Path) -> None:
    signer = at(softhsm, home)
    await signer.make()
    with pytest.raises(Conflict):
        await signer.make()
    token = pkcs11.lib(softhsm.module).get_token(token_label=TOKEN)
    with token.open(user_pin=PIN) as session:
        key = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=signer._token._address.object)
        assert (key[pkcs11.Attribute.SENSITIVE], key[pkcs11.Attribute.EXTRACTABLE]) == (True, False)
        with pytest.raises(pkcs11.PKCS11Error):
            key[pkcs11.Attribute.VALUE]
    await signer.close()


async def test_a_key_that_was_never_made_is_missed(softhsm: SoftHsm, home: Path) -> None:
    signer = at(softhsm, home)
    with pytest.raises(KeyUnavailable, match="NoSuchKey"):
        await signer.open()
    await signer.close()


async def test_a_session_that_died_is_opened_anew(softhsm: SoftHsm, home: Path) -> None:
    signer = at(softhsm, home)
    await signer.make()
    await signer.open()
    session: Any = signer._token._session
    session.close()
    signer._token.key = type(signer._token.key)(ORIGIN, signer._token.key.kind, b"")
    assert await signer.public()
    await signer.close()


def test_what_is_wrong_with_the_setting_is_said_under_its_own_name(home: Path) -> None:
    for uri in ("pkcs11:token=a;object=b", "unix:", "file:/etc/key", "gcp:whatever"):
        config = Config.model_construct(signer=uri, signer_ml_dsa="", home=home, mode=Mode.PRODUCTION)
        with pytest.raises(ConfigError, match="MENSHEN_SIGNER"):
            signer_for(config, origin=ORIGIN, chance=os.urandom)

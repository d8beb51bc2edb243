"""Destroying one member's secret, on real databases; and what a stolen database shows before and after."""

import os
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import bindparam, insert, select

from service.db import engine
from service.db.engine import Database
from service.db.statement import Prepared
from service.db.tables import member, member_lookup, member_secret
from service.errors import SealBroken
from service.vault.kms import kms_for
from service.vault.vault import Suite, Vault
from tests.plugins import canary
from tests.service.vault import vaults
from tests.service.vault.vaults import ANN, BEN, CONTROLLER, NOW, ORIGIN, permit

ADD_MEMBER = Prepared(
    insert(member).values(
        member_id=bindparam("member_id"),
        status="ACTIVE",
        generation=1,
        sealed=bindparam("sealed"),
        created_at=NOW,
        updated_at=NOW,
        version=1,
    )
)
ADD_SECRET = Prepared(
    insert(member_secret).values(
        member_id=bindparam("member_id"), generation=bindparam("generation"), wrapped=bindparam("wrapped"), created_at=NOW
    )
)
ADD_LOOKUP = Prepared(
    insert(member_lookup).values(
        field=bindparam("field"), digest=bindparam("digest"), generation=1, holder="", member_id=bindparam("member_id")
    )
)
SECRETS = Prepared(select(member_secret.c.member_id, member_secret.c.generation, member_secret.c.wrapped))
MONTHS = ("2026-09", "2026-10", "2026-11", "2026-12")


@pytest.fixture(params=Suite, ids=lambda suite: suite.name)
async def vault(request: pytest.FixtureRequest, database: Database, tmp_path: Path) -> Vault:
    return await unlocked(database, tmp_path, request.param)


async def unlocked(database: Database, folder: Path, suite: Suite) -> Vault:
    kms = kms_for(f"local:{folder / 'development.key'}", chance=os.urandom, production=False)
    return await Vault.unlock(
        database=database, kms=kms, controller=CONTROLLER, origin=ORIGIN, suite=suite, clock=lambda: NOW, chance=os.urandom
    )


async def admitted(database: Database, vault: Vault, member_id: str, values: dict[str, str]) -> tuple[bytes, bytes]:
    """A member in the database: the sealed map and the wrapped secret as they were stored."""
    keys, wrapped = vault.new_member(member_id)
    sealed = vault.seal(keys, values)
    async with database.write() as transaction:
        await transaction.run(ADD_MEMBER, {"member_id": member_id, "sealed": sealed})
        await transaction.run(ADD_SECRET, {"member_id": member_id, "generation": 1, "wrapped": wrapped})
        for field, value in values.items():
            digest = vault.lookup(field, value)
            await transaction.run(ADD_LOOKUP, {"member_id": member_id, "field": field, "digest": digest})
        await transaction.commit()
    return sealed, wrapped


async def shred(database: Database, vault: Vault, member_id: str) -> int:
    async with database.write() as transaction:
        destroyed = await vault.shred(transaction, member_id)
        await transaction.commit()
    return destroyed


@pytest.mark.obligation("AL-04")
async def test_after_shredding_nothing_of_the_member_opens_and_no_pseudonym_can_be_made_again(
    database: Database, vault: Vault
) -> None:
    values = {"phone": canary.value("phone"), "name": canary.value("name")}
    sealed, wrapped = await admitted(database, vault, ANN, values)
    keys = vault.member_keys(ANN, 1, wrapped)
    known = {vault.pseudonym_at(keys, month) for month in MONTHS}
    assert vault.pseudonym(keys, NOW) in known
    assert await shred(database, vault, ANN) == 1

    # What the deployment still has: every key of the keyring, the member's id, a copy of the sealed map, the log's pseudonyms.
    assert await database.read.rows(SECRETS) == []
    for stand_in in (bytes(len(wrapped)), b"", vault.new_member(ANN)[1], vault.new_member(BEN)[1]):
        try:
            others = vault.member_keys(ANN, 1, stand_in)
        except SealBroken:
            continue
        assert not known & {vault.pseudonym_at(others, month) for month in MONTHS}
        with pytest.raises(SealBroken):
            vault.open(permit(ANN, values), others, sealed)
        with pytest.raises(SealBroken):
            vault.reseal(others, sealed, {})


async def test_every_generation_goes_and_no_other_member_is_touched(database: Database, vault: Vault) -> None:
    _, wrapped = await admitted(database, vault, ANN, {"phone": canary.value("phone")})
    values = {"phone": canary.value("phone")}
    sealed, of_ben = await admitted(database, vault, BEN, values)
    async with database.write() as transaction:
        await transaction.run(ADD_SECRET, {"member_id": ANN, "generation": 2, "wrapped": wrapped})
        await transaction.commit()
    assert await shred(database, vault, ANN) == 2
    assert await database.read.rows(SECRETS) == [(BEN, 1, of_ben)]
    assert vault.open(permit(BEN, values), vault.member_keys(BEN, 1, of_ben), sealed) == values
    assert await shred(database, vault, ANN) == 0


async def test_a_shredding_that_is_rolled_back_destroys_nothing(database: Database, vault: Vault) -> None:
    _, wrapped = await admitted(database, vault, ANN, {"phone": canary.value("phone")})
    async with database.write() as transaction:
        assert await vault.shred(transaction, ANN) == 1
    assert await database.read.rows(SECRETS) == [(ANN, 1, wrapped)]


async def test_the_secret_is_gone_from_the_files_of_the_database(sqlite_url: str, tmp_path: Path) -> None:
    database = engine.connect(sqlite_url)
    await database.start()
    try:
        vault = await unlocked(database, tmp_path, Suite.AES256_GCM)
        _, wrapped = await admitted(database, vault, ANN, {"phone": canary.value("phone")})
        assert any(wrapped[18:] in content for content in files(sqlite_url))
        await shred(database, vault, ANN)
    finally:
        # Closing the last connection folds the write-ahead log back into the file.
        await database.close()
    assert not any(wrapped[18:] in content for content in files(sqlite_url))


async def test_the_secret_is_overwritten_before_its_row_goes(sqlite_url: str, tmp_path: Path) -> None:
    # A deleted row's bytes stay in its page until something else is written there. A spy looks at what is being deleted.
    with sqlite3.connect(sqlite_url.removeprefix("sqlite:///")) as spy:
        spy.execute("CREATE TABLE seen (wrapped BLOB)")
        spy.execute("CREATE TRIGGER spy BEFORE DELETE ON member_secret BEGIN INSERT INTO seen VALUES (OLD.wrapped); END")
    database = engine.connect(sqlite_url)
    await database.start()
    try:
        vault = await unlocked(database, tmp_path, Suite.AES256_GCM)
        _, wrapped = await admitted(database, vault, ANN, {"phone": canary.value("phone")})
        await shred(database, vault, ANN)
    finally:
        await database.close()
    assert spy.execute("SELECT wrapped FROM seen").fetchall() == [(bytes(len(wrapped)),)]
    spy.close()


def files(url: str) -> list[bytes]:
    path = Path(url.removeprefix("sqlite:///"))
    return [found.read_bytes() for found in path.parent.glob(f"{path.name}*")]


@pytest.mark.obligation("SE-07", "WX-08")
async def test_a_stolen_database_shows_no_phone_name_or_openid_in_either_suite(database: Database, vault: Vault) -> None:
    values = {"phone": canary.value("phone"), "name": canary.value("name"), "wechat_openid": canary.value("openid")}
    sealed, wrapped = await admitted(database, vault, ANN, values)
    tables = [await database.read.rows(Prepared(select(*table.columns))) for table in (member, member_secret, member_lookup)]
    values_stored = [value for rows in tables for row in rows for value in row]
    dump = b"".join(value if isinstance(value, bytes) else str(value).encode() for value in values_stored)
    assert sealed in dump
    assert not any(form in dump for value in values.values() for form in canary.forms(value))
    # And yet the one who may reads it all.
    assert vault.open(permit(ANN, values), vault.member_keys(ANN, 1, wrapped), sealed) == values


@pytest.mark.obligation("WX-08")
async def test_an_openid_is_found_by_a_keyed_digest_that_another_deployment_does_not_share(
    database: Database, vault: Vault
) -> None:
    """Databunker: a digest under one salt for all is tried out in minutes."""
    openid = f"wx1111111111111111:{canary.value('openid')}"
    digest = vault.lookup("wechat_openid", openid)
    assert len(digest) == 16
    assert digest == vault.lookup("wechat_openid", openid)
    assert digest != vault.lookup("wechat_unionid", openid)
    assert digest != vault.lookup("wechat_openid", openid.replace("wx1", "wx2"))
    assert digest != vaults.vault().lookup("wechat_openid", openid)

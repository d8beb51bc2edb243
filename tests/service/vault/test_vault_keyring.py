"""The keyring on a real database, under a real KMS."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from sqlalchemy import bindparam, delete, select, update

from service.db.engine import Database
from service.db.statement import Prepared
from service.db.tables import keyring
from service.errors import ConfigError, KeyUnavailable, SealBroken
from service.vault import store
from service.vault.keyring import USES, Opener
from service.vault.keys import Suite
from service.vault.kms import DataKey, Kms, kms_for
from service.vault.kms.pkcs11 import Pkcs11Kms
from service.vault.vault import Vault
from tests.service.vault.conftest import SoftHsm
from tests.service.vault.vaults import ANN, CONTROLLER, NOW, ORIGIN, permit

ROWS = Prepared(
    select(keyring.c.use, keyring.c.generation, keyring.c.state, keyring.c.wrapped, keyring.c.kms_uri, keyring.c.key_id)
)
SET_STATE = Prepared(update(keyring).where(keyring.c.use == bindparam("of_use")).values(state=bindparam("new_state")))
SET_WRAPPED = Prepared(update(keyring).where(keyring.c.use == bindparam("of_use")).values(wrapped=bindparam("new_wrapped")))
DROP = Prepared(delete(keyring).where(keyring.c.use == bindparam("of_use")))

RELABEL = {
    name: Prepared(update(keyring).where(keyring.c.use == bindparam("of_use")).values({name: label}))
    for name, label in {"use": "cursor", "generation": 2, "key_id": "another"}.items()
}
DROP_SECOND = Prepared(delete(keyring).where(keyring.c.generation == 2))


@pytest.fixture(params=["local", "pkcs11"])
async def kms(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Kms]:
    if request.param == "local":
        made = kms_for(f"local:{tmp_path / 'development.key'}", chance=os.urandom, production=False)
    else:
        made = await token_kms(request.getfixturevalue("softhsm"))
    yield made
    await made.close()


async def token_kms(softhsm: SoftHsm) -> Kms:
    made = kms_for(softhsm.uri(f"keyring-{os.urandom(8).hex()}"), chance=os.urandom, production=True)
    assert isinstance(made, Pkcs11Kms)
    await made.make_master_key()
    return made


async def unlock(database: Database, kms: Kms, *, suite: Suite = Suite.AES256_GCM, controller: str = CONTROLLER) -> Vault:
    return await Vault.unlock(
        database=database, kms=kms, controller=controller, origin=ORIGIN, suite=suite, clock=lambda: NOW, chance=os.urandom
    )


async def run(database: Database, statement: Prepared, params: Mapping[str, object]) -> None:
    async with database.write() as transaction:
        await transaction.run(statement, params)
        await transaction.commit()


@pytest.mark.parametrize("suite", Suite, ids=lambda suite: suite.name)
async def test_the_first_start_makes_a_key_for_every_use_and_the_next_one_finds_them(
    database: Database, kms: Kms, suite: Suite
) -> None:
    first = await unlock(database, kms, suite=suite)
    rows = await database.read.rows(ROWS)
    assert sorted(row[0] for row in rows) == sorted(USES)
    assert {(row[1], row[2], row[4], row[3][:2]) for row in rows} == {(1, "active", kms.uri, suite.header)}
    second = await unlock(database, kms, suite=suite)
    assert await database.read.rows(ROWS) == rows
    keys, wrapped = first.new_member(ANN)
    sealed = first.seal(keys, {"phone": "+8613800138000"})
    assert second.open(permit(ANN, ["phone"]), second.member_keys(ANN, 1, wrapped), sealed) == {"phone": "+8613800138000"}
    assert second.lookup("phone", "+8613800138000") == first.lookup("phone", "+8613800138000")
    assert second.mac("head", b"m") == first.mac("head", b"m")


async def test_no_key_has_two_uses(database: Database, kms: Kms) -> None:
    vault = await unlock(database, kms)
    uses = ("suppression", "head", "address", "cursor", "idempotency")
    assert len({vault.mac(use, b"the same message") for use in uses}) == len(uses)
    for use in ("members", "lookup", "nothing"):
        with pytest.raises(KeyUnavailable):
            vault.mac(use, b"m")


async def test_two_processes_that_start_at_once_have_one_keyring(database: Database, kms: Kms) -> None:
    together = Together(kms, parties=3)
    vaults = await asyncio.gather(*(unlock(database, together) for _ in range(3)))
    assert together.met
    assert len(await database.read.rows(ROWS)) == len(USES)
    assert len({vault.mac("head", b"m") for vault in vaults}) == 1
    keys, wrapped = vaults[0].new_member(ANN)
    sealed = vaults[0].seal(keys, {"name": "高颖"})
    for vault in vaults:
        assert vault.open(permit(ANN, ["name"]), vault.member_keys(ANN, 1, wrapped), sealed) == {"name": "高颖"}


class Together:
    """A KMS that gives nobody a first key before all have asked for one: so all of them found the keyring empty."""

    def __init__(self, kms: Kms, *, parties: int) -> None:
        self._kms = kms
        self._waiting = parties
        self._all = asyncio.Event()
        self.uri = kms.uri
        self.unwrap, self.rewrap, self.health, self.close = kms.unwrap, kms.rewrap, kms.health, kms.close

    @property
    def met(self) -> bool:
        return self._all.is_set()

    async def generate_data_key(self, context: Mapping[str, str]) -> DataKey:
        self._waiting -= 1
        if self._waiting <= 0:
            self._all.set()
        await asyncio.wait_for(self._all.wait(), 20)
        return await self._kms.generate_data_key(context)


async def test_a_key_that_is_missing_is_made_and_the_others_stay(database: Database, kms: Kms) -> None:
    before = await unlock(database, kms)
    await run(database, DROP, {"of_use": "cursor"})
    after = await unlock(database, kms)
    assert len(await database.read.rows(ROWS)) == len(USES)
    assert after.mac("head", b"m") == before.mac("head", b"m")
    assert after.mac("cursor", b"m") != before.mac("cursor", b"m")


@pytest.mark.parametrize("state", ["decrypt-only", "destroyed", "ACTIVE", ""])
async def test_a_use_without_an_active_key_does_not_get_a_new_one_by_itself(database: Database, kms: Kms, state: str) -> None:
    await unlock(database, kms)
    await run(database, SET_STATE, {"of_use": "members", "new_state": state})
    with pytest.raises(KeyUnavailable, match="members"):
        await unlock(database, kms)
    # Nor where the first generation is free again.
    await run(database, RELABEL["generation"], {"of_use": "members"})
    with pytest.raises((KeyUnavailable, SealBroken)):
        await unlock(database, kms)
    assert len(await database.read.rows(ROWS)) == len(USES)


async def test_a_destroyed_key_opens_nothing_even_where_its_bytes_are_still_there(database: Database, kms: Kms) -> None:
    old = await unlock(database, kms)
    keys, wrapped = old.new_member(ANN)
    sealed = old.seal(keys, {"name": "高颖"})
    opener = Opener(
        database=database, kms=kms, controller=CONTROLLER, suite=Suite.AES256_GCM, clock=lambda: NOW, chance=os.urandom
    )
    made = await kms.generate_data_key(opener._context("members", 2, key_id="k2", suite=Suite.AES256_GCM))
    second = store.KeyRow("k2", "members", 2, "active", Suite.AES256_GCM.header + made.wrapped, kms.uri)
    for state, opens in (("decrypt-only", True), ("destroyed", False)):
        await run(database, SET_STATE, {"of_use": "members", "new_state": state})
        await run(database, DROP_SECOND, {})
        async with database.write() as transaction:
            await store.add_key(transaction, second, now=NOW)
            await transaction.commit()
        vault = await unlock(database, kms)
        assert vault.new_member(ANN)[1][2:6] == b"\x00\x00\x00\x02"
        if opens:
            assert vault.open(permit(ANN, ["name"]), vault.member_keys(ANN, 1, wrapped), sealed) == {"name": "高颖"}
        else:
            with pytest.raises(SealBroken):
                vault.member_keys(ANN, 1, wrapped)


async def test_a_keyring_key_in_the_place_of_another_does_not_open(database: Database, kms: Kms) -> None:
    await unlock(database, kms)
    of_lookup = next(row[3] for row in await database.read.rows(ROWS) if row[0] == "lookup")
    await run(database, SET_WRAPPED, {"of_use": "cursor", "new_wrapped": of_lookup})
    with pytest.raises(SealBroken):
        await unlock(database, kms)


@pytest.mark.parametrize("label", ["use", "generation", "key_id", "suite"])
async def test_a_keyring_key_under_another_label_does_not_open(database: Database, kms: Kms, label: str) -> None:
    await unlock(database, kms)
    await run(database, DROP, {"of_use": "cursor"})
    if label == "suite":
        wrapped = next(row[3] for row in await database.read.rows(ROWS) if row[0] == "lookup")
        await run(database, SET_WRAPPED, {"of_use": "lookup", "new_wrapped": Suite.SM4_GCM.header + wrapped[2:]})
    else:
        await run(database, RELABEL[label], {"of_use": "lookup"})
    with pytest.raises(SealBroken):
        await unlock(database, kms)


async def test_the_keyring_of_another_deployment_does_not_open(database: Database, kms: Kms) -> None:
    await unlock(database, kms)
    with pytest.raises(SealBroken):
        await unlock(database, kms, controller="another-retail")


@pytest.mark.parametrize(
    "wrapped",
    [b"", b"\x01", b"\x02\x01" + bytes(61), b"\x01\x03" + bytes(61), b"\x01\x01", bytes(200)],
    ids=lambda raw: f"{len(raw)}-{raw[:2].hex()}",
)
async def test_whatever_the_bytes_in_the_keyring_opening_raises_one_error(database: Database, kms: Kms, wrapped: bytes) -> None:
    await unlock(database, kms)
    await run(database, SET_WRAPPED, {"of_use": "cursor", "new_wrapped": wrapped})
    with pytest.raises(SealBroken):
        await unlock(database, kms)


async def test_a_lost_master_key_is_not_replaced_by_a_new_one(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "development.key"
    await unlock(database, kms_for(f"local:{path}", chance=os.urandom, production=False))
    path.rename(tmp_path / "away.key")
    await run(database, DROP, {"of_use": "cursor"})
    with pytest.raises(KeyUnavailable):
        await unlock(database, kms_for(f"local:{path}", chance=os.urandom, production=False))
    assert not path.exists()
    assert len(await database.read.rows(ROWS)) == len(USES) - 1


async def test_another_suite_than_the_keyrings_is_refused_and_not_quietly_left_unused(database: Database, kms: Kms) -> None:
    await unlock(database, kms, suite=Suite.AES256_GCM)
    with pytest.raises(ConfigError, match="MENSHEN_SUITE"):
        await unlock(database, kms, suite=Suite.SM4_GCM)


async def test_the_keyring_row_names_its_master_key_without_any_secret(database: Database, kms: Kms) -> None:
    await unlock(database, kms)
    assert all("4711" not in row[4] and "pin" not in row[4] for row in await database.read.rows(ROWS))

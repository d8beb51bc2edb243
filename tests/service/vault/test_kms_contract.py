"""One contract, run on every KMS that can run here: the local file, and a PKCS#11 token (SoftHSM 2)."""

import asyncio
import copy
import os
import pickle
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from service.errors import KeyUnavailable, SealBroken
from service.values import new_id
from service.vault.kms import Kms, kms_for
from tests.service.vault.conftest import SoftHsm
from tests.service.vault.vaults import NOW

CONTEXT = {"controller": "example-retail", "generation": "1", "key": "k", "suite": "1", "use": "members"}


@dataclass
class Target:
    """A KMS with a master key, and what an operator can do to that key."""

    kms: Kms
    another: Callable[[], Awaitable[Kms]]
    elsewhere: Callable[[], Awaitable[Kms]]
    disable: Callable[[], Awaitable[None]]
    destroy: Callable[[], Awaitable[None]]


@pytest.fixture(params=["local", "pkcs11"])
async def target(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Target]:
    opened: list[Kms] = []
    if request.param == "local":
        made = await local_target(tmp_path, opened)
    else:
        made = await pkcs11_target(request.getfixturevalue("softhsm"), opened)
    yield made
    for kms in opened:
        await kms.close()


def opened_at(uri: str, opened: list[Kms]) -> Kms:
    opened.append(kms_for(uri, chance=os.urandom, production=uri.startswith("pkcs11:")))
    return opened[-1]


async def local_target(folder: Path, opened: list[Kms]) -> Target:
    path = folder / "development.key"

    async def another() -> Kms:
        return opened_at(f"local:{path}", opened)

    async def elsewhere() -> Kms:
        kms = opened_at(f"local:{folder / 'other.key'}", opened)
        await kms.generate_data_key(CONTEXT)
        return kms

    async def disable() -> None:
        path.chmod(0o640)

    async def destroy() -> None:
        path.unlink()

    kms = await another()
    await kms.generate_data_key(CONTEXT)
    return Target(kms, another, elsewhere, disable, destroy)


async def pkcs11_target(softhsm: SoftHsm, opened: list[Kms]) -> Target:
    import pkcs11
    from pkcs11 import Attribute

    from service.vault.kms.pkcs11 import Pkcs11Kms
    from tests.service.vault.conftest import PIN, TOKEN

    label = new_id(NOW, os.urandom)

    async def made(label: str) -> Kms:
        kms = opened_at(softhsm.uri(label), opened)
        assert isinstance(kms, Pkcs11Kms)
        await kms.make_master_key()
        return kms

    async def another() -> Kms:
        return opened_at(softhsm.uri(label), opened)

    async def elsewhere() -> Kms:
        return await made(f"{label}-other")

    def as_operator(work: Callable[[pkcs11.SecretKey], None]) -> None:
        token = pkcs11.lib(softhsm.module).get_token(token_label=TOKEN)
        try:
            session = token.open(rw=True, user_pin=PIN)
        except pkcs11.UserAlreadyLoggedIn:
            session = token.open(rw=True)
        with session:
            work(session.get_key(label=label))

    async def disable() -> None:
        as_operator(lambda key: key.__setitem__(Attribute.DECRYPT, False))
        as_operator(lambda key: key.__setitem__(Attribute.ENCRYPT, False))

    async def destroy() -> None:
        as_operator(lambda key: key.destroy())

    return Target(await made(label), another, elsewhere, disable, destroy)


async def test_a_wrapped_key_unwraps_here_and_in_another_process_with_the_same_master_key(target: Target) -> None:
    made = await target.kms.generate_data_key(CONTEXT)
    assert len(made.plaintext) == 32
    assert made.plaintext not in made.wrapped
    assert await target.kms.unwrap(made.wrapped, CONTEXT) == made.plaintext
    assert await (await target.another()).unwrap(made.wrapped, dict(reversed(CONTEXT.items()))) == made.plaintext


async def test_no_two_keys_and_no_two_wrappings_are_alike(target: Target) -> None:
    made = [await target.kms.generate_data_key(CONTEXT) for _ in range(20)]
    assert len({key.plaintext for key in made}) == 20
    assert len({key.wrapped[1:13] for key in made}) == 20


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {**CONTEXT, "use": "lookup"},
        {**CONTEXT, "controller": "another-retail"},
        {**CONTEXT, "more": ""},
        {name: text for name, text in CONTEXT.items() if name != "use"},
        {**CONTEXT, "use": "1", "suite": "members"},
    ],
    ids=["none", "use", "controller", "more", "less", "exchanged"],
)
async def test_a_wrong_context_does_not_unwrap(target: Target, wrong: dict[str, str]) -> None:
    made = await target.kms.generate_data_key(CONTEXT)
    with pytest.raises(SealBroken):
        await target.kms.unwrap(made.wrapped, wrong)
    with pytest.raises(SealBroken):
        await target.kms.rewrap(made.wrapped, wrong)
    assert await target.kms.unwrap(made.wrapped, CONTEXT) == made.plaintext


async def test_any_flipped_byte_and_any_other_length_does_not_unwrap(target: Target) -> None:
    wrapped = (await target.kms.generate_data_key(CONTEXT)).wrapped
    for place in range(len(wrapped)):
        with pytest.raises(SealBroken):
            await target.kms.unwrap(wrapped[:place] + bytes([wrapped[place] ^ 1]) + wrapped[place + 1 :], CONTEXT)
    for length in {*range(0, len(wrapped), 7), len(wrapped) - 1}:
        with pytest.raises(SealBroken):
            await target.kms.unwrap(wrapped[:length], CONTEXT)
    for raw in (wrapped + b"\x00", os.urandom(len(wrapped)), bytes(len(wrapped)), b"\x01" + bytes(5000)):
        with pytest.raises(SealBroken):
            await target.kms.unwrap(raw, CONTEXT)


async def test_rewrapping_keeps_the_key(target: Target) -> None:
    made = await target.kms.generate_data_key(CONTEXT)
    again = await target.kms.rewrap(made.wrapped, CONTEXT)
    assert again != made.wrapped
    assert await target.kms.unwrap(again, CONTEXT) == made.plaintext


async def test_another_master_key_does_not_unwrap(target: Target) -> None:
    made = await target.kms.generate_data_key(CONTEXT)
    with pytest.raises(SealBroken):
        await (await target.elsewhere()).unwrap(made.wrapped, CONTEXT)


@pytest.mark.parametrize("deed", ["disable", "destroy"])
async def test_a_disabled_or_destroyed_master_key_does_nothing_more(target: Target, deed: str) -> None:
    made = await target.kms.generate_data_key(CONTEXT)
    await target.kms.health()
    await getattr(target, deed)()
    for kms in (target.kms, await target.another()):
        with pytest.raises(KeyUnavailable):
            await kms.unwrap(made.wrapped, CONTEXT)
        with pytest.raises(KeyUnavailable):
            await kms.rewrap(made.wrapped, CONTEXT)
        with pytest.raises(KeyUnavailable):
            await kms.health()
    with pytest.raises(KeyUnavailable):
        await target.kms.generate_data_key(CONTEXT)


async def test_many_tasks_at_once_get_their_own_keys(target: Target) -> None:
    made = await asyncio.gather(*(target.kms.generate_data_key({**CONTEXT, "key": str(n)}) for n in range(40)))
    found = await asyncio.gather(*(target.kms.unwrap(key.wrapped, {**CONTEXT, "key": str(n)}) for n, key in enumerate(made)))
    assert found == [key.plaintext for key in made]


async def test_neither_the_kms_nor_a_data_key_shows_itself(target: Target) -> None:
    made = await target.kms.generate_data_key(CONTEXT)
    assert repr(made) == "<DataKey>"
    assert repr(target.kms) in {"<LocalKms>", "<Pkcs11Kms>"}
    assert "4711" not in target.kms.uri
    for secret in (made, target.kms):
        for way in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError):
                way(secret)

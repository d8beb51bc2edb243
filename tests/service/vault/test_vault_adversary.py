"""Attacks on sealed values, by name. The attacker can read and write every row, and has no key."""

import os
from collections import Counter
from contextlib import suppress
from typing import Any

import msgpack
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.errors import KeyUnavailable, SealBroken
from service.vault.keyring import USES, Keyring
from service.vault.keys import MemberKeys, RingKey, Suite
from service.vault.secret import WRAPPED_SIZE
from service.vault.vault import Vault
from tests.service.vault.vaults import ANN, BEN, permit, ring, vault

VALUES = {"name": "高颖", "phone": "+8613800138000", "wechat_openid": "okTpGU0pamf4-dlVia_ruePazgDj", "notes": "喜" * 40}
SUITES = pytest.mark.parametrize("suite", Suite, ids=lambda suite: suite.name)
FIRST_BODY_BYTE = 30


class Scene:
    """One vault with one member, and what stands in the database."""

    def __init__(self, suite: Suite) -> None:
        self.ring = ring(suite)
        self.vault = vault(of=self.ring)
        self.keys, self.wrapped = self.vault.new_member(ANN)
        self.sealed = self.vault.seal(self.keys, VALUES)

    def fields(self) -> dict[str, bytes]:
        """The attacker can take the map apart."""
        return dict(msgpack.unpackb(self.sealed[FIRST_BODY_BYTE:]))

    def forged(self, fields: dict[str, bytes]) -> bytes:
        """And put another one together under the old tag."""
        return self.sealed[:FIRST_BODY_BYTE] + msgpack.packb(fields)


@pytest.fixture(params=Suite, ids=lambda suite: suite.name)
def scene(request: pytest.FixtureRequest) -> Scene:
    return Scene(request.param)


SCENES = {suite: Scene(suite) for suite in Suite}


def assert_does_not_open(vault: Vault, keys: MemberKeys, sealed: bytes, *, member: str = ANN) -> None:
    with pytest.raises(SealBroken):
        vault.open(permit(member, VALUES), keys, sealed)


def test_the_scene_opens_when_nobody_attacks(scene: Scene) -> None:
    keys = scene.vault.member_keys(ANN, 1, scene.wrapped)
    assert scene.vault.open(permit(ANN, VALUES), keys, scene.sealed) == VALUES


def test_a_map_moved_to_another_member_does_not_open(scene: Scene) -> None:
    ben, wrapped = scene.vault.new_member(BEN)
    assert_does_not_open(scene.vault, ben, scene.sealed, member=BEN)
    # Nor with Ann's secret moved along: it is bound to her id.
    with pytest.raises(SealBroken):
        scene.vault.member_keys(BEN, 1, scene.wrapped)
    with pytest.raises(SealBroken):
        scene.vault.member_keys(ANN, 1, wrapped)


def test_a_value_moved_to_another_field_does_not_open(scene: Scene) -> None:
    fields = scene.fields()
    assert_does_not_open(scene.vault, scene.keys, scene.forged({**fields, "name": fields["phone"]}))


def test_a_value_moved_to_another_field_does_not_open_even_where_the_attacker_can_make_the_tag(scene: Scene) -> None:
    # A writer of ours with a bug is an attacker with the tag: each field is bound to its own name as well.
    fields = scene.fields()
    swapped = {**fields, "name": fields["phone"]}
    body = msgpack.packb(swapped)
    nonce = os.urandom(12)
    tag = scene.keys.hazmat_cipher.encrypt(nonce, b"", scene.vault._map_prefix(scene.keys) + body)
    sealed = scene.keys.header + nonce + tag + body
    assert scene.vault.open(permit(ANN, ["phone"]), scene.keys, sealed) == {"phone": VALUES["phone"]}
    with pytest.raises(SealBroken):
        scene.vault.open(permit(ANN, ["name"]), scene.keys, sealed)


def test_a_field_taken_out_of_a_map_or_put_back_from_an_older_one_breaks_the_map(scene: Scene) -> None:
    older = scene.fields()
    scene.sealed = scene.vault.reseal(scene.keys, scene.sealed, {"phone": "+8613900139000"})
    newer = scene.fields()
    without = {key: value for key, value in newer.items() if key != "phone"}
    for forged in (without, {**newer, "phone": older["phone"]}, {**newer, "phone2": newer["phone"]}):
        assert_does_not_open(scene.vault, scene.keys, scene.forged(forged))


def test_a_map_and_a_secret_of_another_generation_do_not_open(scene: Scene) -> None:
    with pytest.raises(SealBroken):
        scene.vault.member_keys(ANN, 2, scene.wrapped)
    keys = scene.keys
    later = MemberKeys(ANN, 2, keys.framed_id, keys.header, keys.hazmat_cipher, keys.hazmat_pseudonym_key)
    assert_does_not_open(scene.vault, later, scene.sealed)


def test_nothing_of_one_deployment_opens_in_another_even_with_the_same_keyring(scene: Scene) -> None:
    other = vault(of=scene.ring, controller="another-retail")
    with pytest.raises(SealBroken):
        other.member_keys(ANN, 1, scene.wrapped)
    assert_does_not_open(other, scene.keys, scene.sealed)


def test_a_permit_of_one_member_never_opens_the_map_of_another(scene: Scene) -> None:
    ben, _ = scene.vault.new_member(BEN)
    with pytest.raises(SealBroken):
        scene.vault.open(permit(BEN, VALUES), scene.keys, scene.sealed)
    with pytest.raises(SealBroken):
        scene.vault.open(permit(ANN, VALUES), ben, scene.sealed)


def test_a_permit_opens_nothing_outside_its_shapes(scene: Scene) -> None:
    opened: list[bytes] = []
    keys = scene.keys
    watched = MemberKeys(ANN, 1, keys.framed_id, keys.header, Watched(keys.hazmat_cipher, opened), keys.hazmat_pseudonym_key)
    assert scene.vault.open(permit(ANN, ["phone", "birthday"]), watched, scene.sealed) == {"phone": VALUES["phone"]}
    # Not only left out of the answer: never decrypted. (The tag of the map encrypts nothing.)
    assert [plain for plain in opened if plain] == [VALUES["phone"].encode() + b"\x01\x00"]
    assert scene.vault.open(permit(ANN, []), scene.keys, scene.sealed) == {}


class Watched:
    """A cipher that tells what it decrypted."""

    def __init__(self, cipher: Any, opened: list[bytes]) -> None:
        self.encrypt = cipher.encrypt
        self._cipher = cipher
        self._opened = opened

    def decrypt(self, nonce: bytes, data: bytes, associated: bytes | None, /) -> bytes:
        plain: bytes = self._cipher.decrypt(nonce, data, associated)
        self._opened.append(plain)
        return plain


@SUITES
@given(data=st.data())
@settings(max_examples=300)
def test_any_flipped_bit_of_a_map_breaks_it_and_nothing_else_happens(suite: Suite, data: st.DataObject) -> None:
    scene = SCENES[suite]
    bit = data.draw(st.integers(0, len(scene.sealed) * 8 - 1))
    flipped = bytearray(scene.sealed)
    flipped[bit // 8] ^= 1 << bit % 8
    # Whatever is asked for: the tag is over the whole.
    wanted = data.draw(st.sets(st.sampled_from(sorted(VALUES))))
    with pytest.raises(SealBroken) as caught:
        scene.vault.open(permit(ANN, wanted), scene.keys, bytes(flipped))
    assert caught.value.__context__ is None


@SUITES
def test_any_flipped_bit_of_a_wrapped_secret_breaks_it(suite: Suite) -> None:
    scene = SCENES[suite]
    assert len(scene.wrapped) == WRAPPED_SIZE
    for bit in range(WRAPPED_SIZE * 8):
        flipped = bytearray(scene.wrapped)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SealBroken) as caught:
            scene.vault.member_keys(ANN, 1, bytes(flipped))
        assert caught.value.__context__ is None


@SUITES
@given(raw=st.binary(max_size=200), behind_header=st.booleans())
@example(raw=b"", behind_header=False)
@example(raw=b"", behind_header=True)
def test_whatever_the_bytes_opening_raises_one_error(suite: Suite, raw: bytes, *, behind_header: bool) -> None:
    scene = SCENES[suite]
    raw = scene.keys.header + raw if behind_header else raw
    with pytest.raises(SealBroken):
        scene.vault.open(permit(ANN, VALUES), scene.keys, raw)
    with pytest.raises(SealBroken):
        scene.vault.reseal(scene.keys, raw, {"name": "x"})
    with pytest.raises(SealBroken):
        scene.vault.member_keys(ANN, 1, raw)


@given(body=st.binary(max_size=60))
@example(body=b"\x81\xa5phone\xc0")
@example(body=b"\x81\xa5phone\xd9\x2e" + b"x" * 46)
@example(body=b"\x82\xa5phone\xc4\x00\xa5phone\xc4\x00")
@example(body=b"\x81\x01\xc4\x00")
@example(body=b"\x91" * 2000 + b"\x90")
@example(body=b"\xdf\xff\xff\xff\xff")
@example(body=b"\xc1")
def test_a_body_that_is_not_ours_under_a_tag_that_is_raises_one_error_or_shows_nothing(body: bytes) -> None:
    scene = SCENES[Suite.AES256_GCM]
    nonce = os.urandom(12)
    tag = scene.keys.hazmat_cipher.encrypt(nonce, b"", scene.vault._map_prefix(scene.keys) + body)
    with suppress(SealBroken):
        assert scene.vault.open(permit(ANN, VALUES), scene.keys, scene.keys.header + nonce + tag + body) == {}


@given(generation=st.one_of(st.integers(), st.just(2**32), st.just(-1)))
def test_whatever_generation_a_row_claims_only_its_own_opens(generation: int) -> None:
    scene = SCENES[Suite.AES256_GCM]
    if generation == 1:
        assert scene.vault.member_keys(ANN, generation, scene.wrapped).generation == 1
        return
    with pytest.raises(SealBroken):
        scene.vault.member_keys(ANN, generation, scene.wrapped)


def test_a_member_id_that_cannot_be_written_does_not_open() -> None:
    scene = SCENES[Suite.AES256_GCM]
    for member_id in ("\ud800", "x" * 70_000, ""):
        with pytest.raises(SealBroken):
            scene.vault.member_keys(member_id, 1, scene.wrapped)


def test_a_secret_under_a_destroyed_or_unknown_key_does_not_open() -> None:
    old, new = (RingKey("members", n, suite=Suite.AES256_GCM, active=n == 2, key=os.urandom(32)) for n in (1, 2))
    others = [RingKey(use, 1, suite=Suite.AES256_GCM, active=True, key=os.urandom(32)) for use in USES if use != "members"]
    before = vault(of=Keyring([*others, RingKey("members", 1, suite=Suite.AES256_GCM, active=True, key=old.hazmat_key)]))
    _, wrapped = before.new_member(ANN)
    with_both, without_old = vault(of=Keyring([*others, old, new])), vault(of=Keyring([*others, new]))
    assert with_both.member_keys(ANN, 1, wrapped).member_id == ANN
    with pytest.raises(SealBroken):
        without_old.member_keys(ANN, 1, wrapped)
    # What only opens never seals.
    assert with_both.new_member(BEN)[1][2:6] == (2).to_bytes(4, "big")


def test_there_is_no_fallback_between_suites() -> None:
    keys = {use: os.urandom(32) for use in USES}
    aes, sm4 = (
        vault(of=Keyring([RingKey(use, 1, suite=suite, active=True, key=key) for use, key in keys.items()])) for suite in Suite
    )
    wrapped = aes.new_member(ANN)[1]
    for forged in (wrapped, wrapped[:1] + b"\x02" + wrapped[2:]):
        with pytest.raises(SealBroken):
            sm4.member_keys(ANN, 1, forged)


@SUITES
def test_nonces_never_repeat(suite: Suite) -> None:
    """Databunker seals audit and consent identities under one constant nonce."""
    scene = SCENES[suite]
    nonces: Counter[bytes] = Counter()
    for _ in range(2000):
        sealed = scene.vault.seal(scene.keys, VALUES)
        nonces[sealed[2:14]] += 1
        nonces.update(value[2:14] for value in msgpack.unpackb(sealed[FIRST_BODY_BYTE:]).values())
    for _ in range(2000):
        nonces[scene.vault.new_member(ANN)[1][6:18]] += 1
    assert len(nonces) == 2000 * (len(VALUES) + 2)
    assert max(nonces.values()) == 1


def test_every_sealing_draws_its_own_chance_and_none_of_it_twice() -> None:
    drawn: list[bytes] = []

    def chance(size: int) -> bytes:
        drawn.append(os.urandom(size))
        return drawn[-1]

    watched = vault(chance=chance)
    keys, wrapped = watched.new_member(ANN)
    assert [len(noise) for noise in drawn] == [12 + 64]
    assert wrapped[6:18] == drawn[0][:12]
    sealed = watched.seal(keys, VALUES)
    again = watched.reseal(keys, sealed, {"phone": "+8613900139000", "name": None})
    assert [len(noise) for noise in drawn[1:]] == [12 * 5, 12 * 2]
    used = [sealed[2:14], *(value[2:14] for value in msgpack.unpackb(sealed[FIRST_BODY_BYTE:]).values())]
    assert sorted(used) == sorted(drawn[1][place : place + 12] for place in range(0, 60, 12))
    assert {again[2:14], msgpack.unpackb(again[FIRST_BODY_BYTE:])["phone"][2:14]} == {drawn[2][:12], drawn[2][12:]}


@pytest.mark.parametrize("missing", [1, 11, 12])
def test_a_source_of_chance_that_runs_dry_seals_nothing(missing: int) -> None:
    healthy = vault()
    keys, _ = healthy.new_member(ANN)
    dry = vault(chance=lambda size: os.urandom(max(0, size - missing)))
    with pytest.raises(KeyUnavailable):
        dry.seal(keys, VALUES)
    with pytest.raises(KeyUnavailable):
        dry.new_member(ANN)

"""What the vault does when nobody attacks it."""

from datetime import UTC, date, datetime, timedelta, timezone

import msgpack
import pytest

from service.errors import BadInput, ConfigError, KeyUnavailable, SealBroken
from service.hazmat.mac import hmac_sha256, hmac_sm3
from service.vault.keyring import USES, Keyring
from service.vault.keys import RingKey, Suite
from service.vault.vault import Value, Vault
from tests.service.vault import vaults
from tests.service.vault.vaults import ANN, BEN, NOW, ORIGIN, permit

VALUES: dict[str, Value] = {
    "name": "高颖",
    "birthday": date(1990, 7, 14),
    "interests": ("零食", "健身"),
    "phone": "+8613800138000",
    "visits": 12,
}


@pytest.fixture(params=Suite, ids=lambda suite: suite.name)
def vault(request: pytest.FixtureRequest) -> Vault:
    return vaults.vault(request.param)


def stored(sealed: bytes) -> dict[str, bytes]:
    return dict(msgpack.unpackb(sealed[30:]))


def test_a_member_is_sealed_and_opened_again(vault: Vault) -> None:
    keys, wrapped = vault.new_member(ANN)
    sealed = vault.seal(keys, VALUES)
    again = vault.member_keys(ANN, 1, wrapped)
    assert (again.member_id, again.generation) == (ANN, 1)
    assert vault.open(permit(ANN, VALUES), again, sealed) == VALUES
    assert list(stored(sealed)) == sorted(VALUES)


def test_a_change_leaves_every_other_value_byte_for_byte(vault: Vault) -> None:
    keys, _ = vault.new_member(ANN)
    before = vault.seal(keys, VALUES)
    after = vault.reseal(keys, before, {"phone": "+8613900139000", "visits": None, "email": "a@example.com", "never": None})
    changed = {**VALUES, "phone": "+8613900139000", "email": "a@example.com"}
    del changed["visits"]
    assert vault.open(permit(ANN, [*changed, "visits"]), keys, after) == changed
    kept = ("name", "birthday", "interests")
    assert [stored(after)[key] for key in kept] == [stored(before)[key] for key in kept]
    assert stored(after)["phone"] != stored(before)["phone"]


def test_a_refused_change_changes_nothing(vault: Vault) -> None:
    keys, _ = vault.new_member(ANN)
    with pytest.raises(BadInput):
        vault.reseal(keys, vault.seal(keys, VALUES), {"notes": 1.5})  # type: ignore[dict-item]


def test_a_page_is_opened_as_its_members_are(vault: Vault) -> None:
    rows, expected = [], []
    for number, member_id in enumerate((ANN, BEN)):
        keys, wrapped = vault.new_member(member_id)
        rows.append((permit(member_id, ["phone", "visits"]), 1, wrapped, vault.seal(keys, {**VALUES, "visits": number})))
        expected.append((member_id, {"phone": VALUES["phone"], "visits": number}, vault.pseudonym(keys, NOW)))
    assert [(k.member_id, values, vault.pseudonym(k, NOW)) for k, values in vault.open_page(rows)] == expected
    crossed = [(permit(BEN, ["phone"]), *rows[0][1:])]
    with pytest.raises(SealBroken):
        vault.open_page(crossed)


def test_a_member_without_values_is_a_map_without_values(vault: Vault) -> None:
    keys, _ = vault.new_member(ANN)
    empty = vault.seal(keys, {})
    assert vault.open(permit(ANN, VALUES), keys, empty) == {}
    assert vault.open(permit(ANN, VALUES), keys, vault.reseal(keys, empty, VALUES)) == VALUES


def test_a_lookup_is_made_by_the_newest_key_and_says_its_generation() -> None:
    old, new = (RingKey("lookup", n, suite=Suite.AES256_GCM, active=True, key=bytes([n]) * 32) for n in (1, 2))
    rest = [RingKey(use, 1, suite=Suite.AES256_GCM, active=True, key=bytes(32)) for use in USES if use != "lookup"]
    only_old, both = (vaults.vault(of=Keyring([*rest, *keys])) for keys in ([old], [old, new]))
    assert (only_old.lookup_generation, both.lookup_generation) == (1, 2)
    assert only_old.lookup("phone", "+8613800138000") != both.lookup("phone", "+8613800138000")


@pytest.mark.parametrize("value", ["x" * 65_536, "\ud800"])
def test_a_lookup_of_what_cannot_be_framed_is_refused(vault: Vault, value: str) -> None:
    for field, normalised in (("notes", value), (value, "a")):
        with pytest.raises(BadInput) as caught:
            vault.lookup(field, normalised)
        assert caught.value.__context__ is None


def test_digests_are_of_the_keyrings_suite() -> None:
    for suite, digest in ((Suite.AES256_GCM, hmac_sha256), (Suite.SM4_GCM, hmac_sm3)):
        keys = [RingKey(use, 1, suite=suite, active=True, key=use.encode().ljust(32)) for use in USES]
        made = vaults.vault(of=Keyring(keys))
        assert made.mac("head", b"m") == digest(b"head".ljust(32), b"m")


def test_a_tag_is_checked_and_never_shortened(vault: Vault) -> None:
    tag = vault.mac("cursor", b"position")
    for right in (tag, tag[:16], tag[:20]):
        vault.check_mac("cursor", b"position", right)
    wrong = (tag[:15], tag[:1], b"", tag + b"\x00", bytes(16), tag[16:], vault.mac("head", b"position"))
    for forged in wrong:
        with pytest.raises(SealBroken):
            vault.check_mac("cursor", b"position", forged)
    with pytest.raises(SealBroken):
        vault.check_mac("cursor", b"another", tag)
    with pytest.raises(KeyUnavailable):
        vault.check_mac("members", b"position", tag)


def test_a_pseudonym_is_the_months_in_utc_wherever_the_clock_stands(vault: Vault) -> None:
    keys, _ = vault.new_member(ANN)
    last_of_october = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)
    in_shanghai = last_of_october.astimezone(timezone(timedelta(hours=8)))
    assert in_shanghai.month == 11
    assert vault.pseudonym(keys, last_of_october) == vault.pseudonym(keys, in_shanghai) == vault.pseudonym_at(keys, "2026-10")
    assert vault.pseudonym(keys, last_of_october + timedelta(hours=1)) == vault.pseudonym_at(keys, "2026-11")
    assert vault.pseudonym_at(keys, "2026-10") != vault.pseudonym_at(keys, "2026-11")
    with pytest.raises(ValueError, match="zone"):
        vault.pseudonym(keys, datetime(2026, 11, 1))


def test_two_members_and_two_generations_have_nothing_in_common(vault: Vault) -> None:
    keys = [vault.new_member(member_id)[0] for member_id in (ANN, ANN, BEN)]
    assert len({vault.pseudonym(each, NOW) for each in keys}) == 3


def test_an_origin_that_could_pass_for_another_is_refused() -> None:
    with pytest.raises(ConfigError):
        Vault(vaults.ring(), controller="c", origin=f"{ORIGIN}\x002026-11", chance=bytes)

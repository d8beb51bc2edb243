"""What two persons agreed on, and who the baits are, in the bytes that docs/formats/approval.md and bait.md promise."""

import hashlib

import pytest

from service.approvals.model import about_of
from service.errors import SealBroken
from tests.service.vault import vaults
from tests.vectors.reading import Case, cases, vault_of


@pytest.mark.parametrize("case", cases("approval"))
def test_an_approval_is_of_these_words_and_no_others(case: Case) -> None:
    told = b"menshen/approval/v1\0" + case["kind"].encode() + b"\0" + case["what"].encode()
    assert about_of(case["kind"], case["what"]).hex() == case["about"] == hashlib.sha256(told).hexdigest()
    assert about_of(case["kind"], case["what"] + " ") != about_of(case["kind"], case["what"])


@pytest.mark.parametrize("case", cases("bait"))
def test_a_bait_is_read_back_and_made_again_from_the_same_chance(case: Case) -> None:
    vault, sealed = vault_of(case), bytes.fromhex(case["sealed"])
    assert vault.open_token("link", b"menshen/bait/v1", sealed).decode() == case["member"]
    ring = vaults.ring(vaults.Suite(case["suite"]), chance=lambda _: bytes.fromhex(case["key"]))
    again = vaults.vault(of=ring, chance=lambda _: bytes.fromhex(case["nonce"]))
    assert again.seal_token("link", b"menshen/bait/v1", case["member"].encode()) == sealed


@pytest.mark.parametrize("case", cases("bait"))
def test_a_link_does_not_pass_for_a_bait(case: Case) -> None:
    with pytest.raises(SealBroken):
        vault_of(case).open_token("link", b"menshen/unsubscribe-link/v1", bytes.fromhex(case["sealed"]))

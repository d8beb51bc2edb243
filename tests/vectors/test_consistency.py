"""Consistency proofs against a tree that is recomputed from its leaves every time, in the words of RFC 9162, 2.1.4.1."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen_verifier.consistency import check_consistency, consistency_spans
from menshen_verifier.errors import Forged, Malformed


def root(leaves: list[bytes]) -> bytes:
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01" + root(leaves[:k]) + root(leaves[k:])).digest()


def subproof(m: int, leaves: list[bytes], *, known: bool) -> list[bytes]:
    if m == len(leaves):
        return [] if known else [root(leaves)]
    k = 1 << (len(leaves) - 1).bit_length() - 1
    if m <= k:
        return [*subproof(m, leaves[:k], known=known), root(leaves[k:])]
    return [*subproof(m - k, leaves[k:], known=False), root(leaves[:k])]


def leaves_of(count: int, seed: bytes = b"") -> list[bytes]:
    return [sha256(b"\x00" + seed + number.to_bytes(4, "big")).digest() for number in range(count)]


def proof_of(old: int, leaves: list[bytes]) -> list[bytes]:
    return subproof(old, leaves, known=True) if old else []


@given(st.integers(0, 300), st.integers(0, 300))
def test_what_the_rfc_proves_is_believed(one: int, other: int) -> None:
    old, new = sorted((one, other))
    leaves = leaves_of(new)
    proof = proof_of(old, leaves)
    check_consistency(old, root(leaves[:old]), new, root(leaves), proof)
    assert len(consistency_spans(old, new)) == len(proof)


@given(st.integers(1, 200), st.integers(1, 200), st.data())
def test_another_past_is_not_believed(one: int, more: int, data: st.DataObject) -> None:
    old, new = one, one + more
    leaves = leaves_of(new)
    at = data.draw(st.integers(0, old - 1))
    other = [*leaves[:at], bytes(32), *leaves[at + 1 :]]
    for proof in (proof_of(old, leaves), proof_of(old, other)):
        with pytest.raises(Forged):
            check_consistency(old, root(leaves[:old]), new, root(other), proof)


@given(
    st.integers(-2, 300), st.integers(-2, 300), st.lists(st.binary(min_size=31, max_size=33), max_size=12), st.binary(max_size=33)
)
def test_whatever_comes_is_refused_by_one_of_two_errors(old: int, new: int, proof: list[bytes], noise: bytes) -> None:
    with pytest.raises((Malformed, Forged)):
        check_consistency(old, noise, new, b"another" + noise, proof)


def test_from_nothing_only_the_empty_root_goes_on() -> None:
    leaves = leaves_of(3)
    check_consistency(0, root([]), 3, root(leaves), [])
    with pytest.raises(Forged):
        check_consistency(0, root(leaves), 3, root(leaves), [])


def test_a_proof_with_a_hash_too_many_or_too_few_is_none() -> None:
    leaves = leaves_of(7)
    proof = proof_of(3, leaves)
    for wrong in (proof[:-1], [*proof, bytes(32)], []):
        with pytest.raises(Malformed):
            check_consistency(3, root(leaves[:3]), 7, root(leaves), wrong)

"""One entry, its place and its proof in one file."""

import contextlib
from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen_verifier.errors import Forged, Malformed
from menshen_verifier.policy import parse_policy
from menshen_verifier.proof import HEADER, Proof, check_proof, parse_proof
from tests.verifier.exporting import ALONE, LOG, POLICY, Log, entries, proof_of
from tests.verifier.published import folder, shared

LOG_OF_300 = Log(entries(300), sizes=(300,))


def test_proofs_are_read_or_refused_as_published() -> None:
    made = shared("tlog-proof-syntax.json")
    for case in made["valid"]:
        found = parse_proof(case["text"].encode())
        assert found.index == case["index"]
        assert list(found.path) == [b64decode(one) for one in case["hashes"]]
        assert found.checkpoint_note == case["checkpoint"]
        assert found.extra == (None if case["extra"] is None else case["extra"].encode())
        assert found.text == case["text"]
    for case in made["invalid"]:
        with pytest.raises(Malformed):
            parse_proof(case["text"].encode())


def test_a_proof_made_elsewhere_is_true_of_its_entry_and_of_no_other() -> None:
    root = folder("self-made")
    made = shared("self-made/fx.json")
    policy = parse_policy(f"log {made['vkey']}\nwitness w {made['wvkey']}\nquorum w\n".encode())
    proof = parse_proof((root / "p.tlog-proof").read_bytes())
    proven = check_proof(proof, policy, b64decode(made["entries"][77]))
    assert (proven.index, proven.opened.checkpoint.size, proven.witnessed) == (77, 300, True)
    with pytest.raises(Forged):
        check_proof(proof, policy, b64decode(made["entries"][78]))
    with pytest.raises(Malformed):
        check_proof(proof, policy)


@pytest.mark.parametrize("index", [0, 7, 255, 256, 299])
def test_the_entry_in_a_proof_is_what_was_logged(index: int) -> None:
    proof = parse_proof(proof_of(index, LOG_OF_300).encode())
    assert check_proof(proof, parse_policy(POLICY.encode())).entry == LOG_OF_300.entries[index]


@pytest.mark.parametrize(
    ("old", "new"),
    [("index 7\n", "index 8\n"), ("\n300\n", "\n301\n"), ("extra ", "extra AAAA"), (f"{LOG.name} ", "other.example ")],
)
def test_a_proof_of_which_one_thing_was_changed_is_not_true(old: str, new: str) -> None:
    text = proof_of(7, LOG_OF_300)
    assert old in text
    with pytest.raises((Forged, Malformed)):
        check_proof(parse_proof(text.replace(old, new, 1).encode()), parse_policy(POLICY.encode()))


def test_a_hash_more_or_less_is_no_path() -> None:
    proof = parse_proof(proof_of(7, LOG_OF_300).encode())
    for path in (proof.path[:-1], (*proof.path, bytes(32)), ()):
        with pytest.raises(Malformed):
            check_proof(Proof(proof.index, path, proof.extra, proof.checkpoint_note), parse_policy(POLICY.encode()))


def test_a_proof_that_the_quorum_did_not_cosign_counts_only_where_none_is_asked_for() -> None:
    log = LOG_OF_300.but(signers=(LOG,))
    proof = parse_proof(proof_of(7, log).encode())
    with pytest.raises(Forged, match="quorum"):
        check_proof(proof, parse_policy(POLICY.encode()))
    assert check_proof(proof, parse_policy(ALONE.encode())).witnessed is False


@given(
    st.binary(max_size=300)
    | st.lists(st.sampled_from([HEADER, "\n", "\n\n", "extra ", "AAAA", "index 7", "index 07", "=", "é"]), max_size=9)
    .map("".join)
    .map(str.encode)
)
def test_any_bytes_are_a_proof_or_malformed(raw: bytes) -> None:
    with contextlib.suppress(Malformed):
        assert parse_proof(raw).text.encode() == raw

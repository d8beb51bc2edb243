"""Any bytes in; what the format is or the one error out, and soon."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen_verifier.base64 import decoded, encoded
from menshen_verifier.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from menshen_verifier.errors import Forged, Malformed
from menshen_verifier.note import MOST_SIGNATURES, Key, Kind, parse_key, parse_note, signers
from menshen_verifier.tiles import bundle, parse_bundle

KEY = Key("log.example/a", Kind.ED25519, bytes(range(32)))
COSIGNER = Key("w.example", Kind.COSIGNATURE_V1, bytes(range(32)))
PQ = Key("pq.example", Kind.ML_DSA_44, bytes(1312))
NOTE = f"{Checkpoint('log.example/a', 3, bytes(32)).text}\n{KEY.line(bytes(64))}\n".encode()
PIECES = st.sampled_from(
    [
        b"\n",
        b"\n\n",
        b"\xe2\x80\x94 ",
        b" ",
        b"+",
        b"=",
        b"a",
        b"0",
        b"AAAA",
        b"\xff",
        "门".encode(),
        NOTE,
        KEY.vkey.encode(),
        PQ.vkey.encode(),
    ]
)
ANY = st.one_of(st.binary(max_size=400), st.lists(PIECES, max_size=12).map(b"".join))


@given(ANY)
def test_a_note_is_read_or_malformed(raw: bytes) -> None:
    try:
        note = parse_note(raw)
    except Malformed:
        return
    lines = "".join(f"— {one.name} {encoded(one.key_id + one.blob)}\n" for one in note.signatures)
    assert f"{note.text}\n{lines}".encode() == raw


@given(st.text(max_size=200) | ANY.map(lambda raw: raw.decode("latin-1")))
def test_a_key_is_read_or_malformed(text: str) -> None:
    with contextlib.suppress(Malformed):
        assert parse_key(text).vkey == text


@given(st.text(alphabet=st.characters(codec=None, categories=None), max_size=80))
def test_a_checkpoint_is_read_or_malformed(text: str) -> None:
    with contextlib.suppress(Malformed):
        assert parse_checkpoint(text).text == text


@given(st.text(alphabet=st.characters(codec=None, categories=None), max_size=60) | st.text("AQgw=+/-_", max_size=12))
def test_base64_has_one_form(text: str) -> None:
    with contextlib.suppress(Malformed):
        assert encoded(decoded(text)) == text


@given(st.binary(max_size=700) | st.lists(st.binary(max_size=40), max_size=300).map(bundle))
def test_a_bundle_is_read_or_malformed(raw: bytes) -> None:
    with contextlib.suppress(Malformed):
        assert bundle(parse_bundle(raw)) == raw


@given(ANY, st.sampled_from([KEY, COSIGNER, PQ]), st.binary(max_size=80))
def test_nothing_opens_a_checkpoint_but_a_signature(raw: bytes, key: Key, blob: bytes) -> None:
    forged = f"{Checkpoint('log.example/a', 3, bytes(32)).text}\n{key.line(blob)}\n".encode()
    for one in (raw, forged):
        with pytest.raises((Malformed, Forged)):
            open_checkpoint(one, [key])


def test_a_surrogate_is_no_name() -> None:
    with pytest.raises(Malformed):
        parse_key("\ud800+00000000+" + KEY.vkey.split("+", 2)[2])


def test_a_note_may_have_a_hundred_signatures_and_no_more() -> None:
    text = "a\n\n"
    assert len(parse_note((text + (KEY.line(bytes(64)) + "\n") * MOST_SIGNATURES).encode()).signatures) == MOST_SIGNATURES
    with pytest.raises(Malformed):
        parse_note((text + (KEY.line(bytes(64)) + "\n") * (MOST_SIGNATURES + 1)).encode())
    with pytest.raises(Malformed):
        parse_note(b"a" * (1 << 20) + b"\n\n" + KEY.line(bytes(64)).encode() + b"\n")


def test_a_name_without_its_id_and_an_id_without_its_name_are_strangers() -> None:
    others = [Key("other", Kind.ED25519, KEY.public), Key(KEY.name, Kind.ED25519, bytes(32))]
    assert signers(parse_note(NOTE), others) == ()
    with pytest.raises(Forged):
        signers(parse_note(NOTE), [KEY])


@pytest.mark.parametrize("size", ["00", "01", "-1", "+1", "１", "9223372036854775808", "1e3", ""])
def test_a_size_has_one_form(size: str) -> None:
    with pytest.raises(Malformed):
        parse_checkpoint(f"o\n{size}\n{encoded(bytes(32))}\n")
    assert parse_checkpoint(f"o\n9223372036854775807\n{encoded(bytes(32))}\n").size == 2**63 - 1

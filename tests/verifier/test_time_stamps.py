"""Time-stamp tokens: of the checkpoint, by the authority that the auditor named, or nothing."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen_verifier.der import element, elements
from menshen_verifier.errors import Forged, Malformed
from menshen_verifier.findings import Part, Verdict
from menshen_verifier.policy import parse_policy
from menshen_verifier.rfc3161 import check, parse_authority
from menshen_verifier.verify import verify
from tests.verifier.exporting import ALONE, Log, entries, write
from tests.verifier.published import folder, shared

ENTRIES = entries(9)
MOMENT = "2026-11-21T23:39:36+00:00"


def token() -> bytes:
    return (folder("self-made") / "tsa/r2.tsr").read_bytes()


def note() -> bytes:
    return (folder("self-made") / "site/checkpoint").read_bytes()


def authority() -> bytes:
    return (folder("self-made") / "tsa/ca.pem").read_bytes()


def other_authority() -> bytes:
    """A certificate of the same name over another key."""
    from datetime import UTC, datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test TSA Root")])
    made = x509.CertificateBuilder(
        name, name, key.public_key(), 7, datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
    )
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def outcome(raw: bytes) -> str:
    """When, or the one of the two errors that it is."""
    try:
        return check(raw, [note()], parse_authority(authority())).isoformat()
    except (Malformed, Forged) as problem:
        return type(problem).__name__


def test_a_token_of_the_checkpoint_says_when() -> None:
    assert check(token(), [b"another\n\n", note()], parse_authority(authority())).isoformat() == MOMENT


def test_a_cosignature_that_came_later_does_not_spoil_it() -> None:
    assert check(token(), [note() + "— later.example AAAAAAAA\n".encode()], parse_authority(authority()))


def test_a_token_of_another_checkpoint_is_nothing() -> None:
    with pytest.raises(Forged, match="another text"):
        check(token(), [note().replace(b"1000", b"1001")], parse_authority(authority()))


def test_a_token_by_somebody_else_is_nothing() -> None:
    with pytest.raises(Forged, match="authority"):
        check(token(), [note()], parse_authority(other_authority()))


def test_a_token_of_which_any_byte_that_counts_was_changed_is_nothing() -> None:
    """Some bytes count for nothing: those of the status and of fields that nobody reads are not signed."""
    raw, kept = token(), 0
    for at in range(0, len(raw), 7):
        changed = raw[:at] + bytes([raw[at] ^ 0x10]) + raw[at + 1 :]
        with contextlib.suppress(Malformed, Forged):
            told = check(changed, [note()], parse_authority(authority())).isoformat()
            assert told == MOMENT
            kept += 1
    assert kept < len(raw) // 7 // 8


@given(st.integers(0, 1539), st.binary(max_size=4), st.integers(0, 4))
def test_any_change_is_one_error_or_changes_nothing_that_is_told(at: int, put: bytes, gone: int) -> None:
    raw = token()
    changed = raw[:at] + put + raw[at + gone :]
    told = outcome(changed)
    assert told == MOMENT if changed == raw else told in {MOMENT, "Malformed", "Forged"}


@given(st.binary(max_size=120))
def test_any_bytes_are_der_or_malformed(raw: bytes) -> None:
    with contextlib.suppress(Malformed):
        assert b"".join(one.raw for one in elements(raw)) == raw
    with pytest.raises((Malformed, Forged)):
        check(raw, [], parse_authority(other_authority()))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x30",
        b"\x30\x80",
        b"\x30\x81\x01a",
        b"\x30\x82\x00\x80" + bytes(128),
        b"\x30\x84\x00\x00\x00\x01a",
        b"\x1f\x01a",
        b"\x30\x00\x30\x00",
    ],
)
def test_der_has_one_form(raw: bytes) -> None:
    with pytest.raises(Malformed):
        element(raw)


@pytest.mark.parametrize("pem", [b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_an_authority_is_certificates(pem: bytes) -> None:
    with pytest.raises(Malformed):
        parse_authority(pem)


def test_time_stamps_of_an_export_are_told_and_false_ones_are_found(tmp_path: Path) -> None:
    made = shared("self-made/fx.json")
    policy = parse_policy(f"log {made['vkey']}\nquorum none\n".encode())
    for one in (folder("self-made") / "site").rglob("*"):
        if one.is_file():
            write(tmp_path / one.relative_to(folder("self-made") / "site"), one.read_bytes())
    write(tmp_path / "anchors/1000.tsr", token())
    report = verify(tmp_path, policy, now=0, processes=1, authority=parse_authority(authority()))
    assert report.timestamps == ((1000, MOMENT),)
    # Those entries are of another format than ours: that is said, and nothing else.
    assert {one.part for one in report.findings} == {Part.FORM}
    write(tmp_path / "checkpoints/512", made["checkpoints"]["512"].encode())
    write(tmp_path / "anchors/512.rfc3161.cn", token())
    report = verify(tmp_path, policy, now=0, processes=1, authority=parse_authority(authority()))
    assert (Verdict.ALTERED, Part.TIMESTAMP, 512) in {(one.verdict, one.part, one.first) for one in report.findings}


def test_an_anchor_of_a_kind_that_has_no_authority_is_nobody_s_business_here(tmp_path: Path) -> None:
    Log(ENTRIES, sizes=(9,)).write(tmp_path)
    write(tmp_path / "anchors/9.ots", b"another calendar's")
    trusted = parse_authority(other_authority())
    assert verify(tmp_path, parse_policy(ALONE.encode()), now=0, processes=1, authority=trusted).verdict is Verdict.OK
    write(tmp_path / "anchors/9.rfc3161", b"no token")
    report = verify(tmp_path, parse_policy(ALONE.encode()), now=0, processes=1, authority=trusted)
    assert [(one.part, one.first) for one in report.findings] == [(Part.TIMESTAMP, 9)]

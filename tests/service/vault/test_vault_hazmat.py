"""The primitives against published vectors, so that a wrong algorithm under the right name does not pass."""

import hmac
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.hazmat.aead import Unopened, aes_256_gcm, sm4_gcm
from service.hazmat.mac import equal, hkdf, hmac_sha256, hmac_sm3


def test_aes_256_gcm_is_that_of_nist() -> None:
    # McGrew and Viega, test case 16: the one with associated data and a 256-bit key.
    key = bytes.fromhex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308")
    nonce, associated = bytes.fromhex("cafebabefacedbaddecaf888"), bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    plaintext = bytes.fromhex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    )
    sealed = aes_256_gcm(key).encrypt(nonce, plaintext, associated)
    assert sealed[-16:].hex() == "76fc6ece0f4e1768cddf8853bb2d551b"
    assert aes_256_gcm(key).decrypt(nonce, sealed, associated) == plaintext


def test_sm4_gcm_is_that_of_rfc_8998() -> None:
    # RFC 8998, A.1.
    key, nonce = bytes.fromhex("0123456789abcdeffedcba9876543210"), bytes.fromhex("00001234567800000000abcd")
    plaintext = b"".join(bytes([letter]) * 8 for letter in (0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0xEE, 0xAA))
    associated = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    sealed = sm4_gcm(key).encrypt(nonce, plaintext, associated)
    assert sealed.hex() == (
        "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
        "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d83de3541e4c2b58177e065a9bf7b62ec"
    )
    assert sm4_gcm(key).decrypt(nonce, sealed, associated) == plaintext


def test_hmac_sha256_is_that_of_rfc_4231() -> None:
    digest = hmac_sha256(b"\x0b" * 20, b"Hi There")
    assert digest.hex() == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"


def test_hmac_sm3_is_hmac_over_sm3() -> None:
    # RFC 2104 with the standard library's own SM3, which is other code than the one we call.
    key, message = b"\x0b" * 20, b"Hi There"
    assert hmac_sm3(key, message) == hmac.new(key, message, "sm3").digest()
    assert hmac_sm3(key, message).hex() == "51b00d1fb49832bfb01c3ce27848e59f871d9ba938dc563b338ca964755cce70"


def test_hkdf_is_that_of_rfc_5869() -> None:
    # RFC 5869, A.1.
    made = hkdf(
        b"\x0b" * 22, info=bytes.fromhex("f0f1f2f3f4f5f6f7f8f9"), length=42, salt=bytes.fromhex("000102030405060708090a0b0c")
    )
    assert made.hex() == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    assert hkdf(b"\x0b" * 22, info=b"a", length=32) != hkdf(b"\x0b" * 22, info=b"a", length=32, sm3=True)


@pytest.mark.parametrize(("cipher", "right"), [(aes_256_gcm, 32), (sm4_gcm, 16)])
def test_a_key_of_another_length_is_refused_and_not_taken_for_a_weaker_cipher(cipher, right: int) -> None:
    for length in {0, 15, 16, 17, 24, 31, 32, 33} - {right}:
        with pytest.raises(ValueError, match="takes"):
            cipher(bytes(length))


@pytest.mark.parametrize(("cipher", "size"), [(aes_256_gcm, 32), (sm4_gcm, 16)])
@given(data=st.binary(max_size=80), nonce=st.binary(min_size=12, max_size=12))
def test_bytes_from_nowhere_do_not_open(cipher, size: int, data: bytes, nonce: bytes) -> None:
    with pytest.raises(Unopened):
        cipher(bytes(size)).decrypt(nonce, data, b"associated")


@pytest.mark.parametrize(("cipher", "size"), [(aes_256_gcm, 32), (sm4_gcm, 16)])
def test_a_cipher_shows_no_key_and_does_not_travel(cipher, size: int) -> None:
    made = cipher(b"K" * size)
    assert "KKKK" not in repr(made)
    with pytest.raises(TypeError):
        pickle.dumps(made)


def test_equal_compares_digests() -> None:
    assert equal(b"abc", b"abc")
    assert not equal(b"abc", b"abd")
    assert not equal(b"abc", b"ab")

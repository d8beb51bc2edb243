"""CBC proves nothing: whoever may ask often enough whether bytes opened reads them, and whoever flips one bit flips it in the text.

Check a signature over the ciphertext before it is opened, answer every fault alike, and make nothing new of it: it is here because
WeChat's message push is sealed with it (AES-256-CBC, PKCS#7 over blocks of 32 bytes) and with nothing else.
"""

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from service.hazmat.aead import Unopened

KEY_SIZE = 32
_BLOCK = 16
_PADDED_TO = 32


def aes_256_cbc_opened(key: bytes, data: bytes) -> bytes:
    """An attacker who can tell its faults apart reads what was sealed: one error, Unopened, for all of them. The first half of the key is
    the IV, as WeChat has it. A key that is not 32 bytes raises ValueError.
    """
    if len(key) != KEY_SIZE:
        raise ValueError("AES-256 takes 32 bytes")
    if not data or len(data) % _BLOCK:
        raise Unopened
    opener = Cipher(AES(key), CBC(key[:_BLOCK])).decryptor()
    padded = opener.update(data) + opener.finalize()
    size = padded[-1]
    if not 1 <= size <= _PADDED_TO or padded[-size:] != bytes([size]) * size:
        raise Unopened
    return padded[:-size]


def aes_256_cbc_sealed(key: bytes, text: bytes) -> bytes:
    """Two texts with one beginning have one ciphertext up to where they part: begin each with 16 bytes of chance."""
    if len(key) != KEY_SIZE:
        raise ValueError("AES-256 takes 32 bytes")
    size = _PADDED_TO - len(text) % _PADDED_TO
    sealer = Cipher(AES(key), CBC(key[:_BLOCK])).encryptor()
    return sealer.update(text + bytes([size]) * size) + sealer.finalize()

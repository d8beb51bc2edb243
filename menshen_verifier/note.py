"""Signed notes and their keys (C2SP signed-note, tlog-cosignature): a text, an empty line, and signatures by name.

How this can hurt: a signature under an unknown key says nothing and must be passed over; one under a known key that does not fit means that
somebody changed the text or the signature, and the whole note is refused. A name alone proves nothing, for anybody can write one.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from menshen_verifier.base64 import decoded, encoded
from menshen_verifier.body import Checkpoint, parse_checkpoint
from menshen_verifier.errors import Forged, Malformed

MOST_BYTES = 1 << 20
MOST_SIGNATURES = 100
_ID_BYTES = 4
_ED25519_BYTES = 64
_ML_DSA_44_BYTES = 2420
_TIME_BYTES = 8
_LATEST = 2**63 - 1
_LONGEST_NAME = 255
_NAME = re.compile(r"[^\s+]+")
_LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class Kind(IntEnum):
    """The first byte of an encoded public key: how its signatures are made."""

    ED25519 = 0x01
    COSIGNATURE_V1 = 0x04
    ML_DSA_44 = 0x06


_KEY_BYTES = {Kind.ED25519: 32, Kind.COSIGNATURE_V1: 32, Kind.ML_DSA_44: 1312}


@dataclass(frozen=True, slots=True)
class Key:
    """A public key with the name under which it signs, as a vkey says it: `name+hex(id)+base64(kind ‖ key)`."""

    name: str
    kind: Kind
    public: bytes

    @property
    def id(self) -> bytes:
        """Four bytes that tell keys of one name apart: SHA-256(name ‖ LF ‖ kind ‖ key)."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:_ID_BYTES]

    @property
    def vkey(self) -> str:
        """The text of this key, for policies and handbooks."""
        return f"{self.name}+{self.id.hex()}+{encoded(bytes([self.kind]) + self.public)}"

    def line(self, signature: bytes) -> str:
        """The signature line of this key, without its line break."""
        return f"— {self.name} {encoded(self.id + signature)}"


@dataclass(frozen=True, slots=True)
class Signature:
    """One line under a note. `blob` is what follows the four bytes of the key's id."""

    name: str
    key_id: bytes
    blob: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A text that ends in a line break, and who claims to have signed it. Believe nothing of it before `signers`."""

    text: str
    signatures: tuple[Signature, ...]


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature that fits. `time` is the cosigner's, in seconds since 1970; None where the kind of signature has none."""

    key: Key
    time: int | None


def parse_key(vkey: str) -> Key:
    """The key of a vkey. Raises Malformed, also for an id that is not the key's and for a kind that we do not know."""
    parts = vkey.split("+", 2)
    if len(parts) != 3 or not _NAME.fullmatch(parts[0]):
        raise Malformed("vkey: not name+id+key")
    name, id_, raw = parts[0], parts[1], decoded(parts[2])
    if not raw or raw[0] not in set(Kind) or len(raw) != 1 + _KEY_BYTES[Kind(raw[0])]:
        raise Malformed("vkey: a kind or a length that is not known")
    key = Key(name, Kind(raw[0]), raw[1:])
    if not _is_unicode(name) or key.id.hex() != id_:
        raise Malformed("vkey: the id is not the key's")
    return key


def parse_note(raw: bytes) -> Note:
    """Text and signatures. Raises Malformed."""
    if len(raw) > MOST_BYTES:
        raise Malformed("note: too long")
    try:
        whole = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("note: not UTF-8") from None
    text, gap, lines = whole.rpartition("\n\n")
    if not gap or not lines.endswith("\n") or _CONTROL.search(whole):
        raise Malformed("note: not a text, an empty line and signatures")
    found = lines[:-1].split("\n")
    if len(found) > MOST_SIGNATURES:
        raise Malformed("note: too many signatures")
    return Note(text + "\n", tuple(map(_signature, found)))


def signers(note: Note, keys: Iterable[Key]) -> tuple[Signed, ...]:
    """Which of `keys` signed, each once, in the order of the lines. Raises Forged where a line of one of them does not fit."""
    known = {(key.name, key.id): key for key in keys}
    found: dict[Key, Signed] = {}
    for line in note.signatures:
        key = known.get((line.name, line.key_id))
        if key is not None and key not in found:
            found[key] = Signed(key, _checked(key, note.text, line.blob))
    return tuple(found.values())


def cosigned(text: bytes, time: int) -> bytes:
    """What a cosigner of kind 0x04 signs: its time, and the note's text (tlog-cosignature)."""
    return b"cosignature/v1\ntime %d\n" % time + text


def cosigned_tree(name: str, time: int, checkpoint: Checkpoint) -> bytes:
    """What a cosigner of kind 0x06 signs: its own name, its time, and the tree; not the checkpoint's further lines (tlog-cosignature).

    Raises Malformed for names over 255 bytes.
    """
    named = [one.encode() for one in (name, checkpoint.origin)]
    if max(map(len, named)) > _LONGEST_NAME:
        raise Malformed("cosignature: a name of more than 255 bytes")
    cosigner, origin = (bytes([len(one)]) + one for one in named)
    numbers = [one.to_bytes(8, "big") for one in (time, 0, checkpoint.size)]
    return b"subtree/v1\n\0" + cosigner + numbers[0] + origin + numbers[1] + numbers[2] + checkpoint.root


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= one <= "\udfff" for one in text)


def _signature(line: str) -> Signature:
    match = _LINE.fullmatch(line)
    if match is None:
        raise Malformed("note: a line that is no signature")
    blob = decoded(match[2])
    if len(blob) <= _ID_BYTES:
        raise Malformed("note: a signature that is too short")
    return Signature(match[1], blob[:_ID_BYTES], blob[_ID_BYTES:])


def _checked(key: Key, text: str, blob: bytes) -> int | None:
    """The time that the signature names. Raises Forged."""
    time = None
    if key.kind is not Kind.ED25519:
        time, blob = int.from_bytes(blob[:_TIME_BYTES], "big"), blob[_TIME_BYTES:]
    try:
        if (time or 0) <= _LATEST:
            _verify(key, text, time or 0, blob)
            return time
    except (InvalidSignature, ValueError):  # that includes Malformed: a text that is no checkpoint has no signature of kind 0x06
        pass
    raise Forged(f"note: the signature of {key.name} does not fit")


def _verify(key: Key, text: str, time: int, blob: bytes) -> None:
    """Raises InvalidSignature, or ValueError for what can be no signature of this kind."""
    if key.kind is Kind.ML_DSA_44:
        if len(blob) != _ML_DSA_44_BYTES:
            raise InvalidSignature
        MLDSA44PublicKey.from_public_bytes(key.public).verify(blob, cosigned_tree(key.name, time, parse_checkpoint(text)))
        return
    if len(blob) != _ED25519_BYTES:
        raise InvalidSignature
    message = text.encode() if key.kind is Kind.ED25519 else cosigned(text.encode(), time)
    Ed25519PublicKey.from_public_bytes(key.public).verify(blob, message)

"""Time stamps (RFC 3161): somebody outside says that these bytes were there at this time, and signs it.

How this can hurt: a token proves nothing unless its signer is the authority that the auditor named; a certificate that came with the
token is only a claim, until its chain ends at a certificate that did not. And a token over another text is true, and about something else.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from menshen_verifier.der import Element, element, elements
from menshen_verifier.errors import Forged, Malformed

KINDS = ("tsr", "rfc3161", "tst")
"""What a token's file is called behind the size."""

_SEQUENCE, _SET, _OID, _OCTETS, _TIME = 0x30, 0x31, 0x06, 0x04, 0x18
_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_TST_INFO = bytes.fromhex("2a864886f70d0109100104")
_CONTENT_TYPE = bytes.fromhex("2a864886f70d010903")
_MESSAGE_DIGEST = bytes.fromhex("2a864886f70d010904")
_SIGNING_CERTIFICATE_V2 = bytes.fromhex("2a864886f70d010910022f")
_DIGESTS: dict[bytes, hashes.HashAlgorithm] = {
    bytes.fromhex("608648016503040201"): hashes.SHA256(),
    bytes.fromhex("608648016503040202"): hashes.SHA384(),
    bytes.fromhex("608648016503040203"): hashes.SHA512(),
}
_SIGNATURES: dict[bytes, hashes.HashAlgorithm] = {
    bytes.fromhex("2a864886f70d01010b"): hashes.SHA256(),
    bytes.fromhex("2a864886f70d01010c"): hashes.SHA384(),
    bytes.fromhex("2a864886f70d01010d"): hashes.SHA512(),
    bytes.fromhex("2a8648ce3d040302"): hashes.SHA256(),
    bytes.fromhex("2a8648ce3d040303"): hashes.SHA384(),
    bytes.fromhex("2a8648ce3d040304"): hashes.SHA512(),
}
_LONGEST_CHAIN = 5
_UNREADABLE = (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)


@dataclass(frozen=True, slots=True)
class Authority:
    """Certificates that the auditor trusts for time stamps: of the authority itself, or of whoever vouches for it."""

    certificates: tuple[x509.Certificate, ...]


@dataclass(frozen=True, slots=True)
class _Token:
    """A token's parts. `attributes` is signed in the form that `signed` has; `stated` is the TSTInfo."""

    stated: bytes
    certificates: tuple[x509.Certificate, ...]
    signer: Element
    digest: bytes
    attributes: Element
    algorithm: bytes
    signature: bytes

    @property
    def signed(self) -> bytes:
        """Attributes are sent under a tag of their own and signed as the SET that they are (RFC 5652, 5.4)."""
        return bytes([_SET]) + self.attributes.raw[1:]


def parse_authority(pem: bytes) -> Authority:
    """Raises Malformed."""
    try:
        return Authority(tuple(x509.load_pem_x509_certificates(pem)))
    except ValueError:
        raise Malformed("time-stamp authority: no certificate in PEM") from None


def check(raw: bytes, notes: Sequence[bytes], authority: Authority) -> datetime:
    """When the authority saw one of these checkpoints: the note as it is, or before its last cosignatures came.

    Raises Malformed; Forged where the token is of another text, or not by this authority.
    """
    token = _parsed(raw)
    fields = element(token.stated).inside(_SEQUENCE)
    if len(fields) < 5:
        raise Malformed("time stamp: fields are missing")
    when = _time(fields[4])
    algorithm, imprint = _pair(fields[2])
    hashed = _hash(_oid(algorithm))
    if imprint.content not in {_digest(hashed, text) for note in notes for text in _texts(note)}:
        raise Forged("time stamp: of another text")
    named = _attested(token)
    _check_signature(token, _signer(token, named, authority, when=when))
    return when


def _texts(note: bytes) -> Iterable[bytes]:
    """The text alone, and the note with its first signature, its first two, and so on: a cosignature may have come after the stamp."""
    text, gap, lines = note.rpartition(b"\n\n")
    yield text + b"\n"
    signatures = lines.splitlines(keepends=True)
    for count in range(1, len(signatures) + 1):
        yield text + gap + b"".join(signatures[:count])


def _parsed(raw: bytes) -> _Token:
    """A whole response, or the token alone."""
    parts = element(raw).inside(_SEQUENCE)
    if parts and parts[0].tag == _SEQUENCE:
        granted = elements(parts[0].content)
        if not granted or granted[0].raw not in {b"\x02\x01\x00", b"\x02\x01\x01"} or len(parts) != 2:
            raise Malformed("time stamp: it was not granted")
        parts = parts[1].inside(_SEQUENCE)
    if len(parts) != 2 or _oid(parts[0]) != _SIGNED_DATA:
        raise Malformed("time stamp: not signed data")
    return _signed_data(_only(parts[1], 0xA0).inside(_SEQUENCE))


def _signed_data(parts: list[Element]) -> _Token:
    if len(parts) < 4:
        raise Malformed("time stamp: parts are missing")
    kind, content = _pair(parts[2])
    signer = _only(parts[-1], _SET).inside(_SEQUENCE)
    if _oid(kind) != _TST_INFO or len(signer) < 6 or signer[3].tag != 0xA0:
        raise Malformed("time stamp: not a time stamp with signed attributes")
    octets = _only(content, 0xA0)
    if octets.tag != _OCTETS or signer[5].tag != _OCTETS:
        raise Malformed("time stamp: octets are expected")
    return _Token(
        stated=octets.content,
        certificates=tuple(_certificate(one.raw) for part in parts[3:-1] if part.tag == 0xA0 for one in elements(part.content)),
        signer=signer[1],
        digest=_oid(_first(signer[2])),
        attributes=signer[3],
        algorithm=_oid(_first(signer[4])),
        signature=signer[5].content,
    )


def _attested(token: _Token) -> bytes:
    """The signed attributes name the digest of what is stated (RFC 5652, 11.1 and 11.2). Returns how they name the signer's certificate."""
    found = {}
    for attribute in elements(token.attributes.content):
        kind, values = _pair(attribute)
        found[_oid(kind)] = _only(values, _SET)
    stated = _digest(_hash(token.digest), token.stated)
    if _MESSAGE_DIGEST not in found or found[_MESSAGE_DIGEST].content != stated:
        raise Forged("time stamp: what is stated is not what was signed")
    if _CONTENT_TYPE not in found or found[_CONTENT_TYPE].content != _TST_INFO or _SIGNING_CERTIFICATE_V2 not in found:
        raise Forged("time stamp: not signed as a time stamp")
    return found[_SIGNING_CERTIFICATE_V2].content


def _check_signature(token: _Token, signer: x509.Certificate) -> None:
    key, hashed = signer.public_key(), _SIGNATURES.get(token.algorithm)
    try:
        match key:
            case rsa.RSAPublicKey():
                key.verify(token.signature, token.signed, padding.PKCS1v15(), hashed or _hash(token.digest))
            case ec.EllipticCurvePublicKey():
                key.verify(token.signature, token.signed, ec.ECDSA(hashed or _hash(token.digest)))
            case ed25519.Ed25519PublicKey():
                key.verify(token.signature, token.signed)
            case _:
                raise Forged("time stamp: a key of a kind that is not known")
    except (InvalidSignature, UnsupportedAlgorithm):
        raise Forged("time stamp: the signature does not fit") from None


def _signer(token: _Token, names: bytes, authority: Authority, *, when: datetime) -> x509.Certificate:
    """The certificate that the attributes name by its hash, if its chain ends at the authority. Raises Forged."""
    for one in (*token.certificates, *authority.certificates):
        named = sha256(one.public_bytes(Encoding.DER)).digest() in names
        if named and _stamps(one) and _vouched(one, token.certificates, authority, when):
            return one
    raise Forged("time stamp: not by this authority")


def _vouched(one: x509.Certificate, others: tuple[x509.Certificate, ...], authority: Authority, when: datetime) -> bool:
    """Whether a chain of valid certificates leads from `one` to the authority."""
    for _ in range(_LONGEST_CHAIN):
        if not one.not_valid_before_utc <= when <= one.not_valid_after_utc:
            return False
        if one in authority.certificates:
            return True
        issuer = next((two for two in (*authority.certificates, *others) if two != one and _issued(one, two)), None)
        if issuer is None:
            return False
        one = issuer
    return False


def _issued(one: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        basic = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        one.verify_directly_issued_by(issuer)
    except (*_UNREADABLE, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return bool(basic.ca)


def _stamps(one: x509.Certificate) -> bool:
    """Its key is for time stamps and nothing else, and says so critically (RFC 3161, 2.3)."""
    try:
        usage = one.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except _UNREADABLE:
        return False
    return usage.critical and list(usage.value) == [ExtendedKeyUsageOID.TIME_STAMPING]


def _certificate(raw: bytes) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(raw)
    except ValueError:
        raise Malformed("time stamp: a certificate that is none") from None


def _time(found: Element) -> datetime:
    """GeneralizedTime in UTC, with or without a fraction."""
    try:
        whole, _, fraction = found.content.decode("ascii").removesuffix("Z").partition(".")
        moment = datetime.strptime(whole, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        micros = int(f"{fraction[:6]:0<6}")
    except ValueError:
        raise Malformed("time stamp: no time") from None
    if found.tag != _TIME or not found.content.endswith(b"Z"):
        raise Malformed("time stamp: no time in UTC")
    return moment.replace(microsecond=micros)


def _hash(oid: bytes) -> hashes.HashAlgorithm:
    if oid not in _DIGESTS:
        raise Forged("time stamp: a digest that is not known, or too weak")
    return _DIGESTS[oid]


def _digest(algorithm: hashes.HashAlgorithm, data: bytes) -> bytes:
    made = hashes.Hash(algorithm)
    made.update(data)
    return made.finalize()


def _oid(found: Element) -> bytes:
    if found.tag != _OID:
        raise Malformed("time stamp: a name is expected")
    return found.content


def _pair(found: Element) -> tuple[Element, Element]:
    """The two parts of a sequence whose first is a name or begins with one."""
    parts = found.inside(_SEQUENCE)
    if len(parts) != 2:
        raise Malformed("time stamp: two parts are expected")
    return (_first(parts[0]), parts[1]) if parts[0].tag == _SEQUENCE else (parts[0], parts[1])


def _first(found: Element) -> Element:
    parts = found.inside(_SEQUENCE)
    if not parts:
        raise Malformed("time stamp: an empty sequence")
    return parts[0]


def _only(found: Element, tag: int) -> Element:
    parts = found.inside(tag)
    if len(parts) != 1:
        raise Malformed("time stamp: one part is expected")
    return parts[0]

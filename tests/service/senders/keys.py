"""Keys and certificates made on the spot: for DKIM, and for mail servers on loopback."""

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.x509.oid import NameOID

_PEM, _PKCS8, _OPEN = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()


def pem(key: PrivateKeyTypes) -> bytes:
    return key.private_bytes(_PEM, _PKCS8, _OPEN)


@cache
def ed25519_pem() -> bytes:
    return pem(ed25519.Ed25519PrivateKey.generate())


@cache
def rsa_pem(bits: int = 2048) -> bytes:
    return pem(rsa.generate_private_key(65537, bits))


@cache
def nobody_trusted() -> ssl.SSLContext:
    """Checks certificates, and knows none."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS for 127.0.0.1, and the file with the certificate to trust for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a mail server on loopback")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain, trusted = folder / "server.pem", folder / "trusted.pem"
    chain.write_bytes(pem(key) + made.public_bytes(_PEM))
    trusted.write_bytes(made.public_bytes(_PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context, trusted

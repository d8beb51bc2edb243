"""A time-stamp authority on loopback: `openssl ts` behind HTTP, with a certificate of its own CA."""

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_CONFIG = """
oid_section = oids
[oids]
policy = 1.3.6.1.4.1.99999.1
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[stamping]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[web]
basicConstraints = CA:FALSE
extendedKeyUsage = serverAuth
[req]
distinguished_name = name
[name]
[tsa]
default_tsa = {section}
[{section}]
serial = {folder}/serial
signer_digest = sha256
default_policy = policy
digests = sha256
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""
KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-sha256")

OPENSSL = shutil.which("openssl")


async def openssl(*given: object, data: bytes = b"") -> bytes:
    """Run it; what it writes. Fails a test with what it says."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec("openssl", *map(str, given), stdin=pipe, stdout=pipe, stderr=pipe)
    said, wrong = await process.communicate(data)
    assert process.returncode == 0, wrong.decode()
    return said


@dataclass
class Authority:
    """Whose certificate ends at `root`. `change` alters a reply on its way out."""

    folder: Path
    change: Callable[[bytes], Response | bytes] = field(default=lambda reply: reply)
    asked: int = 0

    @property
    def root(self) -> Path:
        return self.folder / "ca.pem"

    async def found(self, *, purpose: str = "stamping") -> "Authority":
        """Make the CA and the authority's certificate."""
        self.folder.mkdir(exist_ok=True)
        config = self.folder / "openssl.cnf"
        config.write_text(_CONFIG.format(folder=self.folder, section="here"))
        (self.folder / "serial").write_text("01")
        inside = self.folder
        more = ("-x509", "-days", 30, "-config", config)
        await openssl(
            "req", *KEY, *more, "-subj", "/CN=Test CA", "-extensions", "ca", "-keyout", inside / "ca.key", "-out", self.root
        )
        signed = ("-CA", self.root, "-CAkey", inside / "ca.key")
        names = ("-subj", "/CN=Test TSA", "-extensions", purpose, "-keyout", inside / "tsa.key", "-out", inside / "tsa.pem")
        await openssl("req", *KEY, *more, *signed, *names)
        return self

    def app(self) -> Starlette:
        """POST a query, get a reply."""

        async def stamp(request: Request) -> Response:
            self.asked += 1
            query = self.folder / f"{self.asked}.tsq"
            query.write_bytes(await request.body())
            signer = ("-inkey", self.folder / "tsa.key", "-signer", self.folder / "tsa.pem")
            reply = await openssl("ts", "-reply", "-config", self.folder / "openssl.cnf", "-queryfile", query, *signer)
            changed = self.change(reply)
            if isinstance(changed, Response):
                return changed
            return Response(changed, media_type="application/timestamp-reply")

        return Starlette(routes=[Route("/", stamp, methods=["POST"])])

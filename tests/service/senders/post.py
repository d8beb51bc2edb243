"""A real mail server on loopback (aiosmtpd), which keeps what it takes and answers as a test wants, badly too."""

import asyncio
import email
import email.policy
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from functools import partial
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

# The recipient's server may log whom a mail is to; it is not Menshen, whose logs are searched for that.
logging.getLogger("mail.log").setLevel(logging.CRITICAL)


@dataclass
class Post:
    """What came in. `answers` are what it says after MAIL, RCPT and DATA where that is not OK; None: it hangs up."""

    mails: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    secured: list[bool] = field(default_factory=list)
    answers: dict[str, str | None] = field(default_factory=dict)
    port: int = 0

    def mail(self) -> EmailMessage:
        """The one mail that came in, as a reader of mail takes it apart."""
        (raw,) = self.mails
        return email.message_from_bytes(raw, policy=email.policy.default)  # type: ignore[return-value]

    async def handle_MAIL(self, server: SMTP, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        said = self.answers.get("MAIL", "250 OK")
        envelope.mail_from = address
        return said or await self._hang_up(server)

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        said = self.answers.get("RCPT", "250 OK")
        if said == "250 OK":
            envelope.rcpt_tos.append(address)
        return said or await self._hang_up(server)

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
        self.mails.append(envelope.content)
        self.recipients += envelope.rcpt_tos
        self.secured.append(session.ssl is not None)
        said = self.answers.get("DATA", "250 taken")
        return said or await self._hang_up(server)

    async def _hang_up(self, server: SMTP) -> str:
        assert server.transport is not None
        server.transport.abort()
        return "421 never read"


def _signed_in(_server: SMTP, _session: Any, _envelope: Any, _way: str, told: Any, *, only: tuple[str, str] | None) -> AuthResult:
    given = isinstance(told, LoginPassword) and (told.login.decode(), told.password.decode())
    return AuthResult(success=only is not None and given == only, handled=False)


@asynccontextmanager
async def post(tls: ssl.SSLContext | None = None, *, only: tuple[str, str] | None = None) -> AsyncIterator[Post]:
    """A mail server that listens; with `tls` it offers STARTTLS, and with `only` it takes mail from nobody who does not sign in so."""
    made = Post()
    loop = asyncio.get_running_loop()
    spoken: list[SMTP] = []

    def protocol() -> SMTP:
        known = partial(_signed_in, only=only)
        spoken.append(
            SMTP(made, hostname="mail.test", tls_context=tls, loop=loop, authenticator=known, auth_required=only is not None)
        )
        return spoken[-1]

    server = await loop.create_server(protocol, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for one in spoken:
            if one.transport is not None:
                one.transport.abort()
        # Its sessions end in the loop's next turns, and until then hold their sockets.
        while any(one.transport is not None for one in spoken):
            await asyncio.sleep(0)

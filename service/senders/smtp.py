"""Mail over SMTP (RFC 5321) to the deployment's own mail server.

The server is asked step by step, because the step says what came of it: until the mail's end is sent nothing has left; after that, without
an answer, nobody can say. Its Message-ID is the send's id, and no mail whose end is unknown is sent again.
"""

import asyncio
import ssl
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import aiosmtplib
from aiosmtplib.errors import SMTPDataError, SMTPException, SMTPRecipientRefused, SMTPResponseException, SMTPSenderRefused

from policies.marketing import Sender as RegisteredSender
from service.senders.adapter import Adapter
from service.senders.dkim import Domain
from service.senders.letters import words
from service.senders.mail import Mail, address, built, message_id
from service.senders.model import Delivery, Fate, Letter, Message, Unfit, WayOut, Words, admit_letter
from service.values import Clock

SECONDS: Final = 12.0
"""For each of three: to be connected, to say from whom and to whom, to hand over. Together less than a job's lease."""

_FOR_GOOD: Final = 500
_LATER: Final = range(400, _FOR_GOOD)
_REFUSALS: Final = range(_FOR_GOOD, 600)
_IMPLICIT_TLS: Final = 465


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over. `tls`: it must offer TLS; without, TLS is used where it is offered. `trust` is whom to trust for it."""

    host: str
    port: int
    tls: bool
    trust: ssl.SSLContext = field(repr=False)
    user: str = ""
    password: str = field(default="", repr=False)


class SmtpMail(Adapter):
    """One registered mailbox, in a domain that has a key."""

    def __init__(
        self, registered: RegisteredSender, *, clock: Clock, life: timedelta, server: MailServer, domain: Domain
    ) -> None:
        super().__init__(registered, clock=clock, life=life)
        self._server = server
        self._domain = domain

    async def hand_over(self, message: Message) -> Delivery:
        """One mail to one mailbox."""
        return await self._handed(message.send_id, message.to, message.words, message.way_out)

    async def write(self, letter: Letter, *, key: str) -> Delivery:
        """Hand a letter over once: what it says is not the caller's. Raises NoLiveDecision for one that was not just asked for, or is not
        for a sender of letters.
        """
        admit_letter(letter, self.registered, key=key, now=self.clock(), life=self.life)
        try:
            return await self._handed(letter.letter_id, letter.to, words(letter), None)
        except Unfit as problem:
            return Delivery(Fate.REFUSED, problem.code)

    async def deposit(self, name: str, to: str, words: Words) -> Delivery:
        """Hand over a mail that is about no member and needs no leave (`depositing`). Raises Unfit."""
        return await self._handed(name, to, words, None)

    async def _handed(self, name: str, to: str, said: Words, way_out: WayOut | None) -> Delivery:
        content = self._written(name, to, said, way_out)
        try:
            async with asyncio.timeout(SECONDS):
                client = await self._connected()
        except (SMTPException, OSError, ValueError):
            return Delivery(Fate.NOT_OUT, "UNREACHABLE")
        try:
            refused = await _addressed(client, self.registered.address, address(to))
            return refused or await _handed_over(client, content, message_id(name, self._domain.name))
        finally:
            # Nothing hangs on a farewell, and one that is waited for can hang.
            client.close()

    def _written(self, name: str, to: str, said: Words, way_out: WayOut | None) -> bytes:
        mail = Mail(
            send_id=name,
            display=self.registered.identity,
            mailbox=self.registered.address,
            to=to,
            subject=said.subject,
            text=said.text,
            html=said.html,
            way_out=way_out,
        )
        return built(mail, self._domain, self.clock())

    async def _connected(self) -> aiosmtplib.SMTP:
        server = self._server
        at_once = server.port == _IMPLICIT_TLS
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user or None,
            password=server.password or None,
            local_hostname=self._domain.name,
            timeout=SECONDS,
            use_tls=at_once,
            start_tls=False if at_once else server.tls or None,
            tls_context=server.trust,
        )
        await client.connect()
        return client


async def _addressed(client: aiosmtplib.SMTP, sender: str, to: str) -> Delivery | None:
    """From whom and to whom; None where the server takes both."""
    try:
        async with asyncio.timeout(SECONDS):
            await client.mail(sender)
            await client.rcpt(to)
    except SMTPRecipientRefused as problem:
        return Delivery(Fate.BOUNCED, "MAILBOX_UNKNOWN") if problem.code >= _FOR_GOOD else Delivery(Fate.NOT_OUT, "TRY_LATER")
    except SMTPSenderRefused as problem:
        return Delivery(Fate.REFUSED, "SENDER_REFUSED") if problem.code >= _FOR_GOOD else Delivery(Fate.NOT_OUT, "TRY_LATER")
    except (SMTPException, OSError):
        return Delivery(Fate.NOT_OUT, "BROKEN_OFF")
    return None


async def _handed_over(client: aiosmtplib.SMTP, content: bytes, name: str) -> Delivery:
    try:
        async with asyncio.timeout(SECONDS):
            await client.data(content)
    except SMTPDataError as problem:
        return _not_taken(problem.code)
    except SMTPResponseException:
        # No answer that can be read, and it may be the one after the mail's end: whoever tried again might send it twice.
        return Delivery(Fate.UNKNOWN, "ANSWER_UNREADABLE")
    except (SMTPException, OSError):
        return Delivery(Fate.UNKNOWN, "BROKEN_OFF")
    return Delivery(Fate.SENT, "ACCEPTED", name)


def _not_taken(code: int) -> Delivery:
    """Only the two classes of RFC 5321 (4.2.1) that say no are a no: of a strange yes nobody knows whether the mail was kept."""
    if code in _REFUSALS:
        return Delivery(Fate.REFUSED, "CONTENT_REFUSED")
    return Delivery(Fate.NOT_OUT, "TRY_LATER") if code in _LATER else Delivery(Fate.UNKNOWN, "ANSWER_UNREADABLE")

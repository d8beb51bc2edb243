"""An alarm as a mail to those who see to alarms. A mail of the house to itself: no member's address is in it."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

import aiosmtplib
from aiosmtplib.errors import SMTPException

from policies.clock import SHANGHAI
from service.alarms import words
from service.alarms.model import Alarm
from service.alarms.settings import Mailbox

SECONDS: Final = 15.0
TOLD: Final = "TOLD"
_IMPLICIT_TLS: Final = 465


@dataclass(frozen=True, slots=True)
class Mailing:
    """A carrier: hands an alarm to the mail server for all who are to know. TOLD once one of them is sure to get it."""

    box: Mailbox

    async def __call__(self, alarm: Alarm, now: datetime) -> str:
        """TOLD, or a code for what went wrong; it raises nothing that the network does."""
        box, at_once = self.box, self.box.port == _IMPLICIT_TLS
        try:
            async with asyncio.timeout(SECONDS):
                await aiosmtplib.send(
                    written(alarm, box, now),
                    hostname=box.host,
                    port=box.port,
                    username=box.user or None,
                    password=box.password or None,
                    timeout=SECONDS,
                    use_tls=at_once,
                    start_tls=False if at_once else box.tls or None,
                    tls_context=box.trust,
                )
        except (TimeoutError, SMTPException, OSError, ValueError):
            return "MAIL_FAILED"
        return TOLD


def written(alarm: Alarm, box: Mailbox, now: datetime) -> EmailMessage:
    """The mail. One alarm is one thread: each later mail answers the first."""
    mail = EmailMessage()
    domain = box.sender.rpartition("@")[2]
    mail["From"], mail["To"] = box.sender, ", ".join(box.to)
    mail["Subject"] = words.subject(alarm)
    mail["Date"] = format_datetime(now.astimezone(SHANGHAI))
    mail["Message-ID"] = f"<{alarm.alarm_id}.{int(now.timestamp())}@{domain}>"
    mail["References"] = f"<{alarm.alarm_id}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(words.text(alarm))
    return mail

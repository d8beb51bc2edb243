"""What mail systems send back: delivery status notifications (RFC 3464) and abuse reports (RFC 5965).

Anybody can write such a mail, and it names an address: so it counts for the member whose own link stands in the returned headers, which
nobody can make, and for no other. Where it says nothing but an address, only the secret of the hook speaks for it.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from email import message_from_bytes, message_from_string
from email.message import Message
from email.policy import Compat32
from enum import StrEnum

from service.errors import Malformed

LINK = re.compile(r"/u/([A-Za-z0-9_-]{16,1024})(?=[>\s?#,]|$)")
"""A member's link as it stands in a List-Unsubscribe header."""

_MOST_PARTS = 100
_MOST_WORK = 150_000
"""Lines times boundaries: the parser holds every line against every boundary that is open. A report has some thousand lines and a handful
of boundaries; half a megabyte of line ends inside three hundred boundaries would hold up everybody else for half a minute.
"""
_MOST_HEADER = 8 * 1024
"""Characters of one header, folds and all. The parser takes the square of a header's length to look for its parameters."""
_STATUS = re.compile(r"\s*([245])\.([0-9]{1,3})\.([0-9]{1,3})")
_MOST_ADDRESS = 320
_RETURNED = frozenset({"message/rfc822", "text/rfc822-headers", "message/rfc822-headers"})


class ReportKind(StrEnum):
    """FAILED: it will never arrive. DELAYED: it may yet, or has. COMPLAINT: the receiver calls it abuse. PRAISE: calls it none."""

    FAILED = "FAILED"
    DELAYED = "DELAYED"
    COMPLAINT = "COMPLAINT"
    PRAISE = "PRAISE"


@dataclass(frozen=True, slots=True)
class Report:
    """One report. `link` is the member's link in the returned headers and `address` whom it names, "" where there is none."""

    kind: ReportKind
    status: str
    link: str
    address: str


class _Bounded(Compat32):
    """The parser's usual way, with an end to each header."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        """Raises ValueError for a header that nobody sends in good faith."""
        if sum(map(len, sourcelines)) > _MOST_HEADER:
            raise ValueError("a longer header than a report has")
        return super().header_source_parse(sourcelines)


_BOUNDED = _Bounded()


def report(raw: bytes) -> Report:
    """What a mail reports. Raises Malformed for whatever is no report, however it is built."""
    found = None
    with suppress(ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError):
        found = _report(raw)
    # Outside the handler: an error of the mail parser may quote the mail.
    if found is None:
        raise Malformed("mail report")
    return found


def _report(raw: bytes) -> Report | None:
    if (raw.count(b"\n") + raw.count(b"\r")) * (1 + raw.lower().count(b"boundary")) > _MOST_WORK:
        raise ValueError("more work than a report is")
    mail = message_from_bytes(raw, policy=_BOUNDED)
    parts = _parts(mail)
    link = next(iter(_links(parts)), "")
    for part in parts:
        kind = part.get_content_type()
        if kind == "message/feedback-report":
            return _complaint(_block(part), link)
        if kind == "message/delivery-status":
            return _delivery(_blocks(part), link)
    return None


def _parts(mail: Message) -> list[Message]:
    found = []
    for part in mail.walk():
        found.append(part)
        if len(found) > _MOST_PARTS:
            raise ValueError("more parts than a report has")
    return found


def _complaint(fields: Message, link: str) -> Report | None:
    kind = _said(fields, "Feedback-Type").lower()
    if not kind:
        return None
    address = _said(fields, "Original-Rcpt-To") or _said(fields, "Removal-Recipient")
    return Report(ReportKind.PRAISE if kind == "not-spam" else ReportKind.COMPLAINT, kind[:40], link, _address(address))


def _delivery(blocks: Iterable[Message], link: str) -> Report | None:
    told = [block for block in blocks if _said(block, "Action")]
    if not told:
        return None
    worst = next((block for block in told if _failed(block)), told[0])
    address = _said(worst, "Original-Recipient") or _said(worst, "Final-Recipient")
    kind = ReportKind.FAILED if _failed(worst) else ReportKind.DELAYED
    return Report(kind, _status(worst), link, _address(address.partition(";")[2]))


def _failed(block: Message) -> bool:
    """For good: the action says failed and the status is of class 5. A full mailbox that is tried again is another thing."""
    return _said(block, "Action").lower() == "failed" and _status(block).startswith("5.")


def _status(block: Message) -> str:
    found = _STATUS.match(_said(block, "Status"))
    return ".".join(found.groups()) if found else ""


def _links(parts: Iterable[Message]) -> Iterator[str]:
    for part in parts:
        if part.get_content_type() in _RETURNED:
            for returned in _headers(part):
                found = LINK.search(_said(returned, "List-Unsubscribe"))
                if found:
                    yield found[1]


def _headers(part: Message) -> Iterator[Message]:
    payload = part.get_payload()
    if isinstance(payload, list):
        yield from (inner for inner in payload if isinstance(inner, Message))
    else:
        words = part.get_payload(decode=True)
        yield message_from_string(words.decode("latin-1") if isinstance(words, bytes) else "", policy=_BOUNDED)


def _block(part: Message) -> Message:
    return next(iter(_blocks(part)), Message())


def _blocks(part: Message) -> Iterator[Message]:
    payload = part.get_payload()
    if isinstance(payload, list):
        yield from (inner for inner in payload if isinstance(inner, Message))


def _said(fields: Message, name: str) -> str:
    value = fields.get(name)
    return "".join(str(value).splitlines()).strip() if value is not None else ""


def _address(text: str) -> str:
    address = text.strip().strip("<>")
    return address if 0 < len(address) <= _MOST_ADDRESS else ""

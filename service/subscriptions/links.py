"""Links that are no login: whoever has one can say no for its member, or confirm an address, and nothing else (docs/formats/link.md).

The attacker has links of their own, those of a leaked mailbox, and all the time there is. A link is sealed: it tells nothing, cannot be
altered or moved to somebody else, and one kind does not open as the other.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from service.errors import BadInput, SealBroken
from service.values import MemberId
from service.vault.framing import framed
from service.vault.vault import Vault

USE: Final = "link"
LEAVING: Final = b"menshen/unsubscribe-link/v1"
CONFIRMING: Final = b"menshen/confirm-link/v1"
ADDRESSED: Final = b"menshen/address-link/v1"
_TEXT = re.compile(r"[A-Za-z0-9_-]{64,600}", re.ASCII)
_SKEW = timedelta(minutes=5)
_ID_SIZE = 16
_MARK_SIZE = 16
_TIME_SIZE = 6


@dataclass(frozen=True, slots=True)
class Link:
    """What a message carries to be refused by: whose it is, what it was about, by which sending it came. `topic`, `brand` and `send_id` are
    "" where there is none.
    """

    member_id: MemberId
    channel: str
    topic: str
    brand: str
    send_id: str
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What the address is asked by: whether this subscription is wanted. `event_id` is the asking, so that it is good for that one; `mark`
    the address that it was written to.
    """

    member_id: MemberId
    channel: str
    topic: str
    brand: str
    event_id: str
    mark: bytes
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class Addressed:
    """What an address is asked by that somebody typed: whether it is to be written to no more. It names no member, and need be no one's."""

    channel: str
    address: str
    issued_at: datetime


def make(vault: Vault, link: Link) -> str:
    """The link's opaque part, for a URL. The same link twice gives two texts. Raises BadInput for a member id that was not made here."""
    return _written(vault, LEAVING, _head(link.member_id, link.issued_at) + _id(link.send_id) + _about(link))


def opened(vault: Vault, token: str, *, now: datetime, life: timedelta) -> Link:
    """What the link says. Raises BadInput: LINK_INVALID whatever is wrong with it, LINK_EXPIRED when it is older than `life`."""
    content = _read(vault, LEAVING, token)
    member_id, issued_at = _head_of(content)
    send_id, rest = content[_ID_SIZE + _TIME_SIZE :][:_ID_SIZE], content[2 * _ID_SIZE + _TIME_SIZE :]
    link = Link(member_id, *_about_of(rest), _text_id(send_id), issued_at)
    _in_time(issued_at, now=now, life=life)
    return link


def make_confirmation(vault: Vault, asked: Confirmation) -> str:
    """The opaque part of a double opt-in's link. It goes to the address and nowhere else: that it comes back is the proof."""
    if len(asked.mark) != _MARK_SIZE:
        raise BadInput("mark")
    return _written(vault, CONFIRMING, _head(asked.member_id, asked.issued_at) + _id(asked.event_id) + asked.mark + _about(asked))


def confirmed(vault: Vault, token: str, *, now: datetime, life: timedelta) -> Confirmation:
    """What is confirmed by this link. Raises BadInput as `opened` does."""
    content = _read(vault, CONFIRMING, token)
    member_id, issued_at = _head_of(content)
    rest = content[_ID_SIZE + _TIME_SIZE :]
    event_id, mark, about = rest[:_ID_SIZE], rest[_ID_SIZE : _ID_SIZE + _MARK_SIZE], rest[_ID_SIZE + _MARK_SIZE :]
    asked = Confirmation(member_id, *_about_of(about), _text_id(event_id), mark, issued_at)
    _in_time(issued_at, now=now, life=life)
    return asked


def make_addressed(vault: Vault, asked: Addressed) -> str:
    """The opaque part of the link for an address that was typed. It goes to that address and nowhere else."""
    about = framed(asked.channel.encode(), asked.address.encode(), b"")
    return _written(vault, ADDRESSED, _time(asked.issued_at) + about)


def addressed(vault: Vault, token: str, *, now: datetime, life: timedelta) -> Addressed:
    """Which address says no by this link. Raises BadInput as `opened` does."""
    content = _read(vault, ADDRESSED, token)
    issued_at = datetime.fromtimestamp(int.from_bytes(content[:_TIME_SIZE], "big"), UTC)
    channel, address, _ = _about_of(content[_TIME_SIZE:])
    _in_time(issued_at, now=now, life=life)
    return Addressed(channel, address, issued_at)


def if_addressed(vault: Vault, token: str, *, now: datetime, life: timedelta) -> Addressed | None:
    """The same; None for a link of another kind, or for none at all. Raises BadInput (LINK_EXPIRED)."""
    try:
        return addressed(vault, token, now=now, life=life)
    except BadInput as problem:
        if problem.code == "LINK_EXPIRED":
            raise
    return None


def _written(vault: Vault, label: bytes, content: bytes) -> str:
    return urlsafe_b64encode(vault.seal_token(USE, label, content)).rstrip(b"=").decode()


def _read(vault: Vault, label: bytes, token: str) -> bytes:
    found = None
    if _TEXT.fullmatch(token):
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4)) if len(token) % 4 != 1 else b""
        # Of several texts that decode to the same bytes only the one that was made is ours.
        canonical = urlsafe_b64encode(raw).rstrip(b"=").decode() == token
        try:
            found = vault.open_token(USE, label, raw) if canonical else None
        except SealBroken:
            found = None
    if found is None:
        raise BadInput("link", code="LINK_INVALID")
    return found


def _head(member_id: MemberId, issued_at: datetime) -> bytes:
    return _id(member_id) + _time(issued_at)


def _time(moment: datetime) -> bytes:
    return int(moment.timestamp()).to_bytes(_TIME_SIZE, "big")


def _head_of(content: bytes) -> tuple[MemberId, datetime]:
    seconds = int.from_bytes(content[_ID_SIZE : _ID_SIZE + _TIME_SIZE], "big")
    return _text_id(content[:_ID_SIZE]), datetime.fromtimestamp(seconds, UTC)


def _about(link: Link | Confirmation) -> bytes:
    return framed(link.channel.encode(), link.topic.encode(), link.brand.encode())


def _about_of(content: bytes) -> tuple[str, str, str]:
    parts = []
    for _ in range(3):
        size = int.from_bytes(content[:2], "big")
        parts.append(content[2 : 2 + size].decode())
        content = content[2 + size :]
    return parts[0], parts[1], parts[2]


def _id(text: str) -> bytes:
    """An id in 16 bytes, zeros for none."""
    if not text:
        return bytes(_ID_SIZE)
    try:
        return UUID(text).bytes
    except ValueError:
        pass
    raise BadInput("id")


def _text_id(raw: bytes) -> str:
    return str(UUID(bytes=raw)) if any(raw) else ""


def _in_time(issued_at: datetime, *, now: datetime, life: timedelta) -> None:
    if issued_at > now + _SKEW:
        raise BadInput("link", code="LINK_INVALID")
    if issued_at + life <= now:
        raise BadInput("link", code="LINK_EXPIRED")

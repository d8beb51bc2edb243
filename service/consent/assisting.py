"""A member of staff passes on what a member did: a yes needs the member's own act, a no needs nothing (PIPL 14, NC-14).

The member, signed in on a device of their own, confirms the very answers; what they get is a token for one assistant, good once and for ten
minutes (docs/formats/member-act.md). The attacker is the assistant with a quota: without the token no yes is written, with it only the one
that the member gave, on the notice and in the words that the member was shown.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import orjson

from service.consent import once
from service.consent.model import ConsentRejected, Decision, Evidence
from service.errors import SealBroken
from service.unit import Unit
from service.values import MemberId

ACT = "consent.assist"
REQUIRED = ConsentRejected("MEMBER_ACT_REQUIRED")
LASTS = timedelta(minutes=10)
_USE = "member-act"
_LABEL = b"menshen/member-act/v1\0"
_NONCE_BYTES = 16
_TAG_BYTES = 32
_TOKEN = re.compile(r"ma1\.([0-9]{1,12})\.([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})", re.ASCII)
_ASSISTANT = re.compile(r"[!-~]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class MemberAct:
    """What the member hands to the assistant."""

    token: str
    expires_at: datetime


def assistant(name: str) -> bool:
    """Whether this can be the name of an account, as the till shows it to the member."""
    return _ASSISTANT.fullmatch(name) is not None


def confirm(unit: Unit, *, member_id: MemberId, to: str, decisions: Sequence[Decision], evidence: Evidence) -> MemberAct:
    """The token for these answers, to be written down by the account `to`."""
    expires = int((unit.now + LASTS).timestamp())
    nonce = unit.chance(_NONCE_BYTES)
    tag = unit.vault.mac(_USE, _message(member_id, to, decisions, evidence, expires=expires, nonce=nonce))
    unit.draft.extra |= {"act": nonce.hex(), "purposes": sorted({decision.purpose for decision in decisions})}
    return MemberAct(f"ma1.{expires}.{_text(nonce)}.{_text(tag)}", datetime.fromtimestamp(expires, UTC))


def nonce_of(
    unit: Unit, token: str | None, *, member_id: MemberId, decisions: Sequence[Decision], evidence: Evidence
) -> str | None:
    """The nonce, in hex, of an act that covers exactly this; None for every other token, whatever is wrong with it."""
    parts = _TOKEN.fullmatch(token or "")
    if parts is None:
        return None
    expires, nonce, tag = int(parts[1]), _bytes(parts[2]), _bytes(parts[3])
    if expires <= unit.now.timestamp() or len(nonce) != _NONCE_BYTES or len(tag) != _TAG_BYTES:
        return None
    message = _message(member_id, unit.call.actor.name, decisions, evidence, expires=expires, nonce=nonce)
    try:
        unit.vault.check_mac(_USE, message, tag)
    except SealBroken:
        return None
    return nonce.hex()


def confirmed_at(token: str | None) -> datetime:
    """When an act that holds was made, to the second below."""
    parts = _TOKEN.fullmatch(token or "")
    return datetime.fromtimestamp(int(parts[1]) if parts else 0, UTC) - LASTS


async def spent(unit: Unit, nonce: str, *request: object) -> bool:
    """Whether this act was used for this very request. Raises Conflict when it was used for another one."""
    return await once.earlier(unit, _key(nonce), *request) is not None


async def spend(unit: Unit, nonce: str, member_id: MemberId, *request: object) -> None:
    """Use the act up. Raises Duplicate when a twin was faster."""
    await once.remember(unit, _key(nonce), member_id, *request)


def _key(nonce: str) -> str:
    return f"{_USE}:{nonce}"


def _message(
    member_id: MemberId, to: str, decisions: Sequence[Decision], evidence: Evidence, *, expires: int, nonce: bytes
) -> bytes:
    said = {
        "assistant": to,
        "decisions": sorted([decision.purpose, str(decision.granted)] for decision in decisions),
        "expires": expires,
        "language": evidence.language,
        "member": member_id,
        "nonce": nonce.hex(),
        "notice": evidence.notice_version,
        "words": evidence.words_digest,
    }
    return _LABEL + orjson.dumps(said, option=orjson.OPT_SORT_KEYS)


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))

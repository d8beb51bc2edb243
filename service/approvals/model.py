"""What one person asked for and another allowed, and who counts as one person. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256

from policies.identity_number import holds_identity_number
from policies.searching import plain
from policies.text import holds_unseen, tells_of_somebody

FORMAT = b"menshen/approval/v1"
DEFAULT_HOURS = 24
MOST_HOURS = 72
"""So long an approval may hold, counted from the asking: what was right on Friday is looked at again on Tuesday."""

MOST_OPEN = 20
"""So many questions of one person may wait at a time. Whoever decides reads each of them: among a thousand, one is not read."""

MOST_WORDS = 200
LEAST_REASON = 4
DIGEST_SIZE = 32
_KIND = re.compile(r"[a-z][a-z0-9_.]{0,39}", re.ASCII)


class Decision(StrEnum):
    """Where it stands. A refusal is for good."""

    OPEN = "OPEN"
    ALLOWED = "ALLOWED"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """`about` is the digest of what exactly may be done; `what` says it in words, where it can be said. `used_at`: it was used up."""

    approval_id: str
    kind: str
    about: bytes
    what: str
    reason: str
    asked_by: str
    asked_at: datetime
    decision: Decision
    decided_by: str
    decided_at: datetime | None
    until: datetime
    used_at: datetime | None

    @property
    def allows(self) -> bool:
        """Whether it can be used, as long as it has not run out."""
        return self.decision is Decision.ALLOWED and self.used_at is None


def about_of(kind: str, what: str) -> bytes:
    """The digest of what is said in words: so what is allowed is what was read, to the letter."""
    return sha256(b"\0".join((FORMAT, kind.encode(), what.encode()))).digest()


@lru_cache(maxsize=4096)
def account_of(name: str) -> str:
    """An account in its one spelling: directories fold case and width."""
    return plain(name).strip()


def parts_of(account: str) -> tuple[str, str]:
    """The name and the realm of an account in its one spelling; a terminal knows no realm."""
    name, _, realm = account.partition("@")
    return name, realm


def same_person(one: str, other: str) -> bool:
    """Whether two accounts are one person's: however they are spelt, and a terminal knows `li` where the token says `li@corp`.
    `li@corp` and `li@partner` are two.
    """
    first, second = account_of(one), account_of(other)
    (name, realm), (its, other_realm) = parts_of(first), parts_of(second)
    return first == second or (name == its and not (realm and other_realm))


def problem_of(*, kind: str, about: bytes, what: str, reason: str) -> str:
    """Why such a question is not kept, as a code, or "". What is written into it stays: nothing of a member belongs there."""
    if not _KIND.fullmatch(kind) or len(about) != DIGEST_SIZE or (what and about != about_of(kind, what)):
        return "APPROVAL_INVALID"
    if len(reason.strip()) < LEAST_REASON:
        return "REASON_REQUIRED"
    # `what` may name an account, and accounts are often addresses.
    told = tells_of_somebody(reason) or holds_identity_number(what) or holds_unseen(what)
    return "REASON_PERSONAL" if told or max(len(reason), len(what)) > MOST_WORDS else ""


def lasts(hours: int) -> timedelta | None:
    """How long it will hold; None for more than may be, or nothing."""
    return timedelta(hours=hours) if 1 <= hours <= MOST_HOURS else None

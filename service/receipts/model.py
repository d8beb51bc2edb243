"""The words of receipts and of evidence: frozen values, no rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from service.consent.model import ConsentEvent

FORMAT = "menshen/consent-receipt/v1"
TYPE = "menshen-consent-receipt+jws"
"""The JWS header's `typ`, which keeps a receipt from passing for any other JWS of ours (RFC 8725, 3.11)."""

KEY_USE = "receipt"
"""The keyring's use whose keys sign receipts and nothing else."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """One event as its member can take it away. `document` is the JSON-LD exactly as it is signed, `jws` the signed form."""

    receipt_id: str
    event_id: str
    text_zh: str
    text_en: str
    document: str
    jws: str


@dataclass(frozen=True, slots=True)
class Link:
    """One row of the ledger as it is stored: nothing of it is proven yet."""

    event_id: str
    purpose: str
    state: str
    recorded_at: datetime
    expires_at: datetime | None
    notice_version: str | None
    body: str
    previous_hash: bytes
    hash: bytes


class Verdict(StrEnum):
    """What a receipt turned out to be."""

    VALID = "VALID"
    ALTERED = "ALTERED"
    UNKNOWN_KEY = "UNKNOWN_KEY"
    NOTICE_DIFFERS = "NOTICE_DIFFERS"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict, and what stands in the receipt: None while nothing proves that it stands there rightly.

    `notice_checked` is False where the notice's bytes were not at hand.
    """

    verdict: Verdict
    key_id: str
    document: Mapping[str, Any] | None = None
    notice_checked: bool = False


class Part(StrEnum):
    """A link of the chain purpose -> notice -> consent -> action."""

    ENTRY = "ENTRY"
    SUBJECT = "SUBJECT"
    EVENT = "EVENT"
    CHAIN = "CHAIN"
    LOGGED = "LOGGED"
    DECISION = "DECISION"
    NOTICE = "NOTICE"
    WORDS = "WORDS"
    RECEIPT = "RECEIPT"


class Holding(StrEnum):
    """Whether a link holds. NOT_NEEDED: the processing does not rest on it."""

    HOLDS = "HOLDS"
    BROKEN = "BROKEN"
    MISSING = "MISSING"
    NOT_NEEDED = "NOT_NEEDED"


@dataclass(frozen=True, slots=True)
class Finding:
    """One link, and whether it holds; `code` says why not."""

    part: Part
    holding: Holding
    code: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """The notice as it was shown: `text` has exactly the bytes that hash to `sha256`. `words` is the question."""

    version: str
    language: str
    permalink: str
    sha256: str
    text: str
    words: str
    words_sha256: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that proves one processing to have been right, and of each link whether it holds.

    `entry` is empty where the log's bytes are none. `policy_in_force` is whether the policy that decided is the one in force now.
    """

    index: int
    entry: Mapping[str, Any]
    leaf: str
    event: ConsentEvent | None
    shown: Shown | None
    receipt: Receipt | None
    findings: tuple[Finding, ...]
    policy_in_force: bool

    @property
    def whole(self) -> bool:
        """Whether every link that is needed is there and holds."""
        return all(finding.holding in {Holding.HOLDS, Holding.NOT_NEEDED} for finding in self.findings)


@dataclass(frozen=True, slots=True)
class EvidencePage:
    """Some of a member's evidence, the newest first; `end` is where the next page begins."""

    items: tuple[Evidence, ...]
    end: str | None
    has_next: bool

"""The words of the gate: what was decided, what may be redeemed, what became of it. Frozen values, no rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from policies.decide import Permit, Standing
from policies.marketing import SendReason
from service.audit.inclusion import Inclusion
from service.campaigns.model import Campaign, Step, Template
from service.consent.model import ConsentEvent
from service.members.model import Row
from service.receipts.model import Holding, Shown
from service.values import MemberId
from service.vault.vault import MemberKeys


class Outcome(StrEnum):
    """What became of an allowed message. The last one counts."""

    DISPATCHED = "DISPATCHED"
    SENT = "SENT"
    FAILED = "FAILED"
    BOUNCED = "BOUNCED"
    COMPLAINED = "COMPLAINED"
    CANCELLED = "CANCELLED"
    UNKNOWN = "UNKNOWN"


SPENT = frozenset({Outcome.DISPATCHED, Outcome.SENT, Outcome.BOUNCED, Outcome.COMPLAINED, Outcome.UNKNOWN})
"""After these the message has gone out, or nobody can say that it has not: it counts towards every cap for good."""

ALREADY_DISPATCHED = "ALREADY_DISPATCHED"
SEND_NOT_FOUND = "SEND_NOT_FOUND"
TOKEN_INVALID = "DECISION_TOKEN_INVALID"  # noqa: S105 - a code, no secret
TOKEN_EXPIRED = "DECISION_TOKEN_EXPIRED"  # noqa: S105
SENT_LATE = "SENT_AFTER_TOKEN"
"""An alarm: a message went out on a decision that had run out. Somebody sends without asking again."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One answer for one member. `token` is None where it is refused; `next_slot` is told where time alone stands in the way."""

    member_id: MemberId
    send_id: str
    allowed: bool
    reasons: tuple[SendReason, ...]
    token: str | None
    expires_at: datetime | None
    next_slot: datetime | None


@dataclass(frozen=True, slots=True)
class DecisionPage:
    """One page of answers, in the order of the members asked for, else of their ids. `end` is where the next page begins."""

    campaign_id: str
    decisions: tuple[Decision, ...]
    end: str | None
    has_next: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What the database says of one member for one campaign, read after the lock on their window was granted.

    `row` is there for whoever may be a minor (None: an adult), and for one member alone. `promised` is how often a month the subscription
    was told; `quota` is None where there is no row.
    """

    standing: Standing
    minor: bool | None
    in_audience: bool
    subscribed: bool
    suppressed: bool
    addressed: bool
    reachable: bool
    subscription_event: str | None
    notice_version: str | None
    promised: int | None
    quota: int | None
    row: Row | None


@dataclass(frozen=True, slots=True)
class Kept:
    """One decision as the ledger has it. `evidence` is the JSON text as it was written."""

    member_id: MemberId
    send_id: str
    batch: str
    campaign_id: str
    channel: str
    allowed: bool
    reasons: tuple[str, ...]
    evidence: str
    decided_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Became:
    """One row of what became of a decision."""

    outcome: Outcome
    code: str
    reference: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Cleared:
    """Leave to send, once: the slot is spent already. `permit` opens the address and the template's variables of `row` with `keys`."""

    send_id: str
    member_id: MemberId
    campaign: Campaign
    template: Template
    permit: Permit
    row: Row
    keys: MemberKeys


@dataclass(frozen=True, slots=True)
class Denied:
    """It must not go out (any more). `next_slot`: when to ask again, where time alone stands in the way."""

    send_id: str
    code: str
    reasons: tuple[SendReason, ...] = ()
    next_slot: datetime | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What an engine says became of a message that it sent itself."""

    send_id: str
    member_id: MemberId
    token: str
    outcome: Outcome
    code: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Reported:
    """What was made of a report. `recorded`: it was new; `code` says why it was refused, or names an alarm; "" when all is well."""

    send_id: str
    accepted: bool
    recorded: bool
    code: str


@dataclass(frozen=True, slots=True)
class OutcomesRecorded:
    """One answer for each report, in their order."""

    results: tuple[Reported, ...]


Evidence = Mapping[str, Any]
"""What a decision rests on, as its row in the ledger has it (docs/formats/send-decision.md)."""


class SendPart(StrEnum):
    """A link of the chain behind one decision: consent -> notice -> template -> approval -> rules -> log."""

    ENTRY = "ENTRY"
    DECISIONS = "DECISIONS"
    EVENT = "EVENT"
    CHAIN = "CHAIN"
    NOTICE = "NOTICE"
    WORDS = "WORDS"
    TEMPLATE = "TEMPLATE"
    APPROVAL = "APPROVAL"


@dataclass(frozen=True, slots=True)
class SendFinding:
    """One link, and whether it holds; `code` says why not."""

    part: SendPart
    holding: Holding
    code: str = ""


@dataclass(frozen=True, slots=True)
class SendEvidence:
    """All that proves one decision, allowed or refused, to have been right. `entry` is the log's, of the call that decided."""

    decision: Kept
    rests_on: Evidence
    outcomes: tuple[Became, ...]
    entry_index: int | None
    entry_leaf: str
    inclusion: Inclusion | None
    event: ConsentEvent | None
    shown: Shown | None
    template: Template | None
    approval: Step | None
    findings: tuple[SendFinding, ...]
    policy_in_force: bool

    @property
    def whole(self) -> bool:
        """Whether every link that is needed is there and holds."""
        return all(finding.holding in {Holding.HOLDS, Holding.NOT_NEEDED} for finding in self.findings)

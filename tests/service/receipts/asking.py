"""What these tests ask through GraphQL, and the stranger who checks what came of it with a library that is not ours."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx2
import jwt

from service.app import Parts
from service.consent.model import CaptureChannel, ConsentsRecorded, Decision, Evidence
from tests.factories import a_call, evidence

Ask = Callable[..., Any]

RECEIPT = """query ($event: ID!, $purpose: PurposeKey) { consentReceipt(eventId: $event, purpose: $purpose) {
  receiptId eventId textZh textEn jsonLd jws } }"""
_EVIDENCE = """{ whole code policyInForce findings { part holding code }
  entry { id index leafHash at kind operation actorKind actor roles purpose basis fields withheld decision reason policyDigest }
  event { id purpose state recordedAt record previousHash hash }
  notice { version language permalink sha256 text words wordsSha256 } receipt { receiptId eventId jws } }"""
EVIDENCE = f"query ($entry: ID!, $purpose: PurposeKey!) {{ evidence(entryId: $entry, purpose: $purpose) {_EVIDENCE} }}"
MEMBER_EVIDENCE = f"""query ($member: ID!, $purpose: PurposeKey!, $first: Int! = 10, $after: String) {{
  memberEvidence(memberId: $member, purpose: $purpose, first: $first, after: $after) {{ items {_EVIDENCE} end hasNext }} }}"""


async def answered(parts: Parts, member_id: str, purpose: str, *, granted: bool | None = True) -> str:
    """The member answers on a screen of its own that showed the published question; the event's id."""
    outcome = await parts.operations.record_consents(
        a_call("member", member_id=member_id),
        member_id=None,
        decisions=[Decision(purpose, granted)],
        evidence=asked_alone(parts, purpose),
    )
    assert isinstance(outcome, ConsentsRecorded), outcome
    event_id = outcome.standings[0].event_id
    assert event_id is not None
    return event_id


def asked_alone(parts: Parts, purpose: str) -> Evidence:
    """The notice in force, and this purpose's question by itself."""
    now = parts.clock()
    notice = parts.catalogue.notice_in_force(now)
    assert notice is not None
    words = notice.scopes[purpose].words["zh-CN"]
    digest = hashlib.sha256(words.encode()).hexdigest()
    shown = now - timedelta(seconds=30)
    return evidence(parts.catalogue, now, presented_at=shown, purposes_on_screen=1, words_digest=digest)


async def withdrawn(parts: Parts, member_id: str, purpose: str) -> str:
    """The member takes it back; the event's id."""
    call = a_call("member", member_id=member_id)
    outcome = await parts.operations.withdraw(call, member_id=None, purpose=purpose, channel=CaptureChannel.MINI_PROGRAM)
    assert isinstance(outcome, ConsentsRecorded), outcome
    return str(outcome.standings[0].event_id)


async def receipt_of(ask: Ask, member_id: str, event_id: str) -> dict[str, Any]:
    """The receipt, as its member downloads it."""
    answer = await ask(RECEIPT, role="member", member_id=member_id, variables={"event": event_id})
    assert "errors" not in answer, answer
    found: dict[str, Any] = answer["data"]["consentReceipt"]
    return found


@dataclass(frozen=True)
class Stranger:
    """Somebody who knows the published keys and nothing else, and verifies with PyJWT."""

    keys: Mapping[str, jwt.PyJWK]

    @classmethod
    async def reading(cls, client: httpx2.AsyncClient) -> "Stranger":
        """Fetch the key set from where it is published."""
        answer = await client.get("/.well-known/menshen/jwks.json")
        assert answer.status_code == 200
        published = jwt.PyJWKSet.from_dict(answer.json())
        return cls({str(key.key_id): key for key in published.keys})

    def read(self, compact: str) -> dict[str, Any]:
        """What the receipt says. Raises whatever the library raises for what it does not accept."""
        header = jwt.get_unverified_header(compact)
        payload = jwt.PyJWS(algorithms=["EdDSA"]).decode(compact, self.keys[header["kid"]], algorithms=["EdDSA"])
        found: dict[str, Any] = json.loads(payload)
        return found

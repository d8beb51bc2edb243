"""The consent ledger's rows: what each one must say, and the hash that ties it to the one before.

A record carries the mandatory fields of ISO/IEC TS 27560:2023 (as W3C DPV names them), the evidence of the asking, and the
hash of the
member's previous event for the same purpose; its own hash covers all of it (docs/formats/consent-event.md). So an event can
neither be changed nor taken out of the middle without the next one telling.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import orjson

from policies.clock import consent_ends
from policies.scopes import scope_of
from policies.terms import PERMITTING, Catalogue, ConsentState, Purpose, Scope
from service.consent.model import CaptureChannel, ConsentEvent, ConsentStanding, Evidence
from service.errors import Malformed
from service.values import Actor, MemberId, utc_text

FORMAT = "menshen/consent-event/v1"
GENESIS = bytes(32)
WITHDRAWAL_METHOD = "withdrawConsent(purpose)"
# Who can write to the database can make the hash fit, too: JSON that orjson cannot write again is its TypeError, and SQLite gives out
# bytes where bytes were put in the place of a text.
_UNREADABLE = (ValueError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """What is to be written down: `state` reached by `actor` for `purpose` at `at`, proven by `evidence` (None: a
    withdrawal, an import, or something that the service found out). `role` is in which the actor spoke: self, guardian, assisted (a
    member of staff passed on the member's own act) or system. `source` says what else brought it about, `address` is the keyed digest
    of where the request came from.
    """

    event_id: str
    member_id: MemberId
    purpose: Purpose
    state: ConsentState
    at: datetime
    actor: Actor
    request_id: str
    channel: CaptureChannel
    evidence: Evidence | None
    previous_hash: bytes
    source: Mapping[str, str] | None = None
    role: str = "self"
    address: str = ""


def make_event(catalogue: Catalogue, happening: Happening) -> ConsentEvent:
    """The ledger row for one happening."""
    record = {**_record(catalogue, happening), **_evidence(catalogue, happening)}
    body = canonical(record)
    return ConsentEvent(
        event_id=happening.event_id,
        purpose=happening.purpose.key,
        state=happening.state,
        recorded_at=happening.at,
        expires_at=expiry(happening, scope_told(catalogue, happening).months),
        notice_version=happening.evidence.notice_version if happening.evidence else None,
        record=record,
        previous_hash=happening.previous_hash,
        hash=digest(body),
    )


def expiry(happening: Happening, months: int) -> datetime | None:
    """When a yes given now ends, by the period that was told; a no has no end."""
    if happening.state not in PERMITTING:
        return None
    return consent_ends(happening.at, months)


def canonical(record: Mapping[str, object]) -> str:
    """The record as it is stored and hashed: JSON with sorted keys, no spaces (the profile of docs/formats/audit-entry.md)."""
    return orjson.dumps(record, option=orjson.OPT_SORT_KEYS).decode()


def digest(body: str) -> bytes:
    """SHA-256 over the format's name and the canonical record."""
    return hashlib.sha256(FORMAT.encode() + b"\0" + body.encode()).digest()


def read_record(body: str, expected: bytes) -> dict[str, object]:
    """The record of a stored row. Raises Malformed, whatever is there: another hash, no JSON, or JSON that is not canonical."""
    try:
        record = json.loads(body) if digest(body) == expected else None
        whole = isinstance(record, dict) and record.get("schemaVersion") == FORMAT and canonical(record) == body
    except _UNREADABLE:
        whole = False
    if not whole:
        raise Malformed("consent event")
    return cast("dict[str, object]", record)


def _record(catalogue: Catalogue, happening: Happening) -> dict[str, object]:
    """The fields that ISO/IEC TS 27560 makes mandatory, plus policy and chain."""
    purpose, controller = happening.purpose, catalogue.controller
    scope = scope_told(catalogue, happening)
    return {
        "schemaVersion": FORMAT,
        "recordId": happening.event_id,
        "piiPrincipalId": happening.member_id,
        "purpose": purpose.key,
        "purposeTitle": purpose.title.zh,
        "purposeVersion": scope.version,
        "lawfulBasis": purpose.basis.value,
        "piiInformation": sorted(scope.fields),
        "piiControllers": [
            {
                "partyId": controller.id,
                "name": controller.legal_name.zh,
                "address": controller.address.zh,
                "contact": controller.contact_email,
                "type": "个人信息处理者",
            }
        ],
        "storageLocations": [controller.storage_location.zh],
        "retentionMonths": scope.retention_months,
        "jurisdiction": controller.jurisdiction,
        "recipientThirdParties": sorted(scope.recipients),
        "withdrawalMethod": WITHDRAWAL_METHOD,
        "eventTime": utc_text(happening.at),
        "validityMonths": scope.months,
        "entityId": happening.actor.member_id or happening.actor.name,
        "entityKind": happening.actor.kind.value,
        "entityRole": happening.role,
        "eventType": "explicit",
        "eventState": happening.state.value,
        "requestId": happening.request_id,
        "policyDigest": catalogue.digest,
        "channel": happening.channel.value,
        "previousEventHash": happening.previous_hash.hex(),
    }


def _evidence(catalogue: Catalogue, happening: Happening) -> dict[str, object]:
    """The notice as it was shown and the gesture that answered it; for an import, where the row came from."""
    found: dict[str, object] = {"source": dict(happening.source)} if happening.source else {}
    if happening.address:
        found["entityAddress"] = happening.address
    evidence = happening.evidence
    if evidence is None:
        return found
    notice = catalogue.notices[evidence.notice_version]
    return (
        found
        | {
            "privacyNotice": evidence.notice_version,
            "noticeSha256": notice.digests[evidence.language],
            "language": evidence.language,
            "presentedAt": utc_text(evidence.presented_at),
            "expression": evidence.expression.value,
            "screen": evidence.screen,
            "box": evidence.box.value,
            "client": {
                "appId": evidence.client.app_id,
                "appVersion": evidence.client.app_version,
                "deviceDigest": evidence.client.device_digest,
            },
        }
        | _screen(evidence)
    )


def _screen(evidence: Evidence) -> dict[str, object]:
    """How many purposes the screen asked for and in which words, where the front end said so."""
    told: dict[str, object] = {}
    if evidence.purposes_on_screen is not None:
        told["screenPurposeCount"] = evidence.purposes_on_screen
    if evidence.words_digest:
        told["wordsSha256"] = evidence.words_digest
    return told


def scope_told(catalogue: Catalogue, happening: Happening) -> Scope:
    """What the answer is about: the purpose as the notice that was shown told of it; without one, as it is."""
    purpose, evidence = happening.purpose, happening.evidence
    told = catalogue.notices[evidence.notice_version].scopes.get(purpose.key) if evidence else None
    return told or scope_of(purpose, catalogue)


def standing_of(event: ConsentEvent) -> ConsentStanding:
    """Where a purpose stands once this is its newest event."""
    return ConsentStanding(
        purpose=event.purpose,
        state=event.state,
        since=event.recorded_at,
        expires_at=event.expires_at,
        event_id=event.event_id,
        notice_version=event.notice_version,
        scope=event.scope,
        by_guardian=event.by_guardian,
    )


def latest(history: Sequence[ConsentEvent], at: datetime) -> dict[str, ConsentStanding]:
    """What the ledger said at a moment: the last event of each purpose recorded by then (WD-02). `history` is in the order of recording;
    of two that were recorded at the same moment the one that permits nothing stands: a tie is a withdrawal.
    """
    return {purpose: standing_of(event) for purpose, event in newest(history, at).items()}


def newest(history: Sequence[ConsentEvent], at: datetime | None = None) -> dict[str, ConsentEvent]:
    """The event of each purpose on which its standing rests at a moment; None: after all of them."""
    found: dict[str, ConsentEvent] = {}
    for event in history:
        before = found.get(event.purpose)
        if (at is None or event.recorded_at <= at) and not (before and _outranks(before, event)):
            found[event.purpose] = event
    return found


def _outranks(before: ConsentEvent, event: ConsentEvent) -> bool:
    if before.recorded_at != event.recorded_at:
        return before.recorded_at > event.recorded_at
    return before.state not in PERMITTING and event.state in PERMITTING

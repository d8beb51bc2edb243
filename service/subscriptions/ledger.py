"""The subscription ledger's rows (docs/formats/subscription-event.md): what was promised and how it was said, each chained to the last."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

import orjson

from policies.terms import Catalogue
from service.consent.model import Evidence
from service.errors import Malformed
from service.subscriptions.model import Key, Subscription, SubscriptionEvent, SubscriptionState, Way
from service.values import Call, MemberId, utc_text

FORMAT = "menshen/subscription-event/v1"
GENESIS = bytes(32)
# Whoever writes to the database can make a hash fit: JSON that orjson cannot write again is its TypeError.
_UNREADABLE = (ValueError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True)
class Promise:
    """What was told when it was asked for: type, frequency and period (SMS31 18)."""

    title: str
    monthly: int
    months: int
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """What is to be written down. `confirms`: the event that asked for the confirmation; `consents`: the consent events of the same act."""

    event_id: str
    member_id: MemberId
    key: Key
    state: SubscriptionState
    way: Way
    at: datetime
    call: Call
    previous_hash: bytes
    promise: Promise | None = None
    evidence: Evidence | None = None
    confirms: str = ""
    send_id: str = ""
    consents: tuple[str, ...] = field(default=())


def promised(record: Mapping[str, object], expires_at: datetime | None) -> Promise:
    """What an event says was told, whatever the policy says by now. Raises Malformed for one that tells of no promise."""
    title, monthly, months = (record.get(key) for key in ("title", "monthly", "months"))
    if not (isinstance(title, str) and isinstance(monthly, int) and isinstance(months, int)):
        raise Malformed("subscription event")
    return Promise(title, monthly, months, expires_at)


def make_event(catalogue: Catalogue, happening: Happening) -> SubscriptionEvent:
    """The ledger row for one happening."""
    record = {**_record(catalogue, happening), **_promised(happening.promise), **_shown(catalogue, happening.evidence)}
    channel, topic, brand = happening.key
    return SubscriptionEvent(
        event_id=happening.event_id,
        channel=channel,
        topic=topic,
        brand=brand,
        state=happening.state,
        way=happening.way.value,
        recorded_at=happening.at,
        record=record,
        previous_hash=happening.previous_hash,
        hash=digest(canonical(record)),
    )


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
        raise Malformed("subscription event")
    return cast("dict[str, object]", record)


def standing_of(event: SubscriptionEvent) -> Subscription:
    """Where a subscription stands once this is its newest event."""
    expires, monthly = event.record.get("expiresAt"), event.record.get("monthly")
    return Subscription(
        channel=event.channel,
        topic=event.topic,
        brand=event.brand,
        state=event.state,
        since=event.recorded_at,
        event_id=event.event_id,
        expires_at=datetime.fromisoformat(expires) if isinstance(expires, str) else None,
        monthly=monthly if isinstance(monthly, int) else None,
        hash=event.hash,
    )


def derived(history: Iterable[SubscriptionEvent]) -> dict[Key, Subscription]:
    """Where everything stands, by a member's whole ledger in the order of recording. Raises Malformed where the chain is broken."""
    found: dict[Key, Subscription] = {}
    for event in history:
        key = (event.channel, event.topic, event.brand)
        before = found[key].hash if key in found else GENESIS
        if event.previous_hash != before or event.record.get("previousEventHash") != before.hex():
            raise Malformed("subscription events that do not follow each other")
        found[key] = standing_of(event)
    return found


def _record(catalogue: Catalogue, happening: Happening) -> dict[str, object]:
    actor = happening.call.actor
    channel, topic, brand = happening.key
    record: dict[str, object] = {
        "schemaVersion": FORMAT,
        "recordId": happening.event_id,
        "piiPrincipalId": happening.member_id,
        "channel": channel,
        "topic": topic,
        "brand": brand,
        "state": happening.state.value,
        "way": happening.way.value,
        "eventTime": utc_text(happening.at),
        "entityId": actor.member_id or actor.name,
        "entityKind": actor.kind.value,
        "requestId": happening.call.request_id,
        "policyDigest": catalogue.digest,
        "previousEventHash": happening.previous_hash.hex(),
    }
    more = {"confirms": happening.confirms, "sendId": happening.send_id}
    record |= {key: value for key, value in more.items() if value}
    return record | ({"consentEvents": list(happening.consents)} if happening.consents else {})


def _promised(promise: Promise | None) -> dict[str, object]:
    if promise is None:
        return {}
    said: dict[str, object] = {"title": promise.title, "monthly": promise.monthly, "months": promise.months}
    return said | ({"expiresAt": utc_text(promise.expires_at)} if promise.expires_at else {})


def _shown(catalogue: Catalogue, evidence: Evidence | None) -> dict[str, object]:
    if evidence is None:
        return {}
    return {
        "privacyNotice": evidence.notice_version,
        "noticeSha256": catalogue.notices[evidence.notice_version].digests[evidence.language],
        "language": evidence.language,
        "presentedAt": utc_text(evidence.presented_at),
        "expression": evidence.expression.value,
        "screen": evidence.screen,
        "box": evidence.box.value,
    }

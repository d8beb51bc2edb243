"""What a receipt says: JSON-LD in the words of ISO/IEC TS 27560:2023 as W3C's DPV names them (docs/formats/consent-receipt.md).

It is made of the event's record and of what the notice pinned when it was published, of nothing else: the same event gives the same
bytes under every later policy. The context holds its IRIs itself, so nobody has to fetch anything to read it.
"""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from policies.clock import consent_ends
from policies.terms import PERMITTING, Scope
from service.consent.model import ConsentEvent
from service.notices.model import permalink as served_at
from service.receipts import words
from service.receipts.model import FORMAT
from service.values import utc_text

CONTEXT: Mapping[str, str] = {
    "dct": "http://purl.org/dc/terms/",
    "dpv": "https://w3id.org/dpv#",
    "dpv-27560": "https://w3id.org/dpv/schema/dpv-27560#",
    "loc": "https://w3id.org/dpv/loc#",
    "menshen": "urn:menshen:",
}
_STATUS: Mapping[str, str] = {
    "REQUESTED": "ConsentRequested",
    "DEFERRED": "ConsentRequestDeferred",
    "REFUSED": "ConsentRefused",
    "GIVEN": "ConsentGiven",
    "RENEWED": "RenewedConsentGiven",
    "WITHDRAWN": "ConsentWithdrawn",
    "REVOKED": "ConsentRevoked",
    "EXPIRED": "ConsentExpired",
    "INVALIDATED": "ConsentInvalidated",
}
_BY: Mapping[str, str] = {"self": "dpv:DataSubject", "assisted": "dpv:DataSubject", "guardian": "dpv:GuardianOfDataSubject"}
_LANGUAGES = ("zh-CN", "en")
_ID_SIZE = 16

Document = dict[str, Any]


def receipt_id(event_hash: bytes) -> str:
    """A receipt's id, which follows from its event: 22 characters of base64url."""
    made = hashlib.sha256(FORMAT.encode() + b"\0" + event_hash).digest()[:_ID_SIZE]
    return urlsafe_b64encode(made).rstrip(b"=").decode()


def permalink(version: str, language: str) -> str:
    """Where the notice's bytes are served for ever, seen from the place that serves the keys: a receipt must not change with an address."""
    return served_at("", version, language)


def canonical(document: Document) -> str:
    """The bytes that are signed: JSON with sorted keys, no spaces, no floats, no nulls (the profile of docs/formats/audit-entry.md)."""
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS).decode()


def document(event: ConsentEvent, subject: str, scope: Scope | None) -> Document:
    """The receipt of an event. `scope` is what the notice that was shown told of the purpose; None where none was shown."""
    record: Mapping[str, Any] = event.record
    made: Document = {
        "@context": dict(CONTEXT),
        "@id": f"menshen:receipt:{receipt_id(event.hash)}",
        "@type": "dpv:ConsentReceipt",
        "dct:conformsTo": [FORMAT, "dpv-27560:receipt-record"],
        "dct:identifier": receipt_id(event.hash),
        "dct:source": _record(event),
        "dpv:hasDataSubject": {"@id": f"menshen:principal:{subject}", "@type": "dpv:DataSubject"},
        "dpv:hasProcess": _process(record),
        **_answer(record),
    }
    if "privacyNotice" in record:
        made["dpv:hasNotice"] = _notice(record)
    if scope is not None and record.get("language") in scope.words:
        made["menshen:question"] = _question(record, scope)
    made["dct:description"] = [{"@language": language, "@value": _text(event, language, scope)} for language in _LANGUAGES]
    return made


def validity(record: Mapping[str, Any]) -> str:
    """When the answer ends, by the months that were told; see `words.FOR_EVER`."""
    if record["eventState"] not in PERMITTING:
        return ""
    ends = consent_ends(datetime.fromisoformat(record["eventTime"]), record["validityMonths"])
    return utc_text(ends) if ends else words.FOR_EVER


def _record(event: ConsentEvent) -> Document:
    record = event.record
    return {
        "@id": f"urn:uuid:{record['recordId']}",
        "@type": "dpv:ConsentRecord",
        "dct:conformsTo": record["schemaVersion"],
        "dct:identifier": record["recordId"],
        "menshen:hash": event.hash.hex(),
        "menshen:policySha256": record["policyDigest"],
        "menshen:previousHash": event.previous_hash.hex(),
    }


def _process(record: Mapping[str, Any]) -> Document:
    separate = record.get("screenPurposeCount") == 1
    return {
        "@type": "dpv:Process",
        "dpv:hasConsentControl": {"@type": "dpv:WithdrawingFromActivity", "dct:description": record["withdrawalMethod"]},
        "dpv:hasDataController": [_party(party) for party in record["piiControllers"]],
        "dpv:hasJurisdiction": {"@id": f"loc:{record['jurisdiction']}"},
        "dpv:hasLegalBasis": {"@id": "dpv:ExplicitlyExpressedConsent" if separate else "dpv:ExpressedConsent"},
        "dpv:hasPersonalData": [{"@id": f"menshen:field:{key}", "@type": "dpv:PersonalData"} for key in record["piiInformation"]],
        "dpv:hasPurpose": {
            "@id": f"menshen:purpose:{record['purpose']}",
            "@type": "dpv:Purpose",
            "dct:hasVersion": record.get("purposeVersion", 1),
            "dct:identifier": record["purpose"],
            "dct:title": {"@language": "zh-CN", "@value": record["purposeTitle"]},
        },
        "dpv:hasRecipient": [
            {"@id": f"menshen:party:{key}", "@type": "dpv:Recipient"} for key in record["recipientThirdParties"]
        ],
        "dpv:hasStorageCondition": {
            "@type": "dpv:StorageCondition",
            "dpv:hasDuration": f"P{record['retentionMonths']}M",
            "dpv:hasLocation": record["storageLocations"],
        },
    }


def _party(party: Mapping[str, Any]) -> Document:
    return {
        "@id": f"menshen:party:{party['partyId']}",
        "@type": "dpv:DataController",
        "dct:type": party["type"],
        "dpv:hasAddress": party["address"],
        "dpv:hasContact": party["contact"],
        "dpv:hasName": party["name"],
    }


def _answer(record: Mapping[str, Any]) -> Document:
    """The event: which state, when, by whom, how, until when."""
    said: Document = {
        "dpv:hasConsentStatus": {"@id": f"dpv:{_STATUS.get(record['eventState'], 'ConsentUnknown')}"},
        "dpv:isIndicatedAtTime": record["eventTime"],
        "dpv:isIndicatedBy": {"@id": _BY.get(record.get("entityRole", ""), "dpv:DataController")},
        "menshen:channel": record["channel"],
        "menshen:state": record["eventState"],
    }
    if "expression" in record:
        said["dpv:hasIndicationMethod"] = record["expression"]
    if until := validity(record):
        said["menshen:validUntil"] = until
        said["dpv:hasDuration"] = f"P{record['validityMonths']}M"
    return said


def _notice(record: Mapping[str, Any]) -> Document:
    return {
        "@id": permalink(record["privacyNotice"], record["language"]),
        "@type": "dpv:ConsentNotice",
        "dct:hasVersion": record["privacyNotice"],
        "dct:language": record["language"],
        "menshen:sha256": record["noticeSha256"],
        "menshen:shownAt": record["presentedAt"],
    }


def _question(record: Mapping[str, Any], scope: Scope) -> Document:
    """The published words. `menshen:evidenced` is whether the screen reported that it showed exactly these."""
    asked = scope.words[record["language"]]
    sha256 = hashlib.sha256(asked.encode()).hexdigest()
    evidenced = record.get("wordsSha256") == sha256
    return {"dct:language": record["language"], "menshen:evidenced": evidenced, "menshen:sha256": sha256, "menshen:words": asked}


def _text(event: ConsentEvent, language: str, scope: Scope | None) -> str:
    record: Mapping[str, Any] = event.record
    return words.text(
        record,
        language,
        receipt_id=receipt_id(event.hash),
        notice=permalink(record["privacyNotice"], record["language"]) if "privacyNotice" in record else "",
        words=scope.words.get(language, "") if scope else "",
        until=validity(record),
    )

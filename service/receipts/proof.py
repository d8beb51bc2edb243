"""Does each link of the chain hold? Pure: purpose -> notice -> consent -> action, weighed on the bytes that are there (PIPL 9, 69).

Whoever can write to the database could have put anything anywhere, so nothing is taken from a column that the event's hash does not
cover, and no link is called whole because it is there.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from policies.terms import PERMITTING, Catalogue, ConsentState
from service.audit.queries import Found
from service.consent.ledger import GENESIS, read_record
from service.consent.model import ConsentEvent
from service.errors import Malformed
from service.receipts.document import permalink, validity
from service.receipts.model import Finding, Holding, Link, Part, Shown
from service.receipts.words import FOR_EVER

IN_FLIGHT = timedelta(seconds=30)
"""An entry is written a moment after its decision: what began while a consent stood is not wrong because it ended meanwhile."""

DISCLOSING = frozenset({"access", "change", "export"})

WRITING = timedelta(minutes=5)
"""An event's own entry is sealed in its transaction, by the same clock: so far from its moment it is looked for, and no farther."""

Entry = Mapping[str, Any]


def opened(link: Link) -> ConsentEvent:
    """The event that a row holds. Raises Malformed where its record does not hash to it or its columns say something else."""
    record = read_record(link.body, link.hash)
    said = (record.get("recordId"), record.get("purpose"), record.get("eventState"), record.get("previousEventHash"))
    if said != (link.event_id, link.purpose, link.state, link.previous_hash.hex()):
        raise Malformed("consent event: its columns")
    if datetime.fromisoformat(str(record["eventTime"])) != link.recorded_at or record.get("privacyNotice") != link.notice_version:
        raise Malformed("consent event: its columns")
    return ConsentEvent(
        event_id=link.event_id,
        purpose=link.purpose,
        state=ConsentState(link.state),
        recorded_at=link.recorded_at,
        expires_at=link.expires_at,
        notice_version=link.notice_version,
        record=record,
        previous_hash=link.previous_hash,
        hash=link.hash,
    )


def needed(entry: Entry) -> bool:
    """Whether the processing rests on a consent: one is named, or the basis is consent; what was refused rests on nothing."""
    rests = "con" in entry or (entry.get("bas") == "CONSENT" and entry["typ"] in DISCLOSING)
    return entry["dec"] == "allow" and rests


def rested_on(entry: Entry, links: Sequence[Link]) -> Link | None:
    """The row that the entry names; where it names none (a list has many subjects), the newest of its purpose by then."""
    if "con" in entry:
        return next((link for link in links if link.event_id == entry["con"]), None)
    by_then = [link for link in links if link.purpose == entry.get("pur") and link.recorded_at <= moment(entry)]
    return by_then[-1] if by_then else None


def moment(entry: Entry) -> datetime:
    """When the entry was written."""
    return datetime.fromisoformat(entry["ts"])


def chain(event: ConsentEvent, links: Sequence[Link]) -> Finding:
    """Whether the events of the purpose up to this one hang together, back to the first, with none missing and none beside them."""
    until_then = [link for link in links if link.purpose == event.purpose and link.recorded_at <= event.recorded_at]
    by_hash = {link.hash: link for link in until_then}
    length, newer = 1, event
    while newer.previous_hash != GENESIS:
        link = by_hash.get(newer.previous_hash)
        if link is None:
            return Finding(Part.CHAIN, Holding.BROKEN, "CHAIN_BROKEN")
        try:
            newer = opened(link)
        except (Malformed, ValueError):
            return Finding(Part.CHAIN, Holding.BROKEN, "EVENT_ALTERED")
        length += 1
    whole = length == len(until_then)
    return Finding(Part.CHAIN, Holding.HOLDS if whole else Holding.BROKEN, "" if whole else "CHAIN_BROKEN")


def logged(event: ConsentEvent, entries: Iterable[Found]) -> Finding:
    """Whether one of these entries, which are of the event's member and time, wrote the event's hash down."""
    told = (found.entry.get("x", {}).get("events", ()) for found in entries if found.whole and found.entry["dec"] == "allow")
    whole = any(isinstance(hashes, list) and event.hash.hex() in hashes for hashes in told)
    return Finding(Part.LOGGED, Holding.HOLDS if whole else Holding.MISSING, "" if whole else "NOT_IN_LOG")


def decision(entry: Entry, event: ConsentEvent, links: Sequence[Link]) -> Finding:
    """Whether this consent allowed what the entry says was done, at its moment."""
    if entry.get("bas") != "CONSENT" or entry["typ"] not in DISCLOSING:
        return Finding(Part.DECISION, Holding.NOT_NEEDED)
    at, until = moment(entry), validity(event.record)
    later = [link.recorded_at for link in links if link.purpose == event.purpose and link.recorded_at > event.recorded_at]
    covered = event.record["piiInformation"]
    wrong = [
        (event.purpose != entry.get("pur"), "OTHER_PURPOSE"),
        (event.state not in PERMITTING, "NOT_PERMITTED"),
        (event.recorded_at > at + IN_FLIGHT, "CONSENT_TOO_LATE"),
        (until not in {"", FOR_EVER} and datetime.fromisoformat(until) <= at - IN_FLIGHT, "CONSENT_EXPIRED"),
        (bool(later) and min(later) <= at - IN_FLIGHT, "CONSENT_SUPERSEDED"),
        (not isinstance(covered, list) or not set(entry.get("fld", ())) <= set(covered), "FIELD_NOT_CONSENTED"),
    ]
    code = next((code for broken, code in wrong if broken), "")
    return Finding(Part.DECISION, Holding.BROKEN if code else Holding.HOLDS, code)


def shown(event: ConsentEvent, catalogue: Catalogue) -> tuple[Shown | None, list[Finding]]:
    """The notice and the question as they were put, each held to the digest that the event recorded."""
    record: Mapping[str, Any] = event.record
    if "privacyNotice" not in record:
        missing = Holding.MISSING if event.state in PERMITTING else Holding.NOT_NEEDED
        code = "NOTICE_NOT_NAMED" if missing is Holding.MISSING else ""
        return None, [Finding(Part.NOTICE, missing, code), Finding(Part.WORDS, missing, code)]
    version, language = record["privacyNotice"], record["language"]
    notice = catalogue.notices.get(version)
    content = notice.texts.get(language) if notice else None
    if notice is None or content is None:
        return None, [Finding(Part.NOTICE, Holding.MISSING, "NOTICE_GONE"), Finding(Part.WORDS, Holding.MISSING, "NOTICE_GONE")]
    scope = notice.scopes.get(event.purpose)
    words = scope.words.get(language, "") if scope else ""
    sha256, words_sha256 = hashlib.sha256(content).hexdigest(), hashlib.sha256(words.encode()).hexdigest()
    same = sha256 == record["noticeSha256"]
    found = Finding(Part.NOTICE, Holding.HOLDS if same else Holding.BROKEN, "" if same else "NOTICE_DIFFERS")
    exact = Shown(version, language, permalink(version, language), sha256, content.decode(), words, words_sha256)
    return exact, [found, _words(event, words, words_sha256, catalogue)]


def _words(event: ConsentEvent, words: str, sha256: str, catalogue: Catalogue) -> Finding:
    """The question. Where the law wants a consent of its own, the words that were shown must be on record."""
    recorded = event.record.get("wordsSha256")
    if not recorded:
        purpose = catalogue.purposes.get(event.purpose)
        missing = purpose is None or purpose.separate_consent
        return Finding(Part.WORDS, *((Holding.MISSING, "WORDS_NOT_NAMED") if missing else (Holding.NOT_NEEDED, "")))
    if not words:
        return Finding(Part.WORDS, Holding.MISSING, "WORDS_GONE")
    return Finding(Part.WORDS, *((Holding.HOLDS, "") if recorded == sha256 else (Holding.BROKEN, "WORDS_DIFFER")))

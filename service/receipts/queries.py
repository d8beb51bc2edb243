"""A receipt of one event, and the evidence behind one entry of the log or behind all of a member's."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from policies.terms import Catalogue, MemberStatus
from service.audit import queries as log
from service.audit.queries import Found, Search
from service.consent.model import ConsentEvent
from service.errors import BadInput, Malformed
from service.members import store as members_store
from service.minors.approved import approved
from service.receipts import jws, proof, store
from service.receipts.issuing import issue
from service.receipts.model import KEY_USE, Evidence, EvidencePage, Finding, Holding, Link, Part, Receipt, Verdict
from service.receipts.verdict import judge
from service.unit import Unit
from service.values import MemberId
from service.vault.vault import MemberKeys, Vault

MOST = 20
"""Entries of one page: each brings the whole notice along."""

_KEPT = timedelta(days=365 * 3)
_AFTER_EVENT = (Part.CHAIN, Part.LOGGED, Part.DECISION, Part.NOTICE, Part.WORDS, Part.RECEIPT)


@dataclass(frozen=True, slots=True)
class Person:
    """Whom an entry is about: the keys (None once they are destroyed) and the ledger's rows."""

    keys: MemberKeys | None
    links: Sequence[Link]


async def receipt(unit: Unit, *, event_id: str, own: MemberId | None, sees: Callable[[str], bool]) -> Receipt | None:
    """The receipt of one event; `own` is the member who asks, None for anybody else. None alike for what is not there, is somebody
    else's, is of a purpose that the caller may not know of, or of a member who has been erased. Raises Malformed.
    """
    member_id = own or await store.holder(unit.session, event_id)
    row = await members_store.row(unit.session, member_id) if member_id else None
    if row is None or row.wrapped is None or row.status is MemberStatus.ERASED:
        _absent(unit)
        return None
    link = next((link for link in await store.links(unit.session, row.member_id) if link.event_id == event_id), None)
    if link is None or not sees(link.purpose):
        _absent(unit)
        return None
    keys = unit.vault.member_keys(row.member_id, row.generation, row.wrapped)
    unit.draft.subjects.append(unit.vault.pseudonym(keys, unit.now))
    unit.draft.count = 1
    unit.draft.extra["event"] = event_id
    await approved(unit, keys, row)
    return issue(unit.vault, keys, proof.opened(link), unit.catalogue)


async def evidence(unit: Unit, *, entry_id: str) -> Evidence | None:
    """What proves the processing of one entry. None: there is no such entry. Raises Refused as `receipt` does."""
    found = await log.entry(unit.session, entry_id)
    if found is None:
        _absent(unit)
        return None
    unit.draft.extra["entry"] = entry_id
    unit.draft.count = 1
    event_id = found.entry.get("con")
    member_id = await store.holder(unit.session, event_id) if event_id else None
    person = await _person(unit, member_id) if member_id else None
    return await assemble(unit, found, person)


async def member_evidence(unit: Unit, *, member_id: MemberId, first: int, after: str | None) -> EvidencePage | None:
    """What proves the processing of a member's data, entry by entry, the newest first. None: no such member, or an erased one, whose
    entries nobody can find any more. Raises BadInput, and Refused as `receipt` does.
    """
    if not 1 <= first <= MOST:
        raise BadInput(f"first: between 1 and {MOST}", code="PAGE_SIZE_TOO_LARGE")
    before = _index(after)
    person = await _person(unit, member_id)
    if person is None or person.keys is None:
        _absent(unit)
        return None
    since = unit.now - _KEPT
    names = [unit.vault.pseudonym_at(person.keys, epoch) for epoch in log.months(since, unit.now)]
    found = await log.find(unit.session, Search(subjects=names, since=since, before=before, most=first + 1))
    shown = found[:first]
    unit.draft.count = len(shown)
    items = tuple([await assemble(unit, one, person) for one in shown])
    return EvidencePage(items, str(shown[-1].index) if shown else None, len(found) > first)


async def assemble(unit: Unit, found: Found, person: Person | None) -> Evidence:
    """Everything behind one entry, each link weighed by itself."""
    entry = found.entry
    whole = Finding(Part.ENTRY, *((Holding.HOLDS, "") if found.whole else (Holding.BROKEN, "ENTRY_ALTERED")))
    in_force = entry.get("pol") == unit.catalogue.digest
    if not entry or not proof.needed(entry):
        rest = Holding.NOT_NEEDED if entry else Holding.MISSING
        findings = (whole, *(Finding(part, rest) for part in (Part.SUBJECT, Part.EVENT, *_AFTER_EVENT)))
        return Evidence(found.index, entry, found.leaf, None, None, None, findings, in_force)
    event, about = _event(unit, found, person)
    if event is None or person is None:
        findings = (whole, *about, *(Finding(part, Holding.MISSING, about[-1].code) for part in _AFTER_EVENT))
        return Evidence(found.index, entry, found.leaf, None, None, None, findings, in_force)
    shown, notice = proof.shown(event, unit.catalogue)
    made, receipted = _receipt(unit.vault, person.keys, event, unit.catalogue)
    logged = await _logged(unit, person.keys, event)
    weighed = (proof.chain(event, person.links), logged, proof.decision(entry, event, person.links))
    findings = (whole, *about, *weighed, *notice, receipted)
    return Evidence(found.index, entry, found.leaf, event, shown, made, findings, in_force)


def _event(unit: Unit, found: Found, person: Person | None) -> tuple[ConsentEvent | None, list[Finding]]:
    """The consent that the entry rests on, and whether it is this member's."""
    link = proof.rested_on(found.entry, person.links) if person else None
    if person is None or link is None:
        code = "EVENT_NOT_FOUND" if "con" in found.entry else "EVENT_NOT_NAMED"
        return None, [Finding(Part.SUBJECT, Holding.MISSING, code), Finding(Part.EVENT, Holding.MISSING, code)]
    subject = _subject(unit.vault, found, person.keys)
    try:
        return proof.opened(link), [subject, Finding(Part.EVENT, Holding.HOLDS)]
    except (Malformed, ValueError):
        return None, [subject, Finding(Part.EVENT, Holding.BROKEN, "EVENT_ALTERED")]


def _subject(vault: Vault, found: Found, keys: MemberKeys | None) -> Finding:
    """Whether the pseudonym in the entry is this member's, of its month or of the one that had just ended."""
    if keys is None:
        return Finding(Part.SUBJECT, Holding.MISSING, "ERASED")
    at = proof.moment(found.entry)
    names = {vault.pseudonym(keys, moment) for moment in (at, at - proof.IN_FLIGHT)}
    if names & set(found.entry.get("sub", ())):
        return Finding(Part.SUBJECT, Holding.HOLDS)
    return Finding(Part.SUBJECT, Holding.BROKEN, "OTHER_MEMBER")


async def _logged(unit: Unit, keys: MemberKeys | None, event: ConsentEvent) -> Finding:
    """Whether the log wrote this very event down when it happened."""
    if keys is None:
        return Finding(Part.LOGGED, Holding.MISSING, "ERASED")
    since, until = event.recorded_at - proof.WRITING, event.recorded_at + proof.WRITING
    names = sorted({unit.vault.pseudonym(keys, moment) for moment in (since, until)})
    near = await log.find(unit.session, Search(subjects=names, since=since, until=until, most=log.MOST))
    return proof.logged(event, near)


def _receipt(vault: Vault, keys: MemberKeys | None, event: ConsentEvent, catalogue: Catalogue) -> tuple[Receipt | None, Finding]:
    """The event's receipt, judged as a stranger would."""
    if keys is None:
        return None, Finding(Part.RECEIPT, Holding.MISSING, "ERASED")
    try:
        made = issue(vault, keys, event, catalogue)
        known = {jws.thumbprint(key.raw): key.raw for key in vault.public_keys(KEY_USE)}
        verdict = judge(made.jws, known).verdict
    except Malformed:
        return None, Finding(Part.RECEIPT, Holding.MISSING, "NOTICE_GONE")
    whole = verdict is Verdict.VALID
    return made, Finding(Part.RECEIPT, Holding.HOLDS if whole else Holding.BROKEN, "" if whole else verdict.value)


async def _person(unit: Unit, member_id: MemberId) -> Person | None:
    """The member, named in the entry. Raises Refused (APPROVAL_REQUIRED) where staff look at a minor without leave, as for one receipt."""
    row = await members_store.row(unit.session, member_id)
    if row is None:
        return None
    keys = unit.vault.member_keys(row.member_id, row.generation, row.wrapped) if row.wrapped else None
    if keys is not None:
        unit.draft.subjects.append(unit.vault.pseudonym(keys, unit.now))
        await approved(unit, keys, row)
    return Person(keys, await store.links(unit.session, member_id))


def _index(after: str | None) -> int | None:
    """Where the last page ended. Raises BadInput for what no page gave out."""
    if after is None:
        return None
    if not (after.isascii() and after.isdigit() and len(after) < 19):
        raise BadInput("after: not a cursor of this list", code="CURSOR_INVALID")
    return int(after)


def _absent(unit: Unit) -> None:
    unit.draft.deny("NOT_FOUND")
    unit.draft.count = 0

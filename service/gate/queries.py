"""What one decision rests on, link by link (MK-09, LB-09): for what was refused as for what was sent.

Whoever can write to the database could have put anything anywhere: the decisions of a call are hashed anew and held against the log's
entry, the consent event against its own hash and chain, the words against the digest that was decided on.
"""

import orjson

from policies.marketing import MessageClass
from policies.terms import Basis
from service.audit import inclusion
from service.audit import queries as log
from service.audit.head import Authority
from service.audit.inclusion import Inclusion
from service.audit.queries import Found
from service.campaigns import store as campaigns
from service.campaigns.model import CampaignStep, Step, Template
from service.consent.model import ConsentEvent
from service.errors import Malformed
from service.gate import store
from service.gate.deciding import digest
from service.gate.model import Evidence, Kept, SendEvidence, SendFinding, SendPart
from service.members import store as members
from service.minors.approved import approved
from service.receipts import proof
from service.receipts import store as receipts
from service.receipts.model import Holding, Shown
from service.unit import Unit

_CONSENT = (SendPart.EVENT, SendPart.CHAIN, SendPart.NOTICE, SendPart.WORDS)


async def evidence(unit: Unit, send_id: str) -> SendEvidence | None:
    """Everything behind one decision. None: there is no such decision. Raises Refused (APPROVAL_REQUIRED) where staff look at a minor."""
    decision = await store.by_send(unit.session, send_id)
    if decision is None:
        unit.draft.deny("NOT_FOUND")
        unit.draft.count = 0
        return None
    await _named(unit, decision)
    rests_on: Evidence = orjson.loads(decision.evidence)
    found = await log.entry(unit.session, decision.batch)
    logged = _logged(found, await store.batch(unit.session, decision.batch))
    proven = await _proven(unit, found)
    if found is not None and proven is None:
        logged[0] = SendFinding(SendPart.ENTRY, Holding.BROKEN, "ENTRY_NOT_IN_TREE")
    event, shown, consented = await _consent(unit, decision, rests_on)
    template, words = await _template(unit, rests_on)
    approval, reviewed = await _approval(unit, decision, rests_on)
    return SendEvidence(
        decision=decision,
        rests_on=rests_on,
        outcomes=tuple(await store.outcomes_of(unit.session, decision.member_id, send_id)),
        entry_index=found.index if found is not None else None,
        entry_leaf=found.leaf if found is not None else "",
        inclusion=proven,
        event=event,
        shown=shown,
        template=template,
        approval=approval,
        findings=(*logged, *consented, words, reviewed),
        policy_in_force=rests_on["policy"] == unit.catalogue.digest,
    )


async def _named(unit: Unit, decision: Kept) -> None:
    """Whose it is, in the entry of the looking. An erased member has no name any more."""
    row = await members.row(unit.session, decision.member_id)
    unit.draft.count = 1
    unit.draft.extra["send"] = decision.send_id
    if row is not None and row.wrapped is not None and row.sealed:
        keys = unit.vault.member_keys(row.member_id, row.generation, row.wrapped)
        unit.draft.subjects.append(unit.vault.pseudonym(keys, unit.now))
        await approved(unit, keys, row)


def _logged(found: Found | None, kept: list[Kept]) -> list[SendFinding]:
    """Whether the log wrote these very decisions down: every one of the call, none changed, none missing, none added."""
    if found is None:
        missing = Holding.MISSING
        return [SendFinding(part, missing, "ENTRY_NOT_FOUND") for part in (SendPart.ENTRY, SendPart.DECISIONS)]
    whole = SendFinding(SendPart.ENTRY, *((Holding.HOLDS, "") if found.whole else (Holding.BROKEN, "ENTRY_ALTERED")))
    same = found.entry.get("x", {}).get("decisions") == digest(kept)
    told = (Holding.HOLDS, "") if same else (Holding.BROKEN, "DECISIONS_ALTERED")
    return [whole, SendFinding(SendPart.DECISIONS, *told)]


async def _proven(unit: Unit, found: Found | None) -> Inclusion | None:
    """The entry's way to the log's newest head, worked out and walked once: what a stranger is to believe has to hold here first."""
    if found is None or not found.whole:
        return None
    authority = Authority(unit.vault.origin, lambda message: unit.vault.mac("head", message))
    return await inclusion.prove(unit.session, authority, found.index, bytes.fromhex(found.leaf))


async def _consent(unit: Unit, decision: Kept, rests_on: Evidence) -> tuple[ConsentEvent | None, Shown | None, list[SendFinding]]:
    """The consent that stood then. What is no advertising needs none, and what was refused rests on nothing."""
    purpose = unit.catalogue.purposes.get(rests_on["purpose"])
    rests = purpose is None or purpose.basis is Basis.CONSENT
    needed = decision.allowed and rests and rests_on["class"] == MessageClass.COMMERCIAL
    absent = Holding.MISSING if needed else Holding.NOT_NEEDED
    links = await receipts.links(unit.session, decision.member_id)
    link = next((link for link in links if link.event_id == rests_on["consent"]), None)
    if link is None:
        return None, None, [SendFinding(part, absent, "EVENT_NOT_FOUND" if needed else "") for part in _CONSENT]
    try:
        event = proof.opened(link)
    except (Malformed, ValueError):
        return None, None, [SendFinding(part, Holding.BROKEN, "EVENT_ALTERED") for part in _CONSENT]
    chained = proof.chain(event, links)
    shown, found = proof.shown(event, unit.catalogue)
    notice, words = (SendFinding(SendPart(one.part.value), one.holding, one.code) for one in found)
    chain = SendFinding(SendPart.CHAIN, chained.holding, chained.code)
    return event, shown, [SendFinding(SendPart.EVENT, Holding.HOLDS), chain, notice, words]


async def _template(unit: Unit, rests_on: Evidence) -> tuple[Template | None, SendFinding]:
    """The words, hashed anew."""
    try:
        found = await campaigns.version_of(unit.session, rests_on["template"], rests_on["templateVersion"])
    except Malformed:
        return None, SendFinding(SendPart.TEMPLATE, Holding.BROKEN, "TEMPLATE_ALTERED")
    if found is None:
        return None, SendFinding(SendPart.TEMPLATE, Holding.MISSING, "TEMPLATE_NOT_FOUND")
    if found.digest.hex() != rests_on["templateDigest"]:
        return found, SendFinding(SendPart.TEMPLATE, Holding.BROKEN, "TEMPLATE_ALTERED")
    return found, SendFinding(SendPart.TEMPLATE, Holding.HOLDS)


async def _approval(unit: Unit, decision: Kept, rests_on: Evidence) -> tuple[Step | None, SendFinding]:
    """Who approved exactly this, before it was decided."""
    needed = decision.allowed and rests_on["class"] != MessageClass.BREACH
    try:
        steps = await campaigns.history(unit.session, decision.campaign_id)
    except Malformed:
        return None, SendFinding(SendPart.APPROVAL, Holding.BROKEN, "REVIEW_ALTERED")
    fits = [
        step
        for step in steps
        if step.step is CampaignStep.APPROVED
        and step.digest.hex() == rests_on["campaignDigest"]
        and step.recorded_at <= decision.decided_at + proof.IN_FLIGHT
    ]
    if fits:
        return fits[-1], SendFinding(SendPart.APPROVAL, Holding.HOLDS)
    told = (Holding.MISSING, "APPROVAL_NOT_FOUND") if needed else (Holding.NOT_NEEDED, "")
    return None, SendFinding(SendPart.APPROVAL, *told)

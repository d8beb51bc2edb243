"""Redeem a decision, once, and write down what became of it. Both under the lock of the member's window.

Between a decision and the moment of sending a member may have said no, a campaign may have been edited, night may have fallen, another
worker may have sent it: so at that moment every rule is judged again, and only one of two that come together is cleared (MK-01, SMS-07).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import orjson

from policies.decide import leave_to_send
from policies.marketing import SendReason
from policies.send import Verdict
from policies.terms import Basis
from service.errors import BadInput
from service.gate import deciding, store, tokens, window
from service.gate.model import (
    ALREADY_DISPATCHED,
    SEND_NOT_FOUND,
    SENT_LATE,
    SPENT,
    TOKEN_EXPIRED,
    TOKEN_INVALID,
    Became,
    Cleared,
    Denied,
    Evidence,
    Facts,
    Kept,
    Outcome,
    OutcomesRecorded,
    Report,
    Reported,
)
from service.gate.weighing import Matter, weighed
from service.gate.window import Window
from service.subscriptions import leaving, quota
from service.subscriptions.model import Way
from service.unit import Unit
from service.values import MemberId, new_id

WECHAT_REFUSED = "43101"
"""WeChat's word for: this member allowed no message of this template (WX-04)."""

_TRANSIENT = "4"
"""Enhanced status codes (RFC 3463) that begin so are of a mailbox that is full or a server that is busy: the address is none the worse."""

_MOST_CODE, _MOST_REFERENCE = 60, 120
_FINAL = frozenset({*SPENT, Outcome.CANCELLED})
_APART = timedelta(milliseconds=1)
_NOT_ALLOWED = "NOT_ALLOWED"


async def redeem(unit: Unit, send_id: str, member_id: MemberId, *, token: str | None) -> Cleared | Denied:
    """Leave to send this message now, or why not. `token` is None where a worker of this house asks, which was given the decision itself.

    Once it is cleared the slot is spent, whatever happens then: who is killed after this has sent, as far as anybody can know.
    """
    held = (await store.lock(unit.session, [member_id], now=unit.now)).get(member_id)
    decision = await store.decision(unit.session, member_id, send_id)
    if held is None or decision is None:
        return _denied(unit, Denied(send_id, SEND_NOT_FOUND))
    outcomes = await store.outcomes_of(unit.session, member_id, send_id)
    evidence: Evidence = orjson.loads(decision.evidence)
    if refused := _refused(unit, decision, evidence, outcomes, token):
        return _denied(unit, Denied(send_id, refused, _reasons(decision) if refused == _NOT_ALLOWED else ()))
    found = await deciding.matter(unit, decision.campaign_id)
    facts = await _facts(unit, found, member_id) if found is not None else None
    if found is None or facts is None or facts.row is None or facts.row.wrapped is None:
        return _denied(unit, Denied(send_id, SendReason.ERASED.value, (SendReason.ERASED,)))
    live = window.read(held)
    verdict, _ = weighed(found, facts, deciding.minority(unit, facts), live, unit.now, without=send_id)
    verdict = _same_words(verdict, found, evidence)
    if not verdict.allowed:
        return await _stopped(unit, decision, live, verdict, outcomes)
    return await _cleared(unit, decision, found, facts, live, outcomes=outcomes)


async def record(unit: Unit, member_id: MemberId, send_id: str, outcome: Outcome, *, code: str = "", reference: str = "") -> bool:
    """What became of a message; whether that was news. Told twice it counts once; what is final stays. Raises BadInput for what is too long
    to be a code or a vendor's number.
    """
    reported = await _record(unit, member_id, send_id, outcome, code=code, reference=reference)
    return reported.recorded


async def report(unit: Unit, said: Report) -> Reported:
    """What an engine says became of a message that it sent itself: the token proves on which decision.

    Whether what this house has handed over failed, only its own worker can say: else whoever holds a token gets slots back that are used.
    """
    await store.lock(unit.session, [said.member_id], now=unit.now)
    decision = await store.decision(unit.session, said.member_id, said.send_id)
    if decision is None or not decision.allowed:
        return Reported(said.send_id, accepted=False, recorded=False, code=SEND_NOT_FOUND)
    evidence: Evidence = orjson.loads(decision.evidence)
    try:
        ends = tokens.check(unit.vault, said.token, _bound(decision, evidence))
    except BadInput:
        return Reported(said.send_id, accepted=False, recorded=False, code=TOKEN_INVALID)
    outcomes = await store.outcomes_of(unit.session, said.member_id, said.send_id)
    if said.outcome is Outcome.FAILED and ends <= unit.now and not outcomes:
        # Nothing was sent and nothing is held any more: there is nothing to give back.
        return Reported(said.send_id, accepted=False, recorded=False, code=TOKEN_EXPIRED)
    if said.outcome is Outcome.FAILED and any(became.outcome is Outcome.DISPATCHED for became in outcomes):
        return Reported(said.send_id, accepted=False, recorded=False, code=ALREADY_DISPATCHED)
    return await _record(unit, said.member_id, said.send_id, said.outcome, code=said.code, reference=said.reference)


async def _record(unit: Unit, member_id: MemberId, send_id: str, outcome: Outcome, *, code: str, reference: str) -> Reported:
    if len(code) > _MOST_CODE or len(reference) > _MOST_REFERENCE:
        raise BadInput(f"code, reference: at most {_MOST_CODE} and {_MOST_REFERENCE} characters")
    held = (await store.lock(unit.session, [member_id], now=unit.now)).get(member_id)
    decision = await store.decision(unit.session, member_id, send_id)
    if decision is None:
        return Reported(send_id, accepted=False, recorded=False, code=SEND_NOT_FOUND)
    before = await store.outcomes_of(unit.session, member_id, send_id)
    if not _news(outcome, before):
        return Reported(send_id, accepted=True, recorded=False, code="")
    evidence: Evidence = orjson.loads(decision.evidence)
    late = outcome in SPENT and not any(one.outcome in SPENT for one in before) and _over(decision, unit.now)
    # An alarm goes before a vendor's word for what went well; a bounce's own code says more than that it was late.
    said = SENT_LATE if late and (outcome is Outcome.SENT or not code) else code
    became = await _append(unit, decision, outcome, before, code=said, reference=reference)
    if held is not None:
        await _move(unit, decision, window.read(held), became, before)
    await _follow(unit, decision, evidence, became, before)
    return Reported(send_id, accepted=True, recorded=True, code=SENT_LATE if late else "")


def _news(outcome: Outcome, before: list[Became]) -> bool:
    """Whether this adds anything. What went out cannot have failed afterwards: so no slot comes back that was used."""
    told = {one.outcome for one in before}
    last = before[-1].outcome if before else None
    if outcome in {Outcome.FAILED, Outcome.UNKNOWN, Outcome.CANCELLED}:
        return last in {None, Outcome.DISPATCHED, Outcome.UNKNOWN} and last is not outcome
    return outcome not in told


async def _append(
    unit: Unit, decision: Kept, outcome: Outcome, before: Sequence[Became], *, code: str = "", reference: str = ""
) -> Became:
    """One more row, later than the last by its moment and by its id: what counts is the last one, also where a clock stands behind."""
    at = unit.now if not before else max(unit.now, before[-1].recorded_at + _APART)
    became = Became(outcome, code, reference, at)
    await store.add_outcome(unit.session, decision.member_id, new_id(at, unit.chance), decision.send_id, became)
    return became


def _over(decision: Kept, now: datetime) -> bool:
    return decision.expires_at is None or decision.expires_at <= now


async def _move(unit: Unit, decision: Kept, live: Window, became: Became, before: list[Became]) -> None:
    """The slot follows the outcome: given back, or used up at the moment at which it went out."""
    held = window.held_of(decision, orjson.loads(decision.evidence))
    if held is None or window.stays(became.outcome, [one.outcome for one in before]):
        return
    if became.outcome in {Outcome.FAILED, Outcome.CANCELLED}:
        live = window.without(live, decision.send_id)
    elif not before or before[-1].outcome in {Outcome.FAILED, Outcome.CANCELLED}:
        live = window.spent(live, held, became.recorded_at)
    await _write(unit, decision.member_id, live)


async def _write(unit: Unit, member_id: MemberId, live: Window) -> None:
    kept = window.kept(live, unit.now, longest=deciding.longest(unit.catalogue))
    await store.write(unit.session, {member_id: window.written(kept)}, now=unit.now)


async def _follow(unit: Unit, decision: Kept, evidence: Evidence, became: Became, before: list[Became]) -> None:
    """What an outcome means for the address and for what the member allowed."""
    member_id, channel, template = decision.member_id, decision.channel, evidence.get("vendorTemplate")
    if became.outcome is Outcome.COMPLAINED:
        await leaving.leave(unit, member_id, channel=channel, way=Way.COMPLAINT, send_id=decision.send_id)
    elif became.outcome is Outcome.BOUNCED and not became.code.startswith(_TRANSIENT):
        await leaving.leave(unit, member_id, channel=channel, way=Way.BOUNCE, send_id=decision.send_id)
    if template is None:
        return
    await _count(unit, decision, template, became, before)


async def _count(unit: Unit, decision: Kept, template: str, became: Became, before: list[Became]) -> None:
    """One acceptance for one message: spent when it goes out, in whatever order that is told; given back if it was spent and did not."""
    member_id, send_id = decision.member_id, decision.send_id
    was_out = bool(before) and before[-1].outcome in SPENT
    if became.code == WECHAT_REFUSED:
        await quota.exhaust(unit, member_id, template, reference=send_id)
    elif became.outcome in SPENT and not was_out:
        await quota.spend(unit, member_id, template, reference=f"{send_id}/{len(before)}")
    elif became.outcome not in SPENT and was_out:
        await quota.give_back(
            unit, member_id, template, spent=f"{send_id}/{_left_at(before)}", reference=f"{send_id}/{len(before)}"
        )


def _left_at(before: Sequence[Became]) -> int:
    """The place of the outcome with which it went out the last time."""
    inside = [place for place, became in enumerate(before) if became.outcome not in SPENT]
    return inside[-1] + 1 if inside else 0


# --- clearing -------------------------------------------------------------------------------------------------------------------


def _refused(unit: Unit, decision: Kept, evidence: Evidence, outcomes: list[Became], token: str | None) -> str | None:
    """Why it cannot be redeemed, whatever the rules say now."""
    if token is not None:
        try:
            ends = tokens.check(unit.vault, token, _bound(decision, evidence))
        except BadInput:
            return TOKEN_INVALID
        if ends <= unit.now:
            return TOKEN_EXPIRED
    if outcomes and outcomes[-1].outcome in _FINAL:
        return ALREADY_DISPATCHED
    # What time alone held up was put off and not dropped; anything else that was refused stays refused.
    return None if decision.allowed or "nextSlot" in evidence else _NOT_ALLOWED


def _bound(decision: Kept, evidence: Evidence) -> tokens.Bound:
    return tokens.Bound(decision.member_id, decision.send_id, decision.channel, bytes.fromhex(evidence["templateDigest"]))


def _reasons(decision: Kept) -> tuple[SendReason, ...]:
    return tuple(SendReason(reason) for reason in decision.reasons)


async def _facts(unit: Unit, found: Matter, member_id: MemberId) -> Facts | None:
    audience = found.campaign.content.audience
    facts = await store.facts(unit.session, [member_id], audience, found.keys, now=unit.now, whole=True)
    return facts.get(member_id)


def _same_words(verdict: Verdict, found: Matter, evidence: Evidence) -> Verdict:
    """A campaign that was edited since is another one, also where that has been approved by now: nothing more of the old one is sent."""
    if found.campaign.digest.hex() == evidence["campaignDigest"]:
        return verdict
    return Verdict(tuple(dict.fromkeys([*verdict.reasons, SendReason.CAMPAIGN_NOT_APPROVED])))


async def _stopped(unit: Unit, decision: Kept, live: Window, verdict: Verdict, outcomes: list[Became]) -> Denied:
    """Something stands in the way. Where it is time alone the message waits; else it is over, and its slot is free at once."""
    first = verdict.reasons[0]
    if verdict.next_slot is None:
        await _append(unit, decision, Outcome.CANCELLED, outcomes, code=first.value)
        await _write(unit, decision.member_id, window.without(live, decision.send_id))
    return _denied(unit, Denied(decision.send_id, first.value, verdict.reasons, verdict.next_slot))


async def _cleared(unit: Unit, decision: Kept, found: Matter, facts: Facts, live: Window, *, outcomes: list[Became]) -> Cleared:
    row = facts.row
    assert row is not None
    assert row.wrapped is not None
    keys = unit.vault.member_keys(row.member_id, row.generation, row.wrapped)
    reserved = found.reserved(decision.send_id, decision.decided_at, unit.now)
    became = await _append(unit, decision, Outcome.DISPATCHED, outcomes)
    if reserved is not None:
        await _write(unit, row.member_id, window.spent(live, reserved, became.recorded_at))
    if found.metered:
        reference = f"{decision.send_id}/{len(outcomes)}"
        await quota.spend(unit, row.member_id, found.template.body.vendor_template, reference=reference)
    permit = leave_to_send(
        row.member_id,
        found.purpose,
        found.mailing.channel,
        variables=found.template.body.variables,
        catalogue=unit.catalogue,
    )
    unit.draft.subjects.append(unit.vault.pseudonym(keys, unit.now))
    _told(unit, decision, found, facts, tuple(permit.shapes))
    return Cleared(decision.send_id, row.member_id, found.campaign, found.template, permit, row, keys)


def _told(unit: Unit, decision: Kept, found: Matter, facts: Facts, fields: tuple[str, ...]) -> None:
    """The entry of the sending rests on the consent as it stands now, so that it proves itself (LB-09)."""
    unit.draft.count, unit.draft.fields = 1, fields
    if found.purpose is not None:
        unit.draft.purpose, unit.draft.basis = found.purpose.key, found.purpose.basis.value
        if found.purpose.basis is Basis.CONSENT and facts.standing.event_id is not None:
            unit.draft.consent = facts.standing.event_id
    unit.draft.extra.update({"send": decision.send_id, "campaign": decision.campaign_id})


def _denied(unit: Unit, found: Denied) -> Denied:
    unit.draft.deny(found.code)
    unit.draft.extra["send"] = found.send_id
    if found.reasons:
        unit.draft.extra["reasons"] = [reason.value for reason in found.reasons]
    return found


async def rebuild(unit: Unit, member_id: MemberId) -> bool:
    """Work a window out again from the ledgers; whether it was another than was kept. Which it was, the caller records."""
    held = (await store.lock(unit.session, [member_id], now=unit.now)).get(member_id)
    if held is None:
        return False
    decisions, outcomes = await store.decisions(unit.session, member_id), await store.outcomes(unit.session, member_id)
    longest = deciding.longest(unit.catalogue)
    anew = window.rebuilt(decisions, outcomes, unit.now, longest=longest)
    same = window.kept(window.read(held), unit.now, longest=longest) == anew
    if not same:
        await store.write(unit.session, {member_id: window.written(anew)}, now=unit.now)
    return not same


async def report_all(unit: Unit, reports: Sequence[Report]) -> OutcomesRecorded:
    """Every report by itself, in the order of the members: two calls that meet take their locks in one order."""
    found: dict[int, Reported] = {}
    for number in sorted(range(len(reports)), key=lambda place: reports[place].member_id):
        found[number] = await report(unit, reports[number])
    # Who complained or bounced may be among many: an entry names one consent of its one subject, and the events stand in it all the same.
    unit.draft.consent, unit.draft.count = "", sum(one.recorded for one in found.values())
    alarms = sorted({one.code for one in found.values() if one.code})
    if alarms:
        unit.draft.extra["alarms"] = alarms
    return OutcomesRecorded(tuple(found[number] for number in range(len(reports))))

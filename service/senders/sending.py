"""The handler that sends: ask the gate again, hand over, record what came of it (MK-01).

The gate's yes and "it is being handed over" are one transaction, and it stands before anything leaves. Whoever dies after it leaves a
message of which nobody can say whether it went out: it is never sent again, and a person is told. Only what surely did not leave is tried
again, and then the gate decides anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from policies.marketing import Sender as RegisteredSender
from service.audit.entry import Draft
from service.gate import commands as gate
from service.gate import store as ledger
from service.gate.model import ALREADY_DISPATCHED, Cleared, Denied
from service.gate.model import Outcome as Became
from service.senders.adapter import Adapter
from service.senders.making import made, noted
from service.senders.model import Delivery, Fate, Message, NoLiveDecision, Unfit
from service.unit import Unit, Units
from service.work import store as jobs
from service.work.model import Job, Outcome, State

OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
NO_ACCOUNT = "NO_ACCOUNT"
SENDER_UNKNOWN = "SENDER_NOT_REGISTERED"

_BECAME: Mapping[Fate, tuple[Became, State]] = {
    Fate.SENT: (Became.SENT, State.DONE),
    Fate.REFUSED: (Became.FAILED, State.FAILED),
    Fate.BOUNCED: (Became.BOUNCED, State.DONE),
    Fate.NOT_OUT: (Became.FAILED, State.WAITING),
    Fate.UNKNOWN: (Became.UNKNOWN, State.FAILED),
}


@dataclass(frozen=True, slots=True)
class Outlet:
    """One registered sender with its adapter, and the mailbox that takes refusals, "" where it has none."""

    adapter: Adapter
    mailbox: str = ""


class Sending:
    """Handles the jobs of kind SEND. A sender that has no account is left waiting; once it has one, the gate decides as of then."""

    def __init__(self, *, units: Units, outlets: Mapping[str, Outlet], public_url: str) -> None:
        self._units = units
        self._outlets = outlets
        self._public_url = public_url

    async def __call__(self, job: Job) -> Outcome | None:
        """One try. None: the job's end was written together with what came of it, or somebody else holds it."""
        outlet = self._outlets.get(job.recipient)
        if outlet is None:
            return Outcome(NO_ACCOUNT)
        message = await self._cleared(job, outlet)
        if not isinstance(message, Message):
            return message
        try:
            delivery = await outlet.adapter.deliver(message, key=job.job_id)
        except NoLiveDecision as problem:
            delivery = Delivery(Fate.NOT_OUT, problem.code)
        await self._recorded(job, delivery)
        return Outcome(delivery.code) if delivery.fate is Fate.NOT_OUT else None

    async def _cleared(self, job: Job, outlet: Outlet) -> Message | Outcome | None:
        """Every rule once more, then the words: one unit, whose entry is durable before anything leaves."""

        async def work(unit: Unit) -> Message | Outcome | None:
            unit.draft.count = 0
            if not await jobs.held(unit.session, job):
                unit.draft.deny("JOB_SETTLED")
                return None
            found = await gate.redeem(unit, job.job_id, job.member_id, token=None)
            if isinstance(found, Denied):
                return await _denied(unit, job, found)
            return await self._written(unit, job, found, outlet)

        return await self._units.change(job.call, _draft(self._units, "export", "dispatchSend", job), work)

    async def _written(self, unit: Unit, job: Job, found: Cleared, outlet: Outlet) -> Message | None:
        try:
            sender = _registered(unit, found, job)
            message = made(unit, found, sender, public_url=self._public_url, mailbox=outlet.mailbox)
            await noted(unit, message)
        except Unfit as problem:
            unit.draft.deny(problem.code)
            await gate.record(unit, job.member_id, job.job_id, Became.FAILED, code=problem.code)
            await jobs.settle(unit.session, job, State.FAILED, problem.code, now=unit.now)
            return None
        unit.draft.count = 1
        return message

    async def _recorded(self, job: Job, delivery: Delivery) -> None:
        """What the vendor said, what follows from it, and the job's end."""
        became, state = _BECAME[delivery.fate]

        async def work(unit: Unit) -> None:
            unit.draft.extra["code"] = delivery.code
            await gate.record(unit, job.member_id, job.job_id, became, code=delivery.code, reference=delivery.reference)
            if state is not State.WAITING and not await jobs.settle(unit.session, job, state, delivery.code, now=unit.now):
                # Taken back while it was on its way: what came of it is recorded all the same.
                unit.draft.extra["job_settled"] = True

        await self._units.change(job.call, _draft(self._units, "result", "recordSend", job), work)


async def _denied(unit: Unit, job: Job, found: Denied) -> Outcome | None:
    """Later, never, or once already."""
    unit.draft.deny(found.code)
    if found.code == ALREADY_DISPATCHED:
        return await _seen_before(unit, job)
    if found.next_slot is not None:
        return Outcome(found.code, after=found.next_slot - unit.now)
    return Outcome(found.code, State.DONE)


async def _seen_before(unit: Unit, job: Job) -> Outcome:
    """It was being handed over, and whoever did it is gone: nobody knows what came of it. Where somebody does, it is over."""
    outcomes = await ledger.outcomes_of(unit.session, job.member_id, job.job_id)
    if outcomes and outcomes[-1].outcome is Became.DISPATCHED:
        await gate.record(unit, job.member_id, job.job_id, Became.UNKNOWN, code=OUTCOME_UNKNOWN)
    elif outcomes and outcomes[-1].outcome is not Became.UNKNOWN:
        return Outcome(outcomes[-1].outcome.value, State.DONE)
    return Outcome(OUTCOME_UNKNOWN, State.FAILED)


def _registered(unit: Unit, found: Cleared, job: Job) -> RegisteredSender:
    """The sender that the template names, as the policy has it now (SMS-05). Raises Unfit."""
    sender = unit.catalogue.senders.get(found.template.body.sender)
    content = found.campaign.content
    if sender is None or sender.key != job.recipient or (sender.channel, sender.brand) != (content.channel, content.brand):
        raise Unfit(SENDER_UNKNOWN)
    if found.template.body.message_class not in sender.classes:
        raise Unfit(SENDER_UNKNOWN)
    return sender


def _draft(units: Units, typ: str, operation: str, job: Job) -> Draft:
    purpose = units.catalogue.purposes.get(job.purpose)
    told: dict[str, str | int | bool | list[str]] = {"send": job.job_id, "sender": job.recipient, "attempt": job.attempts}
    told["campaign"] = job.event_id
    basis = purpose.basis.value if purpose is not None else ""
    return Draft(typ=typ, operation=operation, purpose=job.purpose if purpose else "", basis=basis, extra=told)

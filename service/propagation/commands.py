"""What follows from the end of a consent, in the transaction in which it ends; and a person's word that a recipient knows."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from policies.keeping import ENDED, consent_only, told_of_the_end
from policies.terms import PERMITTING, Catalogue, ConsentState, Purpose
from service.members import store as members
from service.propagation import store
from service.propagation.model import Progress, Propagation, PropagationAcknowledged, PropagationNotFound
from service.unit import Unit
from service.values import MemberId
from service.work import store as jobs
from service.work.model import DELETE, TELL, Job


async def follow(
    unit: Unit,
    member_id: MemberId,
    purpose: Purpose,
    state: ConsentState,
    *,
    event_id: str,
    expires_at: datetime | None,
    first: bool,
) -> Progress | None:
    """Draw the consequences of one consent event; how far the telling has come then, None where nobody need be told.

    An end cancels what was queued for the purpose (WD-03), has the recipients told (WD-05) and the fields that only consents keep
    deleted (WD-04). A yes takes back what has not been told yet, and has the fields looked at again when its time is over.
    `first`: nothing was ever decided before, so there is nothing to take back.
    """
    if state in ENDED:
        await jobs.cancel(unit.session, member_id, purpose.key, now=unit.now)
        told = [_job(unit, member_id, purpose, event_id, recipient=to.key) for to in told_of_the_end(purpose, unit.catalogue)]
        await jobs.queue(unit.session, [*told, *_deletion(unit, member_id, purpose, event_id, unit.now)])
        return Progress.PROPAGATING if told else None
    if state in PERMITTING:
        if not first:
            await jobs.call_off(unit.session, member_id, purpose.key, now=unit.now)
        if expires_at is not None:
            await jobs.queue(unit.session, _deletion(unit, member_id, purpose, event_id, expires_at))
    return None


async def acknowledge(unit: Unit, *, member_id: MemberId, job_id: str) -> PropagationAcknowledged | PropagationNotFound:
    """End a telling because somebody has told the recipient by other means. Twice is as good as once."""
    found = await store.one(unit.session, member_id, job_id)
    if found is None:
        unit.draft.deny("NOT_FOUND")
        return PropagationNotFound()
    await store.acknowledge(unit.session, found, now=unit.now)
    ended = await store.one(unit.session, member_id, job_id) or found
    await _named(unit, member_id)
    unit.draft.purpose = found.purpose
    unit.draft.extra.update({"job": found.job_id, "recipient": found.recipient})
    return PropagationAcknowledged(Propagation(ended, overdue=False))


async def _named(unit: Unit, member_id: MemberId) -> None:
    row = await members.row(unit.session, member_id)
    if row is not None and row.wrapped is not None:
        keys = unit.vault.member_keys(member_id, row.generation, row.wrapped)
        unit.draft.subjects.append(unit.vault.pseudonym(keys, unit.now))
    unit.draft.count = len(unit.draft.subjects)


def alarm_before(catalogue: Catalogue, now: datetime) -> datetime:
    """Whoever was to be told before this moment and has not confirmed is an alarm (WD-05)."""
    return now - timedelta(hours=catalogue.consent.propagation_alarm_hours)


def _deletion(unit: Unit, member_id: MemberId, purpose: Purpose, event_id: str, due_at: datetime) -> Sequence[Job]:
    """Look at what the purpose alone may have kept. Where another basis keeps all of it, there is nothing to look at."""
    if not consent_only(purpose, unit.catalogue):
        return ()
    return (_job(unit, member_id, purpose, event_id, kind=DELETE, due_at=due_at),)


def _job(
    unit: Unit,
    member_id: MemberId,
    purpose: Purpose,
    event_id: str,
    *,
    kind: str = TELL,
    recipient: str = "",
    due_at: datetime | None = None,
) -> Job:
    return Job(
        member_id=member_id,
        job_id=unit.new_id(),
        kind=kind,
        purpose=purpose.key,
        recipient=recipient,
        event_id=event_id,
        due_at=due_at or unit.now,
        created_at=unit.now,
    )

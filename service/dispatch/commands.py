"""The last look before something queued for a purpose leaves the house (WD-03)."""

from dataclasses import replace

from policies.decide import Permit, Plan, decide
from policies.terms import Basis, Purpose, Reason
from service.audit.entry import Draft
from service.disclosure import store
from service.members import age
from service.members import store as members
from service.unit import Unit, Units
from service.work import store as jobs
from service.work.model import Job, State


async def cleared(units: Units, job: Job) -> bool:
    """Whether a job may go out now; every handler that does something for a purpose asks first, and acts at once on a yes.

    Decided under the member's lock: a withdrawal is either over, and then the answer is no, or comes after this. A job that may not go
    out any more is ended here, CANCELLED_WITHDRAWN, with the reason.
    """
    declared = units.catalogue.purposes.get(job.purpose)
    basis = declared.basis.value if declared else ""
    draft = Draft(typ="result", operation="dispatch", purpose=job.purpose, basis=basis, extra={"job": job.job_id})

    async def work(unit: Unit) -> bool:
        reason = await _reason(unit, job, declared)
        if reason is None:
            return True
        unit.draft.deny(reason)
        await jobs.settle(unit.session, job, State.CANCELLED_WITHDRAWN, reason, now=unit.now)
        return False

    return await units.change(job.call, draft, work)


async def _reason(unit: Unit, job: Job, purpose: Purpose | None) -> str | None:
    """Why the job may not go out, None when it may."""
    await members.row(unit.session, job.member_id, lock=True)
    if not await jobs.held(unit.session, job):
        return "JOB_SETTLED"
    found = await store.one(unit.session, job.member_id, job.purpose)
    if purpose is None or found is None:
        return (Reason.PURPOSE_UNKNOWN if purpose is None else Reason.ERASED).value
    row, standing = found
    if row.wrapped is None:
        return Reason.ERASED.value
    keys = unit.vault.member_keys(row.member_id, row.generation, row.wrapped)
    unit.draft.subjects.append(unit.vault.pseudonym(keys, unit.now))
    if standing.event_id is not None and purpose.basis is Basis.CONSENT:
        unit.draft.consent = standing.event_id
    if row.minor is not False:
        standing = replace(standing, minority=age.minority(unit, keys, row))
    answer = decide(Plan(purpose, purpose.fields, ()), standing, unit.now)
    return None if isinstance(answer, Permit) else answer.reason.value

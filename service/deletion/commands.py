"""Deleting: of a whole member, and of what no basis keeps.

The handler of the latter decides anew when it runs, so that a yes given again meanwhile keeps the data. What was deleted and that it was
are one transaction: a worker that is killed has done all of it or nothing, and the next one does the rest.
"""

from collections.abc import Collection
from datetime import timedelta

from policies.keeping import unfounded
from policies.terms import PERMITTING, Basis, Purpose
from service.audit.entry import Draft
from service.consent import children, writing
from service.consent import store as consents
from service.members import age
from service.members import commands as members
from service.members import store as members_store
from service.members.model import Row
from service.minors import commands as guardians
from service.subscriptions.model import Way
from service.suppression import commands as suppressions
from service.suppression import store as suppressed
from service.suppression.model import Cause, open_targets
from service.unit import Unit, Units
from service.values import MemberId
from service.vault.vault import MemberKeys
from service.work import store as jobs
from service.work.model import Job, Outcome, State

_AGAIN = timedelta(days=1)


async def erase(unit: Unit, *, member_id: MemberId) -> bool:
    """Destroy a member's secret and everything derived (PIPL 47); False when there is none.

    The entry's pseudonym is the last use of the key. What is kept (ledgers, log, backups) can then be neither read nor linked. Of the
    addresses their marks stay suppressed: whoever leaves is not written to because an old list brings them back (RD-06).
    """
    if await writing.known(unit, member_id) is None:
        unit.draft.deny("NOT_FOUND")
        return False
    for ward in await guardians.leave(unit, member_id):
        await children.left_alone(unit, ward)
    addresses = await suppressed.addresses(unit.session, member_id)
    targets = open_targets(unit.catalogue.channels.values(), addresses)
    await suppressions.suppress(unit, targets, reason=Cause.ERASED.value, way=Way.ERASURE.value)
    await unit.vault.shred(unit.session, member_id)
    await members_store.erase(unit.session, member_id, now=unit.now)
    return True


async def delete(units: Units, job: Job) -> Outcome | None:
    """Delete the purpose's fields that this member has no live basis for. None: it is done, or no longer ours to do."""
    draft = Draft(typ="erase", operation="deleteFields", purpose=job.purpose, basis=Basis.LEGAL_DUTY.value)
    draft.extra["job"] = job.job_id

    async def work(unit: Unit) -> Outcome | None:
        # The lock comes first: a yes or an update that is being written must be over before anything is decided.
        row = await members_store.row(unit.session, job.member_id, lock=True)
        if not await jobs.held(unit.session, job):
            unit.draft.deny("JOB_SETTLED")
            return None
        purpose = unit.catalogue.purposes.get(job.purpose)
        if row is None or row.wrapped is None or purpose is None:
            unit.draft.deny("ERASED" if purpose else "PURPOSE_UNKNOWN")
            return Outcome(unit.draft.reason, State.DONE if purpose else State.FAILED)
        return await _delete(unit, job, row, purpose)

    return await units.change(job.call, draft, work)


async def _delete(unit: Unit, job: Job, row: Row, purpose: Purpose) -> Outcome | None:
    assert row.wrapped is not None
    keys = unit.vault.member_keys(row.member_id, row.generation, row.wrapped)
    unit.draft.subjects.append(unit.vault.pseudonym(keys, unit.now))
    present = unit.vault.names(keys, row.sealed) | frozenset(row.plain)
    doomed = present & unfounded(purpose, unit.catalogue, await _standing(unit, row.member_id))
    needed = doomed & await _needed(unit, keys, row)
    await _take_away(unit, row, doomed - needed)
    if needed:
        return Outcome("NEEDED_FOR_NOW", after=_AGAIN)
    await jobs.settle(unit.session, job, State.DONE, "DELETED" if doomed else "NOTHING_LEFT", now=unit.now)
    return None


async def _standing(unit: Unit, member_id: MemberId) -> dict[str, int]:
    """Each purpose whose consent stands at this moment, with the version consented to."""
    found = (standing for standing, _ in (await consents.standings(unit.session, member_id)).values())
    live = (s for s in found if s.state in PERMITTING and (s.expires_at is None or s.expires_at > unit.now))
    return {standing.purpose: standing.scope for standing in live}


async def _needed(unit: Unit, keys: MemberKeys, row: Row) -> frozenset[str]:
    """What must stay a while longer: the birthday that protects a minor, and what a recipient has yet to be told of the member by."""
    known = unit.catalogue.recipients
    tellings = {known[key].known_by for key in await jobs.untold(unit.session, row.member_id) if key in known}
    minority = age.minority(unit, keys, row)
    return frozenset(tellings | ({unit.catalogue.consent.age_field} if minority and not minority.grown else set()))


async def _take_away(unit: Unit, row: Row, fields: Collection[str]) -> None:
    unit.draft.fields, unit.draft.count = tuple(sorted(fields)), int(bool(fields))
    if fields:
        await members.take_away(unit, row, tuple(sorted(fields)))

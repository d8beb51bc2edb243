"""The handler that tells one recipient: open the one value it knows the member by, record that, send it, record that it was confirmed.

The value is in no job. It is opened at each try, in a unit of its own whose entry is durable before anything leaves (promise 6), for the
purpose that has ended and on the duty to stop those who work on it (PIPL 21, 47; docs/decisions/0016).
"""

from collections.abc import Mapping
from datetime import datetime

import structlog

from policies.decide import leave_to_pass_on
from policies.terms import Basis
from service.audit.entry import Draft
from service.members import store as members
from service.members.model import Row
from service.propagation import message
from service.propagation.commands import alarm_before
from service.propagation.courier import ACKNOWLEDGED, Courier
from service.propagation.endpoints import Endpoint
from service.propagation.model import overdue
from service.unit import Unit, Units
from service.values import Clock
from service.work import store as jobs
from service.work.model import Job, Outcome, State

_OPERATION = "tellRecipient"
_log = structlog.get_logger("menshen.propagation")


class Telling:
    """Handles the jobs of kind TELL. A recipient that has no endpoint is left to a person; one that gets one is told."""

    def __init__(self, *, units: Units, courier: Courier, endpoints: Mapping[str, Endpoint], clock: Clock) -> None:
        self._units = units
        self._courier = courier
        self._endpoints = endpoints
        self._clock = clock

    async def __call__(self, job: Job) -> Outcome | None:
        """One try. After an acknowledgement the job's end and its entry are one unit, so None."""
        endpoint = self._endpoints.get(job.recipient)
        outcome = await self._try(job, endpoint) if endpoint else Outcome("NO_ENDPOINT")
        if outcome is not None and outcome.state is None:
            self._alarm(job, outcome.code)
        return outcome

    async def _try(self, job: Job, endpoint: Endpoint) -> Outcome | None:
        content = await self._content(job)
        if not isinstance(content, bytes):
            return content
        headers = message.headers(endpoint.secret, job.job_id, content, self._clock())
        code = await self._courier.post(endpoint.url, content, headers)
        if code != ACKNOWLEDGED:
            return Outcome(code)
        await self._confirmed(job)
        return None

    async def _content(self, job: Job) -> bytes | Outcome | None:
        """What to send; an outcome where there is nothing to send; None when the job has been settled meanwhile."""

        async def work(unit: Unit) -> bytes | Outcome | None:
            unit.draft.count = 0
            if not await jobs.held(unit.session, job):
                unit.draft.deny("JOB_SETTLED")
                return None
            return await _opened(unit, job)

        return await self._units.disclose(job.call, _draft("access", job), work)

    async def _confirmed(self, job: Job) -> None:
        async def work(unit: Unit) -> None:
            await _subject(unit, job)
            if not await jobs.settle(unit.session, job, State.DONE, ACKNOWLEDGED, now=unit.now):
                unit.draft.deny("JOB_SETTLED")

        await self._units.change(job.call, _draft("result", job), work)

    def _alarm(self, job: Job, code: str) -> None:
        """Say that somebody must look: the recipient goes on with what the member has taken back."""
        if overdue(job, alarm_before(self._units.catalogue, self._clock())):
            _log.error("propagation_overdue", key=job.recipient, code=code, attempt=job.attempts)


async def _opened(unit: Unit, job: Job) -> bytes | Outcome:
    purpose, recipient = unit.catalogue.purposes.get(job.purpose), unit.catalogue.recipients.get(job.recipient)
    row = await _subject(unit, job)
    permit = leave_to_pass_on(job.member_id, purpose, recipient, unit.catalogue) if purpose and recipient else None
    if row is None or row.wrapped is None or permit is None or recipient is None:
        code = "RECIPIENT_UNKNOWN" if permit is None else "ERASED"
        unit.draft.deny(code)
        return Outcome(code, State.FAILED)
    keys = unit.vault.member_keys(row.member_id, row.generation, row.wrapped)
    value = unit.vault.open(permit, keys, row.sealed).get(recipient.known_by)
    if value is None:
        # Whom the shop cannot name to the recipient it has never named to them.
        return Outcome("NOTHING_KNOWN", State.DONE)
    unit.draft.fields, unit.draft.count = (recipient.known_by,), 1
    return message.body(job, {recipient.known_by: value})


async def _subject(unit: Unit, job: Job) -> Row | None:
    """The member's row, with its pseudonym put into the entry as long as there is one."""
    row = await members.row(unit.session, job.member_id)
    if row is not None and row.wrapped is not None:
        keys = unit.vault.member_keys(row.member_id, row.generation, row.wrapped)
        unit.draft.subjects.append(unit.vault.pseudonym(keys, unit.now))
    return row


def _draft(typ: str, job: Job) -> Draft:
    told: dict[str, str | int | bool | list[str]] = {"job": job.job_id, "recipient": job.recipient, "attempt": job.attempts}
    return Draft(typ=typ, operation=_OPERATION, purpose=job.purpose, basis=Basis.LEGAL_DUTY.value, extra=told)


async def posted(courier: Courier, endpoint: Endpoint, content: bytes, name: str, now: datetime) -> bool:
    """Sign and post; whether the other side has confirmed it."""
    return await courier.post(endpoint.url, content, message.headers(endpoint.secret, name, content, now)) == ACKNOWLEDGED

"""The handler that writes letters: see that the question still stands, note that it is put, hand the mail over, forget the address.

What `sending.py` says of a kill holds here: of a letter whose writer died behind the note nobody can say whether it went out, so it is not
written again; whoever wants one asks for another.
"""

from collections.abc import Mapping

from policies.terms import Basis
from service.audit.entry import Draft
from service.senders.model import Delivery, Fate, Letter, NoLiveDecision
from service.senders.sending import NO_ACCOUNT, OUTCOME_UNKNOWN, Outlet
from service.senders.smtp import SmtpMail
from service.subscriptions import letters
from service.subscriptions import store as subscriptions
from service.subscriptions.letters import Question
from service.subscriptions.model import LetterKind
from service.unit import Unit, Units
from service.work import store as jobs
from service.work.model import Job, Outcome, State

_PATHS = {LetterKind.CONFIRM: "s", LetterKind.LEAVE: "u"}
_ENDS = {Fate.SENT: State.DONE, Fate.BOUNCED: State.DONE, Fate.REFUSED: State.FAILED, Fate.UNKNOWN: State.FAILED}


class Writing:
    """Handles the jobs of kind LETTER. A sender that has no account is left waiting, for as long as the question holds."""

    def __init__(self, *, units: Units, outlets: Mapping[str, Outlet], public_url: str) -> None:
        self._units = units
        self._outlets = outlets
        self._public_url = public_url

    async def __call__(self, job: Job) -> Outcome | None:
        """One try. None: the job's end was written together with what came of it, or somebody else holds it."""
        outlet = self._outlets.get(job.recipient)
        adapter = outlet.adapter if outlet else None
        letter = await self._asked(job, adapter if isinstance(adapter, SmtpMail) else None)
        if not isinstance(letter, Letter):
            return letter
        assert isinstance(adapter, SmtpMail)
        try:
            delivery = await adapter.write(letter, key=job.event_id)
        except NoLiveDecision as problem:
            delivery = Delivery(Fate.NOT_OUT, problem.code)
        await self._recorded(job, delivery)
        return Outcome(delivery.code) if delivery.fate is Fate.NOT_OUT else None

    async def _asked(self, job: Job, adapter: SmtpMail | None) -> Letter | Outcome | None:
        """What is asked, noted before anything leaves: one unit, whose entry is durable by then."""

        async def work(unit: Unit) -> Letter | Outcome | None:
            unit.draft.count = 0
            if not await jobs.held(unit.session, job):
                unit.draft.deny("JOB_SETTLED")
                return None
            found = await self._question(unit, job, adapter)
            if isinstance(found, Outcome):
                unit.draft.deny(found.code)
                unit.draft.fields = ()
            return found

        return await self._units.change(job.call, _draft(self._units, "export", "dispatchLetter", job), work)

    async def _question(self, unit: Unit, job: Job, adapter: SmtpMail | None) -> Letter | Outcome:
        said = await subscriptions.letter_of(unit.session, job.event_id)
        if said is None:
            return Outcome("LETTER_UNKNOWN", State.FAILED)
        if said.handed_at is not None:
            await subscriptions.empty_letter(unit.session, said.letter_id)
            return Outcome(OUTCOME_UNKNOWN, State.FAILED)
        if adapter is None and not letters.over(unit, said):
            return Outcome(NO_ACCOUNT)
        asked = await letters.question(unit, job.member_id, said)
        if isinstance(asked, str):
            await subscriptions.empty_letter(unit.session, said.letter_id)
            return Outcome(asked, State.DONE)
        assert adapter is not None
        await subscriptions.hand_letter(unit.session, said.letter_id, at=unit.now)
        unit.draft.count = 1
        return self._letter(unit, job, asked, adapter)

    def _letter(self, unit: Unit, job: Job, asked: Question, adapter: SmtpMail) -> Letter:
        _, topic, brand = asked.key
        controller = unit.catalogue.controller
        titles = {each.key: each.title for each in controller.brands}
        return Letter(
            letter_id=job.event_id,
            kind=asked.kind,
            sender=adapter.registered,
            controller=controller,
            to=asked.to,
            link=f"{self._public_url}/{_PATHS[asked.kind]}/{asked.token}",
            hours=int(unit.catalogue.marketing.opt_in_life.total_seconds() // 3600),
            asked_at=unit.now,
            brand=titles.get(brand),
            topic=unit.catalogue.topics[topic].title if topic in unit.catalogue.topics else None,
            promise=asked.promise,
        )

    async def _recorded(self, job: Job, delivery: Delivery) -> None:
        """What came of it, and the job's end. The address that was typed is forgotten unless it is written to again."""

        async def work(unit: Unit) -> None:
            unit.draft.extra["code"] = delivery.code
            if delivery.fate is Fate.NOT_OUT:
                await subscriptions.hand_letter(unit.session, job.event_id, at=None)
                return
            await subscriptions.empty_letter(unit.session, job.event_id)
            if not await jobs.settle(unit.session, job, _ENDS[delivery.fate], delivery.code, now=unit.now):
                unit.draft.extra["job_settled"] = True

        await self._units.change(job.call, _draft(self._units, "result", "recordLetter", job), work)


def _draft(units: Units, typ: str, operation: str, job: Job) -> Draft:
    purpose = units.catalogue.purposes.get(job.purpose)
    told: dict[str, str | int | bool | list[str]] = {"letter": job.event_id, "sender": job.recipient, "attempt": job.attempts}
    # That an address can say no is a duty (EMAIL 14); that one is asked whether it said yes comes of the yes.
    basis = purpose.basis.value if purpose is not None else Basis.LEGAL_DUTY.value
    return Draft(typ=typ, operation=operation, purpose=job.purpose if purpose else "", basis=basis, extra=told)

"""The operations of oversight."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import IO

from service.audit.entry import Draft
from service.guardians.model import Alert
from service.inbound.operations import InboundOperations
from service.oversight import commands, queries
from service.oversight.model import (
    AccessReview,
    Control,
    ControlKind,
    Duty,
    Law,
    Measure,
    Register,
    RegisterDiff,
    SignedReview,
)
from service.oversight.pack.build import Built, build
from service.unit import Unit
from service.values import Call, utc_text

READ, RECORD = "oversight.read", "oversight.record"


class OversightOperations(InboundOperations):
    """Raise Forbidden (recorded) where `roles.toml` does not give the role the act."""

    async def compliance_alerts(self, call: Call) -> tuple[Alert, ...]:
        """Those of the features below, and how many persons there are (PIPL 52; NDR 28)."""
        others = await super().compliance_alerts(call)
        return (*others, *await queries.alerts(self.units.database.read))

    async def processing_register(self, call: Call, *, at: datetime) -> Register | None:
        """What was active at a moment (PIPL 55, 56)."""

        async def work(unit: Unit) -> Register | None:
            self.require(call, READ)
            return await queries.register_at(unit.session, at)

        return await self.units.disclose(call, self._looking("processingRegister", at=at), work)

    async def register_diff(self, call: Call, *, since: datetime, until: datetime) -> RegisterDiff:
        """What differs between two moments."""

        async def work(unit: Unit) -> RegisterDiff:
            self.require(call, READ)
            return await queries.register_diff(unit.session, since, until)

        return await self.units.disclose(call, self._looking("registerDiff", since=since, until=until), work)

    async def control_evidence(self, call: Call, *, law: Law) -> tuple[Measure, ...]:
        """The measures that a law lists, each with what shows it now (SE-01)."""

        async def work(unit: Unit) -> tuple[Measure, ...]:
            self.require(call, READ)
            unit.draft.extra["law"] = law.value
            return await queries.control_evidence(unit, self.units.trust, self.units.vault.origin)

        return await self.units.disclose(call, self._looking("controlEvidence"), work)

    async def record_control(
        self, call: Call, *, kind: ControlKind, title: str, reference: str, digest: str, held_on: date
    ) -> Control:
        """Write down a measure that people took."""

        async def work(unit: Unit) -> Control:
            self.require(call, RECORD)
            told = {"title": title, "reference": reference, "digest": digest, "held_on": held_on}
            return await commands.record_control(unit, kind=kind, **told)  # type: ignore[arg-type]

        return await self.units.change(call, self.duty("admin", "recordControl"), work)

    async def access_review(self, call: Call) -> AccessReview:
        """Every grant with its last use (SE-09)."""

        async def work(unit: Unit) -> AccessReview:
            self.require(call, READ)
            found = await queries.access_review(unit)
            unit.draft.count = 1
            return found

        return await self.units.disclose(call, self._looking("accessReview"), work)

    async def sign_access_review(self, call: Call, *, digest: str, comment: str) -> SignedReview:
        """Sign off the review of this quarter as it was seen."""

        async def work(unit: Unit) -> SignedReview:
            self.require(call, RECORD)
            return await commands.sign_review(unit, digest=digest, comment=comment)

        return await self.units.change(call, self.duty("admin", "signAccessReview"), work)

    async def enable_account(self, call: Call, *, account: str, reason: str) -> bool:
        """Open a closed account again."""

        async def work(unit: Unit) -> bool:
            self.require(call, RECORD)
            await commands.enable(unit, name=account, reason=reason)
            return True

        return await self.units.change(call, self.duty("admin", "enableAccount"), work)

    async def duties(self, call: Call) -> Sequence[Duty]:
        """Every task that a number or a date has brought."""

        async def work(unit: Unit) -> Sequence[Duty]:
            self.require(call, READ)
            found = await queries.duties(unit)
            unit.draft.count = len(found)
            return found

        return await self.units.disclose(call, self._looking("duties"), work)

    async def complete_duty(self, call: Call, *, duty_id: str, reference: str) -> Duty:
        """Close one, with a reference to what was done."""

        async def work(unit: Unit) -> Duty:
            self.require(call, RECORD)
            return await commands.complete(unit, duty_id=duty_id, reference=reference)

        return await self.units.change(call, self.duty("admin", "completeDuty"), work)

    async def compliance_audit_pack(self, call: Call, *, since: date, until: date, into: IO[bytes]) -> Built:
        """Write the pack of a period (PIPL 54). It is an export, recorded with its digest before anybody has it. Raises BadInput."""

        async def work(unit: Unit) -> Built:
            self.require(call, READ)
            unit.draft.extra |= {"from": since.isoformat(), "to": until.isoformat()}
            database, policy = self.units.database, self.units.trust.policy
            made = await build(
                database, unit.vault, unit.catalogue, policy=policy, since=since, until=until, now=unit.now, into=into
            )
            unit.draft.extra["digest"] = made.digest
            unit.draft.count = made.rows
            return made

        return await self.units.disclose(call, self.duty("export", "complianceAuditPack"), work)

    def _looking(self, operation: str, **moments: datetime) -> Draft:
        """Who looks at the record of processing is in the log, with the moments that they asked for."""
        draft = self.duty("audit", operation)
        draft.extra |= {name: utc_text(moment) for name, moment in moments.items()}
        return draft

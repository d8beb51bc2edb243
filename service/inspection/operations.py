"""The operations of inspection. Each leaves an entry of its own before anything is shown."""

import re
from datetime import datetime
from pathlib import Path

from service.audit import grammar
from service.audit.entry import Draft
from service.desk import Desk
from service.errors import BadInput, Forbidden
from service.inspection import answering, authority, incidents, naming, own, queries
from service.inspection.answering import Answered, Asking
from service.inspection.authority import Copied
from service.inspection.incidents import Leak
from service.inspection.model import Filter, Page, Resolved, Scope
from service.inspection.own import AccessLog
from service.unit import Unit
from service.values import ActorKind, Call, MemberId, Progress, unwatched

SEARCH, RESOLVE, OVERSEE, EXPORT = "audit.search", "audit.resolve", "oversight.read", "audit.export"
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])", re.ASCII)


class InspectionOperations(Desk):
    """Raise Forbidden (recorded) where `roles.toml` does not give the role the act."""

    async def audit_entries(
        self, call: Call, wanted: Filter, *, member_id: MemberId | None, first: int, after: str | None
    ) -> Page | None:
        """Search the log. None: no such member, or an erased one."""

        async def work(unit: Unit) -> Page | None:
            self.require(call, SEARCH)
            self.not_a_member(call)
            who = None if member_id is None else self.known_form(member_id)
            return await queries.entries(unit, self.units.trust, wanted, member_id=who, first=first, after=after)

        return await self.units.disclose(call, Draft(typ="audit", operation="auditEntries"), work)

    async def my_access_log(
        self, call: Call, *, first: int, after: str | None, since: datetime | None, until: datetime | None, field: str
    ) -> AccessLog | None:
        """What was done with the signed-in member's data."""

        async def work(unit: Unit) -> AccessLog | None:
            if call.actor.kind is not ActorKind.MEMBER:
                raise Forbidden
            return await own.access_log(unit, self.units.trust, first=first, after=after, since=since, until=until, field=field)

        return await self.units.disclose(call, self.draft("audit", "myAccessLog", self.catalogue.self_purpose), work)

    async def resolve_subject(self, call: Call, *, subject: str, month: str) -> Resolved:
        """Whom a pseudonym stands for: two persons, once."""

        async def work(unit: Unit) -> Resolved:
            self.require(call, RESOLVE)
            if not grammar.are_subjects([subject]) or not _MONTH.fullmatch(month):
                raise BadInput("subject, month: a pseudonym, and the month of the entry in UTC (2026-11)")
            return await naming.resolve(unit, subject=subject, month=month)

        return await self.units.change(call, self.duty("audit", "resolveSubject"), work)

    async def incident_scope(self, call: Call, leak: Leak, *, names: bool, first: int, after: str | None) -> Scope:
        """Whom an incident concerns (PIPL 57). By pseudonym and numbers; by id, where another person allowed it."""

        async def work(unit: Unit) -> Scope:
            self.require(call, OVERSEE)
            self.not_a_member(call)
            if names:
                self.require(call, RESOLVE)
            return await incidents.scope(unit, leak, names=names, first=first, after=after)

        return await self.units.disclose(call, self.duty("audit", "incidentScope"), work)

    async def who_saw(
        self,
        call: Call,
        *,
        member_id: MemberId,
        field: str,
        since: datetime,
        until: datetime | None,
        output: Path,
        recipient: str = "",
        progress: Progress = unwatched,
    ) -> Answered:
        """Who has seen something of one member, and the proof that this is all, in one file; recorded as an export before it is made."""

        async def work(unit: Unit) -> Asking:
            self.require(call, EXPORT)
            who = self.known_form(member_id)
            given = {"field": field, "since": since, "until": until, "recipient": recipient}
            return await answering.asked(unit, self.units.trust, member_id=who, **given)  # type: ignore[arg-type]

        asking = await self.units.disclose(call, self.duty("export", "whoSaw"), work)
        return await answering.write(self.units.database, self.units.trust, asking, output, progress=progress)

    async def inspection_export(
        self, call: Call, wanted: Filter, *, member_id: MemberId | None, reference: str, recipient: str
    ) -> Copied:
        """The entries of one scope, for an authority that stands in the register of recipients."""

        async def work(unit: Unit) -> Copied:
            self.require(call, EXPORT)
            who = None if member_id is None else self.known_form(member_id)
            given = {"member_id": who, "reference": reference, "recipient": recipient}
            return await authority.copied(unit, self.units.trust, wanted, **given)  # type: ignore[arg-type]

        return await self.units.disclose(call, self.duty("export", "inspectionExport"), work)

"""The operations of the gate: ask for a page, say what became of it, show what one decision rests on."""

import re
from collections.abc import Sequence

from service.campaigns.model import CampaignRejected
from service.desk import Desk
from service.errors import BadInput
from service.gate import commands, deciding, queries
from service.gate.model import DecisionPage, Outcome, OutcomesRecorded, Report, SendEvidence
from service.members import commands as members
from service.unit import Unit
from service.values import Call, MemberId

MOST_REPORTS = 100
_CODE = re.compile(r"[A-Za-z0-9_.:-]{0,40}", re.ASCII)
_REFERENCE = re.compile(r"[!-~]{0,120}", re.ASCII)
_REPORTED = frozenset({Outcome.SENT, Outcome.FAILED, Outcome.BOUNCED, Outcome.COMPLAINED})


class GateOperations(Desk):
    """Raise Forbidden (recorded) where `roles.toml` does not give the role the act."""

    async def decide_sends(
        self, call: Call, *, campaign_id: str, members: Sequence[MemberId] | None, first: int, after: str | None
    ) -> DecisionPage | CampaignRejected:
        """May this campaign go to these members, or to the next of its audience, now? What is allowed is reserved."""

        async def work(unit: Unit) -> DecisionPage | CampaignRejected:
            self.require(call, "send.decide")
            self.not_a_member(call)
            asked = None if members is None else [self._one_of_ours(member_id) for member_id in members]
            campaign = self.known_form(campaign_id)
            return await deciding.decide_sends(unit, campaign_id=campaign, members=asked, first=first, after=after)

        return await self.units.change(call, self.draft("change", "decideSends", ""), work)

    async def record_outcomes(self, call: Call, *, reports: Sequence[Report]) -> OutcomesRecorded:
        """What became of messages that the caller sent itself."""

        async def work(unit: Unit) -> OutcomesRecorded:
            self.require(call, "send.report")
            self.not_a_member(call)
            if not 1 <= len(reports) <= MOST_REPORTS:
                raise BadInput(f"outcomes: between 1 and {MOST_REPORTS}", code="PAGE_SIZE_TOO_LARGE")
            if any(report.outcome not in _REPORTED for report in reports):
                raise BadInput("outcome: none that a sender reports")
            return await commands.report_all(unit, [self._known(report) for report in reports])

        return await self.units.change(call, self.draft("result", "recordOutcomes", ""), work)

    async def send_evidence(self, call: Call, *, send_id: str, purpose: str) -> SendEvidence | None:
        """What one decision rests on."""

        async def work(unit: Unit) -> SendEvidence | None:
            self.require(call, "send.read")
            self.not_a_member(call)
            members.require(unit, purpose)
            return await queries.evidence(unit, self.known_form(send_id))

        return await self.units.disclose(call, self.draft("audit", "sendEvidence", purpose), work)

    def _one_of_ours(self, member_id: MemberId) -> MemberId:
        """Raises BadInput for what is no id: two of them would pass for one member."""
        if self.known_form(member_id) != member_id:
            raise BadInput("members: no id of a member")
        return member_id

    def _known(self, report: Report) -> Report:
        """Raises BadInput for what is no code and no number: a vendor's sentence may quote an address."""
        if not (_CODE.fullmatch(report.code) and _REFERENCE.fullmatch(report.reference)):
            raise BadInput("code, reference: a vendor's code and number, no text")
        return Report(
            self.known_form(report.send_id),
            self.known_form(report.member_id),
            report.token,
            report.outcome,
            report.code,
            report.reference,
        )

"""The operations of templates, campaigns, their review and their archive."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from policies.terms import Reason
from service.audit.entry import Draft
from service.campaigns import commands, queries, store, templates
from service.campaigns.commands import Outcome
from service.campaigns.model import CampaignRejected, CampaignState, Checked, Content, Dossier, TemplateBody
from service.desk import Desk
from service.errors import BadInput, Refused
from service.unit import Unit
from service.values import Call

_READ, _WRITE, _REVIEW, _TELL = "campaign.read", "campaign.write", "campaign.review", "notice.oversee"


class CampaignOperations(Desk):
    """Raise Forbidden (recorded) where `roles.toml` does not give the role the act."""

    async def create_template(self, call: Call, *, body: TemplateBody) -> Checked | CampaignRejected:
        """A new template, with what a submission would be refused for."""

        async def work(unit: Unit) -> Checked | CampaignRejected:
            self.require(call, *commands.acts(body.message_class))
            return await templates.create(unit, body)

        return await self.units.change(call, Draft(typ="change", operation="createTemplate"), work)

    async def revise_template(self, call: Call, *, template_id: str, body: TemplateBody) -> Checked | CampaignRejected:
        """A further version of a template; the ones before stay as they are."""

        async def work(unit: Unit) -> Checked | CampaignRejected:
            self.require(call, *commands.acts(body.message_class))
            return await templates.revise(unit, self.known_form(template_id), body)

        return await self.units.change(call, Draft(typ="change", operation="reviseTemplate"), work)

    async def create_campaign(self, call: Call, *, content: Content) -> Outcome:
        """A draft of a campaign."""

        async def work(unit: Unit) -> Outcome:
            return await commands.create(unit, await self._writes(unit, call, content))

        return await self.units.change(call, Draft(typ="change", operation="createCampaign"), work)

    async def revise_campaign(self, call: Call, *, campaign_id: str, version: int, content: Content) -> Outcome:
        """Another content for a campaign, as long as nobody changed it since `version`. No approval outlives it."""

        async def change(unit: Unit, found: store.Found) -> Outcome:
            return await commands.revise(unit, found, await self._writes(unit, call, content), version=version)

        return await self._on(call, "reviseCampaign", campaign_id, change, writing=True)

    async def submit_campaign(self, call: Call, *, campaign_id: str) -> Outcome:
        """Ask for the review."""
        return await self._on(call, "submitCampaign", campaign_id, commands.submit, writing=True)

    async def end_campaign(self, call: Call, *, campaign_id: str) -> Outcome:
        """Stop a campaign for good."""
        return await self._on(call, "endCampaign", campaign_id, commands.end, writing=True)

    async def approve_campaign(self, call: Call, *, campaign_id: str, digest: str) -> Outcome:
        """Approve what the reviewer saw; nobody approves a word of their own."""

        async def change(unit: Unit, found: store.Found) -> Outcome:
            return await commands.approve(unit, found, digest)

        return await self._on(call, "approveCampaign", campaign_id, change, writing=False)

    async def return_campaign(self, call: Call, *, campaign_id: str, comment: str) -> Outcome:
        """Send a campaign back with a comment; also one that was approved."""

        async def change(unit: Unit, found: store.Found) -> Outcome:
            return await commands.send_back(unit, found, comment)

        return await self._on(call, "returnCampaign", campaign_id, change, writing=False)

    async def campaign(self, call: Call, *, campaign_id: str) -> Dossier | None:
        """A campaign with everything that was ever done with it."""

        async def work(unit: Unit) -> Dossier | None:
            self.require(call, _READ)
            return await queries.dossier(unit, self.known_form(campaign_id))

        return await self.units.disclose(call, Draft(typ="access", operation="campaign"), work)

    async def campaigns(self, call: Call, *, state: CampaignState, first: int, after: str | None) -> Sequence[store.Found]:
        """Campaigns in one state, by id."""

        async def work(unit: Unit) -> Sequence[store.Found]:
            self.require(call, _READ)
            return await queries.listed(unit, state, after=self._from(after), first=_most(first))

        return await self.units.disclose(call, Draft(typ="access", operation="campaigns"), work)

    async def campaign_archive(self, call: Call, *, first: int, after: str | None) -> Sequence[store.Found]:
        """Campaigns that are over, by id (ADV-03)."""

        async def work(unit: Unit) -> Sequence[store.Found]:
            self.require(call, _READ)
            return await queries.archive(unit, after=self._from(after), first=_most(first))

        return await self.units.disclose(call, Draft(typ="access", operation="campaignArchive"), work)

    async def message_template(self, call: Call, *, template_id: str, version: int | None) -> Checked | None:
        """One version of a template."""

        async def work(unit: Unit) -> Checked | None:
            self.require(call, _READ)
            return await queries.template(unit, self.known_form(template_id), version)

        return await self.units.disclose(call, Draft(typ="access", operation="messageTemplate"), work)

    async def audience_estimate(self, call: Call, *, campaign_id: str) -> int | None:
        """How many members a campaign is for now, as far as they said yes. The entry names the campaign's purpose."""
        draft = Draft(typ="access", operation="audienceEstimate")

        async def work(unit: Unit) -> int | None:
            self.require(call, _READ)
            found = await store.loaded(unit.session, self.known_form(campaign_id))
            purpose = self.catalogue.purposes.get(found[0].content.purpose) if found else None
            if found is None or purpose is None:
                return None
            self.within_token(call, [purpose.key])
            if not purpose.roles & call.actor.roles:
                raise Refused(Reason.ROLE_NOT_ALLOWED.value)
            unit.draft.purpose, unit.draft.basis = purpose.key, purpose.basis.value
            unit.draft.extra["campaign"] = found[0].campaign_id
            unit.draft.count = await queries.estimate(unit, found[0].content)
            return unit.draft.count

        return await self.units.disclose(call, draft, work)

    async def _on(
        self,
        call: Call,
        operation: str,
        campaign_id: str,
        change: Callable[[Unit, store.Found], Awaitable[Outcome]],
        *,
        writing: bool,
    ) -> Outcome:
        """One verb over one campaign, under its lock."""

        async def work(unit: Unit) -> Outcome:
            self.require(call, *((_WRITE, _TELL) if writing else (_REVIEW,)))
            found = await store.locked(unit.session, self.known_form(campaign_id))
            if found is None:
                return templates.rejected(unit, "CAMPAIGN_NOT_FOUND")
            if writing:
                self.require(call, *commands.acts(found[1].body.message_class))
            return await change(unit, found)

        return await self.units.change(call, Draft(typ="change", operation=operation), work)

    async def _writes(self, unit: Unit, call: Call, content: Content) -> Content:
        """Raises Forbidden unless the caller may write messages of the class that the content's template has."""
        self.require(call, _WRITE, _TELL)
        named = self.known_form(content.template_id)
        words = await store.version_of(unit.session, named, content.template_version)
        if words is not None:
            self.require(call, *commands.acts(words.body.message_class))
        return replace(content, template_id=named)

    def _from(self, after: str | None) -> str:
        return "" if after is None else self.known_form(after)


def _most(first: int) -> int:
    if not 0 < first <= queries.MOST:
        raise BadInput(f"first: 1 to {queries.MOST}")
    return first

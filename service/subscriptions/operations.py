"""The operations over subscriptions: see them, ask for one, confirm, say no; what a mini-program reports; what an address said."""

from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime

from service.audit.entry import Draft
from service.consent.model import Evidence
from service.errors import BadInput
from service.members import commands as members
from service.members import store as members_store
from service.members.model import MemberNotFound
from service.minors.acting import WardDesk
from service.subscriptions import leaving, queries, reports, subscribing
from service.subscriptions.model import Left, Shown, SubscriptionRejected, Way, Wish, purposes_of
from service.suppression.model import Suppression
from service.unit import Unit
from service.values import Call, MemberId

LeaveOutcome = Left | SubscriptionRejected | MemberNotFound
_RECORD = "subscription.record"
_MOST_REASON = 500


class SubscriptionOperations(WardDesk):
    """Raise Forbidden (recorded) where `roles.toml` does not give the role the act."""

    async def subscriptions(
        self, call: Call, *, member_id: MemberId | None, purpose: str | None = None
    ) -> tuple[Shown, ...] | None:
        """What a member subscribed to. Whoever is not the member names a purpose."""
        stated = self.stated(call, purpose)

        async def work(unit: Unit) -> tuple[Shown, ...] | None:
            self.require(call, "subscription.read")
            members.require(unit, stated)
            return await queries.subscriptions(unit, member_id=await self.whom(unit, member_id))

        return await self.units.disclose(call, self.draft("access", "subscriptions", stated), work)

    async def suppressions(self, call: Call, *, field: str, value: str, purpose: str) -> tuple[Suppression, ...]:
        """What is known of one address. There is no list of them: nobody can read an address from a mark."""

        async def work(unit: Unit) -> tuple[Suppression, ...]:
            self.not_a_member(call)
            self.require(call, "suppression.read")
            members.require(unit, purpose)
            return await queries.suppressions(unit, field=field, value=value)

        return await self.units.disclose(call, self.draft("access", "suppressions", purpose), work)

    async def subscribe(
        self,
        call: Call,
        *,
        member_id: MemberId | None,
        wish: Wish,
        evidence: Evidence | None,
        idempotency_key: str | None = None,
    ) -> subscribing.SubscribeOutcome:
        """The member's yes to a channel and a topic, at once."""

        async def work(unit: Unit) -> subscribing.SubscribeOutcome:
            self.require(call, _RECORD)
            self.require(call, "consent.record")
            target = await self.whom(unit, member_id)
            self.within_token(call, [purpose.key for purpose in purposes_of(self.catalogue, wish.channel)])
            return await subscribing.subscribe(
                unit, member_id=target, wish=wish, evidence=evidence, idempotency_key=idempotency_key
            )

        return await self.units.change(call, self._draft("subscribe", wish.channel), work)

    async def confirm_subscription(self, call: Call, *, token: str) -> subscribing.ConfirmOutcome:
        """What the link of a double opt-in brings back: the link is the proof, so whoever calls needs no member."""

        async def work(unit: Unit) -> subscribing.ConfirmOutcome:
            self.require(call, _RECORD)
            return await subscribing.confirm(unit, token)

        return await self.units.change(call, self.duty("consent", "confirmSubscription"), work)

    async def unsubscribe(
        self, call: Call, *, member_id: MemberId | None, channel: str, topic: str | None = None, brand: str | None = None
    ) -> LeaveOutcome:
        """A member's no to a channel, or to one topic on it."""

        async def work(unit: Unit) -> LeaveOutcome:
            self.require(call, _RECORD)
            self._declared(channel, topic, brand)
            target = await self.whom(unit, member_id)
            return _known(await leaving.leave(unit, target, channel=channel, topic=topic, brand=brand, way=Way.GRAPHQL))

        return await self.units.change(call, self._draft("unsubscribe", channel), work)

    async def unsubscribe_all(self, call: Call, *, member_id: MemberId | None) -> LeaveOutcome:
        """Everything off."""

        async def work(unit: Unit) -> LeaveOutcome:
            self.require(call, _RECORD)
            return _known(await leaving.leave(unit, await self.whom(unit, member_id), channel=None, way=Way.GRAPHQL))

        return await self.units.change(call, self.duty("consent", "unsubscribeAll"), work)

    async def unsubscribe_for_member(self, call: Call, *, member_id: MemberId, channel: str | None, reason: str) -> LeaveOutcome:
        """Staff pass a member's no on, and say how they know. The reason is sealed under the member's own key."""

        async def work(unit: Unit) -> LeaveOutcome:
            self.require(call, "subscription.assist")
            if channel is not None:
                self._declared(channel)
            target = self.known_form(member_id)
            if not 0 < len(reason.strip()) <= _MOST_REASON:
                unit.draft.deny("REASON_REQUIRED")
                return SubscriptionRejected("REASON_REQUIRED")
            left = await leaving.leave(unit, target, channel=channel, way=Way.STAFF)
            if left.known:
                await _sealed(unit, target, reason)
            return _known(left)

        return await self.units.change(call, self.duty("consent", "unsubscribeForMember"), work)

    async def report_wechat_subscription(
        self, call: Call, *, member_id: MemberId | None, reported: Sequence[reports.Reported], reference: str
    ) -> reports.QuotasRecorded | MemberNotFound:
        """What wx.requestSubscribeMessage answered."""

        async def work(unit: Unit) -> reports.QuotasRecorded | MemberNotFound:
            self.require(call, _RECORD)
            target = await self.whom(unit, member_id)
            return await reports.templates(unit, member_id=target, reported=reported, reference=reference)

        return await self.units.change(call, self.duty("change", "reportWechatSubscription"), work)

    async def report_privacy_authorization(
        self,
        call: Call,
        *,
        member_id: MemberId | None,
        appid: str,
        contract: str,
        event: reports.PrivacyEvent,
        at: datetime,
    ) -> reports.PrivacyRecorded | MemberNotFound:
        """What WeChat's privacy dialog said: evidence, and nothing else."""

        async def work(unit: Unit) -> reports.PrivacyRecorded | MemberNotFound:
            self.require(call, _RECORD)
            target = await self.whom(unit, member_id)
            return await reports.privacy(unit, member_id=target, appid=appid, contract=contract, event=event, at=at)

        return await self.units.change(call, self.duty("change", "reportPrivacyAuthorization"), work)

    def _declared(self, channel: str, topic: str | None = None, brand: str | None = None) -> None:
        """The ledger keeps these words for good, so they are the policy's."""
        if channel not in self.catalogue.channels:
            raise BadInput("channel: one of the policy's")
        if topic is not None and topic not in self.catalogue.topics:
            raise BadInput("topic: one of the policy's")
        if brand is not None and brand not in {each.key for each in self.catalogue.controller.brands}:
            raise BadInput("brand: one of the controller's")

    def _draft(self, operation: str, channel: str) -> Draft:
        found = purposes_of(self.catalogue, channel)
        return self.draft("consent", operation, found[0].key if found else "")


def _known(left: Left) -> Left | MemberNotFound:
    return left if left.known else MemberNotFound()


async def _sealed(unit: Unit, member_id: MemberId, reason: str) -> None:
    row = await members_store.row(unit.session, member_id)
    assert row is not None
    assert row.wrapped is not None
    keys = unit.vault.member_keys(member_id, row.generation, row.wrapped)
    unit.draft.extra["reason"] = b64encode(unit.vault.seal_note(keys, reason.strip())).decode()

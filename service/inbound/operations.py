"""The operations of whoever is outside (a link, a vendor, a mail system) and of the staff who read what no rule understands.

Nobody outside has a token: who acts is the member whose link it is, or the system that passed it on. Each leaves one entry, refused or not.
"""

from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, TypeVar

from service.audit.entry import Draft
from service.desk import Desk
from service.errors import BadInput, Malformed
from service.guardians import queries as guardians
from service.guardians.model import Alert
from service.inbound import aliyun, answering, commands, envelope, mail, queries, tencent
from service.inbound.envelope import Signed
from service.inbound.model import (
    ComplaintRecorded,
    ComplaintRejected,
    HandleAction,
    InboundHandled,
    InboundNotFound,
    InboundOutcome,
    InboundShown,
    Origin,
    SmsReply,
)
from service.inbound.people import settled
from service.inbound.settings import WechatApp
from service.subscriptions import links
from service.subscriptions.model import Left, Way
from service.unit import Unit
from service.values import Actor, ActorKind, Call, MemberId

T = TypeVar("T")
_REFERENCE = 80


class InboundOperations(Desk):
    """Of staff: raise Forbidden (recorded) where `roles.toml` does not give the role the act. Of the outside: each says what it raises."""

    def link_holds(self, token: str, *, now: datetime) -> bool:
        """Whether pressing the button would do anything. It tells nothing of the member, not even that there still is one."""
        try:
            life = self.catalogue.marketing.link_life
            if links.if_addressed(self.units.vault, token, now=now, life=life) is None:
                links.opened(self.units.vault, token, now=now, life=life)
        except BadInput:
            return False
        return True

    async def leave_by_link(self, origin: Origin, token: str, *, way: Way) -> Left:
        """RFC 8058, and the button of the page. Raises BadInput (LINK_INVALID, LINK_EXPIRED; recorded)."""

        async def work(unit: Unit) -> Left:
            return await answering.leave_by_link(unit, token, way=way)

        return await self._outside(origin, "one-click", "leaveByLink", work, kind=ActorKind.MEMBER)

    async def confirm_by_link(self, origin: Origin, token: str) -> bool:
        """The second step of a double opt-in; False (recorded) for whatever confirms nothing any more."""

        async def work(unit: Unit) -> bool:
            return await answering.confirm_by_link(unit, token)

        try:
            return await self._outside(origin, "confirm-link", "confirmByLink", work, kind=ActorKind.MEMBER)
        except BadInput:
            return False

    async def type_address(self, origin: Origin, address: str, *, sender: str = "") -> InboundOutcome:
        """An address that somebody typed where their link had run out. The answer must be the same whatever comes of it. `sender`: the
        mailbox that asks the address, "" where there is none and staff do.
        """

        async def work(unit: Unit) -> InboundOutcome:
            return await answering.typed(unit, address, sender=sender)

        return await self._outside(origin, "unsubscribe-page", "typeAddress", work)

    async def sms_replies(self, origin: Origin, *, vendor: str, raw: bytes) -> None:
        """All replies of one push, each a unit of its own: killed in the middle, the push comes again. Raises Malformed (recorded)."""
        try:
            found: tuple[SmsReply, ...] = aliyun.replies(raw) if vendor == aliyun.NAME else (tencent.reply(raw),)
        except Malformed:
            await self.refuse(origin, hook=f"sms-{vendor}", code=Malformed.code)
            raise
        for reply in found:
            await self._outside(origin, "sms-hook", "smsReply", _replied(reply, vendor))

    async def wechat_event(self, origin: Origin, app: WechatApp, signed: Signed, raw: bytes) -> InboundOutcome:
        """One message of WeChat's. Raises Refused for one that WeChat did not send now and for us, Malformed (both recorded)."""

        async def work(unit: Unit) -> InboundOutcome:
            envelope.check(app, signed, now=unit.now)
            pushed = envelope.opened(app, signed, raw)
            return await commands.wechat_event(unit, pushed, appid=app.appid)

        return await self._outside(origin, "wechat-hook", "wechatEvent", work)

    async def wechat_echo(self, origin: Origin, app: WechatApp, signed: Signed) -> None:
        """Whether WeChat asks. Raises Refused (recorded): an echo for anybody would be an oracle for the token."""

        async def work(unit: Unit) -> None:
            envelope.check(app, signed, now=unit.now)

        call = self._call(origin, "wechat-hook", ActorKind.SYSTEM)
        await self.units.disclose(call, self.duty("admin", "wechatEcho"), work)

    async def mail_report(self, origin: Origin, raw: bytes) -> InboundOutcome:
        """A bounce or a complaint. Raises Malformed (recorded)."""

        async def work(unit: Unit) -> InboundOutcome:
            return await commands.mail_report(unit, raw, mail.report(raw))

        return await self._outside(origin, "mail-hook", "mailReport", work)

    async def refuse(self, origin: Origin, *, hook: str, code: str) -> None:
        """Record that something came in at a hook and was turned away before it was read."""
        draft = self.duty("admin", "hookRefused")
        draft.extra["hook"] = hook
        draft.deny(code)

        async def work(_: Unit) -> None:
            return None

        await self.units.disclose(self._call(origin, "hook", ActorKind.SYSTEM), draft, work)

    async def inbound_replies(self, call: Call, *, first: int, after: str | None) -> tuple[InboundShown, ...]:
        """What waits for somebody who can read."""

        async def work(unit: Unit) -> tuple[InboundShown, ...]:
            self.require(call, "inbound.read")
            found = await answering.page(unit, first=first, after=self.known_form(after) if after else "")
            settled(unit)
            return found

        return await self.units.disclose(call, self.duty("access", "inboundReplies"), work)

    async def handle_inbound(self, call: Call, *, inbound_id: str, action: HandleAction) -> InboundHandled | InboundNotFound:
        """Somebody has read it."""

        async def work(unit: Unit) -> InboundHandled | InboundNotFound:
            self.require(call, "inbound.handle")
            done = await answering.handle(unit, self.known_form(inbound_id), action)
            settled(unit)
            return done

        return await self.units.change(call, self.duty("consent", "handleInbound"), work)

    async def compliance_alerts(self, call: Call) -> tuple[Alert, ...]:
        """What compliance staff have to see to, of every room."""

        async def work(unit: Unit) -> tuple[Alert, ...]:
            self.require(call, "alert.read")
            self.not_a_member(call)
            sending = await queries.alerts(unit.session, unit.catalogue, now=unit.now)
            return (*await guardians.alerts(unit), *sending)

        return await self.units.disclose(call, Draft(typ="audit", operation="complianceAlerts"), work)

    async def record_complaint(
        self, call: Call, *, channel: str, member_id: MemberId | None, address: str | None, reference: str
    ) -> ComplaintRecorded | ComplaintRejected:
        """A complaint that somebody made elsewhere (12321, a letter). Raises BadInput for a reference that is none."""

        async def work(unit: Unit) -> ComplaintRecorded | ComplaintRejected:
            self.require(call, "complaint.record")
            if not 0 < len(reference) <= _REFERENCE:
                raise BadInput(f"reference: 1 to {_REFERENCE} characters")
            who = None if member_id is None else self.known_form(member_id)
            done = await answering.complain(unit, channel=channel, member_id=who, address=address, reference=reference)
            settled(unit)
            return done

        return await self.units.change(call, self.duty("consent", "recordComplaint"), work)

    async def _outside(
        self,
        origin: Origin,
        name: str,
        operation: str,
        work: Callable[[Unit], Coroutine[Any, Any, T]],
        *,
        kind: ActorKind = ActorKind.SYSTEM,
    ) -> T:
        async def whole(unit: Unit) -> T:
            done = await work(unit)
            settled(unit)
            return done

        draft: Draft = self.duty("consent", operation)
        return await self.units.change(self._call(origin, name, kind), draft, whole)

    def _call(self, origin: Origin, name: str, kind: ActorKind) -> Call:
        return Call(Actor(kind, name, frozenset()), origin.request_id, origin.address)


def _replied(reply: SmsReply, vendor: str) -> Callable[[Unit], Coroutine[Any, Any, InboundOutcome]]:
    async def work(unit: Unit) -> InboundOutcome:
        return await commands.sms_reply(unit, reply, vendor=vendor)

    return work

"""What people do with what came in: a link is pressed, an address typed, a message read by staff, a complaint taken down."""

from service.errors import BadInput
from service.inbound import store
from service.inbound.commands import Result, once
from service.inbound.model import (
    EMAIL,
    ComplaintRecorded,
    ComplaintRejected,
    HandleAction,
    Inbound,
    InboundHandled,
    InboundKind,
    InboundNotFound,
    InboundOutcome,
    InboundShown,
    InboundState,
)
from service.inbound.people import holder, named
from service.members import store as members
from service.subscriptions import leaving, letters, links, subscribing
from service.subscriptions.model import Left, Subscribed, Way
from service.unit import Unit
from service.values import MemberId

_CHANNEL_OF = {
    InboundKind.SMS_REPLY: "sms",
    InboundKind.TYPED_ADDRESS: EMAIL,
    InboundKind.MAIL_BOUNCE: EMAIL,
    InboundKind.MAIL_COMPLAINT: EMAIL,
    InboundKind.WECHAT_CHANGE: "wechat",
    InboundKind.WECHAT_CANCELLATION: "wechat",
}
MOST = 100


async def leave_by_link(unit: Unit, token: str, *, way: Way) -> Left:
    """The channel that the link's message came over is off, for every brand and topic (MK-05); by the link of a typed address, for that
    address, whoever has it.

    Raises BadInput: LINK_INVALID, LINK_EXPIRED.
    """
    asked = links.if_addressed(unit.vault, token, now=unit.now, life=unit.catalogue.marketing.link_life)
    if asked is not None:
        return await _leave_address(unit, asked, way)
    link = links.opened(unit.vault, token, now=unit.now, life=unit.catalogue.marketing.link_life)
    return await leaving.leave(unit, link.member_id, channel=link.channel, way=way, send_id=link.send_id)


async def _leave_address(unit: Unit, asked: links.Addressed, way: Way) -> Left:
    field = unit.catalogue.channels[asked.channel].address
    left = await leaving.leave_address(unit, channel=asked.channel, field=field, value=asked.address, way=way)
    return left or Left("", (asked.channel,), again=False, known=False)


async def confirm_by_link(unit: Unit, token: str) -> bool:
    """Whether the address is confirmed now. Raises BadInput: LINK_INVALID, LINK_EXPIRED."""
    return isinstance(await subscribing.confirm(unit, token), Subscribed)


async def typed(unit: Unit, address: str, *, sender: str) -> InboundOutcome:
    """Somebody whose link is too old has typed an address. Anybody can type anybody's, so the address itself is asked first, by a mail of
    `sender`'s, whoever has it; where no mail can be sent ("") a person asks. The answer is the same. Once a day and address is enough.
    """
    field = unit.catalogue.channels[EMAIL].address

    async def work() -> Result:
        if sender:
            await letters.ask_to_leave(unit, channel=EMAIL, address=address, sender=sender)
            return Result(InboundOutcome.ASKED_BY_MAIL)
        member_id = await holder(unit, field, address)
        if member_id is None:
            return Result(InboundOutcome.UNMATCHED)
        await named(unit, member_id)
        return Result(InboundOutcome.TO_CONFIRM, member_id, note=address)

    content = f"{unit.now.date().isoformat()}\0{address.strip().lower()}".encode("utf-8", "replace")
    return await once(unit, source="web", kind=InboundKind.TYPED_ADDRESS, content=content, work=work)


async def page(unit: Unit, *, first: int, after: str) -> tuple[InboundShown, ...]:
    """What waits for somebody, the oldest first. Raises BadInput for a page of another size than 1 to 100."""
    if not 1 <= first <= MOST:
        raise BadInput(f"first: 1 to {MOST}", code="PAGE_SIZE_TOO_LARGE")
    found = await store.waiting(unit.session, first=first, after=after)
    return tuple([await _shown(unit, each) for each in found])


async def _shown(unit: Unit, found: Inbound) -> InboundShown:
    return InboundShown(
        inbound_id=found.inbound_id,
        kind=InboundKind(found.kind),
        source=found.source,
        state=found.state,
        outcome=found.outcome,
        member_id=found.member_id or None,
        text=await _text(unit, found),
        received_at=found.received_at,
    )


async def _text(unit: Unit, found: Inbound) -> str | None:
    """What was written. Nobody's, once the member is erased: the key is gone."""
    if not found.member_id:
        return None
    row = await members.row(unit.session, found.member_id)
    if row is None or row.wrapped is None:
        return None
    keys = unit.vault.member_keys(row.member_id, row.generation, row.wrapped)
    unit.draft.subjects.append(unit.vault.pseudonym(keys, unit.now))
    return None if found.sealed is None else unit.vault.open_note(keys, found.sealed)


async def handle(unit: Unit, inbound_id: str, action: HandleAction) -> InboundHandled | InboundNotFound:
    """End what waits for staff. UNSUBSCRIBE: it was a no, in words that no rule knows, and takes effect like any other."""
    found = await store.one(unit.session, inbound_id)
    if found is None or found.state is InboundState.HANDLED:
        unit.draft.deny("NOT_FOUND")
        return InboundNotFound()
    outcome = InboundOutcome.UNSUBSCRIBED if action is HandleAction.UNSUBSCRIBE else InboundOutcome.NO_ACTION
    unit.draft.extra.update({"inbound": inbound_id, "outcome": outcome.value})
    if found.state is InboundState.DONE:
        return InboundHandled(inbound_id, InboundOutcome(found.outcome))
    if action is HandleAction.UNSUBSCRIBE:
        channel = _CHANNEL_OF.get(InboundKind(found.kind))
        await leaving.leave(unit, found.member_id, channel=channel, way=Way.STAFF)
    else:
        await named(unit, found.member_id)
    await store.handle(unit.session, found, outcome=outcome.value, by=unit.call.actor.name, now=unit.now)
    return InboundHandled(inbound_id, outcome)


async def complain(
    unit: Unit, *, channel: str, member_id: MemberId | None, address: str | None, reference: str
) -> ComplaintRecorded | ComplaintRejected:
    """Suppress first, then collect what an investigation needs (SMS-09). `reference` names the complaint where it was made: taken down
    twice, it is one.
    """
    declared = unit.catalogue.channels.get(channel)
    if declared is None or (member_id is None) == (address is None):
        return _refused(unit)
    left = await _left(unit, channel, declared.address, member_id, address)
    if isinstance(left, ComplaintRejected):
        return left
    who = left.member_id if left is not None and left.known else ""

    async def work() -> Result:
        return Result(InboundOutcome.UNSUBSCRIBED, who)

    content = f"{channel}\0{who or address}\0{reference}".encode("utf-8", "replace")
    await once(unit, source="staff", kind=InboundKind.COMPLAINT, content=content, work=work)
    sends, consents, subscriptions = await store.pack(unit.session, who, channel) if who else ((), (), ())
    return ComplaintRecorded(str(unit.draft.extra["inbound"]), who or None, sends, consents, subscriptions)


async def _left(
    unit: Unit, channel: str, field: str, member_id: MemberId | None, address: str | None
) -> Left | ComplaintRejected | None:
    if member_id is not None:
        left = await leaving.leave(unit, member_id, channel=channel, way=Way.COMPLAINT)
        return left if left.known else _refused(unit, "MEMBER_NOT_FOUND")
    try:
        return await leaving.leave_address(unit, channel=channel, field=field, value=address or "", way=Way.COMPLAINT)
    except BadInput:
        return _refused(unit)


def _refused(unit: Unit, code: str = "ADDRESS_INVALID") -> ComplaintRejected:
    unit.draft.deny(code)
    return ComplaintRejected(code)

"""What follows from what comes in. Each of them once, in one unit with what it changes; whatever is a no ends in `subscriptions.leaving`.

The accident is a vendor that delivers twice, or out of order; the attacker replays what was true once. So what came before is known by its
digest (keyed: a number and a short text are soon guessed) and answered as it was, and nothing happens twice.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from policies.marketing import Sender
from policies.replies import ReplyKind
from policies.replies import reply as understood
from policies.terms import Basis, Purpose
from service.consent import withdrawing
from service.consent.contacts import reached_through
from service.errors import BadInput, Refused
from service.gate import commands as gate
from service.gate.model import Outcome
from service.inbound import mail, store, wechat
from service.inbound.envelope import FORGED, Pushed
from service.inbound.model import EMAIL, SMS, WECHAT, Inbound, InboundKind, InboundOutcome, InboundState, SmsReply
from service.inbound.people import holder, named
from service.members import store as members
from service.subscriptions import leaving, links, quota
from service.subscriptions.model import Left, Way, captured
from service.subscriptions.quota import QuotaReason
from service.unit import Unit
from service.values import MemberId

_LABEL = b"menshen/inbound/v1\0"
_NONCES = "nonce"
_MOST_NOTE = 2000


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one that came in: whose it is ("" of nobody known), and the text that somebody has to read."""

    outcome: InboundOutcome
    member_id: MemberId = ""
    note: str = ""


async def once(
    unit: Unit, *, source: str, kind: InboundKind, content: bytes, work: Callable[[], Awaitable[Result]]
) -> InboundOutcome:
    """Do `work` unless the same came before, and keep that it came. What came before is answered as it was then."""
    digest = digest_of(unit, source, content)
    before = await store.known(unit.session, source, digest)
    unit.draft.extra["kind"] = kind.value
    if before is not None:
        unit.draft.extra["inbound"] = before.inbound_id
        unit.draft.extra["again"] = True
        unit.draft.extra["outcome"] = before.outcome
        return InboundOutcome(before.outcome)
    result = await work()
    await _keep(unit, source, digest, kind, result)
    unit.draft.extra["outcome"] = result.outcome.value
    return result.outcome


def digest_of(unit: Unit, source: str, content: bytes) -> bytes:
    """What makes it the same one: nobody without the key can try what was in it (docs/formats/keyed-digests.md)."""
    return unit.vault.mac("idempotency", _LABEL + source.encode() + b"\0" + content)


async def _keep(unit: Unit, source: str, digest: bytes, kind: InboundKind, result: Result) -> None:
    sealed = await _sealed(unit, result) if result.note and result.member_id else None
    for_staff = result.outcome in {InboundOutcome.UNRECOGNISED, InboundOutcome.ERASURE_ASKED, InboundOutcome.TO_CONFIRM}
    found = Inbound(
        source=source,
        digest=digest,
        inbound_id=unit.new_id(),
        kind=kind.value,
        member_id=result.member_id,
        state=InboundState.FOR_STAFF if for_staff and result.member_id else InboundState.HANDLED,
        outcome=result.outcome.value,
        received_at=unit.now,
        sealed=sealed,
    )
    unit.draft.extra["inbound"] = found.inbound_id
    await store.add(unit.session, found)


async def _sealed(unit: Unit, result: Result) -> bytes | None:
    row = await members.row(unit.session, result.member_id)
    if row is None or row.wrapped is None:
        return None
    keys = unit.vault.member_keys(row.member_id, row.generation, row.wrapped)
    return unit.vault.seal_note(keys, result.note[:_MOST_NOTE])


# --- texts that come back -------------------------------------------------------------------------------------------------------


async def sms_reply(unit: Unit, reply: SmsReply, *, vendor: str) -> InboundOutcome:
    """A text that somebody sent back (SMS-03). An unknown number is suppressed all the same, and answered alike."""
    sender = _addressed(unit, reply, vendor)
    if sender is not None:
        unit.draft.extra["sender"] = sender.key

    async def work() -> Result:
        said = understood(reply.text, unit.catalogue.channels[SMS].opt_out_words)
        if said.kind is ReplyKind.UNKNOWN:
            return await _unrecognised(unit, reply)
        left = await _left(unit, SMS, reply.number, Way.SMS_REPLY)
        if left is not None and said.kind is ReplyKind.OPT_OUT_ALL:
            await leaving.leave(unit, left.member_id, channel=None, way=Way.SMS_REPLY)
        return Result(InboundOutcome.UNSUBSCRIBED, left.member_id if left else "")

    return await once(
        unit, source=f"sms.{vendor}", kind=InboundKind.SMS_REPLY, content=reply.delivery.encode("utf-8", "replace"), work=work
    )


async def _unrecognised(unit: Unit, reply: SmsReply) -> Result:
    """No word of refusal: a person reads it. Of a stranger's text nothing is kept: there is no key to keep it under."""
    member_id = await holder(unit, unit.catalogue.channels[SMS].address, reply.number)
    if member_id is None:
        return Result(InboundOutcome.UNMATCHED)
    await named(unit, member_id)
    return Result(InboundOutcome.UNRECOGNISED, member_id, reply.text)


def _addressed(unit: Unit, reply: SmsReply, vendor: str) -> Sender | None:
    """To whom it was sent: by the code that it went to, else by the signature. It is noted; the refusal is the legal entity's (MK-05)."""
    of_vendor = [sender for sender in unit.catalogue.senders.values() if sender.vendor.value == vendor]
    by_code = [sender for sender in of_vendor if reply.code and reply.code.startswith(sender.address)]
    sign = reply.sign.strip("【】[] ")
    by_sign = [sender for sender in of_vendor if sign and sender.identity.strip("【】") == sign]
    return next(iter([*by_code, *by_sign]), None)


async def _left(unit: Unit, channel: str, value: str, way: Way, *, reason: str = "") -> Left | None:
    """The address says no, whoever's it is. What is no address of the channel concerns nobody."""
    field = unit.catalogue.channels[channel].address
    try:
        return await leaving.leave_address(unit, channel=channel, field=field, value=value, way=way, reason=reason)
    except BadInput:
        unit.draft.extra["address"] = "INVALID"
        return None


# --- WeChat ---------------------------------------------------------------------------------------------------------------------


async def wechat_event(unit: Unit, pushed: Pushed, *, appid: str) -> InboundOutcome:
    """One event that WeChat pushed (WX-04). Raises Refused for one about another app, and for a nonce that came with another body."""
    found = wechat.event(pushed.message)
    if found.appid not in {"", appid}:
        raise Refused(FORGED)
    source = f"wechat.{appid}"

    async def work() -> Result:
        await _first_use(unit, source, pushed)
        address = f"{appid}:{found.openid}"
        member_id = await holder(unit, unit.catalogue.channels[WECHAT].address, address)
        if member_id is None:
            return await _stranger(unit, found, address)
        await named(unit, member_id)
        return await _WECHAT[found.kind](unit, member_id, found)

    return await once(unit, source=source, kind=found.kind, content=pushed.content, work=work)


async def _first_use(unit: Unit, source: str, pushed: Pushed) -> None:
    """In plain mode one signed nonce is good for one body: whoever has overheard it cannot put another one under it."""
    if not pushed.once:
        return
    digest = digest_of(unit, f"{source}.{_NONCES}", pushed.once.encode("utf-8", "replace"))
    if await store.known(unit.session, _NONCES, digest) is not None:
        raise Refused("NONCE_REUSED")
    await store.add(
        unit.session,
        Inbound(
            source=_NONCES,
            digest=digest,
            inbound_id=unit.new_id(),
            kind=InboundKind.WECHAT_OTHER.value,
            member_id="",
            state=InboundState.HANDLED,
            outcome=InboundOutcome.NOTED.value,
            received_at=unit.now,
        ),
    )


async def _stranger(unit: Unit, found: wechat.Event, address: str) -> Result:
    """Nobody's openid here. An account that is gone stays unwritten to, should it come in with a list."""
    if found.kind is InboundKind.WECHAT_CANCELLATION:
        await _left(unit, WECHAT, address, Way.WECHAT_EVENT)
    return Result(InboundOutcome.UNMATCHED)


async def _subscription(unit: Unit, member_id: MemberId, found: wechat.Event) -> Result:
    """+1 for each template that was accepted. A no to the question leaves what was accepted before; one in the settings leaves nothing."""
    outcome = InboundOutcome.NOTED
    for said in found.answers:
        if said.answer is wechat.Answer.ACCEPT:
            await quota.accept(unit, member_id, said.template, reference=said.reference)
        elif said.answer in _ASKED:
            await quota.note(unit, member_id, said.template, reason=_ASKED[said.answer], reference=said.reference)
        else:
            await quota.exhaust(unit, member_id, said.template, reference=said.reference)
        outcome = InboundOutcome.QUOTA
    return Result(outcome, member_id)


_ASKED = {wechat.Answer.REJECT: QuotaReason.REJECTED, wechat.Answer.BAN: QuotaReason.BANNED}


async def _revocation(unit: Unit, member_id: MemberId, found: wechat.Event) -> Result:
    """The member took back what WeChat had given us: nothing goes out over it any more, and no consent rests on it."""
    channels = [channel.key for channel in unit.catalogue.channels.values() if channel.address in found.revoked]
    for key in channels:
        await leaving.leave(unit, member_id, channel=key, way=Way.WECHAT_EVENT)
    purposes = dict.fromkeys(p.key for field in found.revoked for p in _resting_on(unit, field))
    for key in purposes:
        await withdrawing.withdraw(unit, member_id=member_id, purpose=key, channel=captured(Way.WECHAT_EVENT))
    unit.draft.extra["fields"] = list(found.revoked)
    outcome = InboundOutcome.CONSENTS_WITHDRAWN if channels or purposes else InboundOutcome.NOTED
    return Result(outcome, member_id)


def _resting_on(unit: Unit, field: str) -> list[Purpose]:
    reached = reached_through(unit.catalogue, field)
    used = [p for p in unit.catalogue.purposes.values() if p.basis is Basis.CONSENT and field in p.fields]
    return [*reached, *used]


async def _cancellation(unit: Unit, member_id: MemberId, found: wechat.Event) -> Result:
    """The account is gone, and with it every consent; that the data has to go, too, a person decides (PIPL 47)."""
    await leaving.leave(unit, member_id, channel=None, way=Way.WECHAT_EVENT)
    await withdrawing.withdraw_all(unit, member_id=member_id, channel=captured(Way.WECHAT_EVENT))
    return Result(InboundOutcome.ERASURE_ASKED, member_id, note=found.kind.value)


async def _change(_unit: Unit, member_id: MemberId, found: wechat.Event) -> Result:
    """WeChat has changed what it tells of the member: what was taken over from it may be wrong by now."""
    return Result(InboundOutcome.UNRECOGNISED, member_id, note=found.kind.value)


async def _other(_unit: Unit, member_id: MemberId, _found: wechat.Event) -> Result:
    return Result(InboundOutcome.NO_ACTION, member_id)


_WECHAT: dict[InboundKind, Callable[[Unit, MemberId, wechat.Event], Awaitable[Result]]] = {
    InboundKind.WECHAT_SUBSCRIPTION: _subscription,
    InboundKind.WECHAT_REVOCATION: _revocation,
    InboundKind.WECHAT_CANCELLATION: _cancellation,
    InboundKind.WECHAT_CHANGE: _change,
    InboundKind.WECHAT_OTHER: _other,
}


# --- mail that comes back -------------------------------------------------------------------------------------------------------


async def mail_report(unit: Unit, raw: bytes, found: mail.Report) -> InboundOutcome:
    """A bounce or a complaint (EM-09), for the member whose link the returned headers hold."""
    complaint = found.kind in {mail.ReportKind.COMPLAINT, mail.ReportKind.PRAISE}

    async def work() -> Result:
        link = _link(unit, found.link)
        if found.kind is mail.ReportKind.COMPLAINT:
            return await _complained(unit, link, found)
        if link is None:
            return Result(InboundOutcome.UNMATCHED)
        await named(unit, link.member_id)
        if found.kind is mail.ReportKind.FAILED:
            await _bounced(unit, link, found)
            return Result(InboundOutcome.UNREACHABLE, link.member_id)
        return Result(InboundOutcome.NOTED, link.member_id)

    kind = InboundKind.MAIL_COMPLAINT if complaint else InboundKind.MAIL_BOUNCE
    return await once(unit, source="mail", kind=kind, content=raw, work=work)


async def _bounced(unit: Unit, link: links.Link, found: mail.Report) -> None:
    """There is nobody at the address: nothing more goes there, and it is no longer proven to be the member's."""
    await leaving.leave(unit, link.member_id, channel=link.channel, way=Way.BOUNCE, reason=found.status)
    if link.send_id:
        await gate.record(unit, link.member_id, link.send_id, Outcome.BOUNCED, code=found.status)


async def _complained(unit: Unit, link: links.Link | None, found: mail.Report) -> Result:
    """Whoever calls it abuse has said no: at once, and before anybody looks into it."""
    if link is None:
        left = await _left(unit, EMAIL, found.address, Way.COMPLAINT) if found.address else None
        return Result(InboundOutcome.UNSUBSCRIBED if found.address else InboundOutcome.UNMATCHED, left.member_id if left else "")
    left = await leaving.leave(unit, link.member_id, channel=link.channel, way=Way.COMPLAINT, send_id=link.send_id)
    if link.send_id:
        await gate.record(unit, link.member_id, link.send_id, Outcome.COMPLAINED, code="")
    return Result(InboundOutcome.UNSUBSCRIBED, left.member_id if left.known else "")


def _link(unit: Unit, token: str) -> links.Link | None:
    """Whose mail it was. A link that does not hold says nothing."""
    if not token:
        return None
    try:
        return links.opened(unit.vault, token, now=unit.now, life=unit.catalogue.marketing.link_life)
    except BadInput:
        return None

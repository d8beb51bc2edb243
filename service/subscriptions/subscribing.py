"""Saying yes: the consent to the channel and the subscription in one act and one transaction, proven by one screen (SMS-01, WX-07).

Neither alone sends anything: without the consent nothing may go out, without the subscription nothing is wanted. Where the channel takes
two steps, the subscription waits until the address itself has confirmed it; the link is good for that one asking.
"""

from dataclasses import replace

from policies.clock import consent_ends
from policies.terms import MemberStatus
from service.consent import answering, once
from service.consent import writing as consents
from service.consent.model import ConsentsRecorded, Decision, Evidence
from service.members import store as members_store
from service.members.model import MemberNotFound
from service.subscriptions import letters, links, queries, store, writing
from service.subscriptions.ledger import Promise, promised
from service.subscriptions.links import Confirmation
from service.subscriptions.model import (
    Key,
    Subscribed,
    Subscription,
    SubscriptionEvent,
    SubscriptionRejected,
    SubscriptionState,
    Way,
    Wish,
    confirms,
    purposes_of,
    unfit,
)
from service.suppression import commands as suppressions
from service.suppression import store as suppressed
from service.suppression.model import Address
from service.unit import Unit
from service.values import ActorKind, MemberId

SubscribeOutcome = Subscribed | SubscriptionRejected | answering.RecordOutcome
ConfirmOutcome = Subscribed | SubscriptionRejected | MemberNotFound


async def subscribe(
    unit: Unit, *, member_id: MemberId, wish: Wish, evidence: Evidence | None, idempotency_key: str | None = None
) -> SubscribeOutcome:
    """Record the member's yes to the channel and to the topic. Every rule of a consent holds: shown, unticked, of age.

    Raises Conflict when the idempotency key was used for another request.
    """
    request = ("subscribe", member_id, wish, evidence)
    if await consents.known(unit, member_id) is None:
        return consents.refused(unit, MemberNotFound())
    if await once.earlier(unit, idempotency_key, *request) is not None:
        return await _stands(unit, member_id, (wish.channel, wish.topic, wish.brand))
    code = unfit(unit.catalogue, wish)
    address = None if code else await _address(unit, member_id, wish.channel)
    if code or address is None:
        return consents.refused(unit, SubscriptionRejected(code or "ADDRESS_MISSING"))
    decisions = [Decision(purpose.key, granted=True) for purpose in purposes_of(unit.catalogue, wish.channel)]
    answered = await answering.record(unit, member_id=member_id, decisions=decisions, evidence=evidence)
    if not isinstance(answered, ConsentsRecorded) or evidence is None:
        return answered
    asked = await _ask(unit, member_id, wish, evidence=evidence, answered=answered, address=address)
    await once.remember(unit, idempotency_key, member_id, *request)
    return asked


async def confirm(unit: Unit, token: str) -> ConfirmOutcome:
    """The address has confirmed. Twice is answered the same; after a no, or after another asking, it does nothing.

    Raises BadInput (LINK_INVALID, LINK_EXPIRED).
    """
    asked = links.confirmed(unit.vault, token, now=unit.now, life=unit.catalogue.marketing.opt_in_life)
    row = await consents.known(unit, asked.member_id)
    if row is None:
        return consents.refused(unit, MemberNotFound())
    key = (asked.channel, asked.topic, asked.brand)
    kept = await store.standings(unit.session, asked.member_id)
    address = await _address(unit, asked.member_id, asked.channel)
    standing = kept.get(key)
    newest = await store.event(unit.session, asked.member_id, standing.event_id) if standing else None
    elsewhere = address is None or address.mark != asked.mark
    if standing is None or newest is None or elsewhere or row.status is MemberStatus.RESTRICTED:
        return consents.refused(unit, SubscriptionRejected("CONFIRMATION_VOID"))
    if standing.state is SubscriptionState.SUBSCRIBED and newest.record.get("confirms") == asked.event_id:
        return await queries.shown(unit, asked.member_id, standing)
    if standing.state is not SubscriptionState.PENDING or standing.event_id != asked.event_id:
        return consents.refused(unit, SubscriptionRejected("CONFIRMATION_VOID"))
    return await _confirmed(unit, asked, standing, newest, kept)


async def _confirmed(
    unit: Unit, asked: Confirmation, standing: Subscription, pending: SubscriptionEvent, kept: dict[Key, Subscription]
) -> Subscribed:
    """The address is the member's, its no is lifted by this newer yes, and the subscription stands, from now on."""
    channel = unit.catalogue.channels[asked.channel]
    await members_store.prove(unit.session, asked.member_id, channel.address, unit.now)
    await suppressions.lift_for(unit, asked.member_id, channel, acted_at=unit.now, way=Way.CONFIRMATION.value)
    subscription = await writing.append(
        unit,
        asked.member_id,
        standing.key,
        SubscriptionState.SUBSCRIBED,
        kept,
        way=Way.CONFIRMATION,
        promise=_again(unit, pending),
        confirms=asked.event_id,
    )
    return await queries.shown(unit, asked.member_id, subscription)


def _again(unit: Unit, pending: SubscriptionEvent) -> Promise:
    """What was told when it was asked for, whatever the policy says by now; counted from the confirmation."""
    told = promised(pending.record, None)
    return replace(told, expires_at=consent_ends(unit.now, told.months))


async def _ask(
    unit: Unit, member_id: MemberId, wish: Wish, *, evidence: Evidence, answered: ConsentsRecorded, address: Address
) -> Subscribed:
    kept = await store.standings(unit.session, member_id)
    key = (wish.channel, wish.topic, wish.brand)
    subscription = await writing.append(
        unit,
        member_id,
        key,
        _first_state(unit, wish, kept.get(key), address),
        kept,
        way=Way.GRAPHQL,
        promise=_promise(unit, wish.topic, monthly=wish.monthly),
        evidence=evidence,
        consents=tuple(each.event_id for each in answered.standings if each.event_id),
    )
    found = await queries.shown(unit, member_id, subscription)
    if subscription.state is not SubscriptionState.PENDING:
        return found
    await letters.ask_to_confirm(unit, member_id, subscription, address.mark)
    return Subscribed(found.shown, _confirmation(unit, member_id, subscription, address))


def _first_state(unit: Unit, wish: Wish, before: Subscription | None, address: Address) -> SubscriptionState:
    """Where the channel takes two steps, an address that has confirmed this subscription need not do so again while it stands."""
    if not confirms(unit.catalogue.channels[wish.channel]):
        return SubscriptionState.SUBSCRIBED
    stands = before is not None and before.live(unit.now) and address.proven_at is not None and not address.barred(wish.channel)
    return SubscriptionState.SUBSCRIBED if stands else SubscriptionState.PENDING


def _confirmation(unit: Unit, member_id: MemberId, subscription: Subscription, address: Address) -> str | None:
    """For a service that writes to the address itself, where Menshen has no mail account. The member's own browser is not told: who can
    read it there has proven nothing.
    """
    if unit.call.actor.kind is not ActorKind.SERVICE:
        return None
    return links.make_confirmation(
        unit.vault, Confirmation(member_id, *subscription.key, subscription.event_id, address.mark, unit.now)
    )


async def _stands(unit: Unit, member_id: MemberId, key: Key) -> Subscribed:
    """Where a subscription stands that was asked for by this very request before: what was said since counts."""
    return await queries.shown(unit, member_id, (await store.standings(unit.session, member_id))[key])


async def _address(unit: Unit, member_id: MemberId, channel: str) -> Address | None:
    declared = unit.catalogue.channels.get(channel)
    found = await suppressed.addresses(unit.session, member_id) if declared else []
    return next((each for each in found if declared and each.field == declared.address), None)


def _promise(unit: Unit, topic: str, *, monthly: int) -> Promise:
    declared = unit.catalogue.topics[topic]
    return Promise(declared.title.zh, monthly, declared.months, consent_ends(unit.now, declared.months))

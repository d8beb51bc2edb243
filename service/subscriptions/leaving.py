"""Saying no: the one command that every way of it ends in. Nothing is asked, nothing is needed, twice is as good as once (CRPR 24).

A no to a channel is three things in one transaction: the subscriptions end, the address is suppressed for the whole legal entity, and the
consents to marketing over the channel are withdrawn; the withdrawal cancels whatever is queued. A no to one topic ends that subscription.
"""

from collections.abc import Collection, Iterable, Mapping

from policies.terms import Channel
from service.consent import withdrawing
from service.consent import writing as consents
from service.errors import BadInput
from service.members import commands as members
from service.members import store as members_store
from service.subscriptions import store, writing
from service.subscriptions.model import Key, Left, Subscription, SubscriptionState, Way, captured, cause, purposes_of
from service.suppression import commands as suppressions
from service.suppression import store as suppressed
from service.suppression.model import Target, open_targets
from service.unit import Unit
from service.values import MemberId
from service.vault.normalise import normalise

Kept = Mapping[Key, Subscription]


async def leave(
    unit: Unit,
    member_id: MemberId,
    *,
    channel: str | None,
    topic: str | None = None,
    brand: str | None = None,
    way: Way,
    reason: str = "",
    send_id: str = "",
) -> Left:
    """Send this member nothing more: over `channel`, over every channel (None), or of one `topic` (of one `brand` of it, or of all).

    Without a topic the brand does not matter: the no is to the legal entity, and no other name may write instead (MK-05). `reason` is a
    code of what told of it (a bounce's, a complaint's), never a text; `send_id` the message that was answered.
    """
    if await consents.known(unit, member_id) is None:
        unit.draft.deny("NOT_FOUND")
        return Left(member_id, (), again=True, known=False)
    unit.draft.extra |= {"way": way.value} | ({"cause": reason} if reason else {})
    if topic:
        assert channel is not None
        return await _leave_topic(unit, member_id, (channel, topic, brand or ""), way=way, send_id=send_id)
    wanted = [each for key, each in unit.catalogue.channels.items() if channel in {None, key}]
    changed = await _leave_channels(unit, member_id, wanted, way=way, send_id=send_id)
    unit.draft.extra["left"] = sorted(changed)
    return Left(member_id, tuple(each.key for each in wanted), again=not changed)


async def leave_address(unit: Unit, *, channel: str, field: str, value: str, way: Way, reason: str = "") -> Left | None:
    """The same, by an address from outside. None where nobody has it: it is suppressed all the same, for whoever brings it in later.

    Raises BadInput (ADDRESS_INVALID) for what can be no address, and for a channel that the policy does not have.
    """
    declared = unit.catalogue.channels.get(channel)
    if declared is None or field != declared.address:
        raise BadInput("address", code="ADDRESS_INVALID")
    try:
        spec = unit.catalogue.fields[field]
        normalised = normalise(spec.normaliser, value, appid=members.default_appid(unit.catalogue))
    except BadInput:
        normalised = ""
    if not normalised:
        raise BadInput("address", code="ADDRESS_INVALID")
    mark = unit.vault.mark(field, normalised)
    digest, generation = unit.vault.lookup(field, normalised), unit.vault.lookup_generation
    holders = await members_store.holders_of(unit.session, field, digest, generation=generation)
    await suppressions.suppress(unit, [(channel, mark)], reason=cause(way).value, way=way.value)
    left = [await leave(unit, holder, channel=channel, way=way, reason=reason) for holder in holders]
    if len(left) > 1:
        # An entry names one consent of its one subject; the events stand in it all the same.
        unit.draft.consent, unit.draft.count = "", len(left)
    return next((each for each in left if each.known), None)


async def _leave_topic(unit: Unit, member_id: MemberId, about: Key, *, way: Way, send_id: str) -> Left:
    """One topic ends. What was never subscribed to is written down as well: it is a no all the same."""
    channel, topic, brand = about
    kept = await store.standings(unit.session, member_id)
    meant = {key for key in kept if key[:2] == (channel, topic) and brand in {"", key[2]}} or {about}
    ended = await _end(unit, member_id, meant, kept, way=way, send_id=send_id)
    return Left(member_id, (channel,), again=not ended)


async def _leave_channels(
    unit: Unit, member_id: MemberId, wanted: Iterable[Channel], *, way: Way, send_id: str
) -> Collection[str]:
    """The channels on which something changed."""
    channels = {each.key: each for each in wanted}
    targets = open_targets(channels.values(), await suppressed.addresses(unit.session, member_id))
    if way is Way.BOUNCE:
        return await _bounced(unit, member_id, channels, targets)
    kept = await store.standings(unit.session, member_id)
    changed = {key for key in channels if not _over(kept.get((key, "", "")))}
    changed |= {key[0] for key, each in kept.items() if key[0] in channels and not _over(each)}
    changed |= {channel for channel, _ in targets}
    await suppressions.suppress(unit, targets, reason=cause(way).value, way=way.value)
    changed |= await _withdraw(unit, member_id, channels, way=way)
    for channel in sorted(changed):
        here = {key for key, each in kept.items() if key[0] == channel and not _over(each)}
        await _end(unit, member_id, here, kept, way=way, send_id=send_id)
        await _say(unit, member_id, (channel, "", ""), kept, way=way, send_id=send_id)
    return changed


async def _withdraw(unit: Unit, member_id: MemberId, channels: Collection[str], *, way: Way) -> set[str]:
    """Take back the consents to marketing over these channels; over which of them one stood."""
    purposes = [purpose for channel in channels for purpose in purposes_of(unit.catalogue, channel)]
    ended = await withdrawing.take_back(
        unit, member_id=member_id, purposes=purposes, channel=captured(way), source={"cause": "UNSUBSCRIBED", "way": way.value}
    )
    return {str(unit.catalogue.purposes[standing.purpose].channel) for standing in ended}


async def _bounced(
    unit: Unit, member_id: MemberId, channels: Mapping[str, Channel], targets: Collection[Target]
) -> Collection[str]:
    """Nobody said no, and there is nobody at the address: nothing more goes there, and that it is the member's is proven no longer."""
    await suppressions.suppress(unit, list(targets), reason=cause(Way.BOUNCE).value, way=Way.BOUNCE.value)
    for field in sorted({each.address for each in channels.values()}):
        await members_store.prove(unit.session, member_id, field, None)
    return {channel for channel, _ in targets}


async def _end(unit: Unit, member_id: MemberId, keys: Iterable[Key], kept: Kept, *, way: Way, send_id: str) -> list[Subscription]:
    """One event for each of these that is not over yet."""
    return [await _say(unit, member_id, key, kept, way=way, send_id=send_id) for key in sorted(keys) if not _over(kept.get(key))]


async def _say(unit: Unit, member_id: MemberId, key: Key, kept: Kept, *, way: Way, send_id: str) -> Subscription:
    return await writing.append(unit, member_id, key, SubscriptionState.UNSUBSCRIBED, kept, way=way, send_id=send_id)


def _over(subscription: Subscription | None) -> bool:
    return subscription is not None and subscription.state is SubscriptionState.UNSUBSCRIBED

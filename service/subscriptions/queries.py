"""What a member receives, and whether an address said no. Each is a disclosure and owes an entry."""

from policies.terms import MemberStatus
from service.errors import BadInput
from service.members import commands as members
from service.members import store as members_store
from service.subscriptions import store
from service.subscriptions.model import Shown, Subscribed, Subscription
from service.suppression import store as suppressed
from service.suppression.model import Address, Suppression
from service.unit import Unit
from service.values import MemberId
from service.vault.normalise import normalise


async def subscriptions(unit: Unit, *, member_id: MemberId) -> tuple[Shown, ...] | None:
    """Everything that the member subscribed to or refused, and whether anything goes out. None: no such member."""
    row = await members_store.row(unit.session, member_id)
    if row is None or row.wrapped is None or row.status is MemberStatus.ERASED:
        unit.draft.deny("NOT_FOUND")
        unit.draft.count = 0
        return None
    keys = unit.vault.member_keys(row.member_id, row.generation, row.wrapped)
    unit.draft.subjects.append(unit.vault.pseudonym(keys, unit.now))
    unit.draft.count = 1
    addresses = await suppressed.addresses(unit.session, member_id)
    found = await store.standings(unit.session, member_id)
    return tuple(_shown(unit, each, addresses) for each in found.values())


async def shown(unit: Unit, member_id: MemberId, subscription: Subscription) -> Subscribed:
    """One subscription as it stands now."""
    return Subscribed(_shown(unit, subscription, await suppressed.addresses(unit.session, member_id)))


async def suppressions(unit: Unit, *, field: str, value: str) -> tuple[Suppression, ...]:
    """What is known of one address, by channel; found by its value alone, and nothing of it is written down. Raises BadInput."""
    channels = [each for each in unit.catalogue.channels.values() if each.address == field]
    if not channels:
        raise BadInput("field: one that a channel writes to", code="ADDRESS_INVALID")
    normalised = ""
    try:
        spec = unit.catalogue.fields[field]
        normalised = normalise(spec.normaliser, value, appid=members.default_appid(unit.catalogue))
    except BadInput:
        pass
    if not normalised:
        raise BadInput("address", code="ADDRESS_INVALID")
    mark = unit.vault.mark(field, normalised)
    found = [await suppressed.known(unit.session, channel.key, mark) for channel in channels]
    unit.draft.fields, unit.draft.count = (field,), sum(each is not None for each in found)
    return tuple(each for each in found if each is not None)


def _shown(unit: Unit, subscription: Subscription, addresses: list[Address]) -> Shown:
    channel = unit.catalogue.channels.get(subscription.channel)
    field = channel.address if channel else ""
    return Shown(subscription, any(each.barred(subscription.channel) for each in addresses if each.field == field))

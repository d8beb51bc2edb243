"""Who said no, as values and pure rules: an address is a mark, and a mark names nobody (docs/formats/address-mark.md)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from policies.terms import Channel

Target = tuple[str, bytes]
"""A channel and the mark of an address on it: what a no is about."""


class SuppressionState(StrEnum):
    """SUPPRESSED: nothing commercial goes there. LIFTED: its verified owner has said yes since."""

    SUPPRESSED = "SUPPRESSED"
    LIFTED = "LIFTED"


class Cause(StrEnum):
    """Why nothing may go there. BOUNCED also says that nothing can: the address does not exist."""

    UNSUBSCRIBED = "UNSUBSCRIBED"
    COMPLAINED = "COMPLAINED"
    BOUNCED = "BOUNCED"
    ERASED = "ERASED"


@dataclass(frozen=True, slots=True)
class Suppression:
    """What is known of one address on one channel. A state that is not one of ours counts as SUPPRESSED."""

    channel: str
    mark: bytes
    state: SuppressionState
    reason: str
    since: datetime

    @property
    def stands(self) -> bool:
        """Whether nothing may be sent there."""
        return self.state is not SuppressionState.LIFTED


@dataclass(frozen=True, slots=True)
class Address:
    """One address of a member, and what is known of it on each channel. `proven_at`: when they last proved that it is theirs."""

    field: str
    mark: bytes
    proven_at: datetime | None
    suppressions: Mapping[str, Suppression]

    def barred(self, channel: str) -> bool:
        """Whether nothing may be sent there over this channel."""
        found = self.suppressions.get(channel)
        return found is not None and found.stands


def open_targets(channels: Iterable[Channel], addresses: Iterable[Address]) -> list[Target]:
    """What is not suppressed yet, of these addresses on these channels."""
    known = list(addresses)
    return [
        (channel.key, address.mark)
        for channel in channels
        for address in known
        if address.field == channel.address and not address.barred(channel.key)
    ]


def liftable(channel: Channel, addresses: Iterable[Address], *, acted_at: datetime) -> list[Target]:
    """Which suppressions a yes of `acted_at` lifts: those of addresses that the member has proven, if the yes is the newer of the two."""
    return [
        (channel.key, address.mark)
        for address in addresses
        if address.field == channel.address
        and address.proven_at is not None
        and address.barred(channel.key)
        and address.suppressions[channel.key].since < acted_at
    ]

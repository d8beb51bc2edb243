"""Who said no, as values and pure rules: an address is a mark, and a mark names nobody (docs/formats/address-mark.md)."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from policies.terms import Channel
from service.errors import Malformed
from service.values import utc_text

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


def written(known: Suppression) -> str:
    """One line of a file of suppressions (JSON): it names an address by its mark alone."""
    said = {"channel": known.channel, "mark": known.mark.hex(), "state": known.state.value, "reason": known.reason}
    return json.dumps({**said, "since": utc_text(known.since)}, sort_keys=True)


def read(line: str) -> Suppression:
    """What `written` wrote. Raises Malformed for anything else."""
    try:
        said = json.loads(line)
        since = datetime.fromisoformat(said["since"])
        found = Suppression(said["channel"], bytes.fromhex(said["mark"]), SuppressionState(said["state"]), said["reason"], since)
    except (ValueError, TypeError, KeyError, RecursionError):
        found = None
    # Outside the handler: a parser's error quotes the line.
    if found is None or not _WORD.fullmatch(found.channel) or not _CODE.fullmatch(found.reason) or written(found) != line.strip():
        raise Malformed("line of suppressions")
    return found


_WORD = re.compile(r"[a-z][a-z0-9_]{0,19}")
_CODE = re.compile(r"[A-Z_]{1,40}")


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

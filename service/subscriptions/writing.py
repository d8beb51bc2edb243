"""How a yes or a no gets into the subscription ledger: chained to what was said before of the same, and told in the entry."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import cast

from service.consent.model import Evidence
from service.subscriptions import ledger, store
from service.subscriptions.ledger import Promise
from service.subscriptions.model import Key, Subscription, SubscriptionState, Way
from service.unit import Unit
from service.values import MemberId

MOST_TOLD = 100
"""So many hashes an entry holds one by one."""


async def append(
    unit: Unit,
    member_id: MemberId,
    key: Key,
    state: SubscriptionState,
    kept: Mapping[Key, Subscription],
    *,
    way: Way,
    promise: Promise | None = None,
    evidence: Evidence | None = None,
    confirms: str = "",
    send_id: str = "",
    consents: tuple[str, ...] = (),
) -> Subscription:
    """Write one event and move what it decides. `kept` is what stood before; the caller holds the member's lock."""
    before = kept.get(key)
    happened = ledger.Happening(
        event_id=unit.new_id(),
        member_id=member_id,
        key=key,
        state=state,
        way=way,
        at=_after(unit.now, before),
        call=unit.call,
        previous_hash=before.hash if before else ledger.GENESIS,
        promise=promise,
        evidence=evidence,
        confirms=confirms,
        send_id=send_id,
        consents=consents,
    )
    event = ledger.make_event(unit.catalogue, happened)
    # The log keeps what the ledger says: whoever rewrites an event together with its hash has not rewritten the tree.
    unit.draft.extra["subscriptions"] = told(cast("list[str]", unit.draft.extra.get("subscriptions", [])), event.hash)
    return await store.add(unit.session, member_id, event, first=before is None)


def told(said: Sequence[str], new: bytes) -> list[str]:
    """The hashes that an entry holds, with one more. An entry has no room for hundreds: the last place then stands for all that came
    after it, so that everything off is never too much to be written down.
    """
    if len(said) < MOST_TOLD:
        return [*said, new.hex()]
    return [*said[:-1], sha256(bytes.fromhex(said[-1]) + new).hexdigest()]


def _after(now: datetime, before: Subscription | None) -> datetime:
    """Never before its forerunner, even when another instance's clock was ahead of ours."""
    return now if before is None or now > before.since else before.since + timedelta(microseconds=1)

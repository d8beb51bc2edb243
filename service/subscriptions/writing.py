"""How a yes or a no gets into the subscription ledger: chained to what was said before of the same, and told in the entry."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import cast

from service.consent.model import Evidence
from service.subscriptions import ledger, store
from service.subscriptions.ledger import Promise
from service.subscriptions.model import Key, Subscription, SubscriptionState, Way
from service.unit import Unit
from service.values import MemberId


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
    unit.draft.extra["subscriptions"] = [*cast("list[str]", unit.draft.extra.get("subscriptions", [])), event.hash.hex()]
    return await store.add(unit.session, member_id, event, first=before is None)


def _after(now: datetime, before: Subscription | None) -> datetime:
    """Never before its forerunner, even when another instance's clock was ahead of ours."""
    return now if before is None or now > before.since else before.since + timedelta(microseconds=1)

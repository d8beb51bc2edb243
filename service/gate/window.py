"""A member's window: the messages that count towards a cap, as one small value (docs/formats/send-decision.md, "The window").

Pure. What is kept can be worked out again from the two ledgers of decisions and outcomes (`rebuilt`), and a test holds them equal.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from policies.send import Slot
from service.errors import Malformed
from service.gate.model import SPENT, Became, Kept, Outcome

EMPTY = "[]"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LONGEST_MONTH = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Held:
    """One slot and until when its campaign runs: so long the same campaign must not reach the member again."""

    slot: Slot
    ends: datetime


Window = tuple[Held, ...]


def read(text: str) -> Window:
    """Raises Malformed for what was not written here: then nothing may be decided, because nobody knows what was sent."""
    if text == EMPTY:
        return ()
    try:
        return tuple(
            Held(Slot(send, campaign, channel, topic, _moment(at), None if until is None else _moment(until)), _moment(ends))
            for send, campaign, channel, topic, at, until, ends in orjson.loads(text)
        )
    except (ValueError, TypeError, OverflowError):
        raise Malformed("send window") from None


def written(window: Window) -> str:
    """One spelling of it."""
    if not window:
        return EMPTY
    return orjson.dumps(
        [
            [
                held.slot.send_id,
                held.slot.campaign_id,
                held.slot.channel,
                held.slot.topic,
                _micros(held.slot.at),
                None if held.slot.until is None else _micros(held.slot.until),
                _micros(held.ends),
            ]
            for held in window
        ]
    ).decode()


def kept(window: Iterable[Held], now: datetime, *, longest: timedelta) -> Window:
    """Without what no rule can need any more: reservations that ran out; messages older than a month and the longest cap (`longest`)
    together, whose campaign is over. The oldest first.
    """
    oldest = now - _LONGEST_MONTH - longest
    live = [held for held in window if held.slot.counts(now) and (held.slot.at > oldest or held.ends > now)]
    return tuple(sorted(live, key=_order))


def slots(window: Window, *, without: str = "") -> tuple[Slot, ...]:
    """For `policies.send.judge`; `without` is the send whose own reservation does not stand in its own way."""
    return tuple(held.slot for held in window if held.slot.send_id != without)


def without(window: Window, send_id: str) -> Window:
    """The slot is given back."""
    return tuple(held for held in window if held.slot.send_id != send_id)


def spent(window: Window, held: Held, at: datetime) -> Window:
    """The message went out at that moment. It counts also where its reservation had run out before."""
    return (*without(window, held.slot.send_id), replace(held, slot=replace(held.slot, at=at, until=None)))


def stays(outcome: Outcome, before: Sequence[Outcome]) -> bool:
    """Whether a slot stays reserved although its message failed. An engine that says so without this house having handed anything over
    still holds the token and may send with it: until that ends nobody else gets the slot.
    """
    return outcome is Outcome.FAILED and not before


def held_of(decision: Kept, evidence: Mapping[str, Any]) -> Held | None:
    """The slot that a decision reserves: none where it counts towards nothing."""
    if evidence["class"] != "COMMERCIAL":
        return None
    until = decision.expires_at if decision.allowed else decision.decided_at
    slot = Slot(decision.send_id, decision.campaign_id, decision.channel, evidence["topic"], decision.decided_at, until)
    return Held(slot, datetime.fromisoformat(evidence["ends"]))


def rebuilt(decisions: Sequence[Kept], outcomes: Mapping[str, Sequence[Became]], now: datetime, *, longest: timedelta) -> Window:
    """What the ledgers say that the window must be. `outcomes` are in the order in which they happened, by send."""
    window: Window = ()
    for decision in decisions:
        held = held_of(decision, orjson.loads(decision.evidence))
        if held is not None:
            window += _after(held, outcomes.get(decision.send_id, ()))
    return kept(window, now, longest=longest)


def _after(held: Held, outcomes: Sequence[Became]) -> Window:
    window: Window = (held,)
    for place, became in enumerate(outcomes):
        if stays(became.outcome, [one.outcome for one in outcomes[:place]]):
            continue
        if became.outcome in {Outcome.FAILED, Outcome.CANCELLED}:
            window = ()
        elif became.outcome in SPENT and not (window and window[0].slot.until is None):
            window = spent((), held, became.recorded_at)
    return window


def _order(held: Held) -> tuple[datetime, str]:
    return held.slot.at, held.slot.send_id


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _moment(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)

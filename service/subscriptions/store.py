"""The subscriptions' SQL: the ledgers know INSERT and SELECT, the rows beside them are moved in the same transaction."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, bindparam, delete, func, insert, select, update

from service.db.engine import Session
from service.db.statement import Prepared, Row
from service.db.tables import letter, quota, quota_event, subscription, subscription_event
from service.subscriptions.ledger import canonical, read_record, standing_of
from service.subscriptions.model import Key, Letter, Subscription, SubscriptionEvent, SubscriptionState
from service.values import MemberId

_KEYS = ("member_id", "channel", "topic", "brand")
_ROW = tuple(column.name for column in subscription.columns)
_EVENT = tuple(column for column in subscription_event.columns if column.name != "member_id")
_LETTER_ROW = tuple(column.name for column in letter.columns)
_STANDINGS = Prepared(
    select(*(column for column in subscription.columns if column.name != "member_id"))
    .where(subscription.c.member_id == bindparam("member_id"))
    .order_by(subscription.c.channel, subscription.c.topic, subscription.c.brand)
)
_EVENTS = Prepared(
    select(*_EVENT)
    .where(subscription_event.c.member_id == bindparam("member_id"))
    .order_by(subscription_event.c.recorded_at, subscription_event.c.event_id)
)
_ONE_EVENT = Prepared(
    select(*_EVENT).where(
        subscription_event.c.member_id == bindparam("member_id"), subscription_event.c.event_id == bindparam("event_id")
    )
)
_ADD_EVENT = Prepared(
    insert(subscription_event).values({column.name: bindparam(column.name) for column in subscription_event.columns})
)
_ADD = Prepared(insert(subscription).values({name: bindparam(name) for name in _ROW}))
_MOVE = Prepared(
    update(subscription)
    .where(and_(*(subscription.c[name] == bindparam("of_" + name) for name in _KEYS)))
    .values({name: bindparam(name) for name in _ROW if name not in _KEYS})
)
_BALANCE = Prepared(
    select(quota.c.balance)
    .where(quota.c.member_id == bindparam("member_id"), quota.c.template == bindparam("template"))
    .with_for_update()
)
_QUOTAS = Prepared(
    select(quota.c.template, quota.c.balance).where(quota.c.member_id == bindparam("member_id")).order_by(quota.c.template)
)
_COUNTED = Prepared(
    select(quota_event.c.balance).where(
        quota_event.c.member_id == bindparam("member_id"),
        quota_event.c.template == bindparam("template"),
        quota_event.c.reason == bindparam("reason"),
        quota_event.c.reference == bindparam("reference"),
    )
)
_ADD_QUOTA_EVENT = Prepared(insert(quota_event).values({column.name: bindparam(column.name) for column in quota_event.columns}))
_ADD_QUOTA = Prepared(insert(quota).values({column.name: bindparam(column.name) for column in quota.columns}))
_MOVE_QUOTA = Prepared(
    update(quota)
    .where(quota.c.member_id == bindparam("of_member"), quota.c.template == bindparam("of_template"))
    .values(balance=bindparam("balance"), updated_at=bindparam("updated_at"))
)
_ADD_LETTER = Prepared(insert(letter).values({column.name: bindparam(column.name) for column in letter.columns}))
_LETTERS = Prepared(select(func.count()).where(letter.c.mark == bindparam("mark"), letter.c.day == bindparam("day")))
_LETTER = Prepared(select(*letter.columns).where(letter.c.letter_id == bindparam("letter_id")).with_for_update())
_HAND = Prepared(update(letter).where(letter.c.letter_id == bindparam("of_letter")).values(handed_at=bindparam("handed_at")))
_EMPTY = Prepared(update(letter).where(letter.c.letter_id == bindparam("of_letter")).values(sealed=None))
_OLD_LETTERS = Prepared(delete(letter).where(letter.c.mark == bindparam("mark"), letter.c.asked_at < bindparam("before")))


@dataclass(frozen=True, slots=True)
class QuotaEvent:
    """One change of what WeChat allows to be sent. `balance` is what is left after it."""

    event_id: str
    template: str
    change: int
    balance: int
    reason: str
    reference: str
    recorded_at: datetime


async def standings(session: Session, member_id: MemberId) -> dict[Key, Subscription]:
    """Every subscription that the member has or had."""
    found = (_standing(row) for row in await session.rows(_STANDINGS, {"member_id": member_id}))
    return {each.key: each for each in found}


async def events(session: Session, member_id: MemberId) -> list[SubscriptionEvent]:
    """The member's ledger, oldest first. Raises Malformed for a row that does not hash to what it says."""
    return [_event(row) for row in await session.rows(_EVENTS, {"member_id": member_id})]


async def event(session: Session, member_id: MemberId, event_id: str) -> SubscriptionEvent | None:
    """One row of the ledger. Raises Malformed for one that does not hash to what it says."""
    rows = await session.rows(_ONE_EVENT, {"member_id": member_id, "event_id": event_id})
    return _event(rows[0]) if rows else None


async def add(session: Session, member_id: MemberId, event: SubscriptionEvent, *, first: bool) -> Subscription:
    """Append one event and move what it decides; `first`: nothing was said about this subscription before."""
    said = {"channel": event.channel, "topic": event.topic, "brand": event.brand, "state": event.state.value}
    written = {"event_id": event.event_id, "hash": event.hash, "member_id": member_id}
    kept = {"way": event.way, "recorded_at": event.recorded_at, "record": canonical(event.record)}
    await session.run(_ADD_EVENT, {**said, **written, **kept, "previous_hash": event.previous_hash})
    standing = standing_of(event)
    values = {
        "state": standing.state.value,
        "since": standing.since,
        "event_id": standing.event_id,
        "expires_at": standing.expires_at,
        "monthly": standing.monthly,
        "hash": standing.hash,
    }
    keys = dict(zip(_KEYS, (member_id, *standing.key), strict=True))
    if first:
        await session.run(_ADD, {**keys, **values})
    else:
        await session.run(_MOVE, {**{"of_" + name: value for name, value in keys.items()}, **values})
    return standing


async def balance(session: Session, member_id: MemberId, template: str) -> int | None:
    """How many messages of this template are left, locked; None where nothing was ever said of it."""
    rows = await session.rows(_BALANCE, {"member_id": member_id, "template": template})
    return rows[0][0] if rows else None


async def balances(session: Session, member_id: MemberId) -> dict[str, int]:
    """How many messages are left of each template."""
    return {row[0]: row[1] for row in await session.rows(_QUOTAS, {"member_id": member_id})}


async def counted(session: Session, member_id: MemberId, template: str, *, reason: str, reference: str) -> bool:
    """Whether this very happening is in the quota ledger."""
    given = {"member_id": member_id, "template": template, "reason": reason, "reference": reference}
    return bool(await session.rows(_COUNTED, given))


async def add_quota(session: Session, member_id: MemberId, event: QuotaEvent, *, first: bool) -> None:
    """Append one change and put the balance right; `first`: there is none yet. Raises Duplicate when a twin was faster."""
    said = {"event_id": event.event_id, "change": event.change, "reason": event.reason, "reference": event.reference}
    kept = {"member_id": member_id, "template": event.template, "balance": event.balance}
    await session.run(_ADD_QUOTA_EVENT, {**said, **kept, "recorded_at": event.recorded_at})
    if first:
        await session.run(_ADD_QUOTA, {**kept, "updated_at": event.recorded_at})
        return
    moved = {"of_member": member_id, "of_template": event.template, "balance": event.balance, "updated_at": event.recorded_at}
    await session.run(_MOVE_QUOTA, moved)


async def add_letter(session: Session, said: Letter) -> None:
    """Put a letter down. Raises Duplicate when a twin took its place of the day."""
    await session.run(_ADD_LETTER, {name: getattr(said, name) for name in _LETTER_ROW})


async def letters_of(session: Session, mark: bytes, day: str) -> int:
    """How many letters this address got on one day."""
    rows = await session.rows(_LETTERS, {"mark": mark, "day": day})
    return int(rows[0][0])


async def letter_of(session: Session, letter_id: str) -> Letter | None:
    """One letter, locked until the transaction ends."""
    rows = await session.rows(_LETTER, {"letter_id": letter_id})
    return Letter(**dict(zip(_LETTER_ROW, rows[0], strict=True))) if rows else None


async def hand_letter(session: Session, letter_id: str, *, at: datetime | None) -> None:
    """It is being handed over since `at`; None: it surely has not left."""
    await session.run(_HAND, {"of_letter": letter_id, "handed_at": at})


async def empty_letter(session: Session, letter_id: str) -> None:
    """Forget the address that was typed: nothing more goes there for this letter."""
    await session.run(_EMPTY, {"of_letter": letter_id})


async def forget_letters(session: Session, mark: bytes, *, before: datetime) -> None:
    """Take away what is over, so that of an address no more is kept than a day needs."""
    await session.run(_OLD_LETTERS, {"mark": mark, "before": before})


_STATES = {state.value: state for state in SubscriptionState}


def state_of(text: str) -> SubscriptionState:
    """A stored state; whatever is not one of ours counts as UNSUBSCRIBED, which allows nothing."""
    return _STATES.get(text, SubscriptionState.UNSUBSCRIBED)


def _standing(row: Row) -> Subscription:
    channel, topic, brand, state, since, event_id, expires_at, monthly, hashed = row
    return Subscription(channel, topic, brand, state_of(state), since, event_id, expires_at, monthly, hashed)


def _event(row: Row) -> SubscriptionEvent:
    event_id, channel, topic, brand, state, way, recorded_at, record, previous_hash, hashed = row
    return SubscriptionEvent(
        event_id, channel, topic, brand, state_of(state), way, recorded_at, read_record(record, hashed), previous_hash, hashed
    )

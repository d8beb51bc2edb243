"""The SQL of oversight: its own tables, and the few counts that it asks of others."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Table as SqlTable
from sqlalchemy import bindparam, func, insert, or_, select, update

from policies.duties import DutyKind
from policies.terms import MemberStatus
from service.db.engine import Session
from service.db.statement import Prepared, Row
from service.db.tables import (
    access_review,
    account,
    account_event,
    audit_head,
    control_record,
    duty,
    keyring,
    member,
    person_count,
    register_served,
    register_version,
)
from service.oversight.model import Account, Control, ControlKind, Duty, KeyFact, Persons, SignedReview
from service.vault.keys import Suite

OPEN, DONE = "OPEN", "DONE"
DISABLED, ENABLED = "DISABLED", "ENABLED"
_SUITES = {suite.header: suite.name for suite in Suite}


def _adding(table: SqlTable) -> Prepared:
    return Prepared(insert(table).values({column.name: bindparam(column.name) for column in table.columns}))


_ADD_VERSION, _ADD_SERVED = _adding(register_version), _adding(register_served)
_VERSION = Prepared(select(register_version.c.digest).where(register_version.c.digest == bindparam("of_digest")))
_SERVED = (
    select(register_served.c.at, register_served.c.digest, register_version.c.body)
    .select_from(register_served.join(register_version, register_version.c.digest == register_served.c.digest))
    .order_by(register_served.c.at.desc(), register_served.c.digest.desc())
)
_SERVED_AT = Prepared(_SERVED.where(register_served.c.at <= bindparam("moment")).limit(1))
_SERVED_ALL = Prepared(_SERVED)
_ADD_CONTROL = _adding(control_record)
_CONTROLS = Prepared(select(*control_record.columns).order_by(control_record.c.recorded_at.desc(), control_record.c.control_id))
_ADD_REVIEW = _adding(access_review)
_REVIEW = [access_review.c[name] for name in ("review_id", "quarter", "digest", "lines", "comment", "reviewed_by", "reviewed_at")]
_LAST_REVIEW = Prepared(select(*_REVIEW).order_by(access_review.c.reviewed_at.desc()).limit(1))
_ACCOUNTS = Prepared(select(*account.columns).order_by(account.c.account))
_CLOSED = Prepared(select(account.c.account).where(account.c.disabled_at.is_not(None)))
_UNUSED = Prepared(
    select(account.c.account)
    .where(
        account.c.disabled_at.is_(None),
        account.c.last_seen < bindparam("before"),
        or_(account.c.enabled_at.is_(None), account.c.enabled_at < bindparam("before_too")),
    )
    .order_by(account.c.account)
)
_DISABLE = Prepared(
    update(account)
    .where(
        account.c.account == bindparam("of_account"),
        account.c.disabled_at.is_(None),
        account.c.last_seen < bindparam("before"),
    )
    .values(disabled_at=bindparam("now"))
)
_ENABLE = Prepared(
    update(account)
    .where(account.c.account == bindparam("of_account"), account.c.disabled_at.is_not(None))
    .values(disabled_at=None, enabled_at=bindparam("now"))
)
_ADD_ACCOUNT_EVENT = _adding(account_event)
_PERSONS = Prepared(select(func.count()).select_from(member).where(member.c.status != MemberStatus.ERASED.value))
_ADD_COUNT = _adding(person_count)
_NEWEST_COUNT = Prepared(select(person_count.c.day, person_count.c.persons).order_by(person_count.c.day.desc()).limit(1))
_FIRST_REACHED = Prepared(
    select(person_count.c.day, person_count.c.persons)
    .where(person_count.c.persons >= bindparam("least"))
    .order_by(person_count.c.day)
    .limit(1)
)
_ADD_DUTY = _adding(duty)
_DUTY = [duty.c[name] for name in ("duty_id", "kind", "occasion", "opened_at", "due_on", "done_at", "done_by", "reference")]
_DUTIES = Prepared(select(*_DUTY).order_by(duty.c.state.desc(), duty.c.due_on, duty.c.opened_at, duty.c.kind))
_DUTY_KEYS = Prepared(select(duty.c.kind, duty.c.occasion))
_DUTY_OF = Prepared(select(*_DUTY).where(duty.c.duty_id == bindparam("of_id")))
_COMPLETE = Prepared(
    update(duty)
    .where(duty.c.duty_id == bindparam("of_id"), duty.c.state == OPEN)
    .values(state=DONE, done_at=bindparam("now"), done_by=bindparam("by"), reference=bindparam("told"))
)
_OVERDUE = Prepared(select(func.count()).where(duty.c.state == OPEN, duty.c.due_on < bindparam("today")))
_KEYS = Prepared(
    select(keyring.c.use, keyring.c.generation, keyring.c.wrapped, keyring.c.kms_uri, keyring.c.created_at).order_by(
        keyring.c.use, keyring.c.generation
    )
)
_LOG_SIZE = Prepared(select(func.max(audit_head.c.size)))


# --- the register --------------------------------------------------------------------------------------------------------------------


async def has_version(session: Session, digest: str) -> bool:
    """Whether the register of this policy is kept already."""
    return bool(await session.rows(_VERSION, {"of_digest": digest}))


async def add_version(session: Session, digest: str, body: str, *, now: datetime) -> None:
    """Keep it. Raises Duplicate when another instance was faster."""
    await session.run(_ADD_VERSION, {"digest": digest, "body": body, "made_at": now})


async def add_served(session: Session, digest: str, *, at: datetime) -> None:
    """From this moment on it is served under. Raises Duplicate."""
    await session.run(_ADD_SERVED, {"at": at, "digest": digest})


async def served_at(session: Session, moment: datetime) -> tuple[datetime, str, str] | None:
    """Since when, under which policy, with which register it was served at a moment."""
    rows = await session.rows(_SERVED_AT, {"moment": moment})
    return (rows[0][0], rows[0][1], rows[0][2]) if rows else None


async def served(session: Session) -> list[tuple[datetime, str, str]]:
    """Every time that it changed, the oldest first."""
    return [(at, digest, body) for at, digest, body in reversed(await session.rows(_SERVED_ALL))]


# --- measures and reviews ------------------------------------------------------------------------------------------------------------


async def add_control(session: Session, control: Control) -> None:
    """A measure that was taken."""
    told = {name: getattr(control, name) for name in ("control_id", "title", "reference", "digest", "recorded_by", "recorded_at")}
    await session.run(_ADD_CONTROL, {**told, "kind": control.kind.value, "held_on": control.held_on.isoformat()})


async def controls(session: Session) -> list[Control]:
    """All of them, the newest first."""
    return [_control(row) for row in await session.rows(_CONTROLS)]


async def add_review(session: Session, review: SignedReview, body: str) -> None:
    """A review that somebody signed off, with what they saw."""
    told = {column.name: getattr(review, column.name) for column in _REVIEW}
    await session.run(_ADD_REVIEW, {**told, "body": body})


async def last_review(session: Session) -> SignedReview | None:
    """The newest."""
    rows = await session.rows(_LAST_REVIEW)
    return SignedReview(*rows[0]) if rows else None


# --- accounts ------------------------------------------------------------------------------------------------------------------------


async def accounts(session: Session) -> list[Account]:
    """Every account that the log has named."""
    return [Account(*row) for row in await session.rows(_ACCOUNTS)]


async def closed(session: Session) -> frozenset[str]:
    """The accounts whose tokens are refused."""
    return frozenset(row[0] for row in await session.rows(_CLOSED))


async def unused(session: Session, *, before: datetime) -> list[str]:
    """The accounts that nobody has used since, nor opened again."""
    return [row[0] for row in await session.rows(_UNUSED, {"before": before, "before_too": before})]


async def disable(session: Session, name: str, *, before: datetime, now: datetime) -> bool:
    """Close one; False when it was closed or used meanwhile."""
    return await session.run(_DISABLE, {"of_account": name, "before": before, "now": now}) == 1


async def enable(session: Session, name: str, *, now: datetime) -> bool:
    """Open one again; False when it is not closed."""
    return await session.run(_ENABLE, {"of_account": name, "now": now}) == 1


async def add_account_event(
    session: Session, *, event_id: str, name: str, step: str, reason: str, actor: str, now: datetime
) -> None:
    """Write down that an account was closed or opened."""
    told = {"account": name, "event_id": event_id, "step": step, "reason": reason, "actor": actor, "recorded_at": now}
    await session.run(_ADD_ACCOUNT_EVENT, told)


# --- persons and tasks ---------------------------------------------------------------------------------------------------------------


async def count_persons(session: Session) -> int:
    """How many distinct persons there are data of: every member who was not erased. Two accounts with one identity (phone, openid) cannot
    be, so nobody is counted twice who is known to be one.
    """
    return int((await session.rows(_PERSONS))[0][0])


async def add_count(session: Session, counted: Persons, *, now: datetime) -> None:
    """A day's number. Raises Duplicate where the day has one."""
    await session.run(_ADD_COUNT, {"day": counted.day.isoformat(), "persons": counted.persons, "counted_at": now})


async def newest_count(session: Session) -> Persons | None:
    """The last day's number."""
    return _persons(await session.rows(_NEWEST_COUNT))


async def first_reached(session: Session, least: int) -> Persons | None:
    """The first day with so many."""
    return _persons(await session.rows(_FIRST_REACHED, {"least": least}))


async def add_duty(session: Session, found: Duty) -> None:
    """Open a task. Raises Duplicate where its occasion has one."""
    told = {name: getattr(found, name) for name in ("duty_id", "occasion", "opened_at", "done_at", "done_by", "reference")}
    due = found.due_on.isoformat() if found.due_on else None
    await session.run(_ADD_DUTY, {**told, "kind": found.kind.value, "state": OPEN, "due_on": due})


async def duty_keys(session: Session) -> set[tuple[str, str]]:
    """Kind and occasion of every task there ever was."""
    return {(kind, occasion) for kind, occasion in await session.rows(_DUTY_KEYS)}


async def duties(session: Session, *, today: date) -> list[Duty]:
    """Every task, the open ones first, the most urgent before the others."""
    found = [_duty(row, today) for row in await session.rows(_DUTIES)]
    return sorted(found, key=lambda one: (one.done_at is not None, one.due_on or date.max, one.opened_at, one.kind))


async def duty_of(session: Session, duty_id: str, *, today: date) -> Duty | None:
    """One task."""
    rows = await session.rows(_DUTY_OF, {"of_id": duty_id})
    return _duty(rows[0], today) if rows else None


async def complete(session: Session, duty_id: str, *, by: str, reference: str, now: datetime) -> bool:
    """Close a task; False when there is no open one."""
    return await session.run(_COMPLETE, {"of_id": duty_id, "by": by, "told": reference, "now": now}) == 1


async def overdue(session: Session, *, today: date) -> int:
    """How many open tasks are past their day."""
    return int((await session.rows(_OVERDUE, {"today": today.isoformat()}))[0][0])


# --- what others keep ----------------------------------------------------------------------------------------------------------------


async def keys(session: Session) -> list[KeyFact]:
    """The newest key of every use. Of the wrapped key only its header is looked at."""
    found = {}
    for use, generation, wrapped, uri, made in await session.rows(_KEYS):
        found[use] = KeyFact(use, generation, _SUITES.get(bytes(wrapped[:2]), "unknown"), uri.partition(":")[0], made)
    return list(found.values())


async def log_size(session: Session) -> int:
    """How many entries the log has, as its head says."""
    return int((await session.rows(_LOG_SIZE))[0][0] or 0)


def _control(row: Row) -> Control:
    return Control(row[0], ControlKind(row[1]), row[2], row[3], row[4], date.fromisoformat(row[5]), row[6], row[7])


def _persons(rows: Sequence[Row]) -> Persons | None:
    return Persons(date.fromisoformat(rows[0][0]), int(rows[0][1])) if rows else None


def _duty(row: Row, today: date) -> Duty:
    given: list[Any] = list(row)
    due = date.fromisoformat(given[4]) if given[4] else None
    late = due is not None and given[5] is None and due < today
    return Duty(given[0], DutyKind(given[1]), given[2], given[3], due, given[5], given[6], given[7], late)

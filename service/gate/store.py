"""The gate's SQL. A page of a thousand members is read, locked and written in as many statements as one of ten.

First the windows are locked, in the order of their ids, then everything else is read: under READ COMMITTED a statement that began before a
lock was granted may show what was before it, and a no that came meanwhile would go unseen.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from sqlalchemy import ColumnElement, String, and_, bindparam, case, exists, func, null, or_, select, text
from sqlalchemy.dialects import postgresql, sqlite

from policies.decide import Standing
from policies.terms import ConsentState, MemberStatus
from service.audit.store import among, listed
from service.campaigns.model import Audience
from service.campaigns.store import audience_clause
from service.consent.store import FIRST_SCOPE, state_of
from service.db.engine import Session
from service.db.statement import Bulk, Prepared, Row
from service.db.tables import (
    consent_standing,
    member,
    member_lookup,
    member_secret,
    quota,
    send_decision,
    send_outcome,
    send_window,
    subscription,
    suppression,
)
from service.gate.model import Became, Facts, Kept, Outcome
from service.members.store import ROW_COLUMNS, shaped
from service.values import MemberId

Dialects = dict[str, Prepared]

_SUBSCRIBED = "SUBSCRIBED"
_LIFTED, _BOUNCED = "LIFTED", "BOUNCED"
_DECISION_COLUMNS = tuple(column.name for column in send_decision.columns)
_ADD_DECISIONS = Bulk(send_decision, *_DECISION_COLUMNS)
_ADD_OUTCOMES = Bulk(send_outcome, *(column.name for column in send_outcome.columns))

# --- the lock -------------------------------------------------------------------------------------------------------------------


def _opening(dialect: str, of_some: ColumnElement[bool]) -> Prepared:
    """A window for everybody who has none yet. Nobody gets one who is not there, or is erased."""
    added = postgresql.insert(send_window) if dialect == "postgresql" else sqlite.insert(send_window)
    missing = ~exists().where(send_window.c.member_id == member.c.member_id)
    of_members = select(
        member.c.member_id, bindparam("empty", type_=String), bindparam("now", type_=send_window.c.updated_at.type)
    )
    wanted = of_members.where(of_some, member.c.status != MemberStatus.ERASED.value, missing).order_by(member.c.member_id)
    return Prepared(added.from_select(["member_id", "slots", "updated_at"], wanted).on_conflict_do_nothing())


_OPEN: Dialects = {name: _opening(name, of_some) for name, of_some in among(member.c.member_id, "ids").items()}
_LOCK: Dialects = {
    name: Prepared(
        select(send_window.c.member_id, send_window.c.slots).where(of_some).order_by(send_window.c.member_id).with_for_update()
    )
    for name, of_some in among(send_window.c.member_id, "ids").items()
}
_WRITE: Dialects = {
    "postgresql": Prepared(
        text(
            "UPDATE send_window SET slots = given.slots, updated_at = :now FROM"
            " unnest(CAST(:ids AS varchar[]), CAST(:slots AS text[])) AS given (member_id, slots)"
            " WHERE send_window.member_id = given.member_id"
        ).bindparams(bindparam("now", type_=send_window.c.updated_at.type))
    ),
    "sqlite": Prepared(
        text(
            "UPDATE send_window SET slots = given.slots, updated_at = :now FROM"
            " (SELECT json_extract(value, '$[0]') AS member_id, json_extract(value, '$[1]') AS slots FROM json_each(:rows)) AS given"
            " WHERE send_window.member_id = given.member_id"
        ).bindparams(bindparam("now", type_=send_window.c.updated_at.type))
    ),
}


async def lock(session: Session, ids: Sequence[MemberId], *, now: datetime) -> dict[MemberId, str]:
    """Each member's window, held until the transaction ends; nobody who is not there has one."""
    given = {"ids": listed(session.dialect, sorted(ids))}
    held = await session.rows(_LOCK[session.dialect], given)
    if len(held) < len(ids):
        # The first message ever to some of them. Two that meet here wait for each other's rows, or one is run again.
        await session.run(_OPEN[session.dialect], {**given, "empty": "[]", "now": now})
        held = await session.rows(_LOCK[session.dialect], given)
    return {row[0]: row[1] for row in held}


async def write(session: Session, windows: Mapping[MemberId, str], *, now: datetime) -> None:
    """Write windows anew; whoever calls holds their locks."""
    if not windows:
        return
    if session.dialect == "postgresql":
        await session.run(_WRITE["postgresql"], {"ids": list(windows), "slots": list(windows.values()), "now": now})
    else:
        await session.run(_WRITE["sqlite"], {"rows": json.dumps(list(windows.items())), "now": now})


# --- the facts ------------------------------------------------------------------------------------------------------------------

_SEALED = ROW_COLUMNS.index(member.c.sealed)
_WRAPPED = ROW_COLUMNS.index(member_secret.c.wrapped)


def _columns(*, whole: bool) -> list[ColumnElement[object]]:
    """The member's own. What is sealed comes along only where it may have to be opened: for one alone, or for who may be a minor."""
    columns: list[ColumnElement[object]] = list(ROW_COLUMNS)
    if not whole:
        grown = member.c.minor == 0
        columns[_SEALED] = case((grown, null()), else_=member.c.sealed)
        columns[_WRAPPED] = case((grown, null()), else_=member_secret.c.wrapped)
    return columns


def _of_address() -> list[ColumnElement[object]]:
    """Whether there is an address, whether somebody said no to it, whether a message bounced off it for good. What is in a state that
    nobody knows is not lifted; of an address without a mark nobody can tell whether it was refused.
    """
    barred = suppression.c.state != _LIFTED
    unmarked = and_(member_lookup.c.member_id.is_not(None), member_lookup.c.mark.is_(None))
    return [
        case((member_lookup.c.member_id.is_not(None), 1), else_=0),
        case((or_(unmarked, and_(barred, suppression.c.reason != _BOUNCED)), 1), else_=0),
        case((and_(barred, suppression.c.reason == _BOUNCED), 1), else_=0),
    ]


@lru_cache(maxsize=256)
def _facts(audience: Audience, *, whole: bool) -> Dialects:
    """A row for each address that a member has on the channel. Compiled once for each audience rule."""
    given = [
        *_columns(whole=whole),
        case((audience_clause(audience), 1), else_=0),
        *(consent_standing.c[name] for name in ("state", "expires_at", "event_id", "scope", "by_guardian", "notice_version")),
        subscription.c.state,
        subscription.c.expires_at,
        subscription.c.event_id,
        subscription.c.monthly,
        quota.c.balance,
        *_of_address(),
    ]
    joined = (
        member.outerjoin(
            member_secret,
            and_(member_secret.c.member_id == member.c.member_id, member_secret.c.generation == member.c.generation),
        )
        .outerjoin(
            consent_standing,
            and_(consent_standing.c.member_id == member.c.member_id, consent_standing.c.purpose == bindparam("purpose")),
        )
        .outerjoin(
            subscription,
            and_(
                subscription.c.member_id == member.c.member_id,
                subscription.c.channel == bindparam("channel"),
                subscription.c.topic == bindparam("topic"),
                subscription.c.brand == bindparam("brand"),
            ),
        )
        .outerjoin(
            member_lookup,
            and_(member_lookup.c.member_id == member.c.member_id, member_lookup.c.field == bindparam("field")),
        )
        .outerjoin(suppression, and_(suppression.c.channel == bindparam("channel"), suppression.c.mark == member_lookup.c.mark))
        .outerjoin(quota, and_(quota.c.member_id == member.c.member_id, quota.c.template == bindparam("vendor_template")))
    )
    wanted = select(*given).select_from(joined)
    return {name: Prepared(wanted.where(of_some)) for name, of_some in among(member.c.member_id, "ids").items()}


async def facts(
    session: Session, ids: Sequence[MemberId], audience: Audience, given: Mapping[str, str], *, now: datetime, whole: bool = False
) -> dict[MemberId, Facts]:
    """What is known of each of these members. `given` names purpose, channel, field, topic, brand and vendor_template; `whole` brings the
    sealed map of everybody along.
    """
    statement = _facts(audience, whole=whole)[session.dialect]
    rows = await session.rows(statement, {**given, "ids": listed(session.dialect, ids)})
    found: dict[MemberId, Row] = {}
    for row in rows:
        twin = found.get(row[0])
        # Of several addresses each can bar: nobody can say to which of them the message would go.
        found[row[0]] = row if twin is None else (*row[:-3], *map(max, row[-3:], twin[-3:]))
    return {member_id: _fact(row, now, whole=whole) for member_id, row in found.items()}


_WIDTH = len(ROW_COLUMNS)
_MINOR = ROW_COLUMNS.index(member.c.minor)
_PERSONALISATION = ROW_COLUMNS.index(member.c.personalisation)
_STATUSES = {status.value: status for status in MemberStatus}


def _fact(found: Row, now: datetime, *, whole: bool) -> Facts:
    state, expires_at, event_id, scope, by_guardian, notice = found[_WIDTH + 1 : _WIDTH + 7]
    subscribed, ends, subscription_id, promised, balance, addressed, stopped, bounced = found[_WIDTH + 7 :]
    switch, minor = found[_PERSONALISATION], found[_MINOR]
    standing = Standing(
        found[0],
        _STATUSES.get(found[1], MemberStatus.RESTRICTED),
        ConsentState.NEVER_ASKED if state is None else state_of(state),
        expires_at,
        event_id,
        scope or FIRST_SCOPE,
        bool(by_guardian),
        personalisation=None if switch is None else bool(switch),
    )
    return Facts(
        standing=standing,
        minor=None if minor is None else minor != 0,
        in_audience=bool(found[_WIDTH]),
        subscribed=subscribed == _SUBSCRIBED and (ends is None or ends > now),
        suppressed=bool(stopped),
        addressed=bool(addressed),
        reachable=not bounced,
        subscription_event=subscription_id,
        notice_version=notice,
        promised=promised,
        quota=balance,
        row=shaped(found[:_WIDTH]) if whole or minor != 0 else None,
    )


# --- who is next ----------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def _next(audience: Audience, *, consenting: bool, subscribers: bool) -> Prepared:
    """The members that a campaign is for, by id: whoever said yes walks one index, however many never did."""
    first = consent_standing.c.member_id if consenting else member.c.member_id
    wanted = select(member.c.member_id).where(
        audience_clause(audience),
        or_(
            member.c.status == MemberStatus.ACTIVE.value,
            and_(member.c.status == MemberStatus.GUARDIAN_PENDING.value, member.c.minor == 1),
        ),
        first > bindparam("after"),
        member.c.member_id > bindparam("after"),
    )
    if consenting:
        wanted = wanted.where(
            consent_standing.c.member_id == member.c.member_id,
            consent_standing.c.purpose == bindparam("purpose"),
            consent_standing.c.permits == 1,
            or_(consent_standing.c.expires_at.is_(None), consent_standing.c.expires_at > bindparam("now")),
            func.coalesce(consent_standing.c.scope, FIRST_SCOPE) >= bindparam("least_scope"),
        )
    if subscribers:
        wanted = wanted.where(
            subscription.c.member_id == member.c.member_id,
            subscription.c.member_id > bindparam("after"),
            subscription.c.channel == bindparam("channel"),
            subscription.c.topic == bindparam("topic"),
            subscription.c.brand == bindparam("brand"),
            subscription.c.state == _SUBSCRIBED,
        )
    if audience.automated:
        # Who did not switch it on is in no list that a machine decides by (PIPL 24).
        wanted = wanted.where(member.c.personalisation == 1)
    return Prepared(wanted.order_by(first).limit(bindparam("size")))


async def audience_page(
    session: Session,
    audience: Audience,
    given: Mapping[str, str],
    *,
    least_scope: int | None,
    subscribers: bool,
    after: MemberId,
    size: int,
    now: datetime,
) -> list[MemberId]:
    """The next members whom the rule covers and whose consent and subscription stand, by id. `least_scope` is None for a purpose that
    needs no consent.
    """
    params: dict[str, object] = {"after": after, "size": size}
    if least_scope is not None:
        params |= {"purpose": given["purpose"], "now": now, "least_scope": least_scope}
    if subscribers:
        params |= {name: given[name] for name in ("channel", "topic", "brand")}
    statement = _next(audience, consenting=least_scope is not None, subscribers=subscribers)
    return [row[0] for row in await session.rows(statement, params)]


# --- the ledgers ----------------------------------------------------------------------------------------------------------------

_LEDGER = select(*send_decision.columns)
_ONE = Prepared(
    _LEDGER.where(send_decision.c.member_id == bindparam("member_id"), send_decision.c.send_id == bindparam("send_id"))
)
_OF_MEMBER = Prepared(_LEDGER.where(send_decision.c.member_id == bindparam("member_id")).order_by(send_decision.c.send_id))
_BY_SEND = Prepared(_LEDGER.where(send_decision.c.send_id == bindparam("send_id")).limit(2))
_OF_BATCH = Prepared(_LEDGER.where(send_decision.c.batch == bindparam("batch")).order_by(send_decision.c.member_id))
_BECAME = (
    send_outcome.c.send_id,
    send_outcome.c.outcome,
    send_outcome.c.code,
    send_outcome.c.reference,
    send_outcome.c.recorded_at,
)
_OUTCOMES = select(*_BECAME).where(send_outcome.c.member_id == bindparam("member_id"))
_IN_ORDER = (send_outcome.c.recorded_at, send_outcome.c.outcome_id)
_OUTCOMES_OF_MEMBER = Prepared(_OUTCOMES.order_by(*_IN_ORDER))
_OUTCOMES_OF_SEND = Prepared(_OUTCOMES.where(send_outcome.c.send_id == bindparam("send_id")).order_by(*_IN_ORDER))


async def add(session: Session, decisions: Sequence[Kept]) -> None:
    """Append to the ledger of decisions."""
    await session.bulk(
        _ADD_DECISIONS,
        [
            (
                found.member_id,
                found.send_id,
                found.batch,
                found.campaign_id,
                found.channel,
                int(found.allowed),
                ",".join(found.reasons),
                found.evidence,
                found.decided_at,
                found.expires_at,
            )
            for found in decisions
        ],
    )


async def add_outcome(session: Session, member_id: MemberId, outcome_id: str, send_id: str, became: Became) -> None:
    """Append to the ledger of what became of them."""
    row = (member_id, outcome_id, send_id, became.outcome.value, became.code, became.reference, became.recorded_at)
    await session.bulk(_ADD_OUTCOMES, [row])


async def decision(session: Session, member_id: MemberId, send_id: str) -> Kept | None:
    """One decision."""
    rows = await session.rows(_ONE, {"member_id": member_id, "send_id": send_id})
    return _kept(rows[0]) if rows else None


async def by_send(session: Session, send_id: str) -> Kept | None:
    """The same by its own id; None also where two members claim it."""
    rows = await session.rows(_BY_SEND, {"send_id": send_id})
    return _kept(rows[0]) if len(rows) == 1 else None


async def batch(session: Session, batch_id: str) -> list[Kept]:
    """Every decision of one call, by member."""
    return [_kept(row) for row in await session.rows(_OF_BATCH, {"batch": batch_id})]


async def decisions(session: Session, member_id: MemberId) -> list[Kept]:
    """A member's whole ledger of decisions, oldest first."""
    return [_kept(row) for row in await session.rows(_OF_MEMBER, {"member_id": member_id})]


async def outcomes(session: Session, member_id: MemberId) -> dict[str, list[Became]]:
    """What became of each of a member's sends, in order."""
    found: dict[str, list[Became]] = {}
    for row in await session.rows(_OUTCOMES_OF_MEMBER, {"member_id": member_id}):
        found.setdefault(row[0], []).append(_became(row))
    return found


async def outcomes_of(session: Session, member_id: MemberId, send_id: str) -> list[Became]:
    """What became of one, in order."""
    rows = await session.rows(_OUTCOMES_OF_SEND, {"member_id": member_id, "send_id": send_id})
    return [_became(row) for row in rows]


def _became(row: Row) -> Became:
    return Became(Outcome(row[1]), row[2], row[3], row[4])


def _kept(row: Row) -> Kept:
    reasons = tuple(row[6].split(",")) if row[6] else ()
    return Kept(row[0], row[1], row[2], row[3], row[4], row[5] == 1, reasons, row[7], row[8], row[9])

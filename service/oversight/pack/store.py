"""The SQL of the pack: one stream for each data file, in an order that the rows themselves give. No column is a member's, none a value."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.sql import ColumnElement

from service.db.engine import Database
from service.db.statement import Prepared, Row
from service.db.tables import (
    access_review,
    account_event,
    audit_checkpoint,
    audit_entry,
    consent_ask,
    consent_event,
    control_record,
    duty,
    guardian_link,
    guardian_request,
    job,
    keyring,
    minor_approval,
    notice_exemption,
    notice_told,
    person_count,
    register_served,
    register_version,
    send_decision,
    subscription_event,
)
from service.db.types import Moment
from service.values import utc_text


@dataclass(frozen=True, slots=True)
class Source:
    """One table of the database as a data file: its columns, by the names that they have there."""

    name: str
    columns: tuple[str, ...]
    statement: Prepared


def _source(name: str, moment: ColumnElement[datetime], *columns: ColumnElement[object], whole: bool = False) -> Source:
    """The rows of a period; `whole`: all that were there at its end."""
    wanted: Any = select(*columns).where(moment < bindparam("until"))
    if not whole:
        wanted = wanted.where(moment >= bindparam("since"))
    names = tuple(str(column.key) for column in columns)
    return Source(f"data/{name}.csv", names, Prepared(wanted.order_by(moment, *columns)))


_CONSENT, _ASK, _TOLD = consent_event.c, consent_ask.c, notice_told.c
_REQUEST, _LINK, _LEAVE, _JOB = guardian_request.c, guardian_link.c, minor_approval.c, job.c
SOURCES = (
    _source(
        "consent_events",
        _CONSENT.recorded_at,
        *(
            _CONSENT.event_id,
            _CONSENT.purpose,
            _CONSENT.state,
            _CONSENT.recorded_at,
            _CONSENT.expires_at,
            _CONSENT.notice_version,
        ),
    ),
    _source(
        "consent_asks",
        _ASK.asked_at,
        *(_ASK.ask_id, _ASK.purpose, _ASK.channel, _ASK.initiator, _ASK.notice_version, _ASK.asked_at),
    ),
    _source(
        "notices_told",
        _TOLD.told_at,
        *(_TOLD.told_id, _TOLD.kind, _TOLD.version, _TOLD.language, _TOLD.channel, _TOLD.told_at),
    ),
    _source(
        "notice_exemptions",
        notice_exemption.c.created_at,
        *(notice_exemption.c[name] for name in ("exemption_id", "ground", "created_at", "expires_at", "closed_at")),
    ),
    _source(
        "propagation",
        _JOB.created_at,
        *(_JOB.job_id, _JOB.kind, _JOB.purpose, _JOB.recipient, _JOB.state, _JOB.created_at, _JOB.ended_at, _JOB.attempts),
    ),
    _source(
        "guardian_requests",
        _REQUEST.created_at,
        *(_REQUEST.request_id, _REQUEST.kind, _REQUEST.state, _REQUEST.created_at, _REQUEST.due_on, _REQUEST.decided_at),
    ),
    _source(
        "guardian_links",
        _LINK.requested_at,
        *(_LINK.state, _LINK.method, _LINK.requested_at, _LINK.verified_at, _LINK.ended_at),
        whole=True,
    ),
    _source("staff_approvals", _LEAVE.created_at, _LEAVE.approval_id, _LEAVE.created_at, _LEAVE.expires_at),
    _source(
        "subscription_events",
        subscription_event.c.recorded_at,
        *(subscription_event.c[name] for name in ("event_id", "channel", "topic", "brand", "state", "way", "recorded_at")),
    ),
    _source(
        "send_decisions",
        send_decision.c.decided_at,
        *(send_decision.c[name] for name in ("send_id", "campaign_id", "channel", "allowed", "decided_at")),
    ),
    _source("controls", control_record.c.recorded_at, *(column for column in control_record.c if column.key != "recorded_by")),
    _source(
        "access_reviews",
        access_review.c.reviewed_at,
        *(access_review.c[name] for name in ("review_id", "quarter", "digest", "lines", "reviewed_at")),
    ),
    _source(
        "account_events", account_event.c.recorded_at, account_event.c.event_id, account_event.c.step, account_event.c.recorded_at
    ),
    _source(
        "duties",
        duty.c.opened_at,
        *(duty.c[name] for name in ("duty_id", "kind", "occasion", "state", "opened_at", "due_on", "done_at")),
        whole=True,
    ),
    _source("persons", person_count.c.counted_at, person_count.c.day, person_count.c.persons, person_count.c.counted_at),
    _source(
        "keys",
        keyring.c.created_at,
        *(keyring.c.use, keyring.c.generation, keyring.c.state, keyring.c.created_at),
        whole=True,
    ),
    _source(
        "checkpoints",
        audit_checkpoint.c.signed_at,
        *(audit_checkpoint.c.size, audit_checkpoint.c.root, audit_checkpoint.c.signed_at, audit_checkpoint.c.note),
    ),
)
_LOG = Prepared(
    select(audit_entry.c.idx, audit_entry.c.entry, audit_entry.c.leaf)
    .where(audit_entry.c.ts >= bindparam("since"), audit_entry.c.ts < bindparam("until"))
    .order_by(audit_entry.c.idx)
)
_REGISTERS = Prepared(
    select(register_served.c.at, register_served.c.digest, register_version.c.body)
    .select_from(register_served.join(register_version, register_version.c.digest == register_served.c.digest))
    .where(register_served.c.at < bindparam("until", type_=Moment()))
    .order_by(register_served.c.at, register_served.c.digest)
)


async def rows(database: Database, source: Source, since: datetime, until: datetime) -> AsyncIterator[list[str]]:
    """A source's rows as texts, in flat memory."""
    async for page in database.stream(source.statement, {"since": since, "until": until}):
        for row in page:
            yield [text_of(value) for value in row]


async def entries(database: Database, since: datetime, until: datetime) -> AsyncIterator[Row]:
    """Index, bytes and leaf hash of the log's entries."""
    async for page in database.stream(_LOG, {"since": utc_text(since), "until": utc_text(until)}):
        for row in page:
            yield row


async def registers(database: Database, until: datetime) -> list[tuple[datetime, str, str]]:
    """Every register that was served under before a moment: there are few."""
    return [(row[0], row[1], row[2]) for row in await database.read.rows(_REGISTERS, {"until": until})]


def text_of(value: object) -> str:
    """A cell: nothing for nothing, a moment in UTC, bytes in hexadecimal digits."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return utc_text(value)
    return value.hex() if isinstance(value, bytes | memoryview) else str(value)

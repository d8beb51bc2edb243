"""The SQL of intake: whole batches in, and how far an import has come. Members' and consents' rows are those rooms' own."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, insert, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.expression import Select

from service.consent.ledger import canonical
from service.consent.model import ConsentEvent
from service.consent.store import standing_values
from service.db.engine import Session
from service.db.statement import Bulk, Prepared, Row
from service.db.tables import consent_event, consent_standing, import_run, member, member_lookup
from service.intake.model import Run
from service.values import MemberId

_AT_ONCE = 200


class _Among:
    """Rows whose column is one of many values: an array on PostgreSQL; a fixed number of parameters at a time on SQLite."""

    def __init__(self, query: "Select[Any]", column: ColumnElement[Any], filler: str | bytes) -> None:
        self._filler = filler
        self._names = [f"value_{number}" for number in range(_AT_ONCE)]
        self._array = Prepared(query.where(column == func.any(bindparam("values", type_=ARRAY(column.type)))))
        self._listed = Prepared(query.where(column.in_([bindparam(name, type_=column.type) for name in self._names])))

    async def rows(self, session: Session, values: Sequence[str | bytes], params: Mapping[str, Any]) -> list[Row]:
        """What the query finds, in no order."""
        if session.dialect == "postgresql":
            return await session.rows(self._array, {**params, "values": list(values)}) if values else []
        found = []
        for start in range(0, len(values), _AT_ONCE):
            piece = [*values[start : start + _AT_ONCE]]
            piece += [self._filler] * (_AT_ONCE - len(piece))
            found += await session.rows(self._listed, {**params, **dict(zip(self._names, piece, strict=True))})
        return found


_RUN = select(import_run.c.started_at, import_run.c.rows_done, import_run.c.finished_at).where(
    import_run.c.import_id == bindparam("of_import")
)
_READ_RUN = Prepared(_RUN)
_LOCK_RUN = Prepared(_RUN.with_for_update())
_COUNTS = ("rows_done", "members_made", "rows_rejected", "rows_duplicate")
_BEGIN = Prepared(
    insert(import_run).values({name: bindparam(name) for name in ("import_id", "started_at", *_COUNTS)}),
)
_ADVANCE = Prepared(
    update(import_run)
    .where(import_run.c.import_id == bindparam("of_import"))
    .values(
        rows_done=bindparam("rows_done"),
        members_made=import_run.c.members_made + bindparam("members_made"),
        rows_rejected=import_run.c.rows_rejected + bindparam("rows_rejected"),
        rows_duplicate=import_run.c.rows_duplicate + bindparam("rows_duplicate"),
    )
)
_FINISH = Prepared(
    update(import_run)
    .where(import_run.c.import_id == bindparam("of_import"), import_run.c.finished_at.is_(None))
    .values(finished_at=bindparam("finished_at"))
)
_HELD = _Among(
    select(member_lookup.c.digest).where(
        member_lookup.c.field == bindparam("field"),
        member_lookup.c.generation == bindparam("generation"),
        member_lookup.c.holder == "",
    ),
    member_lookup.c.digest,
    b"",
)
_EXISTING = _Among(select(member.c.member_id), member.c.member_id, "")
_ADD_EVENTS = Bulk(consent_event, *(column.name for column in consent_event.columns))
_ADD_STANDINGS = Bulk(consent_standing, *(column.name for column in consent_standing.columns))


async def run(session: Session, import_id: str, *, lock: bool = False) -> Run | None:
    """How far an import has come; `lock` keeps every other process from carrying it on until the transaction ends."""
    rows = await session.rows(_LOCK_RUN if lock else _READ_RUN, {"of_import": import_id})
    return Run(*rows[0]) if rows else None


async def begin(session: Session, import_id: str, *, now: datetime, counts: tuple[int, int, int, int]) -> None:
    """Note that an import has begun, with its first batch. Raises Duplicate when another process was faster."""
    await session.run(_BEGIN, {"import_id": import_id, "started_at": now, **dict(zip(_COUNTS, counts, strict=True))})


async def advance(session: Session, import_id: str, *, counts: tuple[int, int, int, int]) -> None:
    """Note another batch: how many rows are done in all, and how many more were made, rejected and duplicate."""
    await session.run(_ADVANCE, {"of_import": import_id, **dict(zip(_COUNTS, counts, strict=True))})


async def finish(session: Session, import_id: str, *, now: datetime) -> bool:
    """Note that nothing is left to do; False when that was noted before."""
    return await session.run(_FINISH, {"of_import": import_id, "finished_at": now}) == 1


async def held(session: Session, identities: Iterable[tuple[str, bytes]], *, generation: int) -> frozenset[tuple[str, bytes]]:
    """Which of these identities members hold already."""
    asked: dict[str, list[bytes]] = {}
    for field, digest in identities:
        asked.setdefault(field, []).append(digest)
    found: set[tuple[str, bytes]] = set()
    for field, digests in asked.items():
        rows = await _HELD.rows(session, digests, {"field": field, "generation": generation})
        found.update((field, bytes(row[0])) for row in rows)
    return frozenset(found)


async def existing(session: Session, member_ids: Sequence[MemberId]) -> frozenset[MemberId]:
    """Which of these members there are, erased ones included."""
    return frozenset(row[0] for row in await _EXISTING.rows(session, member_ids, {}))


async def add_consents(session: Session, events: Sequence[tuple[MemberId, ConsentEvent]]) -> None:
    """The first events of new members, and the standings that follow from them."""
    await session.bulk(_ADD_EVENTS, [_event_row(member_id, event) for member_id, event in events])
    standings = [{"member_id": of, "purpose": event.purpose, **standing_values(event)} for of, event in events]
    await session.bulk(_ADD_STANDINGS, [tuple(row[name] for name in _ADD_STANDINGS.columns) for row in standings])


def _event_row(member_id: MemberId, event: ConsentEvent) -> Row:
    """In the order of the table's columns."""
    return (
        member_id,
        event.event_id,
        event.purpose,
        event.state.value,
        event.recorded_at,
        event.expires_at,
        event.notice_version,
        canonical(event.record),
        event.previous_hash,
        event.hash,
    )

"""The SQL of telling. `notice_told` knows INSERT and SELECT, nothing else."""

from datetime import datetime
from functools import cache

from sqlalchemy import BindParameter, and_, bindparam, exists, func, insert, or_, select, update

from policies.terms import MemberStatus
from service.db.engine import Session
from service.db.statement import Prepared, Row
from service.db.tables import guardian_link, member, member_secret, notice_exemption, notice_told, notice_untold
from service.members.store import WITH_SECRET
from service.notices.model import Exemption, Told
from service.values import MemberId

_VERIFIED = "VERIFIED"
_TOLD_COLUMNS = tuple(column.name for column in notice_told.columns)
_EXEMPTION_COLUMNS = tuple(column.name for column in notice_exemption.columns)
_TOLD = Prepared(
    select(notice_told.c.version, notice_told.c.kind, notice_told.c.language, notice_told.c.told_at)
    .where(notice_told.c.member_id == bindparam("member_id"))
    .order_by(notice_told.c.told_at, notice_told.c.told_id)
)
_TELL = Prepared(insert(notice_told).values({name: bindparam(name) for name in _TOLD_COLUMNS}))
_GRANT = Prepared(insert(notice_exemption).values({name: bindparam(name) for name in _EXEMPTION_COLUMNS}))
_OF_ONE = select(*notice_exemption.columns).where(notice_exemption.c.exemption_id == bindparam("exemption_id"))
_HELD = Prepared(_OF_ONE.with_for_update(read=True))
_LOCKED = Prepared(_OF_ONE.with_for_update())
_CLOSE = Prepared(
    update(notice_exemption)
    .where(notice_exemption.c.exemption_id == bindparam("of_exemption"))
    .values(closed_at=bindparam("closed_at"))
)
_EXEMPTIONS = Prepared(
    select(*notice_exemption.columns, func.count(notice_untold.c.member_id))
    .select_from(
        notice_exemption.outerjoin(
            notice_untold,
            and_(notice_untold.c.exemption_id == notice_exemption.c.exemption_id, notice_untold.c.told_at.is_(None)),
        )
    )
    .group_by(*notice_exemption.columns)
    .order_by(notice_exemption.c.created_at.desc(), notice_exemption.c.exemption_id)
)
_OWE = Prepared(
    insert(notice_untold).values({name: bindparam(name) for name in ("member_id", "exemption_id", "created_at", "told_at")})
)
_INFORMED = Prepared(
    update(notice_untold)
    .where(notice_untold.c.member_id == bindparam("of_member"), notice_untold.c.told_at.is_(None))
    .values(told_at=bindparam("now"))
)
_OWED = Prepared(
    select(func.count())
    .select_from(notice_untold)
    .where(notice_untold.c.exemption_id == bindparam("exemption_id"), notice_untold.c.told_at.is_(None))
)
_TO_INFORM = Prepared(
    select(notice_untold.c.member_id, member.c.generation, member_secret.c.wrapped)
    .select_from(WITH_SECRET.join(notice_untold, notice_untold.c.member_id == member.c.member_id))
    .where(notice_untold.c.exemption_id == bindparam("exemption_id"), notice_untold.c.told_at.is_(None))
    .order_by(notice_untold.c.member_id)
    .limit(bindparam("most"))
)


async def told(session: Session, member_id: MemberId) -> list[Told]:
    """Everything that a member was told, oldest first."""
    return [Told(row[0], row[1], row[2], row[3]) for row in await session.rows(_TOLD, {"member_id": member_id})]


async def tell(session: Session, member_id: MemberId, fact: Told, *, told_id: str, channel: str) -> None:
    """Write down that a member was told."""
    await session.run(
        _TELL,
        {
            "member_id": member_id,
            "told_id": told_id,
            "kind": fact.kind,
            "version": fact.version,
            "language": fact.language,
            "channel": channel,
            "told_at": fact.told_at,
        },
    )


async def untold(session: Session, versions: tuple[str, ...], *, children: bool) -> int:
    """How many members were told none of these versions: one statement, whatever their number."""
    given = {f"version_{number}": version for number, version in enumerate(versions)}
    return int((await session.rows(_untold(len(versions), children=children), given))[0][0])


@cache
def _untold(versions: int, *, children: bool) -> Prepared:
    """One statement for each number of versions: an IN list has as many places as it was compiled with."""
    places: list[BindParameter[str]] = [bindparam(f"version_{number}") for number in range(versions)]
    heard = exists().where(notice_told.c.member_id == member.c.member_id, notice_told.c.version.in_(places))
    wanted = [member.c.status != MemberStatus.ERASED.value, ~heard]
    if children:
        linked = exists().where(guardian_link.c.member_id == member.c.member_id, guardian_link.c.state == _VERIFIED)
        wanted.append(or_(member.c.status == MemberStatus.GUARDIAN_PENDING.value, linked))
    return Prepared(select(func.count()).select_from(member).where(*wanted))


async def grant(session: Session, exemption: Exemption) -> None:
    """A further exemption."""
    await session.run(_GRANT, {name: getattr(exemption, name) for name in _EXEMPTION_COLUMNS})


async def exemption(session: Session, exemption_id: str, *, closing: bool = False) -> Exemption | None:
    """One exemption, held until the transaction ends: whoever closes it waits for those who are being admitted under it."""
    rows = await session.rows(_LOCKED if closing else _HELD, {"exemption_id": exemption_id})
    return _exemption(rows[0]) if rows else None


async def exemptions(session: Session) -> list[Exemption]:
    """Every exemption, the newest first, with the number of members to inform: one statement."""
    return [_exemption(row) for row in await session.rows(_EXEMPTIONS)]


async def close(session: Session, exemption_id: str, now: datetime) -> None:
    """Nobody is admitted under it any more."""
    await session.run(_CLOSE, {"of_exemption": exemption_id, "closed_at": now})


async def owe(session: Session, member_id: MemberId, exemption_id: str, now: datetime) -> None:
    """A member was admitted without having been told."""
    await session.run(_OWE, {"member_id": member_id, "exemption_id": exemption_id, "created_at": now, "told_at": None})


async def informed(session: Session, member_id: MemberId, now: datetime) -> int:
    """A member was told at last; how many exemptions waited for it."""
    return await session.run(_INFORMED, {"of_member": member_id, "now": now})


async def owed(session: Session, exemption_id: str) -> int:
    """How many members are still to be informed."""
    return int((await session.rows(_OWED, {"exemption_id": exemption_id}))[0][0])


async def to_inform(session: Session, exemption_id: str, *, most: int) -> list[tuple[MemberId, int, bytes | None]]:
    """Who is still to be informed, and what names them to the log."""
    rows = await session.rows(_TO_INFORM, {"exemption_id": exemption_id, "most": most})
    return [(row[0], row[1], row[2]) for row in rows]


def _exemption(row: Row) -> Exemption:
    return Exemption(*row)

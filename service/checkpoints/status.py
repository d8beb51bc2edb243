"""How far the record of this log is, as the database shows it: for a person at a terminal, whichever instance does the work."""

from dataclasses import dataclass
from datetime import datetime

from service.audit import store as log
from service.audit.head import Authority, Head
from service.checkpoints import store
from service.db.engine import Session
from service.errors import LogBroken


@dataclass(frozen=True, slots=True)
class Standing:
    """`head` is "ok" or what is wrong with it. Ages are in seconds, None where there is nothing yet.

    `window` is how many of the newest entries no checkpoint covers; `unwitnessed` how many none that enough witnesses cosigned.
    """

    origin: str
    size: int
    head: str
    signed: int
    signed_seconds: float | None
    cosigned: int
    cosigned_seconds: float | None
    window: int
    unwitnessed: int
    anchors: tuple[tuple[str, int, float], ...]


async def standing(session: Session, authority: Authority, now: datetime) -> Standing:
    """As it is now. Anchors are kind, newest size and age in seconds."""
    head = await log.head(session, authority.origin)
    newest, cosigned = await store.newest(session), await store.newest_cosigned(session)
    size, signed, witnessed = (head.size if head else 0), (newest.size if newest else 0), (cosigned.size if cosigned else 0)
    anchors = await store.anchors(session)
    return Standing(
        origin=authority.origin,
        size=size,
        head=_head_is(head, authority),
        signed=signed,
        signed_seconds=_age(newest.signed_at if newest else None, now),
        cosigned=witnessed,
        cosigned_seconds=_age(cosigned.witnessed_at if cosigned else None, now),
        window=max(size - signed, 0),
        unwitnessed=max(size - witnessed, 0),
        anchors=tuple((kind, covered, (now - at).total_seconds()) for kind, covered, at in anchors),
    )


def _head_is(head: Head | None, authority: Authority) -> str:
    if head is None:
        return "missing"
    try:
        authority.check(head)
    except LogBroken as problem:
        return problem.detail
    return "ok"


def _age(at: datetime | None, now: datetime) -> float | None:
    return None if at is None else max((now - at).total_seconds(), 0.0)

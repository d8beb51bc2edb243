"""A log whose head is not there: was it never begun, taken away, or is it another's database?"""

from service.audit import store
from service.db.engine import Session
from service.errors import LogBroken, OtherLog


async def refuse_other(session: Session, origin: str) -> None:
    """Raise OtherLog where there is no head of `origin` and one of another name: such a log is neither begun nor called rolled back."""
    names = await store.names(session)
    if names and origin not in names:
        raise OtherLog(
            f"MENSHEN_ORIGIN is {origin}, and the database holds {names[0]}: set that name or, to close that log and go on under a new "
            "one, `menshen audit genesis`"
        )


async def gone(session: Session, origin: str) -> LogBroken:
    """Why there is no head where one must be."""
    try:
        await refuse_other(session, origin)
    except OtherLog as other:
        return other
    return LogBroken("the head's row is gone")

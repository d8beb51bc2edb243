"""The independent counter: nobody gets a fourth live message in any seven days. From the ledgers alone, by the words of the law, and with
nothing of service/gate/window.py.
"""

from collections import defaultdict
from datetime import datetime, timedelta

from sqlalchemy import select

from service.db.statement import Prepared
from service.db.tables import send_decision, send_outcome

WEEK = timedelta(days=7)
OUT = {"DISPATCHED", "SENT", "BOUNCED", "COMPLAINED", "UNKNOWN"}


async def live(database, now: datetime) -> dict[str, list[datetime]]:
    """When each member's messages went out, or are reserved at this moment."""
    became: dict[str, list[str]] = defaultdict(list)
    ledger = select(send_outcome.c.send_id, send_outcome.c.outcome).order_by(send_outcome.c.recorded_at)
    for send_id, outcome in await database.read.rows(Prepared(ledger)):
        became[send_id].append(outcome)
    columns = (send_decision.c.member_id, send_decision.c.send_id, send_decision.c.decided_at, send_decision.c.expires_at)
    allowed = select(*columns).where(send_decision.c.allowed == 1).order_by(send_decision.c.decided_at)
    found: dict[str, list[datetime]] = defaultdict(list)
    for member_id, send_id, decided_at, expires_at in await database.read.rows(Prepared(allowed)):
        told = became[send_id]
        # Whoever says that it failed, and still holds the token, may send with it.
        out = told[-1] in OUT or (told == ["FAILED"] and expires_at > now) if told else expires_at > now
        if out:
            found[member_id].append(decided_at)
    return found


def most(moments: list[datetime]) -> int:
    """How many there are in the fullest seven days."""
    return max((sum(first <= other < first + WEEK for other in moments) for first in moments), default=0)

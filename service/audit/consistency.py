"""Proofs that the log of now goes on from the log of then (RFC 9162, 2.1.4.1), read from the stored tiles and leaves.

Nothing is believed here and nothing promised: whoever takes the proof holds it against two roots that they have from elsewhere.
"""

from menshen_verifier.consistency import consistency_spans
from service.audit.inclusion import span_roots
from service.db.engine import Session


async def consistency(session: Session, old: int, new: int) -> tuple[bytes, ...]:
    """The proof from size `old` to size `new`; empty from nothing and to itself. One statement.

    Raises ValueError for an `old` that is larger, and where what is stored does not suffice: the log is shorter, or has holes.
    """
    return await span_roots(session, consistency_spans(old, new))

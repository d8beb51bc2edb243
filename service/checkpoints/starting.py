"""Before anything is served: does anybody outside the database remember more of this log than is in it?"""

from functools import partial

from service.audit import store as log
from service.audit.absent import refuse_other
from service.audit.head import Authority
from service.audit.inclusion import span_root
from service.checkpoints.model import Cosigners, Signer
from service.db.engine import Database
from service.errors import LogBroken


async def check_start(database: Database, authority: Authority, signer: Signer, cosigners: Cosigners | None) -> None:
    """Raises LogBroken when signer or witnesses have seen more entries than there are, or others: another state was put in place.

    Raises OtherLog for the database of a log of another name; KeyUnavailable, or what the witnesses raise, when they cannot be asked: who
    starts without asking has not looked.
    """
    await refuse_other(database.read, authority.origin)
    head = await log.head(database.read, authority.origin)
    size = head.size if head else 0
    signed = await signer.open()
    if signed > size:
        raise LogBroken(f"rolled back: the log has {size} entries, and the signer has signed {signed}")
    if cosigners is not None:
        await cosigners.check(size, partial(_root_at, database))


async def _root_at(database: Database, size: int) -> bytes | None:
    try:
        return await span_root(database.read, 0, size)
    except ValueError:
        return None

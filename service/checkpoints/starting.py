"""Before anything is served: does anybody outside the database remember more of this log than is in it?"""

from service.audit import store as log
from service.audit.head import Authority
from service.checkpoints.model import Cosigners, Signer
from service.db.engine import Database
from service.errors import LogBroken


async def check_start(database: Database, authority: Authority, signer: Signer, cosigners: Cosigners | None) -> None:
    """Raises LogBroken when signer or witnesses have seen more entries than there are: an older state was put back.

    Raises KeyUnavailable, or what the witnesses raise, when they cannot be asked: who starts without asking has not looked.
    """
    head = await log.head(database.read, authority.origin)
    size = head.size if head else 0
    signed = await signer.open()
    if signed > size:
        raise LogBroken(f"rolled back: the log has {size} entries, and the signer has signed {signed}")
    seen = await cosigners.seen() if cosigners else 0
    if seen > size:
        raise LogBroken(f"rolled back: the log has {size} entries, and a witness has seen {seen}")

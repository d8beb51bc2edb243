"""The proof that an entry stands in the log, without the entry: index, leaf hash and path, up to a checkpoint that was signed.

An entry may name up to 500 members and the account of a member of staff, so its bytes are not for one of them to see. Their proof holds
us to this one entry all the same: what we show to an authority at this index must have this leaf hash, or the checkpoint is not ours.
"""

from menshen_verifier import merkle
from menshen_verifier.proof import Proof
from service.audit.inclusion import path_of
from service.checkpoints.model import Noted
from service.db.engine import Session


async def proof_of_leaf(
    session: Session, newest: Noted | None, index: int, leaf: bytes, *, extra: bytes | None = None
) -> str | None:
    """A tlog-proof; with the entry's bytes in `extra` only where they are given.

    None while no checkpoint covers the entry, and where what is stored does not come to its root.
    """
    if newest is None or not 0 <= index < newest.size:
        return None
    try:
        path = await path_of(session, index, newest.size)
        if merkle.climbed(index, newest.size, leaf, path) != newest.root:
            return None
    except ValueError:
        return None
    return Proof(index, path, extra, newest.note).text

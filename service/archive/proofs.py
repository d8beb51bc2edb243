"""Proofs that leave the house: that an entry is in the log (C2SP tlog-proof), and that the log only grew.

A proof is walked before it is handed out, against the root of a checkpoint that was signed: what somebody changed in the database meanwhile
makes no proof instead of a wrong one.
"""

from menshen_verifier import merkle
from menshen_verifier.proof import Proof
from service.archive import store
from service.audit.head import Authority
from service.audit.inclusion import path_of
from service.checkpoints import store as checkpoints
from service.checkpoints.model import Noted
from service.checkpoints.trust import Trust
from service.db.engine import Session
from service.errors import BadInput, LogBroken, RecordUnavailable


async def covering(session: Session, trust: Trust, size: int) -> Noted | None:
    """The newest checkpoint over so many entries that an auditor takes: cosigned by the quorum, where witnesses are configured.

    Where none is yet, the newest that our key signed; `trust.lacks` tells, and whoever is handed it must be told.
    """
    for cosigned in (True, False) if trust.witnessed else (False,):
        found = await trust.newest(session, cosigned=cosigned)
        if found is not None and found.size >= size:
            return Noted(found.size, found.root, found.note)
    return None


async def proof_of(session: Session, authority: Authority, index: int, *, trust: Trust | None = None) -> str:
    """The proof of entry `index` against the newest checkpoint (see `covering`; without `trust`, the newest stored), with the entry's bytes
    in `extra`, where a verifier hashes them again.

    Raises RecordUnavailable while no checkpoint covers it, BadInput for an entry that was pruned (restore its segment), LogBroken where
    what is stored does not come to the checkpoint's root.
    """
    newest = await (checkpoints.newest(session) if trust is None else covering(session, trust, index + 1))
    if newest is None or newest.size <= index:
        raise RecordUnavailable("no signed checkpoint covers this entry yet")
    found = await store.entries(session, index, index + 1) if index >= 0 else []
    if not found:
        raise BadInput("index: the entry is not here; perhaps its segment was archived and pruned")
    path = await _path(session, newest, index, found[0])
    if not newest.note.startswith(f"{authority.origin}\n"):
        raise LogBroken("the checkpoint is another log's")
    return Proof(index, path, found[0], newest.note).text


async def _path(session: Session, newest: Noted, index: int, raw: bytes) -> tuple[bytes, ...]:
    try:
        path = await path_of(session, index, newest.size)
        if merkle.climbed(index, newest.size, merkle.leaf_hash(raw), path) == newest.root:
            return path
    except ValueError:
        pass
    raise LogBroken(f"entry {index} does not come to the root of checkpoint {newest.size}")

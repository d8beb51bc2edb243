"""What the publisher asks of the log's key, and which notes it takes for that key's.

How this can hurt: a note that some other key signed, or that says another size than its row, would make every later one go on from it. So
nothing counts by its place in the table, only by what is signed under it.
"""

from menshen_verifier.checkpoint import Checkpoint, open_checkpoint
from service.audit import store as log
from service.audit.consistency import consistency
from service.checkpoints.model import Published, Signer, SignerAhead
from service.db.engine import Session
from service.errors import LogBroken
from service.values import Clock

_TRIES = 3


class Later(Exception):
    """Nothing is wrong; the next round does it."""


class Signing:
    """The signer of the log `origin`."""

    def __init__(self, signer: Signer, *, origin: str, clock: Clock) -> None:
        self._signer = signer
        self._origin = origin
        self._clock = clock

    async def lines(self, session: Session, checkpoint: Checkpoint, *, old: int) -> tuple[str, ...]:
        """Signature lines, with the proof that the signer wants: it may have signed what a process that was killed never stored.

        Raises Later where another instance is ahead, LogBroken where the log is not the one that was signed.
        """
        time = int(self._clock().timestamp())
        for _ in range(_TRIES):
            proof = await goes_on(session, old, checkpoint.size)
            try:
                return await self._signer.sign(checkpoint, old=old, proof=proof, time=time)
            except SignerAhead as ahead:
                old = ahead.size
                await self._not_longer(session, old)
                if old > checkpoint.size:
                    # Another instance had more signed in this moment. Its note is there, or will be; ours comes with the next round.
                    raise Later from None
        raise Later

    def believe(self, made: Published) -> None:
        """Only a note that our key signed counts, and only for what it says. Raises LogBroken."""
        try:
            said = open_checkpoint(made.note.encode(), self._signer.keys).checkpoint
        except ValueError:
            raise LogBroken(f"the checkpoint of {made.size} entries is not signed by this log's key") from None
        if (said.origin, said.size, said.root) != (self._origin, made.size, made.root):
            raise LogBroken(f"the checkpoint of {made.size} entries says something else")

    async def believe_another(self, made: Published) -> None:
        """What another instance published may be under a key that took over since we asked for the keys. Raises LogBroken."""
        try:
            self.believe(made)
        except LogBroken:
            await self._signer.open()
            self.believe(made)

    async def _not_longer(self, session: Session, signed: int) -> None:
        head = await log.head(session, self._origin)
        if head is None or head.size < signed:
            raise LogBroken(f"rolled back: the signer has signed {signed} entries, and the log is shorter")


async def goes_on(session: Session, old: int, new: int) -> tuple[bytes, ...]:
    """The proof that the log of `new` entries goes on from that of `old`; empty for one that is not older. Raises LogBroken where what is
    stored does not suffice.
    """
    if old > new:
        return ()
    try:
        return await consistency(session, old, new)
    except ValueError:
        raise LogBroken(f"the tiles of the first {new} entries have holes") from None

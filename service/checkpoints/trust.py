"""Which checkpoint this deployment itself believes: what its own key signed and, where witnesses are configured, their quorum cosigned.

How this can hurt: a row of `audit_checkpoint` says what its writer wants it to say, `witnessed_at` included. So a note counts for what is
signed under it, and who must sign comes from the settings and the signer, never from the database.
"""

from collections.abc import Callable, Sequence

from menshen_verifier.note import Key
from menshen_verifier.policy import Policy, parse_policy
from service.audit import store as log
from service.checkpoints import store
from service.checkpoints.model import Published
from service.checkpoints.status import policy
from service.db.engine import Session


class Trust:
    """`keys` tells the log's keys of now; `parties` are the witnesses' keys, witness by witness, of which `quorum` must have cosigned."""

    def __init__(
        self, origin: str, keys: Callable[[], tuple[Key, ...]], *, parties: Sequence[Sequence[Key]] = (), quorum: int = 0
    ) -> None:
        self.origin = origin
        self._keys = keys
        self._parties = tuple(map(tuple, parties))
        self._quorum = quorum
        self._known: tuple[tuple[Key, ...], Policy | None] = ((), None)

    @property
    def witnessed(self) -> bool:
        """Whether witnesses are configured."""
        return bool(self._parties)

    @property
    def keys(self) -> tuple[Key, ...]:
        """The log's own, of now."""
        return self._keys()

    async def newest(self, session: Session, *, cosigned: bool) -> Published | None:
        """The newest that is believed; with `cosigned` the newest that enough witnesses have cosigned. One statement, and the head's.

        Forged rows may hide it, some dozens of them: then nothing is believed, and nothing is claimed.
        """
        head = await log.head(session, self.origin)
        some = await store.largest(session, head.size if head else 0, cosigned=cosigned)
        return next((one for one in some if self.believes(one, cosigned=cosigned)), None)

    async def surest(self, session: Session) -> Published | None:
        """The newest that an auditor would take: cosigned where witnesses are configured, else signed."""
        return await self.newest(session, cosigned=self.witnessed)

    def believes(self, one: Published, *, cosigned: bool) -> bool:
        """Whether the note is ours, says what the row says, and (with `cosigned`) was seen by the quorum."""
        known = self._policy()
        if known is None:
            return False
        try:
            opened = known.open(one.note.encode())
        except ValueError:
            return False
        said = opened.checkpoint
        ours = (said.origin, said.size, said.root) == (self.origin, one.size, one.root)
        return ours and (not cosigned or known.witnessed(opened))

    def signed(self, note: bytes) -> bool:
        """Whether one of our keys signed this note, and no known line of it is false."""
        known = self._policy()
        try:
            return known is not None and known.open(note).checkpoint.origin == self.origin
        except ValueError:
            return False

    def lacks(self, note: str) -> bool:
        """Whether an auditor would refuse this note of ours: witnesses are configured, and their quorum has not cosigned it."""
        known = self._policy()
        try:
            return known is None or not known.witnessed(known.open(note.encode()))
        except ValueError:
            return True

    def _policy(self) -> Policy | None:
        """Of the keys of now: one may have taken over. None while none is known."""
        keys = self._keys()
        if keys != self._known[0]:
            self._known = keys, parse_policy(policy(keys, self._parties, self._quorum).encode())
        return self._known[1]


NOBODY = Trust("", tuple)
"""Believes nothing: for tools that tell nobody anything."""

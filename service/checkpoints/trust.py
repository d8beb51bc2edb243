"""Which checkpoint this deployment itself believes: what its own key signed and, where witnesses are configured, their quorum cosigned.

How this can hurt: a row of `audit_checkpoint` says what its writer wants it to say, `witnessed_at` included. So a note counts for what is
signed under it, and who must sign comes from the settings and the signer, never from the database.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from menshen_verifier.note import Key
from menshen_verifier.policy import Policy, parse_policy
from service.audit import store as log
from service.audit.climbing import Remembered
from service.checkpoints import store
from service.checkpoints.model import Published
from service.db.engine import Session

_FEW, _MANY = 32, 256
"""Rows at a time: the first is nearly always the one; where it is not, somebody has forged some, and there may be many."""

_MOST_REFUSED = 1 << 16


class Trust:
    """`keys` tells the log's keys of now; `parties` are the witnesses' keys, witness by witness, of which `quorum` must have cosigned.
    `remembered` is what was seen under the roots that it believed.
    """

    def __init__(
        self, origin: str, keys: Callable[[], tuple[Key, ...]], *, parties: Sequence[Sequence[Key]] = (), quorum: int = 0
    ) -> None:
        self.origin = origin
        self._keys = keys
        self._parties = tuple(map(tuple, parties))
        self._quorum = quorum
        self._known: tuple[tuple[Key, ...], Policy | None] = ((), None)
        self._best: dict[bool, Published] = {}
        self._refused: set[int] = set()
        self.remembered = Remembered()

    @property
    def witnessed(self) -> bool:
        """Whether witnesses are configured."""
        return bool(self._parties)

    @property
    def policy(self) -> str:
        """The same for a stranger (C2SP tlog-policy): what is worked out by it comes to what is believed here."""
        return policy(self._keys(), self._parties, self._quorum)

    @property
    def keys(self) -> tuple[Key, ...]:
        """The log's own, of now."""
        return self._keys()

    async def newest(self, session: Session, *, cosigned: bool) -> Published | None:
        """The newest that is believed; with `cosigned` the newest that enough witnesses have cosigned. One statement, as long as nobody
        forged any.
        """
        self._policy()
        floor = self._best.get(cosigned)
        some = await store.within(session, self.origin, floor.size if floor else 0, cosigned=cosigned, most=_FEW)
        found = self._first(some, cosigned=cosigned)
        return found or await self._further(session, floor, cosigned=cosigned)

    def _first(self, some: Sequence[Published], *, cosigned: bool) -> Published | None:
        found = next((one for one in some if self._holds(one, cosigned=cosigned)), None)
        if found is not None:
            self._best[cosigned] = found
        return found

    async def _further(self, session: Session, floor: Published | None, *, cosigned: bool) -> Published | None:
        """However many forged rows stand above it: they are passed over, each looked into once, down to the newest that was believed
        before.
        """
        head = await log.head(session, self.origin)
        size, most = head.size if head else 0, _FEW
        if floor is not None and floor.size > size:
            floor = None
        while some := await store.largest(session, floor.size if floor else 0, size, cosigned=cosigned, most=most):
            found = self._first(some, cosigned=cosigned)
            if found is not None:
                return found
            size, most = some[-1].size - 1, _MANY
        return floor

    async def before(self, session: Session, moment: datetime) -> int:
        """The size of the newest checkpoint that the quorum, by its own times, had cosigned by then; 0 where there is none."""
        size = store.LARGEST
        while some := await store.cosigned_by(session, moment, size, most=_MANY):
            for one in some:
                known = self._policy()
                if known is not None and self._holds(one, cosigned=True):
                    times = known.times(known.open(one.note.encode()))
                    if times and times[-1] <= moment.timestamp():
                        return one.size
            size = some[-1].size - 1
        return 0

    async def surest(self, session: Session) -> Published | None:
        """The newest that an auditor would take: cosigned where witnesses are configured, else signed."""
        return await self.newest(session, cosigned=self.witnessed)

    def _holds(self, one: Published, *, cosigned: bool) -> bool:
        """As `believes`; what is not believed is remembered, as long as the keys are the same."""
        known = hash((one.size, one.root, one.note, cosigned))
        if known in self._refused:
            return False
        if self.believes(one, cosigned=cosigned):
            return True
        if len(self._refused) < _MOST_REFUSED:
            self._refused.add(known)
        return False

    def believes(self, one: Published, *, cosigned: bool) -> bool:
        """Whether the note is ours, says what the row says, and (with `cosigned`) was seen by the quorum."""
        known = self._policy()
        if known is None:
            return False
        try:
            opened = known.of(one.note.encode(), one.size, one.root)
        except ValueError:
            return False
        return opened.checkpoint.origin == self.origin and (not cosigned or known.witnessed(opened))

    def seen(self, one: Published) -> datetime | None:
        """Since when the quorum has seen what is believed, by the witnesses' own times. None where no witness was asked for."""
        known = self._policy()
        second = known.seen(known.open(one.note.encode())) if known is not None and self.witnessed else None
        return None if second is None else datetime.fromtimestamp(second, UTC)

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
            self._known = keys, parse_policy(self.policy.encode())
            self._best, self._refused = {}, set()
        return self._known[1]


NOBODY = Trust("", tuple)
"""Believes nothing: for tools that tell nobody anything."""


def policy(keys: Sequence[Key], witnesses: Sequence[Sequence[Key]] = (), quorum: int = 0) -> str:
    """The policy that auditors verify by (C2SP tlog-policy): a log under any of its keys, cosigned by so many of its witnesses."""
    lines = [f"log {key.vkey}" for key in keys]
    parties = []
    for party, of_one in enumerate(witnesses, start=1):
        names = [f"w{party}-{number}" for number, _ in enumerate(of_one, start=1)]
        lines += [f"witness {name} {key.vkey}" for name, key in zip(names, of_one, strict=True)]
        lines.append(f"group w{party} any {' '.join(names)}")
        parties.append(f"w{party}")
    lines += [f"group witnesses {quorum} {' '.join(parties)}", "quorum witnesses"] if parties else ["quorum none"]
    return "".join(f"{line}\n" for line in lines)

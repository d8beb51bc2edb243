"""Lanes: in each, one writer id and numbers without a gap, from the `boot` entry's 0 on (docs/formats/audit-log.md, "Lanes").

A number that is missing shows an entry that was lost between this service and the tree. So a number may be used up only by an entry
that is certainly there: reads and changes need different care for that, and each process has one lane for each.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from service.audit.entry import Draft, Entry
from service.audit.sealing import moment_text, seal_entry, sixteen
from service.values import Actor, ActorKind, Call, Chance, new_id

AddressMac = Callable[[str, str], str]
"""(address, "YYYY-MM") to the text that stands for it in that month."""

TokenMac = Callable[[str], str]
"""A token's id to the text that stands for it."""


def unnamed(_token: str) -> str:
    """No token is named."""
    return ""


SYSTEM = Call(Actor(ActorKind.SYSTEM, "menshen", frozenset()), "")
"""Who speaks when the log speaks of itself."""


@dataclass(slots=True)
class Lane:
    """`kind` is "read" or "change". `next` moves only when the entries before it are certain."""

    kind: str
    writer: str
    next: int = 0


class Scribe:
    """Writes drafts down, in the name of one policy."""

    def __init__(self, *, policy: str, chance: Chance, address_mac: AddressMac, token_mac: TokenMac = unnamed) -> None:
        self._policy = policy
        self._chance = chance
        # One gateway stands before thousands of calls: its address is digested once a month.
        self._address_mac = lru_cache(maxsize=4096)(address_mac)
        self._token_mac = lru_cache(maxsize=4096)(token_mac)

    def lane(self, kind: str) -> Lane:
        """A new lane, under a writer id that nobody had before."""
        return Lane(kind, sixteen(self._chance(16)))

    def opening(self, lane: Lane, now: datetime) -> list[Entry]:
        """`boot`, if nothing has been written in this lane yet."""
        boot = Draft(typ="boot", extra={"lane": lane.kind})
        return [] if lane.next else [self.write(lane, 0, boot, SYSTEM, now=now)]

    def write(self, lane: Lane, number: int, draft: Draft, call: Call, *, now: datetime) -> Entry:
        """The entry of `draft` under this number. Raises BadInput for one that cannot be written."""
        return seal_entry(
            draft,
            call=call,
            policy=self._policy,
            address_mac=self._address_mac(call.address, moment_text(now)[:7]) if call.address else "",
            token_mac=self._token_mac(call.actor.token) if call.actor.token else "",
            writer=lane.writer,
            number=number,
            entry_id=draft.entry_id or new_id(now, self._chance),
            now=now,
            nonce=self._chance(16),
        )

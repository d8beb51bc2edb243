"""Accounts that are closed here, whatever their issuer says: their tokens are refused at every door that takes tokens.

A request costs a look into a set and no statement. A task fills the set anew every half minute; when it could not for a while, or has died,
nobody can say who is closed, and no account of staff or of a service is let in. Members have no accounts here. Case and width do not count:
an issuer that folds them would let the same person in under another spelling.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from policies.searching import plain
from service.errors import AccountDisabled, StoreUnavailable
from service.values import Actor, ActorKind

SECONDS = 30.0
"""Between two looks: how long a token of an account that was just closed may still be believed elsewhere."""

PATIENCE = 10.0
MOST_MISSED = 10
"""Looks in a row that may fail: five minutes."""

_log = structlog.get_logger("menshen.identity")


class Closed:
    """The set, and whether it can be believed."""

    def __init__(self, look: Callable[[], Awaitable[frozenset[str]]]) -> None:
        self._ask = look
        self._accounts: frozenset[str] = frozenset()
        self._missed = MOST_MISSED

    async def look(self) -> None:
        """Fill the set anew. Raises StoreUnavailable; the old set then stands for a while."""
        try:
            async with asyncio.timeout(PATIENCE):
                self._accounts = frozenset(map(_folded, await self._ask()))
        except Exception as problem:  # noqa: BLE001 - whatever it is, the set is one look older
            self._missed += 1
            _log.error("closed_accounts_not_read", type=type(problem).__name__)
            raise StoreUnavailable from None
        self._missed = 0

    def lost(self) -> None:
        """Nobody looks any more."""
        self._missed = MOST_MISSED

    def check(self, actor: Actor) -> None:
        """Raises AccountDisabled for an account that is closed, StoreUnavailable while nobody can say which are."""
        if actor.kind is ActorKind.MEMBER:
            return
        if self._missed >= MOST_MISSED:
            raise StoreUnavailable
        if self._accounts and _folded(f"{actor.kind.value}:{actor.name}") in self._accounts:
            raise AccountDisabled


def _folded(account: str) -> str:
    return plain(account).strip()

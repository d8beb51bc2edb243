"""The keyring (docs/formats/wrapped-secret.md, "The keyring"): a few keys, each with one use, opened through the KMS
once a process.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Final

from service.db.engine import Database, Duplicate
from service.errors import ConfigError, KeyUnavailable, SealBroken
from service.hazmat import Unspoken
from service.values import Chance, Clock, new_id
from service.vault import store
from service.vault.keys import KEY_SIZE, RingKey, Suite
from service.vault.kms import Kms
from service.vault.store import KeyRow

USES: Final = (
    "members",
    "lookup",
    "suppression",
    "head",
    "address",
    "cursor",
    "idempotency",
    "member-act",
    "decision",
    "receipt",
    "link",
    "pack",
)
"""What a key is for. No key has two uses: what is known about one must say nothing about the other."""

ACTIVE: Final = "active"
DECRYPT_ONLY: Final = "decrypt-only"


class Keyring(Unspoken):
    """The opened keys. What is destroyed, or in a state that nobody knows, is not among them."""

    __slots__ = ("_keys",)

    def __init__(self, keys: Iterable[RingKey]) -> None:
        self._keys = {(key.use, key.generation): key for key in keys}

    def newest(self, use: str) -> RingKey:
        """The key that seals.

        Raises KeyUnavailable where none is active: a new one would hide that somebody took the old one away.
        """
        active = [key for key in self._keys.values() if key.use == use and key.active]
        if not active:
            raise KeyUnavailable(f"the keyring has no active key for {use}")
        return max(active, key=lambda key: key.generation)

    def all(self, use: str) -> list[RingKey]:
        """Every key that opens."""
        return [key for key in self._keys.values() if key.use == use]


class Opener:
    """Loads the keyring of one deployment, and makes what is missing in it."""

    def __init__(self, *, database: Database, kms: Kms, controller: str, suite: Suite, clock: Clock, chance: Chance) -> None:
        self._database = database
        self._kms = kms
        self._controller = controller
        self._suite = suite
        self._clock = clock
        self._chance = chance

    async def keyring(self) -> Keyring:
        """Raises KeyUnavailable or SealBroken when a usable key does not open, ConfigError when the suite is not the
        keyring's.
        """
        rows = await store.keys(self._database.read)
        # Open what there is before making anything: a lost master key must not come up as a half-new keyring.
        keys = [await self._open(row) for row in rows if row.state in {ACTIVE, DECRYPT_ONLY}]
        missing = set(USES) - {row.use for row in rows}
        if missing:
            await self._make(missing)
            made = [row for row in await store.keys(self._database.read) if row.use in missing]
            # Through the KMS once more: nothing is sealed under a key that has not been seen to come back.
            keys += [await self._open(row) for row in made]
        keyring = Keyring(keys)
        self._hold_to_suite(keyring)
        return keyring

    async def _make(self, missing: set[str]) -> None:
        """Generation 1 of each use. When another process was faster, its key stands and ours is forgotten."""
        connection = self._database.own()
        try:
            async with connection.single() as session:
                for use in sorted(missing):
                    now = self._clock()
                    row = await self._new(use, now)
                    with suppress(Duplicate):
                        await store.add_key(session, row, now=now)
        finally:
            await connection.close()

    async def _new(self, use: str, now: datetime) -> KeyRow:
        key_id = new_id(now, self._chance)
        made = await self._kms.generate_data_key(self._context(use, 1, key_id=key_id, suite=self._suite))
        return KeyRow(key_id, use, 1, ACTIVE, self._suite.header + made.wrapped, self._kms.uri)

    async def _open(self, row: KeyRow) -> RingKey:
        suite = next((suite for suite in Suite if row.wrapped[:2] == suite.header), None)
        if suite is None:
            raise SealBroken(f"keyring key {row.key_id}")
        context = self._context(row.use, row.generation, key_id=row.key_id, suite=suite)
        key = await self._kms.unwrap(row.wrapped[2:], context)
        if len(key) != KEY_SIZE:
            raise SealBroken(f"keyring key {row.key_id}")
        return RingKey(row.use, row.generation, suite=suite, active=row.state == ACTIVE, key=key)

    def _context(self, use: str, generation: int, *, key_id: str, suite: Suite) -> Mapping[str, str]:
        return {
            "controller": self._controller,
            "generation": str(generation),
            "key": key_id,
            "suite": str(int(suite)),
            "use": use,
        }

    def _hold_to_suite(self, keyring: Keyring) -> None:
        """A suite that is configured and not used would be a quiet fallback; changing it is a rotation."""
        for use in USES:
            if keyring.newest(use).suite is not self._suite:
                raise ConfigError("MENSHEN_SUITE: the keyring is of another suite; changing it takes a key rotation")

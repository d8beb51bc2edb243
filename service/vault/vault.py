"""The vault: seals and opens members' values, makes lookups and pseudonyms, destroys secrets.

It holds the keyring's keys in memory and never hands one out. A value leaves it only against a `Permit`, and what a
permit opens is bound to its member and its fields: a value in the wrong place does not open.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from policies.decide import Permit
from service.db.engine import Database, Session
from service.errors import KeyUnavailable, SealBroken
from service.hazmat import Unspoken
from service.hazmat.aead import NONCE_SIZE, drawn
from service.hazmat.mac import equal
from service.values import Chance, Clock, MemberId
from service.vault import address, field, sealed_map, store
from service.vault.address import Marks
from service.vault.framing import framed, utf8
from service.vault.keyring import Keyring, Opener
from service.vault.keys import MemberKeys, Suite
from service.vault.kms import Kms
from service.vault.lookup import Lookups
from service.vault.pseudonym import Pseudonyms
from service.vault.secret import WRAPPED_SIZE, Secrets
from service.vault.signing import PublicKey, Signer
from service.vault.token import Tokens
from service.vault.value import Value

__all__ = ["MemberKeys", "Suite", "Value", "Vault"]

NOTE: Final = "note"
"""The field key of notes. No field of a catalogue may have it."""

MAC_USES: Final = ("suppression", "head", "address", "cursor", "idempotency", "member-act", "decision")
"""The uses of the keyring that make keyed digests of their callers' messages."""

SIGNING_USES: Final = ("receipt", "pack")
"""The uses of the keyring that sign."""

TOKEN_USES: Final = ("link",)
"""The uses of the keyring that seal what leaves the house and comes back."""

SHORTEST_TAG: Final = 16


class Vault(Unspoken):
    """One deployment's vault. Made by `unlock`; safe to share between tasks, because it never changes."""

    __slots__ = (
        "_chance",
        "_field_label",
        "_generations",
        "_lookups",
        "_macs",
        "_map_label",
        "_marks",
        "_pseudonyms",
        "_secrets",
        "_signers",
        "_tokens",
        "origin",
    )

    def __init__(self, keyring: Keyring, *, controller: str, origin: str, chance: Chance) -> None:
        self._chance = chance
        self._secrets = Secrets(keyring, controller=controller, chance=chance)
        self._lookups = Lookups(keyring)
        self._pseudonyms = Pseudonyms(origin)
        self.origin = origin
        self._macs = {use: keyring.newest(use).hazmat_mac() for use in MAC_USES}
        self._marks = Marks(self._macs[address.USE], controller=controller)
        self._signers = {use: Signer(keyring.newest(use), keyring.all(use)) for use in SIGNING_USES}
        self._tokens = {use: Tokens(keyring, use, controller=controller, chance=chance) for use in TOKEN_USES}
        self._field_label = framed(field.LABEL, utf8(controller))
        self._map_label = framed(sealed_map.LABEL, utf8(controller))
        self._generations = _Generations()

    @classmethod
    async def unlock(
        cls, *, database: Database, kms: Kms, controller: str, origin: str, suite: Suite, clock: Clock, chance: Chance
    ) -> "Vault":
        """Open the keyring through the KMS, and make the keys that it has not got yet.

        Raises KeyUnavailable or SealBroken when one of them does not open, and ConfigError when they are of another
        suite than `suite`.
        """
        opener = Opener(database=database, kms=kms, controller=controller, suite=suite, clock=clock, chance=chance)
        return cls(await opener.keyring(), controller=controller, origin=origin, chance=chance)

    def new_member(self, member_id: MemberId) -> tuple[MemberKeys, bytes]:
        """The keys of a member that did not exist before, and the wrapped secret to store for generation 1."""
        return self._secrets.make(member_id)

    def member_keys(self, member_id: MemberId, generation: int, wrapped: bytes) -> MemberKeys:
        """Unwrap a member's secret. Raises SealBroken, also when its keyring key is destroyed."""
        return self._secrets.open(member_id, generation, wrapped)

    def seal(self, keys: MemberKeys, values: Mapping[str, Value]) -> bytes:
        """The sealed map of these values. Raises BadInput for a value that no field can hold, naming field and rule."""
        return self._seal(keys, {}, values)

    def reseal(self, keys: MemberKeys, sealed: bytes, changes: Mapping[str, Value | None]) -> bytes:
        """The map with some values changed, and those taken out that are None; all others keep their bytes.

        Raises SealBroken, BadInput.
        """
        kept = self._present(keys, sealed)
        for name in changes:
            kept.pop(name, None)
        return self._seal(keys, kept, {name: value for name, value in changes.items() if value is not None})

    def names(self, keys: MemberKeys, sealed: bytes) -> frozenset[str]:
        """Which fields have a value; none is opened. Raises SealBroken."""
        return frozenset(self._present(keys, sealed))

    def seal_note(self, keys: MemberKeys, note: str) -> bytes:
        """A text about the member that stands by itself, in an audit entry: sealed as a field, so it passes for nobody's map."""
        noise = drawn(self._chance, NONCE_SIZE)
        prefix = self._field_label + keys.framed_id
        return field.seal_fields(keys, {NOTE: note}, noise=noise, prefix=prefix, suffixes=self._generations[keys.generation])[
            NOTE
        ]

    def open_note(self, keys: MemberKeys, sealed: bytes) -> str:
        """What `seal_note` sealed for this member, and nothing else. Raises SealBroken."""
        prefix = self._field_label + keys.framed_id
        suffixes = self._generations[keys.generation]
        note = field.open_fields(keys, {NOTE: sealed}, wanted=(NOTE,), prefix=prefix, suffixes=suffixes).get(NOTE)
        if not isinstance(note, str):
            raise SealBroken
        return note

    def open(self, permit: Permit, keys: MemberKeys, sealed: bytes) -> dict[str, Value]:
        """Exactly the permitted fields that are present. Raises SealBroken, also for a permit of somebody else."""
        if permit.member_id != keys.member_id:
            raise SealBroken
        return field.open_fields(
            keys,
            self._present(keys, sealed),
            wanted=permit.shapes,
            prefix=self._field_label + keys.framed_id,
            suffixes=self._generations[keys.generation],
        )

    def open_page(self, rows: Iterable[tuple[Permit, int, bytes, bytes]]) -> list[tuple[MemberKeys, dict[str, Value]]]:
        """For each (permit, generation, wrapped secret, sealed map) the member's keys and the permitted values.

        Raises SealBroken.
        """
        opened = []
        for permit, generation, wrapped, sealed in rows:
            keys = self._secrets.open(permit.member_id, generation, wrapped)
            opened.append((keys, self.open(permit, keys, sealed)))
        return opened

    @property
    def lookup_generation(self) -> int:
        """The generation of the key behind `lookup`."""
        return self._lookups.generation

    def lookup(self, field: str, normalised: str) -> bytes:
        """The digest to find a member by: 16 bytes.

        `normalised` comes from `normalise`, or two spellings will not meet.
        """
        return self._lookups.digest(field, normalised)

    def mark(self, field: str, normalised: str) -> bytes:
        """What a suppression knows an address by: 16 bytes that outlive the member. `normalised` as for `lookup`."""
        return self._marks.mark(field, normalised)

    def pseudonym(self, keys: MemberKeys, now: datetime) -> str:
        """The member's name in the audit log this month (UTC)."""
        return self._pseudonyms.at_moment(keys, now)

    def pseudonym_at(self, keys: MemberKeys, epoch: str) -> str:
        """The member's name in the audit log in another month, `YYYY-MM`. Raises BadInput."""
        return self._pseudonyms.at_epoch(keys, epoch)

    def receipt_pseudonym(self, keys: MemberKeys) -> str:
        """The member's name on receipts: another than in the log, the same on every receipt, gone with the member's secret."""
        return self._pseudonyms.for_receipts(keys)

    def sign(self, use: str, message: bytes) -> bytes:
        """64 bytes of Ed25519 under the first of `public_keys(use)`. Raises KeyUnavailable for a use that does not sign."""
        return self._signer(use).sign(message)

    def public_keys(self, use: str) -> tuple[PublicKey, ...]:
        """The keys that prove what was signed, the one that signs now first. Raises KeyUnavailable for a use that does not sign."""
        return self._signer(use).public_keys

    def mac(self, use: str, message: bytes) -> bytes:
        """32 bytes under the keyring key of `use`, one of MAC_USES. Raises KeyUnavailable for any other."""
        mac = self._macs.get(use)
        if mac is None:
            raise KeyUnavailable(f"{use} has no key for digests")
        return mac(message)

    def check_mac(self, use: str, message: bytes, tag: bytes) -> None:
        """Compare what `mac` makes, or its first 16 bytes or more, with `tag`, in constant time. Raises SealBroken."""
        # A tag that the caller could shorten would be guessed: one byte in 256 tries.
        if len(tag) < SHORTEST_TAG or not equal(self.mac(use, message)[: len(tag)], tag):
            raise SealBroken

    def seal_token(self, use: str, label: bytes, content: bytes) -> bytes:
        """An opaque token under the keyring key of `use`, one of TOKEN_USES, good for what `label` says and nothing else."""
        return self._tokens_of(use).seal(label, content)

    def open_token(self, use: str, label: bytes, token: bytes) -> bytes:
        """What was sealed. Raises SealBroken, whatever the bytes."""
        return self._tokens_of(use).open(label, token)

    async def shred(self, session: Session, member_id: MemberId) -> int:
        """Destroy the secret of one member, in every generation; how many there were. It cannot be undone.

        Nothing that was sealed for this member opens afterwards, in no copy, and no pseudonym can be made again (PIPL
        47).
        """
        return await store.destroy_secrets(session, member_id, nothing=bytes(WRAPPED_SIZE))

    def _tokens_of(self, use: str) -> Tokens:
        found = self._tokens.get(use)
        if found is None:
            raise KeyUnavailable(f"{use} has no key for tokens")
        return found

    def _signer(self, use: str) -> Signer:
        signer = self._signers.get(use)
        if signer is None:
            raise KeyUnavailable(f"{use} has no key for signatures")
        return signer

    def _present(self, keys: MemberKeys, sealed: bytes) -> dict[str, bytes]:
        return sealed_map.open_map(keys, sealed, prefix=self._map_prefix(keys))

    def _seal(self, keys: MemberKeys, kept: Mapping[str, bytes], values: Mapping[str, Value]) -> bytes:
        # One draw for the whole map: a call to the system costs as much as a sealing.
        noise = drawn(self._chance, NONCE_SIZE * (len(values) + 1))
        sealed = field.seal_fields(
            keys,
            values,
            noise=noise[NONCE_SIZE:],
            prefix=self._field_label + keys.framed_id,
            suffixes=self._generations[keys.generation],
        )
        return sealed_map.seal_map(keys, {**kept, **sealed}, nonce=noise[:NONCE_SIZE], prefix=self._map_prefix(keys))

    def _map_prefix(self, keys: MemberKeys) -> bytes:
        return self._map_label + keys.framed_id + self._generations[keys.generation].generation


class _Generations(dict[int, field.Suffixes]):
    """The ends of fields' associated data, by generation.

    Only generations of keys that opened come here, so they are few.
    """

    def __missing__(self, generation: int) -> field.Suffixes:
        suffixes = self[generation] = field.Suffixes(generation)
        return suffixes

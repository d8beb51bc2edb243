"""Whose contact it is: whoever proves a number or an account holds it from then on, and nobody else (PIPL 8, LB-05).

Numbers are given out again. What the former holder had agreed to receive would reach a stranger: so the former holder loses the contact,
and with it every consent to a channel that is reached through it. That is a unit of its own on the former holder; killed after it, the
new holder finds the contact free and the request is simply sent again.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from policies.terms import Basis, Catalogue, LookupKind, Purpose
from service.consent import once, withdrawing, writing
from service.consent.model import CaptureChannel, ConsentStanding
from service.errors import BadInput
from service.members import commands as members
from service.members import store as members_store
from service.members.model import FieldRejected
from service.unit import AnotherFirst, Unit
from service.values import ActorKind, MemberId
from service.vault.normalise import normalise
from service.vault.vault import Vault

FRESH = timedelta(minutes=30)
"""How old a proof may be: a code that was typed in an hour ago says nothing of who holds the number now."""

CODE_LIFE = timedelta(minutes=5)
"""How long a phone code of WeChat's is good for."""

_SKEW = timedelta(seconds=5)
_ONCE = "wechat-phone-code"
_CODE = re.compile(r"[\x21-\x7e]{8,512}")
CAUSE = "CONTACT_PROVEN_BY_ANOTHER"


class ContactMethod(StrEnum):
    """How somebody proved that a contact is theirs."""

    SMS_CODE = "SMS_CODE"
    WECHAT_PHONE_CODE = "WECHAT_PHONE_CODE"


@dataclass(frozen=True, slots=True)
class Exchanged:
    """What WeChat answered to a phone code (getuserphonenumber): its watermark, and the code, which is kept as a keyed digest only."""

    appid: str
    issued_at: datetime
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ContactProof:
    """What a service found out before it called: this field's new value was proven, in this way, at this moment. `exchanged`: where WeChat
    vouches for it, what it said.
    """

    field: str
    method: ContactMethod
    proven_at: datetime
    exchanged: Exchanged | None = None


class Held(AnotherFirst):
    """Somebody else holds the proven contact, and nothing else stands in the way: they have to lose it first. `digest`: by what they are
    found.
    """

    def __init__(self, holder: MemberId, digest: bytes) -> None:
        super().__init__("held")
        self.holder = holder
        self.digest = digest


def unfit(
    catalogue: Catalogue, proof: ContactProof, fields: Sequence[str], *, by: ActorKind, now: datetime
) -> FieldRejected | None:
    """Why the proof proves nothing: a member's own word, another field than those given, or a moment that is not just now."""
    spec = catalogue.fields.get(proof.field)
    fresh = now - FRESH <= proof.proven_at <= now + _SKEW
    right = spec is not None and spec.lookup is LookupKind.IDENTITY and proof.field in fields and by is ActorKind.SERVICE
    vouched = proof.method is not ContactMethod.WECHAT_PHONE_CODE or vouches(catalogue, proof.exchanged, now=now)
    return None if right and fresh and vouched else FieldRejected(proof.field, "PROOF_INVALID")


def vouches(catalogue: Catalogue, said: Exchanged | None, *, now: datetime) -> bool:
    """Whether WeChat's answer is one to an app of ours, and no older than its codes are good for (WX-03): without the watermark a number
    that another app was given, or that the client itself sent, would pass for a proven one.
    """
    if said is None or said.appid not in {brand.wechat_appid for brand in catalogue.controller.brands}:
        return False
    return bool(_CODE.fullmatch(said.code)) and now - CODE_LIFE <= said.issued_at <= now + _SKEW


async def used_before(unit: Unit, proof: ContactProof | None) -> FieldRejected | None:
    """Why a code proves nothing a second time. Whoever has overheard one has overheard one that was used."""
    if proof is None or proof.exchanged is None:
        return None
    again = await once.earlier(unit, _once(proof.exchanged), _ONCE)
    return FieldRejected(proof.field, "CODE_REUSED") if again is not None else None


async def use_up(unit: Unit, member_id: MemberId, proof: ContactProof) -> None:
    """The code has proven what it could. Raises Duplicate where a twin was faster."""
    if proof.exchanged is not None:
        await once.remember(unit, _once(proof.exchanged), member_id, _ONCE)


def _once(said: Exchanged) -> str:
    return f"{_ONCE}:{said.appid}:{said.code}"


def digest_of(vault: Vault, catalogue: Catalogue, field: str, value: object) -> bytes | None:
    """What a member with this contact is found by; None for a value that is none."""
    try:
        return vault.lookup(
            field, normalise(catalogue.fields[field].normaliser, str(value), appid=members.default_appid(catalogue))
        )
    except BadInput:
        return None


def reached_through(catalogue: Catalogue, field: str) -> list[Purpose]:
    """The consent-based purposes that reach members over a channel, by this field."""
    return [
        purpose
        for purpose in catalogue.purposes.values()
        if purpose.basis is Basis.CONSENT and purpose.channel is not None and field in purpose.fields
    ]


async def displaced(unit: Unit, proof: ContactProof, value: object, *, of: MemberId | None) -> Held | None:
    """Who holds the proven contact besides `of`; None where nobody does, or where theirs is the newer proof."""
    digest = digest_of(unit.vault, unit.catalogue, proof.field, value)
    if digest is None:
        return None
    holder = await members_store.holder_of(unit.session, proof.field, digest, generation=unit.vault.lookup_generation)
    return None if holder in {None, of} or await _outproven(unit, str(holder), proof) else Held(str(holder), digest)


async def _outproven(unit: Unit, holder: MemberId, proof: ContactProof) -> bool:
    """Whether the holder has proven the contact since, or by this very proof: a request that is sent again takes nothing from whoever
    came after it, nor from the member that it made.
    """
    at = dict(await members_store.contacts(unit.session, holder)).get(proof.field)
    return at is not None and proof.proven_at <= at


async def release(unit: Unit, *, holder: MemberId, proof: ContactProof, digest: bytes) -> tuple[ConsentStanding, ...]:
    """Take a contact from the member who held it, with the consents to what is reached through it; () when it was free already."""
    row = await writing.known(unit, holder)
    generation = unit.vault.lookup_generation
    held = await members_store.holder_of(unit.session, proof.field, digest, generation=generation)
    if row is None or row.wrapped is None or held != holder or await _outproven(unit, holder, proof):
        return ()
    keys = unit.vault.member_keys(holder, row.generation, row.wrapped)
    without = replace(row, sealed=unit.vault.reseal(keys, row.sealed, {proof.field: None}))
    await members_store.change(unit.session, without, now=unit.now)
    await members_store.forget_lookup(unit.session, holder, proof.field)
    unit.draft.fields = (proof.field,)
    lost = await withdrawing.invalidate(
        unit,
        member_id=holder,
        purposes=reached_through(unit.catalogue, proof.field),
        channel=CaptureChannel.SMS if proof.method is ContactMethod.SMS_CODE else CaptureChannel.MINI_PROGRAM,
        source={"cause": CAUSE, "field": proof.field, "method": proof.method.value},
    )
    unit.draft.extra["purposes"] = [standing.purpose for standing in lost]
    return lost

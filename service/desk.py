"""What every feature's operations share: who may act, about whom, and how the entry begins.

An operation is what edges call: it opens one unit, says what will be recorded, and checks what the caller's role may do. An edge
translates and calls; it never sees a unit, a session or the vault.
"""

import re
from collections.abc import Sequence

from policies.terms import Basis, Reason
from service.audit.entry import Draft
from service.errors import BadInput, Forbidden, Refused
from service.unit import Units
from service.values import ActorKind, Call, MemberId

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.ASCII)
_NOBODY = "00000000-0000-0000-0000-000000000000"


class Desk:
    """The base of a feature's operations."""

    def __init__(self, units: Units) -> None:
        self.units = units
        self.catalogue = units.catalogue

    def draft(self, typ: str, operation: str, purpose: str) -> Draft:
        """The entry to come. A purpose that is not declared is not written down: who knows what somebody put there."""
        declared = self.catalogue.purposes.get(purpose)
        if declared is None:
            return Draft(typ=typ, operation=operation)
        return Draft(typ=typ, operation=operation, purpose=declared.key, basis=declared.basis.value)

    def duty(self, typ: str, operation: str) -> Draft:
        """The entry to come of what the law itself asks for (PIPL 13(1)(3)), such as telling, guardians, a member's own rights."""
        return Draft(typ=typ, operation=operation, basis=Basis.LEGAL_DUTY.value)

    def stated(self, call: Call, purpose: str | None) -> str:
        """No purpose, no data: a member reads their own under the purpose for that, everybody else says what for."""
        return self.catalogue.self_purpose if call.actor.kind is ActorKind.MEMBER else purpose or ""

    def seen_by(self, call: Call, purpose: str) -> bool:
        """Whether the token lets its bearer know of this purpose."""
        return call.actor.purposes is None or purpose in call.actor.purposes

    def within_token(self, call: Call, purposes: Sequence[str]) -> None:
        """A token that was narrowed to some purposes answers for no other. Taking back is never narrowed."""
        if not all(self.seen_by(call, purpose) for purpose in purposes):
            raise Refused(Reason.ROLE_NOT_ALLOWED.value)

    def require(self, call: Call, *acts: str) -> None:
        """Raises Forbidden (recorded) where `roles.toml` gives none of the caller's roles one of these acts."""
        roles = (self.catalogue.roles.get(role) for role in call.actor.roles)
        if not any(role is not None and role.may.intersection(acts) for role in roles):
            raise Forbidden

    def not_a_member(self, call: Call) -> None:
        """Members look at themselves; looking for others is not theirs, whatever purpose they may state."""
        if call.actor.kind is ActorKind.MEMBER:
            raise Forbidden

    def target(self, call: Call, member_id: MemberId | None) -> MemberId:
        """Whom it is about: a member is always about themselves, whatever id the request names."""
        actor = call.actor
        if actor.kind is ActorKind.MEMBER:
            if actor.member_id is None or member_id not in {None, actor.member_id}:
                raise Forbidden
            return actor.member_id
        if member_id is None:
            raise BadInput("memberId: name the member")
        return self.known_form(member_id)

    def known_form(self, member_id: MemberId) -> MemberId:
        """An id that was made here. What has another form is none of ours and goes no further: the database would choke on some of it."""
        return member_id if _ID.fullmatch(member_id) else _NOBODY

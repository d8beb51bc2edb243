"""How tags get onto a member's row and off it, each with where it came from. The caller holds the row's lock."""

from collections.abc import Sequence

from policies.terms import TAGS, Catalogue
from service.members import store as members
from service.members.tags import store
from service.members.tags.model import BY_HAND, HeldTag, Source, blocked
from service.unit import Unit
from service.values import MemberId


async def unwanted(unit: Unit, member_id: MemberId, before: Sequence[str], after: Sequence[str]) -> bool:
    """Whether somebody would enter by hand what the member deleted."""
    fresh = set(after) - set(before)
    if not fresh:
        return False
    deleted = await store.deleted(unit.session, member_id)
    return any(blocked(deleted, tag, BY_HAND) for tag in fresh)


async def entered(unit: Unit, member_id: MemberId, before: Sequence[str], after: Sequence[str]) -> None:
    """Note what was entered and what was taken away by hand. The row's own codes are written by whoever writes the row."""
    if tuple(before) == tuple(after):
        return
    gone = [tag for tag in await store.held(unit.session, member_id) if tag.tag not in after]
    await store.forget(unit.session, member_id, gone)
    fresh = [tag for tag in after if tag not in before]
    await store.add(unit.session, member_id, [HeldTag(tag, Source.STAFF, BY_HAND, unit.now) for tag in fresh])


async def switched(unit: Unit, member_id: MemberId, *, on: bool) -> None:
    """Turn personalisation on or off. Off, the tags go with it, unless another purpose keeps them on a basis of its own."""
    await members.switch(unit.session, member_id, on=on, now=unit.now)
    if not on and not _kept_otherwise(unit.catalogue):
        await store.clear(unit.session, member_id, now=unit.now)


def _kept_otherwise(catalogue: Catalogue) -> bool:
    """Whether tags have a reason to be here beside the switch. A purpose that keeps nothing longer for itself is none."""
    purposes = catalogue.purposes.values()
    return any(TAGS in p.fields and p.retention_months and not p.personalisation for p in purposes)

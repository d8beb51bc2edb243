"""Clerks who read, and what is counted of them."""

from typing import Any

from service.app import Parts
from service.values import Actor, ActorKind, Call
from tests.factories import a_member
from tests.plugins import canary

BENEFITS = "membership_benefits"
TIER = ["tier", "points"]
"""What tells of transactions: 500 members in 24 hours."""


def clerk(name: str = "clerk@shop", role: str = "store_clerk") -> Call:
    """A request by somebody at a counter."""
    return Call(Actor(ActorKind.STAFF, name, frozenset({role})), "req-clerk", "192.0.2.7")


def officer(name: str = "zhao@corp") -> Call:
    """A request by compliance."""
    return Call(Actor(ActorKind.STAFF, name, frozenset({"compliance_officer"})), "req-officer")


def machine(name: str = "orders", role: str = "order_service") -> Call:
    """A request by a service."""
    return Call(Actor(ActorKind.SERVICE, name, frozenset({role})), "req-machine")


async def members(running: Parts, count: int) -> list[str]:
    """So many members, in the order of a list."""
    found = [await a_member(running, {"phone": canary.value("phone"), "name": canary.value("name")}) for _ in range(count)]
    return sorted(found)


async def look(running: Parts, call: Call, member_id: str, fields: list[str] | None = None, purpose: str = BENEFITS) -> Any:
    """One member's tier."""
    return await running.operations.member(call, member_id=member_id, purpose=purpose, fields=fields or TIER)


async def page(running: Parts, call: Call, *, first: int = 100, after: str | None = None, purpose: str = BENEFITS) -> Any:
    """One page of members' tiers."""
    return await running.operations.page(call, purpose=purpose, fields=TIER, first=first, after=after, edge_cursors=False)


async def alarms(running: Parts, *, live: bool = True) -> list[tuple[str, str, int]]:
    """What somebody has to see to: kind, about, count."""
    found = await running.operations.alarms(officer(), live=live, first=100, after=None)
    return [(one.kind.value, one.about, one.count) for one in found]

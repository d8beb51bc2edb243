"""Members who say yes and no, through the real door; and what is known of their addresses afterwards."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from service.app import Parts
from service.audit.entry import Draft
from service.consent.contacts import ContactMethod, ContactProof
from service.members import store as members
from service.members.model import Joined
from service.subscriptions import leaving
from service.subscriptions.model import Left, Subscribed, Way, Wish
from service.unit import Unit
from service.values import Actor, ActorKind, Call
from tests.factories import a_call, a_profile, evidence

SMS, MAIL, WECHAT, PHONE = "marketing_sms", "marketing_email", "marketing_wechat", "marketing_phone"
NEWS = Wish("sms", "news", "living", 4, 24)
MAIL_NEWS = Wish("email", "news", "living", 4, 24)
SYSTEM = Call(Actor(ActorKind.SYSTEM, "inbound", frozenset()), "req-in")


async def a_proven_member(running: Parts, profile: dict[str, object] | None = None, *, at: datetime | None = None) -> str:
    """Somebody who has typed in the code that was sent to their number."""
    proof = ContactProof("phone", ContactMethod.SMS_CODE, at or running.clock())
    joined = await running.operations.join(
        a_call(),
        purpose="account_service",
        fields=profile or a_profile(),
        evidence=evidence(running.catalogue, running.clock()),
        proof=proof,
    )
    assert isinstance(joined, Joined), joined
    return joined.member_id


async def subscribe(
    running: Parts, member_id: str, wish: Wish = NEWS, *, by: str = "mini_program", key: str | None = None, **proof: object
) -> Any:
    """The outcome of one tap."""
    call = a_call(by, member_id=member_id if by == "member" else None)
    return await running.operations.subscribe(
        call,
        member_id=None if by == "member" else member_id,
        wish=wish,
        evidence=evidence(running.catalogue, running.clock(), **proof),
        idempotency_key=key,
    )


async def subscribed(running: Parts, member_id: str, wish: Wish = NEWS, **more: Any) -> Subscribed:
    """The same, of a tap that counts."""
    found = await subscribe(running, member_id, wish, **more)
    assert isinstance(found, Subscribed), found
    return found


async def within(running: Parts, work: Callable[[Unit], Awaitable[Any]]) -> Any:
    """Do this in a unit of its own, as whatever comes in from outside does."""
    return await running.units.change(SYSTEM, Draft(typ="consent", operation="test"), work)


async def leave(running: Parts, member_id: str, **more: Any) -> Left:
    """The one command."""
    said = {"channel": "sms", "way": Way.LINK} | more

    async def work(unit: Unit) -> Left:
        return await leaving.leave(unit, member_id, **said)

    found: Left = await within(running, work)
    return found


async def states(running: Parts, member_id: str) -> dict[tuple[str, str, str], str]:
    """Where each subscription stands."""
    found = await running.operations.subscriptions(a_call("member", member_id=member_id), member_id=None)
    assert found is not None
    return {each.subscription.key: each.subscription.state.value for each in found}


async def known(running: Parts, value: object, field: str = "phone") -> dict[str, tuple[str, str]]:
    """What an address said, by channel: its state and why."""
    found = await running.operations.suppressions(
        a_call("compliance_officer"), field=field, value=str(value), purpose="legal_duty"
    )
    return {each.channel: (each.state.value, each.reason) for each in found}


async def consented(running: Parts, member_id: str) -> dict[str, str]:
    """Where each consent stands."""
    found = await running.operations.consents(a_call("member", member_id=member_id), member_id=None)
    assert found is not None
    return {each.purpose: each.state.value for each in found}


class Counting:
    """A session that says how many statements went through it, and how many of them wrote."""

    def __init__(self, session: Any) -> None:
        self.session, self.reads, self.writes = session, 0, 0
        self.dialect = session.dialect

    async def rows(self, statement: Any, params: Any = None) -> Any:
        self.reads += 1
        return await self.session.rows(statement, params)

    async def run(self, statement: Any, params: Any = None) -> Any:
        self.writes += 1
        return await self.session.run(statement, params)

    async def bulk(self, statement: Any, rows: Any) -> None:
        self.writes += 1
        await self.session.bulk(statement, rows)


async def counted(running: Parts, member_id: str, **more: Any) -> tuple[int, int]:
    """How many statements one leaving reads and writes, beside its entry."""
    said = {"channel": "sms", "way": Way.LINK} | more

    async def work(unit: Unit) -> tuple[int, int]:
        counting = Counting(unit.session)
        await leaving.leave(replace(unit, session=counting), member_id, **said)
        return counting.reads, counting.writes

    found: tuple[int, int] = await within(running, work)
    return found


async def member_with(running: Parts, field: str, value: str) -> str | None:
    """Who holds this contact."""
    from service.consent.contacts import digest_of

    digest = digest_of(running.vault, running.catalogue, field, value)
    assert digest is not None
    return await members.holder_of(running.database.read, field, digest, generation=running.vault.lookup_generation)

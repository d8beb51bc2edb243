"""What the tests of the record share: somebody reads, somebody signs, somebody is erased."""

import asyncio

from menshen_verifier.note import Key
from service.app import Parts
from service.audit.journal import Ack
from service.audit.store import head
from service.values import Call
from tests.factories import a_call

OFFICER = a_call("compliance_officer")


async def read(running: Parts, member: str, *, role: str = "customer_service_agent", call: Call | None = None) -> None:
    """A clerk looks at a name and a phone number."""
    await running.operations.member(call or a_call(role), member_id=member, purpose="customer_service", fields=("name", "phone"))


async def signed(running: Parts) -> tuple[Key, ...]:
    """Wait until the log as it stands has a signed checkpoint; the keys under which it is."""
    found = await head(running.database.read, running.journal.authority.origin)
    assert found is not None
    await running.publisher.reached(found.size, Ack.SIGNED)
    return running.publisher.keys


async def stilled(running: Parts) -> None:
    """From here on nobody follows, signs or patrols the log: in real life that is the moment before they come around."""
    running.publisher.state.breaker = "stopped for this test"
    tasks = [one for one in asyncio.all_tasks() if getattr(one.get_coro(), "__qualname__", "") == "Publisher.run"]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def erased(running: Parts, member: str) -> None:
    """The member's key is destroyed."""
    assert await running.operations.erase(OFFICER, member_id=member)

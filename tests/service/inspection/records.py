"""What the tests of the record share: somebody reads, somebody signs, somebody is erased."""

from service.app import Parts
from service.values import Call
from tests.factories import a_call
from tests.service.archive.logs import Signer

OFFICER = a_call("compliance_officer")


async def read(running: Parts, member: str, *, role: str = "customer_service_agent", call: Call | None = None) -> None:
    """A clerk looks at a name and a phone number."""
    await running.operations.member(call or a_call(role), member_id=member, purpose="customer_service", fields=("name", "phone"))


async def signed(running: Parts, url: str) -> Signer:
    """The log as it stands gets a signed checkpoint."""
    signer = Signer(running.journal.authority.origin)
    await signer.publish(running.database, url, running.clock())
    return signer


async def erased(running: Parts, member: str) -> None:
    """The member's key is destroyed."""
    assert await running.operations.erase(OFFICER, member_id=member)

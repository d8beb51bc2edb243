"""Another person's leave for an export."""

from service.app import Parts
from service.approvals.exports import KIND, Export
from service.values import Actor, ActorKind, Call

OTHER = Call(Actor(ActorKind.STAFF, "zhao@corp", frozenset({"compliance_officer"})), "req-other")
AUDITOR = "example_auditor"


async def allowed(running: Parts, call: Call, export: Export) -> str:
    """`call`'s person asks for just this, and another allows it; the approval's id."""
    asked = await running.operations.ask_approval(call, kind=KIND, what=export.what, reason="a yearly audit", hours=24)
    await running.operations.decide_approval(OTHER, approval_id=asked.approval_id, allow=True)
    return asked.approval_id

"""The cases of the record's own keeping: what takes two persons, bulk reading, alarms."""

from typing import Any

from service.app import Parts
from service.values import Actor, ActorKind, Call
from tests.api.recorded import Ask, Case, Given
from tests.api.recorded_roles import SEEING_TO_IT

CLERK = Call(Actor(ActorKind.STAFF, "clerk@shop", frozenset({"store_clerk"})), "req-clerk")


async def an_approval(running: Parts, ask: Ask, given: Given) -> Given:
    """A clerk asks for something."""
    asked = await running.operations.ask_approval(CLERK, kind="audit.resolve", what="one token", reason="a complaint", hours=1)
    return {"approval": asked.approval_id}


_STEP: dict[str, Any] = SEEING_TO_IT | {"typ": "admin", "count": None}
APPROVALS = {
    "approvals": Case(query="{ approvals { id } }", before=an_approval, subjects=0, **(SEEING_TO_IT | {"typ": "audit"})),
    "askApproval": Case(
        query="""mutation { askApproval(kind: "audit.resolve", what: "one token", reason: "a complaint") { __typename } }""",
        further={"kind": "audit.resolve"},
        outcome="Approval",
        **_STEP,
    ),
    "decideApproval": Case(
        query="mutation ($approval: ID!) { decideApproval(id: $approval, allow: true) { __typename } }",
        before=an_approval,
        further={"kind": "audit.resolve", "allowed": True},
        outcome="Approval",
        **_STEP,
    ),
}
RECORD = {**APPROVALS}

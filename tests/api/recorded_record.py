"""The cases of the record's own keeping: what takes two persons, bulk reading, alarms."""

from functools import partial
from typing import Any

from service.alarms.commands import raise_alarm
from service.alarms.model import WATCH, AlarmKind
from service.app import Parts
from service.audit.entry import Draft
from service.values import Actor, ActorKind, Call
from tests.api.recorded import Ask, Case, Given
from tests.api.recorded_roles import SEEING_TO_IT, SELF

CLERK = Call(Actor(ActorKind.STAFF, "clerk@shop", frozenset({"store_clerk"})), "req-clerk")


async def an_approval(running: Parts, ask: Ask, given: Given) -> Given:
    """A clerk asks for something."""
    asked = await running.operations.ask_approval(CLERK, kind="audit.resolve", what="one token", reason="a complaint", hours=1)
    return {"approval": asked.approval_id}


async def an_alarm(running: Parts, ask: Ask, given: Given) -> Given:
    """An account was refused again and again."""
    work = partial(raise_alarm, kind=AlarmKind.DENIED_STREAK, about="staff:clerk@shop")
    draft = Draft(typ="admin", operation="raiseAlarm")
    return {"alarm": await running.units.change(Call(WATCH, "req-watch"), draft, work)}


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
SUBJECT = "p1:AAECAwQFBgcICQoLDA0ODw"


async def an_allowed_resolution(running: Parts, ask: Ask, given: Given) -> Given:
    """Somebody else has allowed the caller to resolve one pseudonym."""
    caller = Call(Actor(ActorKind.STAFF, "compliance_officer@development", frozenset({"compliance_officer"})), "req-asks")
    second = Call(Actor(ActorKind.STAFF, "second@shop", frozenset({"compliance_officer"})), "req-allows")
    what = f"{SUBJECT} 2026-11"
    asked = await running.operations.ask_approval(caller, kind="audit.resolve", what=what, reason="a complaint", hours=1)
    await running.operations.decide_approval(second, approval_id=asked.approval_id, allow=True)
    return {}


INSPECTION = {
    "auditEntries": Case(
        query='query ($id: ID!) { auditEntries(where: { memberId: $id, field: "phone", role: "store_clerk" }) { nodes { id } } }',
        typ="audit",
        count=0,
        subjects=1,
        further={"field": "phone", "role": "store_clerk"},
        role="auditor",
    ),
    "myAccessLog": Case(query="{ myAccessLog { nodes { proof } } }", subjects=1, **(SELF | {"typ": "audit", "count": 1})),
    "incidentScope": Case(
        query="""query ($soon: DateTime!) { incidentScope(leak: { account: "staff:nobody" }, since: "2026-11-01T00:00:00Z",
          until: $soon) { members } }""",
        further={"by": "account", "named": False},
        **(SEEING_TO_IT | {"typ": "audit", "count": 0}),
    ),
    "resolveSubject": Case(
        query='mutation { resolveSubject(subject: "p1:AAECAwQFBgcICQoLDA0ODw", month: "2026-11") { __typename } }',
        before=an_allowed_resolution,
        outcome="SubjectResolved",
        **(SEEING_TO_IT | {"typ": "audit", "count": 0}),
    ),
}
ALARMS = {
    "alarms": Case(query="{ alarms { id kind advice } }", before=an_alarm, subjects=0, **(SEEING_TO_IT | {"typ": "audit"})),
    "acknowledgeAlarm": Case(
        query="mutation ($alarm: ID!) { acknowledgeAlarm(id: $alarm) { __typename } }",
        before=an_alarm,
        further={"kind": "DENIED_STREAK", "state": "SEEN"},
        outcome="Alarm",
        **_STEP,
    ),
    "closeAlarm": Case(
        query="""mutation ($alarm: ID!) { closeAlarm(id: $alarm, note: "a wrong setting") { __typename } }""",
        before=an_alarm,
        further={"kind": "DENIED_STREAK", "state": "CLOSED"},
        outcome="Alarm",
        **_STEP,
    ),
    "askBulkReading": Case(
        query="""mutation { askBulkReading(bulk: TRANSACTION, most: 800, reason: "stock-taking") { __typename } }""",
        further={"kind": "bulk.read"},
        outcome="Approval",
        **_STEP,
    ),
}
RECORD = {**APPROVALS, **INSPECTION, **ALARMS}

"""The cases of oversight: the register, measures, grants, tasks."""

from datetime import timedelta

from service.app import Parts
from service.oversight.upkeep import Upkeep
from tests.api.recorded import Ask, Case, Given
from tests.api.recorded_roles import SEEING_TO_IT
from tests.service.oversight.house import seen_to, upkeep


async def seen(running: Parts, ask: Ask, given: Given) -> Given:
    """A round has been done: there are tasks, and the log has been read."""
    made: Upkeep = upkeep(running)
    await made.once()
    answer = await ask("{ duties { dutyId } accessReview { digest } }", role="compliance_officer")
    return {"duty": answer["data"]["duties"][0]["dutyId"], "digest": answer["data"]["accessReview"]["digest"]}


async def closed(running: Parts, ask: Ask, given: Given) -> Given:
    """An account that nobody used for long is closed."""
    await ask("{ complianceAlerts { code } }", role="auditor")
    running.clock.advance(days=91)  # type: ignore[attr-defined]
    await ask("{ duties { dutyId } }", role="compliance_officer")
    await upkeep(running).once()
    return {}


async def served(running: Parts, ask: Ask, given: Given) -> Given:
    """The deployment serves under its policy."""
    await seen_to(running)
    at = running.clock()
    return {"at": at.isoformat(), "before": (at - timedelta(days=1)).isoformat()}


OVERSIGHT = {
    "processingRegister": Case(
        query="query ($at: DateTime!) { processingRegister(at: $at) { digest } }",
        typ="audit",
        before=served,
        count=None,
        **SEEING_TO_IT,
    ),
    "registerDiff": Case(
        query="query ($before: DateTime!, $at: DateTime!) { registerDiff(since: $before, until: $at) { after } }",
        typ="audit",
        before=served,
        count=None,
        **SEEING_TO_IT,
    ),
    "complianceAuditPack": Case(
        query='{ complianceAuditPack(since: "2020-01-01", until: "2020-12-31") { rows } }',
        typ="export",
        count=0,
        subjects=0,
        further={"from": "2020-01-01", "to": "2020-12-31"},
        **SEEING_TO_IT,
    ),
    "controlEvidence": Case(
        query="{ controlEvidence(law: PIPL51) { item } }",
        typ="audit",
        count=None,
        further={"law": "PIPL51"},
        **SEEING_TO_IT,
    ),
    "accessReview": Case(query="{ accessReview { digest } }", typ="audit", count=1, subjects=0, **SEEING_TO_IT),
    "duties": Case(query="{ duties { dutyId } }", typ="audit", before=seen, count=2, subjects=0, **SEEING_TO_IT),
    "recordControl": Case(
        query='mutation { recordControl(kind: TRAINING, title: "年度培训", heldOn: "2026-11-01") { controlId } }',
        typ="admin",
        subjects=0,
        further={"kind": "TRAINING"},
        **SEEING_TO_IT,
    ),
    "signAccessReview": Case(
        query="mutation ($digest: String!) { signAccessReview(digest: $digest) { reviewId } }",
        typ="admin",
        before=seen,
        count=1,
        subjects=0,
        further={"quarter": "2026-Q4"},
        **SEEING_TO_IT,
    ),
    "enableAccount": Case(
        query='mutation { enableAccount(account: "staff:auditor@development", reason: "年度审计") }',
        typ="admin",
        before=closed,
        subjects=0,
        **SEEING_TO_IT,
    ),
    "completeDuty": Case(
        query='mutation ($duty: ID!) { completeDuty(dutyId: $duty, reference: "OA-2026-17") { dutyId } }',
        typ="admin",
        before=seen,
        subjects=0,
        **SEEING_TO_IT,
    ),
}

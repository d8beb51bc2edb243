"""Orders: live decisions become jobs. A token that has run out, or is another's, queues nothing; the same order twice is one job."""

from collections.abc import Sequence

from service.campaigns.model import CampaignRejected
from service.errors import BadInput
from service.gate import deciding, tokens
from service.gate.model import TOKEN_EXPIRED
from service.gate.weighing import Matter
from service.senders import store
from service.senders.model import SEND, Ordered, Queued, SendsQueued
from service.unit import Unit
from service.work import store as jobs
from service.work.model import Job

MOST = 1000


async def queue_sends(unit: Unit, *, campaign_id: str, sends: Sequence[Ordered]) -> SendsQueued | CampaignRejected:
    """Queue what may go out now. Raises BadInput (PAGE_SIZE_TOO_LARGE), Refused (ROLE_NOT_ALLOWED)."""
    if not 1 <= len(sends) <= MOST:
        raise BadInput(f"sends: between 1 and {MOST}", code="PAGE_SIZE_TOO_LARGE")
    found = await deciding.matter(unit, campaign_id)
    if found is None:
        unit.draft.deny("NOT_FOUND")
        return CampaignRejected("CAMPAIGN_NOT_FOUND")
    deciding.allowed_to_ask(unit, found)
    results = {order.send_id: Queued(order.send_id, *_live(unit, found, order)) for order in sends}
    wanted = {order.send_id: order for order in sends if results[order.send_id].queued}
    there = await store.queued(unit.session, list(wanted))
    await jobs.queue(unit.session, [_job(unit, found, order) for order in wanted.values() if order.send_id not in there])
    _tell(unit, found, list(wanted))
    return SendsQueued(tuple(results[order.send_id] for order in sends))


def _live(unit: Unit, found: Matter, order: Ordered) -> tuple[bool, str]:
    """Whether the token is a live one for exactly this member, these words, this channel."""
    bound = tokens.Bound(order.member_id, order.send_id, found.campaign.content.channel, found.template.digest)
    try:
        ends = tokens.check(unit.vault, order.token, bound)
    except BadInput as problem:
        return False, problem.code
    return (True, "") if unit.now < ends else (False, TOKEN_EXPIRED)


def _job(unit: Unit, found: Matter, order: Ordered) -> Job:
    """Its id is the send's: whoever queues it again finds it. The token is not kept; at dispatch the gate is asked again."""
    return Job(
        member_id=order.member_id,
        job_id=order.send_id,
        kind=SEND,
        purpose=found.campaign.content.purpose,
        recipient=found.template.body.sender,
        event_id=found.campaign.campaign_id,
        due_at=unit.now,
        created_at=unit.now,
    )


def _tell(unit: Unit, found: Matter, send_ids: Sequence[str]) -> None:
    unit.draft.count = len(send_ids)
    unit.draft.extra["campaign"] = found.campaign.campaign_id

"""How the mail of a sending domain is received (EM-07): what mailbox providers judge it by, counted from the ledgers."""

from collections import Counter
from datetime import datetime

from policies.terms import Catalogue
from service.campaigns import store as campaigns
from service.db.engine import Session
from service.errors import Malformed
from service.guardians.model import Alert
from service.inbound import store
from service.inbound.model import EMAIL

HIGH, CRITICAL = 100, 300
"""Complaints per 100,000 mails: 0.1 % is what providers want, at 0.3 % they let nothing through any more (EM-07)."""

Volumes = dict[tuple[str, str], int]
"""Messages of the last day by sending domain and outcome (SENT, BOUNCED, COMPLAINED)."""


async def volumes(session: Session, catalogue: Catalogue, channel: str, *, now: datetime) -> Volumes:
    """The day's messages on a channel, by the domain that stands in the policy: no receiver's domain is known here, nor any address."""
    found: Counter[tuple[str, str]] = Counter()
    domains: dict[str, str] = {}
    for campaign_id, outcome, number in await store.outcomes(session, channel, now=now):
        if campaign_id not in domains:
            domains[campaign_id] = await _domain(session, catalogue, campaign_id)
        found[domains[campaign_id], outcome] += number
    return dict(found)


async def _domain(session: Session, catalogue: Catalogue, campaign_id: str) -> str:
    """Whose name the campaign's mail goes out in; "unknown" where nothing says so any more."""
    try:
        loaded = await campaigns.loaded(session, campaign_id)
    except Malformed:
        return "unknown"
    sender = catalogue.senders.get(loaded[1].body.sender) if loaded else None
    return sender.address.rpartition("@")[2] if sender else "unknown"


async def alerts(session: Session, catalogue: Catalogue, *, now: datetime) -> tuple[Alert, ...]:
    """What of the sending needs a person: counts, and no member. A rate is complaints per 100,000 mails of the domain that has most."""
    found = await volumes(session, catalogue, EMAIL, now=now)
    rate = max((per_100_000(found, domain) for domain, _ in found), default=0)
    late, dead = await store.late(session, now=now), await store.dead(session, now=now)
    return (
        Alert("COMPLAINT_RATE_HIGH", rate > HIGH, rate, HIGH),
        Alert("COMPLAINT_RATE_CRITICAL", rate > CRITICAL, rate, CRITICAL),
        Alert("SENT_AFTER_TOKEN", late > 0, late, 0),
        Alert("SENDS_FAILED", dead > 0, dead, 0),
    )


def per_100_000(found: Volumes, domain: str) -> int:
    """Rounded up: a rate that is just over the limit is over it."""
    return -(-found.get((domain, "COMPLAINED"), 0) * 100_000 // max(found.get((domain, "SENT"), 0), 1))

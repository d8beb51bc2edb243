"""How the mail of a sending domain is received (EM-07): what mailbox providers judge it by, counted from the ledgers."""

from collections import Counter
from datetime import datetime

from policies.terms import Catalogue
from service.campaigns import store as campaigns
from service.db.engine import Session
from service.errors import Malformed
from service.inbound import store

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

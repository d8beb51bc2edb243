"""Decide for a page of members, reserve what is allowed, and keep every answer with what it rests on (MK-01, MK-09).

The accident is the race: sixteen senders ask for the same member in the same moment, and each sees two messages of the week. So the
member's window is locked first, everything else is read after that, and the slot is written before the lock goes.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import timedelta

from policies.decide import Minority, Standing
from policies.terms import Basis, Catalogue, ConsentState, MemberStatus
from service.campaigns import store as campaigns
from service.campaigns.model import CampaignRejected, covers
from service.campaigns.queries import compliant
from service.disclosure import cursor
from service.errors import BadInput, Refused, SealBroken
from service.gate import store, tokens, window
from service.gate.model import Decision, DecisionPage, Facts, Kept
from service.gate.weighing import Matter, matter_of, weighed
from service.members import age
from service.members.model import Row
from service.unit import Unit
from service.values import MemberId, new_ids, utc_text

MOST = 1000
_LEAF = b"menshen/send-decision/v1\0"
_PAGE = b"menshen/send-decisions/v1\0"


async def decide_sends(
    unit: Unit, *, campaign_id: str, members: Sequence[MemberId] | None, first: int, after: str | None
) -> DecisionPage | CampaignRejected:
    """Answer for these members, or for the next `first` of the audience. Raises BadInput (PAGE_SIZE_TOO_LARGE, CURSOR_INVALID), Refused."""
    asked = None if members is None else list(dict.fromkeys(members))
    if not 1 <= first <= MOST or (asked is not None and not 1 <= len(asked) <= MOST):
        raise BadInput(f"members: between 1 and {MOST}", code="PAGE_SIZE_TOO_LARGE")
    found = await matter(unit, campaign_id)
    if found is None:
        unit.draft.deny("NOT_FOUND")
        return CampaignRejected("CAMPAIGN_NOT_FOUND")
    allowed_to_ask(unit, found)
    ids, end, more = (asked, None, False) if asked is not None else await _audience(unit, found, first=first, after=after)
    decisions = await _decided(unit, found, ids) if ids else ()
    return DecisionPage(campaign_id, decisions, end, more)


async def matter(unit: Unit, campaign_id: str) -> Matter | None:
    """The campaign as it stands at this moment. Raises Malformed."""
    loaded = await campaigns.loaded(unit.session, campaign_id)
    if loaded is None:
        return None
    return matter_of(unit.catalogue, *loaded, compliant=compliant(unit.catalogue, *loaded))


def allowed_to_ask(unit: Unit, found: Matter) -> None:
    """Whoever asks must be one who may state the campaign's purpose, where it rests on a consent. Raises Refused (ROLE_NOT_ALLOWED)."""
    actor, purpose = unit.call.actor, found.purpose
    named = found.campaign.content.purpose
    narrowed = actor.purposes is not None and named not in actor.purposes
    stated = purpose is None or purpose.basis is not Basis.CONSENT or bool(actor.roles & purpose.roles)
    if narrowed or not stated:
        raise Refused("ROLE_NOT_ALLOWED")
    if purpose is not None:
        unit.draft.purpose = purpose.key


def longest(catalogue: Catalogue) -> timedelta:
    """The longest time over which any channel counts."""
    return timedelta(days=max(channel.cap_days for channel in catalogue.channels.values()))


async def _audience(unit: Unit, found: Matter, *, first: int, after: str | None) -> tuple[list[MemberId], str | None, bool]:
    label = "campaign:" + found.campaign.campaign_id
    start = cursor.decode(unit.vault, label, after) if after is not None else ""
    ids = await store.audience_page(
        unit.session,
        found.campaign.content.audience,
        found.keys,
        least_scope=found.least_scope,
        subscribers=found.commercial,
        after=start,
        size=first + 1,
        now=unit.now,
    )
    shown = ids[:first]
    return shown, cursor.encode(unit.vault, label, shown[-1]) if shown else None, len(ids) > first


async def _decided(unit: Unit, found: Matter, ids: Sequence[MemberId]) -> tuple[Decision, ...]:
    """Lock, read, judge, write: whatever the number, so many statements."""
    windows = await store.lock(unit.session, ids, now=unit.now) if found.commercial else {}
    facts = await store.facts(unit.session, ids, found.campaign.content.audience, found.keys, now=unit.now)
    batch = unit.draft.entry_id = unit.new_id()
    expires_at = unit.now + unit.catalogue.marketing.decision_life
    kept, decisions, moved = [], [], {}
    for member_id, send_id in zip(ids, new_ids(unit.now, unit.chance, len(ids)), strict=True):
        known = facts.get(member_id) or _nobody(member_id, found)
        held = window.read(windows[member_id]) if member_id in windows else ()
        verdict, evidence = weighed(found, known, minority(unit, known), held, unit.now)
        ends = expires_at if verdict.allowed else None
        reasons = tuple(reason.value for reason in verdict.reasons)
        one = Kept(
            member_id,
            send_id,
            batch,
            found.campaign.campaign_id,
            found.mailing.channel.key,
            verdict.allowed,
            reasons,
            evidence,
            unit.now,
            ends,
        )
        kept.append(one)
        token = None
        if ends is not None:
            token = tokens.make(unit.vault, tokens.Bound(member_id, send_id, one.channel, found.template.digest), ends)
            reserved = found.reserved(send_id, unit.now, ends)
            if reserved is not None:
                live = window.kept((*held, reserved), unit.now, longest=longest(unit.catalogue))
                moved[member_id] = window.written(live)
        decisions.append(Decision(member_id, send_id, verdict.allowed, verdict.reasons, token, ends, verdict.next_slot))
    await store.write(unit.session, moved, now=unit.now)
    await store.add(unit.session, kept)
    _tell(unit, found, kept)
    return tuple(decisions)


def minority(unit: Unit, known: Facts) -> Minority | None:
    """The age band at this moment. Whose birthday cannot be read is in no band that anybody knows: nothing is allowed, to them alone."""
    row = known.row
    if known.minor is False or row is None or known.standing.status is MemberStatus.ERASED:
        return None
    if row.wrapped is None:
        return Minority(None, told=False)
    try:
        return age.minority(unit, unit.vault.member_keys(row.member_id, row.generation, row.wrapped), row)
    except SealBroken:
        return Minority(None, told=False)


def _nobody(member_id: MemberId, found: Matter) -> Facts:
    """Absent and erased look alike (SE-05)."""
    return Facts(
        standing=Standing(member_id, MemberStatus.ERASED, ConsentState.NEVER_ASKED),
        minor=False,
        in_audience=covers(found.campaign.content.audience, Row(member_id, MemberStatus.ERASED, 0, b"", None, {}, 0)),
        subscribed=False,
        suppressed=False,
        addressed=False,
        reachable=True,
        subscription_event=None,
        notice_version=None,
        promised=None,
        quota=None,
        row=None,
    )


def digest(kept: Iterable[Kept]) -> str:
    """What the log's entry says of all decisions of a call, in the order of their members (docs/formats/send-decision.md)."""
    whole = hashlib.sha256(_PAGE)
    for one in sorted(kept, key=_by_member):
        whole.update(leaf(one))
    return whole.hexdigest()


def leaf(one: Kept) -> bytes:
    """SHA-256 over one decision as the ledger has it."""
    ends = utc_text(one.expires_at) if one.expires_at is not None else ""
    parts = (one.member_id, one.send_id, one.batch, one.campaign_id, one.channel, str(int(one.allowed)), ",".join(one.reasons))
    told = "\0".join((*parts, utc_text(one.decided_at), ends, one.evidence))
    return hashlib.sha256(_LEAF + told.encode()).digest()


def _by_member(one: Kept) -> str:
    return one.member_id


def _tell(unit: Unit, found: Matter, kept: Sequence[Kept]) -> None:
    """One entry for the call, whose id the decisions carry as their batch."""
    unit.draft.count = len(kept)
    unit.draft.extra.update(
        {
            "campaign": found.campaign.campaign_id,
            "channel": found.mailing.channel.key,
            "allowed": sum(one.allowed for one in kept),
            "decisions": digest(kept),
        }
    )

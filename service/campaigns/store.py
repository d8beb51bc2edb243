"""The SQL of campaigns. `template` and `campaign_event` know INSERT and SELECT, nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from sqlalchemy import ColumnElement, and_, bindparam, case, exists, func, insert, or_, select, true, update

from policies.terms import MemberStatus
from service.campaigns import model
from service.campaigns.model import Audience, Campaign, CampaignState, CampaignStep, Template
from service.campaigns.parsing import archived, parse_archived, parse_content, parse_template
from service.consent.store import FIRST_SCOPE
from service.db.engine import Session
from service.db.statement import Prepared, Row
from service.db.tables import (
    campaign,
    campaign_event,
    consent_standing,
    member,
    send_decision,
    send_outcome,
    subscription,
    template,
)
from service.errors import Malformed

Found = tuple[Campaign, Template]

_TEMPLATE_COLUMNS = tuple(column.name for column in template.columns)
_CAMPAIGN_COLUMNS = tuple(column.name for column in campaign.columns)
_EVENT_COLUMNS = tuple(column.name for column in campaign_event.columns)
_FIXED = frozenset({"campaign_id", "author", "created_at"})
_ADD_TEMPLATE = Prepared(insert(template).values({name: bindparam(name) for name in _TEMPLATE_COLUMNS}))
_ADD_CAMPAIGN = Prepared(insert(campaign).values({name: bindparam(name) for name in _CAMPAIGN_COLUMNS}))
_ADD_EVENT = Prepared(insert(campaign_event).values({name: bindparam(name) for name in _EVENT_COLUMNS}))
_CHANGE = Prepared(
    update(campaign)
    .where(campaign.c.campaign_id == bindparam("of_campaign"))
    .values({name: bindparam(name) for name in _CAMPAIGN_COLUMNS if name not in _FIXED})
)
_VERSIONS = Prepared(
    select(*template.columns).where(template.c.template_id == bindparam("template_id")).order_by(template.c.version.desc())
)
_LOCK = Prepared(select(campaign.c.version).where(campaign.c.campaign_id == bindparam("campaign_id")).with_for_update())
# The archive cannot be changed; the campaign's own row can, by whoever gets at the database. So an approval counts only where the newest
# step that approved anything approved this very digest.
_VOUCHED = (
    select(campaign_event.c.digest)
    .where(campaign_event.c.campaign_id == campaign.c.campaign_id, campaign_event.c.step == CampaignStep.APPROVED.value)
    .order_by(campaign_event.c.version.desc())
    .limit(1)
    .scalar_subquery()
)
_ROWS = select(*campaign.columns, _VOUCHED.label("vouched"))
_CAMPAIGN = Prepared(_ROWS.where(campaign.c.campaign_id == bindparam("campaign_id")))
_STATED = Prepared(
    _ROWS.where(campaign.c.state == bindparam("state"), campaign.c.campaign_id > bindparam("after"))
    .order_by(campaign.c.campaign_id)
    .limit(bindparam("size"))
)
_OVER = or_(campaign.c.state == CampaignState.ENDED.value, campaign.c.ends_at <= bindparam("now"))
_ENDED = Prepared(
    _ROWS.where(_OVER, campaign.c.campaign_id > bindparam("after")).order_by(campaign.c.campaign_id).limit(bindparam("size"))
)
_HISTORY = Prepared(
    select(*campaign_event.columns)
    .where(campaign_event.c.campaign_id == bindparam("campaign_id"))
    .order_by(campaign_event.c.version, campaign_event.c.event_id)
)
_LAST_OUTCOME = (
    select(send_outcome.c.outcome)
    .where(send_outcome.c.member_id == send_decision.c.member_id, send_outcome.c.send_id == send_decision.c.send_id)
    .order_by(send_outcome.c.outcome_id.desc())
    .limit(1)
    .scalar_subquery()
)
_BECAME = case((send_decision.c.allowed == 0, "DENIED"), else_=func.coalesce(_LAST_OUTCOME, "ALLOWED")).label("became")
_DECIDED = select(_BECAME).where(send_decision.c.campaign_id == bindparam("campaign_id")).subquery()
_COUNTS = Prepared(select(_DECIDED.c.became, func.count()).group_by(_DECIDED.c.became).order_by(_DECIDED.c.became))


async def loaded(session: Session, campaign_id: str) -> Found | None:
    """A campaign and the version of the template that it names. Raises Malformed where what stands there was not written by us.

    The template's digest is worked out anew and put into the content, so words that were changed afterwards change the campaign's digest
    too, and no approval holds for them.
    """
    found = await _with_templates(session, await session.rows(_CAMPAIGN, {"campaign_id": campaign_id}))
    return found[0] if found else None


async def locked(session: Session, campaign_id: str) -> Found | None:
    """The same, and nobody else changes the campaign until the transaction ends. Read after the lock is held, never before."""
    await session.rows(_LOCK, {"campaign_id": campaign_id})
    return await loaded(session, campaign_id)


async def in_state(session: Session, state: CampaignState, *, after: str, size: int) -> list[Found]:
    """Campaigns that stand there, by id."""
    return await _with_templates(session, await session.rows(_STATED, {"state": state.value, "after": after, "size": size}))


async def ended(session: Session, *, now: datetime, after: str, size: int) -> list[Found]:
    """Campaigns that are over, by id."""
    return await _with_templates(session, await session.rows(_ENDED, {"now": now, "after": after, "size": size}))


async def _with_templates(session: Session, rows: list[Row]) -> list[Found]:
    contents = [parse_content(row[3]) for row in rows]
    wanted = sorted({(content.template_id, content.template_version) for content in contents})
    words = {(one.template_id, one.version): one for one in await _templates(session, wanted)}
    return [_found(row, content, words) for row, content in zip(rows, contents, strict=True)]


def _found(row: Row, content: model.Content, words: Mapping[tuple[str, int], Template]) -> Found:
    used = words.get((content.template_id, content.template_version))
    if used is None:
        raise Malformed("menshen/campaign/v1: its template is gone")
    content = replace(content, template_digest=used.digest.hex())
    approved = row[5] if row[5] is not None and row[5] == row[10] else None
    return Campaign(row[0], row[1], _state(row[2]), content, model.campaign_digest(content), approved, *row[6:9]), used


def _state(text: str) -> CampaignState:
    try:
        return CampaignState(text)
    except ValueError:
        raise Malformed("menshen/campaign/v1: state") from None


async def add(session: Session, found: Campaign) -> None:
    """A new campaign."""
    await session.run(_ADD_CAMPAIGN, _values(found))


async def change(session: Session, found: Campaign) -> None:
    """Write a campaign's row anew; whoever calls holds its lock."""
    given = _values(found)
    kept = {name: value for name, value in given.items() if name not in _FIXED}
    await session.run(_CHANGE, {**kept, "of_campaign": found.campaign_id})


def _values(found: Campaign) -> dict[str, object]:
    return {
        "campaign_id": found.campaign_id,
        "version": found.version,
        "state": found.state.value,
        "content": model.canonical(model.content_document(found.content)),
        "digest": found.digest,
        "approved_digest": found.approved_digest,
        "author": found.author,
        "created_at": found.created_at,
        "updated_at": found.updated_at,
        "ends_at": found.updated_at if found.state is CampaignState.ENDED else found.content.ends_at,
    }


async def record(session: Session, campaign_id: str, event_id: str, step: model.Step) -> None:
    """One more step, for good."""
    await session.run(
        _ADD_EVENT,
        {
            "campaign_id": campaign_id,
            "event_id": event_id,
            "version": step.version,
            "step": step.step.value,
            "actor": step.actor,
            "comment": step.comment,
            "content": archived(step.content, step.words),
            "digest": step.digest,
            "recorded_at": step.recorded_at,
        },
    )


async def history(session: Session, campaign_id: str) -> tuple[model.Step, ...]:
    """Every step, oldest first. Raises Malformed."""
    return tuple(_step(row) for row in await session.rows(_HISTORY, {"campaign_id": campaign_id}))


def _step(row: Row) -> model.Step:
    _, _, version, step, actor, comment, kept, digest, recorded_at = row
    content, words = parse_archived(kept)
    fits = step in set(CampaignStep) and content.template_digest == model.template_digest(words).hex()
    if not fits or model.campaign_digest(content) != digest:
        raise Malformed("menshen/campaign-step/v1: not what was digested")
    return model.Step(version, CampaignStep(step), actor, comment, content, words, digest, recorded_at)


async def counts(session: Session, campaign_id: str) -> tuple[model.OutcomeCount, ...]:
    """What became of the campaign's decisions, each counted once by its last outcome."""
    return tuple(model.OutcomeCount(row[0], row[1]) for row in await session.rows(_COUNTS, {"campaign_id": campaign_id}))


async def add_template(session: Session, found: Template) -> None:
    """A new version. Raises Duplicate where somebody else made it first."""
    await session.run(
        _ADD_TEMPLATE,
        {
            "template_id": found.template_id,
            "version": found.version,
            "body": model.canonical(model.template_document(found.body)),
            "digest": found.digest,
            "author": found.author,
            "created_at": found.created_at,
        },
    )


async def version_of(session: Session, template_id: str, version: int) -> Template | None:
    """One version of a template. Raises Malformed."""
    found = await _templates(session, [(template_id, version)])
    return found[0] if found else None


async def _templates(session: Session, wanted: Sequence[tuple[str, int]]) -> list[Template]:
    given = {f"id_{number}": template_id for number, (template_id, _) in enumerate(wanted)}
    versions = {f"version_{number}": version for number, (_, version) in enumerate(wanted)}
    rows = await session.rows(_naming(len(wanted)), {**given, **versions}) if wanted else []
    return [_template(row) for row in rows]


@lru_cache(maxsize=128)
def _naming(count: int) -> Prepared:
    """One statement for each number of templates: a list has as many places as it was compiled with."""
    named = [
        and_(template.c.template_id == bindparam(f"id_{number}"), template.c.version == bindparam(f"version_{number}"))
        for number in range(count)
    ]
    return Prepared(select(*template.columns).where(or_(*named)))


async def versions(session: Session, template_id: str) -> list[Template]:
    """Every version, the newest first. Raises Malformed."""
    return [_template(row) for row in await session.rows(_VERSIONS, {"template_id": template_id})]


def _template(row: Row) -> Template:
    body = parse_template(row[2])
    return Template(row[0], row[1], body, model.template_digest(body), row[4], row[5])


def audience_clause(audience: Audience) -> ColumnElement[bool]:
    """Whether the rule covers a row of `member`: the same as `model.covers` says of a value."""
    clauses = [*_tagged(audience), *_between(member.c.points, audience.points_from, audience.points_below)]
    if audience.tiers:
        clauses.append(or_(*(member.c.tier == tier for tier in audience.tiers)))
    first, before = audience.joined_from, audience.joined_before
    clauses += _between(member.c.joined_on, first and first.isoformat(), before and before.isoformat())
    return and_(true(), *clauses)


def _between(column: ColumnElement[object], least: object, below: object) -> Sequence[ColumnElement[bool]]:
    bounds = [] if least is None else [column >= least]
    return bounds if below is None else [*bounds, column < below]


def _tagged(audience: Audience) -> list[ColumnElement[bool]]:
    held = func.coalesce(member.c.tags, "")
    has = [held.contains(f'"{tag}"', autoescape=True) for tag in audience.tags]
    return has + [~held.contains(f'"{tag}"', autoescape=True) for tag in audience.without_tags]


async def covered(session: Session, content: model.Content, *, least_scope: int | None, subscribers: bool, now: datetime) -> int:
    """How many members the campaign is for: whom the rule covers and, where `least_scope` says so, whose consent stands; of commercial
    ones the topic's `subscribers`. The predicate is in the SQL: who did not say yes is in no count (promise 2).
    """
    given: dict[str, object] = {}
    if least_scope is not None:
        given |= {"purpose": content.purpose, "now": now, "least_scope": least_scope}
    if subscribers:
        given |= {"channel": content.channel, "topic": content.topic, "brand": content.brand, "moment": now}
    rows = await session.rows(_covered(content.audience, least_scope is not None, subscribers), given)
    return int(rows[0][0])


@lru_cache(maxsize=64)
def _covered(audience: Audience, consenting: bool, subscribers: bool) -> Prepared:
    wanted = [member.c.status == MemberStatus.ACTIVE.value, audience_clause(audience)]
    if consenting:
        wanted.append(_consents())
    if subscribers:
        wanted.append(_subscribes())
    if audience.automated:
        wanted.append(func.coalesce(member.c.personalisation, 0) == 1)
    return Prepared(select(func.count()).select_from(member).where(*wanted))


def _consents() -> ColumnElement[bool]:
    return exists().where(
        consent_standing.c.member_id == member.c.member_id,
        consent_standing.c.purpose == bindparam("purpose"),
        consent_standing.c.permits == 1,
        or_(consent_standing.c.expires_at.is_(None), consent_standing.c.expires_at > bindparam("now")),
        func.coalesce(consent_standing.c.scope, FIRST_SCOPE) >= bindparam("least_scope"),
    )


def _subscribes() -> ColumnElement[bool]:
    return exists().where(
        subscription.c.member_id == member.c.member_id,
        subscription.c.channel == bindparam("channel"),
        subscription.c.topic == bindparam("topic"),
        subscription.c.brand == bindparam("brand"),
        subscription.c.state == "SUBSCRIBED",
        or_(subscription.c.expires_at.is_(None), subscription.c.expires_at > bindparam("moment")),
    )

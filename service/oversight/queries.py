"""What those who oversee it ask."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from menshen_verifier import merkle
from policies import duties as rules
from policies.clock import day_in_shanghai
from policies.duties import Due
from service.archive import store as archive
from service.audit import store as log
from service.audit.inclusion import path_of
from service.checkpoints.model import Published
from service.checkpoints.trust import Trust
from service.db.engine import Session
from service.guardians.model import Alert
from service.oversight import accounts, evidence, register, store
from service.oversight.evidence import Facts
from service.oversight.model import AccessReview, Duty, Measure, Register, RegisterDiff
from service.oversight.tracing import store as traced
from service.unit import Reader

_NEWEST = 256


async def register_at(session: Session, moment: datetime) -> Register | None:
    """What was active then; None before anything was served."""
    found = await store.served_at(session, moment)
    return None if found is None else _register(*found)


async def register_diff(session: Session, since: datetime, until: datetime) -> RegisterDiff:
    """What differs between two moments. Before the first policy nothing was active."""
    before, after = await register_at(session, since), await register_at(session, until)
    found = register.differences(before.activities if before else {}, after.activities if after else {})
    return RegisterDiff(before, after, found)


async def officer_changes(session: Session) -> list[Due]:
    """A task for every time that another function became responsible."""
    found, last = [], ""
    for at, digest, body in await store.served(session):
        responsible = _register(at, digest, body).responsible
        if last and responsible != last:
            found.append(rules.officer_changed(digest, day_in_shanghai(at)))
        last = responsible
    return found


async def access_review(reader: Reader) -> AccessReview:
    """Every grant as it stands, for this quarter."""
    quarter = rules.quarter_of(day_in_shanghai(reader.now))
    known = tuple(await store.accounts(reader.session))
    listed = accounts.grants(known, await traced.uses(reader.session), reader.catalogue)
    digest = accounts.digest_of(quarter, listed, known)
    return AccessReview(quarter, listed, known, await traced.position(reader.session), digest)


async def control_evidence(reader: Reader, trust: Trust, origin: str) -> tuple[Measure, ...]:
    """The six measures of PIPL 51 as they are now."""
    session = reader.session
    served = await store.served_at(session, reader.now)
    facts = Facts(
        catalogue=reader.catalogue,
        now=reader.now,
        served_since=served[0] if served and served[1] == reader.catalogue.digest else None,
        controls=await store.controls(session),
        review=await store.last_review(session),
        accounts=await store.accounts(session),
        keys=await store.keys(session),
        checkpoint=await _believed(session, trust),
        entries=await store.log_size(session),
        health="ok" if await _reads_back(session, origin) else "broken",
    )
    return evidence.measures(facts)


async def _believed(session: Session, trust: Trust) -> Published | None:
    """The newest checkpoint that our key signed, and when the quorum of witnesses last cosigned one. What a row says is no evidence:
    whoever writes to the database writes rows.
    """
    signed = await trust.newest(session, cosigned=False)
    seen = await trust.newest(session, cosigned=True) if trust.witnessed else None
    return None if signed is None else replace(signed, witnessed_at=trust.seen(seen) if seen else None)


async def _reads_back(session: Session, origin: str) -> bool:
    """Whether the newest entries hash to their leaves, and the last of them comes to the root of the head.

    An instance that cannot write answers nothing at all; so that it can is shown by the answer, and what it wrote is looked at here.
    """
    head = await log.head(session, origin)
    if head is None or not head.size:
        return True
    first = max(head.size - _NEWEST, await archive.first_here(session))
    raws = await archive.entries(session, first, head.size)
    hashed = [merkle.leaf_hash(raw) for raw in raws]
    if len(raws) != head.size - first or hashed != await log.leaves(session, first, head.size):
        return False
    try:
        path = await path_of(session, head.size - 1, head.size)
        return not hashed or merkle.climbed(head.size - 1, head.size, hashed[-1], path) == head.root
    except ValueError:
        return False


async def duties(reader: Reader) -> Sequence[Duty]:
    """Every task, the most urgent open one first."""
    return await store.duties(reader.session, today=day_in_shanghai(reader.now))


async def alerts(session: Session) -> tuple[Alert, ...]:
    """How the last count stands to each number of the law."""
    newest = await store.newest_count(session)
    persons = newest.persons if newest else 0
    return tuple(
        Alert(threshold.code, persons >= threshold.persons, persons, threshold.persons, threshold.law)
        for threshold in rules.THRESHOLDS
    )


def _register(at: datetime, digest: str, body: str) -> Register:
    held = json.loads(body)
    return Register(digest, at, held["responsible"], held["activities"])

"""The yearly audit of minors' data (未成年人网络保护条例 37): counted from the members and the ledgers, held against the audit log.

It walks by id and by index, a page at a time, and holds no lock: what it costs grows with the minors and with the year's entries, and a
run that was interrupted has changed nothing. Who was erased since is in the log's totals and in no band's members.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from policies.clock import start_of_day
from policies.decide import leave_to_tell_age, presumed_child
from policies.terms import ConsentState
from service.audit import queries as log
from service.consent.store import state_of
from service.errors import BadInput
from service.guardians import store
from service.guardians.model import BandAccount, Check, Pack, Tally, Uses
from service.members import age
from service.members.commands import band_at
from service.members.model import Row
from service.unit import Unit

FIRST_YEAR, LAST_YEAR = 2021, 2999
_PAGE = 500
_NO_PURPOSE = ""
Consents = Counter[tuple[str, ConsentState]]


async def pack(unit: Unit, *, year: int) -> Pack:
    """The account of one calendar year. Raises BadInput for a year before the law."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise BadInput(f"year: from {FIRST_YEAR} on")
    since, before = start_of_day(date(year, 1, 1)), start_of_day(date(year + 1, 1, 1))
    members, consents = await _minors(unit, date(year, 12, 31), before)
    tallies, acts = await _logged(unit, since, before)
    requests = await store.requests_made(unit.session, since=since, before=before)
    approvals = await store.approvals_given(unit.session, since=since, before=before)
    decided = await store.requests_decided(unit.session, since=since, before=before)
    bands = tuple(
        BandAccount(
            band.key,
            band.title,
            members[band.key],
            consents.get(band.key, Counter()),
            tuple(tallies[band.key].uses.values()),
            tallies[band.key].entries,
        )
        for band in unit.catalogue.consent.bands
    )
    unit.draft.count = sum(members.values())
    return Pack(
        year=year,
        closed=unit.now >= before,
        due_on=date(year + 1, 1, 31),
        bands=bands,
        links=await store.link_states(unit.session, before),
        approvals=approvals,
        requests=requests,
        checks=(
            Check("approvals", approvals, acts["approveMinorAccess"]),
            Check("requests", sum(requests.values()), acts["requestForChild"]),
            Check("decisions", decided, acts["decideGuardianRequest"]),
            Check("entries", sum(tally.entries for tally in tallies.values()), acts[age.BAND]),
        ),
    )


async def _minors(unit: Unit, last_day: date, before: datetime) -> tuple[Counter[str], dict[str, Consents]]:
    """The members of each band on the year's last day, and where their consents stood then."""
    members: Counter[str] = Counter()
    consents: dict[str, Consents] = {}
    after = ""
    while page := await store.minors(unit.session, after=after, before=before, size=_PAGE):
        after = page[-1].member_id
        bands = {row.member_id: band for row in page if (band := _band_on(unit, row, last_day))}
        members.update(bands.values())
        held = await store.states(unit.session, first=page[0].member_id, last=after, before=before)
        for (member_id, purpose), state in held.items():
            if member_id in bands:
                consents.setdefault(bands[member_id], Counter())[purpose, state_of(state)] += 1
    return members, consents


def _band_on(unit: Unit, row: Row, day: date) -> str | None:
    """The band of somebody who may be a minor, on a day; None for whoever was none then, and for whoever is no more."""
    if row.wrapped is None:
        return None
    if row.presumed and (presumed := presumed_child(unit.catalogue, guarded=row.guarded).band):
        return presumed.key
    keys = unit.vault.member_keys(row.member_id, row.generation, row.wrapped)
    opened = unit.vault.open(leave_to_tell_age(row.member_id, unit.catalogue), keys, row.sealed)
    band = band_at(opened.get(unit.catalogue.consent.age_field), unit.catalogue, day)
    return band.key if band else None


async def _logged(unit: Unit, since: datetime, before: datetime) -> tuple[dict[str, Tally], Counter[str]]:
    """What the log says of minors between two moments: by band, and how often each act was done."""
    tallies = {band.key: Tally() for band in unit.catalogue.consent.bands}
    acts: Counter[str] = Counter()
    last: int | None = None
    wanted = log.Search(since=since, until=before, most=log.MOST)
    while page := await log.find(unit.session, replace(wanted, before=last)):
        last = page[-1].index
        for found in page:
            _count(found.entry, tallies, acts)
    return tallies, acts


def _count(entry: Mapping[str, Any], tallies: Mapping[str, Tally], acts: Counter[str]) -> None:
    told = entry.get("x", {})
    if entry.get("dec") == "allow" and not told.get("again"):
        acts[entry.get("op", "")] += 1
    band = told.get(age.BAND)
    named = {band: 1} if isinstance(band, str) else dict(_counted(told.get(age.BANDS, ())))
    if named:
        acts[age.BAND] += len(named)
    for key, count in named.items():
        if key in tallies:
            tallies[key].entries += 1
            _use(entry, tallies[key], count, approved="approval" in told)


def _counted(texts: object) -> list[tuple[str, int]]:
    """`child:2` as a band and a number."""
    parts = [str(text).partition(":") for text in texts] if isinstance(texts, list | tuple) else []
    return [(band, int(count)) for band, _, count in parts if count.isdecimal()]


def _use(entry: Mapping[str, Any], tally: Tally, count: int, *, approved: bool) -> None:
    purpose = entry.get("pur", _NO_PURPOSE)
    before = tally.uses.get(purpose, Uses(purpose))
    allowed, staff = entry.get("dec") == "allow", entry["act"]["k"] == "staff"
    tally.uses[purpose] = Uses(
        purpose,
        before.allowed + count * allowed,
        before.denied + count * (not allowed),
        before.by_staff + count * staff,
        before.approved + count * (staff and approved),
    )

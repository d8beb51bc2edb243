"""Search: what a naive look at every entry finds is what is found, with words and without, and nothing that is broken goes unsaid."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.audit.entry import parse_entry
from service.audit.index.indexer import Indexer
from service.audit.index.terms import BLOCK
from service.db.engine import Database
from service.inspection import searching
from service.inspection.model import Filter, Line, Status
from service.inspection.searching import Patience
from tests.service.audit.logs import AUTHORITY, Administrator
from tests.service.inspection import mixed
from tests.service.inspection.mixed import SIZE, START, STEP

ENTRIES = [parse_entry(entry.raw) for entry in mixed.mixed()]
MOMENTS = st.integers(-10, SIZE + 10).map(lambda at: START + at * STEP)
FILTERS = st.builds(
    Filter,
    subjects=st.none() | st.lists(st.sampled_from(mixed.PEOPLE), max_size=3).map(tuple),
    actor=st.sampled_from(("", "", "clerk-1", "staff:clerk-2", "service:orders", "staff:orders", f"member:{mixed.PEOPLE[0]}")),
    kind=st.sampled_from(("", "", "", "staff", "member")),
    role=st.sampled_from(("", "", *mixed.ROLES, "nobody")),
    purpose=st.sampled_from(("", "", "customer_service", "nothing")),
    basis=st.sampled_from(("", "", "CONTRACT", "CONSENT")),
    field=st.sampled_from(("", "", *mixed.FIELDS)),
    decision=st.sampled_from(("", "", "", "deny", "allow")),
    reason=st.sampled_from(("", "", "", *mixed.REASONS)),
    operation=st.sampled_from(("", "", *mixed.OPERATIONS)),
    typ=st.sampled_from(("", "", "access", "boot")),
    campaign=st.sampled_from(("", "", mixed.CAMPAIGNS[0])),
    request=st.sampled_from(("", "", "", "", "r-7")),
    addresses=st.sampled_from(((), (), (), (ENTRIES[1]["act"]["ip"],))),
    since=st.none() | MOMENTS,
    until=st.none() | MOMENTS,
)


def naive(wanted: Filter) -> list[int]:
    """Every entry, looked at by one who knows only what the words of `Filter` say."""
    return [at for at in reversed(range(SIZE)) if _is_one(wanted, ENTRIES[at])]


def _is_one(wanted: Filter, entry: dict[str, Any]) -> bool:
    act, account = entry["act"], entry["act"].get("id", "")
    checks = [
        wanted.subjects is None or any(subject in entry.get("sub", []) for subject in wanted.subjects),
        wanted.actor in ("", account, f"{act['k']}:{account}"),
        wanted.kind in ("", act["k"]),
        wanted.role in ("", *act["role"]),
        wanted.field in ("", *entry.get("fld", [])),
        wanted.campaign in ("", entry.get("x", {}).get("campaign")),
        not wanted.addresses or act.get("ip") in wanted.addresses,
        wanted.since is None or entry["ts"] >= wanted.since.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        wanted.until is None or entry["ts"] < wanted.until.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    ]
    plain = {"pur": wanted.purpose, "bas": wanted.basis, "dec": wanted.decision, "rsn": wanted.reason, "op": wanted.operation}
    plain |= {"typ": wanted.typ, "req": wanted.request}
    return all(checks) and all(entry.get(key) == value for key, value in plain.items() if value)


async def found(database: Database, wanted: Filter, *, before: int | None = None) -> list[Line]:
    log = await searching.look(database.read, AUTHORITY.origin)
    return [line async for line in searching.find(database.read, log, wanted, before=before)]


async def indices(database: Database, wanted: Filter, *, before: int | None = None) -> list[int]:
    return [line.index for line in await found(database, wanted, before=before)]


async def indexed(database: Database) -> int:
    return await Indexer(database=database, authority=AUTHORITY).once()


@pytest.mark.parametrize("with_words", [False, True])
async def test_any_search_finds_what_a_look_at_every_entry_finds(log: Database, with_words: bool) -> None:
    assert await indexed(log) == 2 if with_words else True
    tried: list[tuple[Filter, list[int]]] = []

    @settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(FILTERS)
    def draw(wanted: Filter) -> None:
        tried.append((wanted, naive(wanted)))

    draw()
    assert sum(bool(expected) for _, expected in tried) > 5
    for wanted, expected in tried:
        assert await indices(log, wanted) == expected, wanted
        assert await indices(log, wanted, before=SIZE - 700) == [at for at in expected if at < SIZE - 700], wanted


async def test_what_is_nowhere_is_not_looked_for_to_the_end_in_one_page_and_pages_find_all(log: Database) -> None:
    await indexed(log)
    there = await searching.look(log.read, AUTHORITY.origin)
    for wanted in (
        Filter(actor=f"member:{mixed.PEOPLE[0]}"),
        Filter(subjects=mixed.PEOPLE[:9], reason="NOWHERE"),
        Filter(request="r-7", reason="NO"),
    ):
        together: list[int] = []
        before, pages, looked = None, 0, 0
        while pages == 0 or before is not None:
            patience = Patience(left=500)
            together += [line.index async for line in searching.find(log.read, there, wanted, before=before, patience=patience)]
            before, pages, looked = patience.stopped, pages + 1, looked + 500 - patience.left
            assert patience.left > -searching._CHUNK
        assert together == naive(wanted)
        assert pages > 1 or looked < 500


async def test_each_kind_of_search_finds_something_with_words(log: Database) -> None:
    await indexed(log)
    day = START + 2000 * STEP
    for wanted in (
        Filter(subjects=mixed.PEOPLE[:1]),
        Filter(actor="clerk-1"),
        Filter(actor="service:orders", field="phone"),
        Filter(kind="member"),
        Filter(role="store_clerk", purpose="customer_service"),
        Filter(basis="CONTRACT", operation="updateMember"),
        Filter(decision="deny", reason="CONSENT_REQUIRED"),
        Filter(campaign=mixed.CAMPAIGNS[0], typ="export"),
        Filter(request="r-7"),
        Filter(addresses=(ENTRIES[1]["act"]["ip"],)),
        Filter(since=day, until=day + timedelta(hours=3)),
    ):
        assert await indices(log, wanted) == naive(wanted) != [], wanted


async def test_words_are_looked_up_and_not_every_entry(log: Database, administrator: Administrator) -> None:
    """Where a block says that it has no such word, nobody looks into it: that is what a verification is for."""
    await indexed(log)
    administrator.run("DELETE FROM audit_posting WHERE term = 'op:member' AND block = 0")
    wanted = Filter(operation="member")
    assert await indices(log, wanted) == [at for at in naive(wanted) if at >= BLOCK]


@pytest.mark.obligation("AL-03")
@pytest.mark.parametrize(
    ("change", "at"),
    [
        ("UPDATE audit_entry SET actor = 'staff:clerk-9' WHERE idx = ?", 4000),
        ("UPDATE audit_entry SET pur = 'nothing' WHERE idx = ?", 4000),
        ("UPDATE audit_entry SET req = 'r-0815' WHERE idx = ?", 4000),
        ("UPDATE audit_entry SET ts = '2026-11-01T00:00:00.000000Z' WHERE idx = ?", 4000),
        ("UPDATE audit_entry SET leaf = entry_id::bytea WHERE idx = ?", 4000),
        ("UPDATE audit_entry SET entry = leaf WHERE idx = ?", 4000),
        ("DELETE FROM audit_entry WHERE idx = ?", 4000),
    ],
)
async def test_what_somebody_changed_is_shown_as_broken(
    log: Database, administrator: Administrator, change: str, at: int
) -> None:
    await indexed(log)
    operation = ENTRIES[at]["op"]
    said = change if administrator.postgresql else change.replace("::bytea", "")
    administrator.run(said, given=(at,))
    lines = {line.index: line.status for line in await found(log, Filter(operation=operation))}
    assert lines.pop(at) is Status.BROKEN
    assert set(lines.values()) == {Status.PENDING}


async def test_an_entry_with_other_bytes_is_broken_for_the_member_whom_it_was_about(
    log: Database, administrator: Administrator
) -> None:
    at = next(at for at in reversed(range(SIZE)) if len(ENTRIES[at].get("sub", [])) == 1)
    ((raw,),) = administrator.run("SELECT entry FROM audit_entry WHERE idx = ?", given=(at,))
    entry = ENTRIES[at] | {"sub": [next(one for one in mixed.PEOPLE if one not in ENTRIES[at]["sub"])]}
    forged = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert forged != bytes(raw)
    administrator.run("UPDATE audit_entry SET entry = ? WHERE idx = ?", given=(forged, at))
    lines = {line.index: line.status for line in await found(log, Filter(subjects=tuple(ENTRIES[at]["sub"])))}
    assert lines[at] is Status.BROKEN


async def test_what_was_archived_is_told_by_its_segment_and_what_is_missing_is_broken(
    log: Database, administrator: Administrator
) -> None:
    administrator.run("DELETE FROM audit_entry WHERE idx < 2048")
    wanted = Filter(subjects=mixed.PEOPLE[:1])
    lines = await found(log, wanted)
    assert [line.index for line in lines] == naive(wanted)
    assert {(line.status, line.archived, bool(line.entry)) for line in lines if line.index < 2048} == {
        (Status.BROKEN, False, False)
    }
    moment = "2026-09-28T00:00:00.000000Z"
    given = (0, b"r" * 32, 4096, moment, "2026-10-28T00:00:00.000000Z", "/a", b"d" * 32, moment, moment)
    administrator.run("INSERT INTO audit_segment VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", given=given)
    lines = await found(log, wanted)
    assert {(line.archived, line.segment, bool(line.entry)) for line in lines if line.index < 2048} == {(True, 0, False)}
    assert {line.archived for line in lines if line.index >= 2048} == {False}

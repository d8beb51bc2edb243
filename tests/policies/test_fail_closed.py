"""No history opens a field unless the law says so: whatever the ledger looks like, against a model that knows nothing of the product.

Here the pure part, thousands of ledgers; through the door, on both databases: tests/journeys/test_fail_closed.py.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies.catalogue import load
from policies.decide import Ask, Permit, Plan, Standing, decide, minority_of, weigh
from policies.terms import Catalogue, MemberStatus, Shape
from service.consent import proven, store
from service.errors import Malformed
from tests.forged_ledgers import NO_PAPER, Row, asked_for_more, honest, paper, wrecked
from tests.naive_law import Opened, Person, Shop, may_leave

NOW = datetime(2026, 11, 22, 15, 59, 30, tzinfo=UTC)
"""Half a minute before midnight in Shanghai: days and ages are about to change."""
ANN = "019a0000-0000-7000-8000-0000000000aa"
LEDGERS = ("birthday_gift", "analytics", "skin_profile", "personalised_recommendation", "marketing_sms", "baby_care", "abolished")
ASKED = (*LEDGERS, "account_service", "self_access")
MANY = settings(max_examples=800, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop that has asked for more twice, and once for the same in another way."""
    return asked_for_more(tmp_path_factory.mktemp("fail_closed"))


@pytest.fixture(scope="module")
def shop(folder: Path) -> Shop:
    """What the model knows of it."""
    return Shop(folder)


@pytest.fixture(scope="module")
def declared(folder: Path) -> Catalogue:
    """What the product knows of it."""
    return load(folder)


def _birthday(age: int, days: int) -> date:
    """The day on which somebody was born who has this age, some days before or after that birthday."""
    today = (NOW + timedelta(hours=8)).date()
    return date(today.year - age, today.month, today.day) + timedelta(days=days)


birthdays = st.none() | st.builds(_birthday, st.sampled_from([0, 3, 13, 14, 15, 17, 18, 19, 40]), st.integers(-2, 2))
people = st.builds(
    Person,
    member_id=st.just(ANN),
    status=st.sampled_from(["ACTIVE", "ACTIVE", "ACTIVE", "GUARDIAN_PENDING", "RESTRICTED", "ERASED"]),
    adult=st.sampled_from([True, True, False, None]),
    birthday=birthdays,
    guardian_is_there=st.booleans(),
    personalisation=st.sampled_from([None, True, False]),
)


def opened(catalogue: Catalogue, person: Person, rows: list[Row], purpose: str, *, staff: bool = False) -> Opened:
    """What the product lets out: rows into events, events into standings, standings into a decision."""
    try:
        history = [store.event_of(_columns(row)) for row in sorted(rows, key=lambda row: (row["recorded_at"], row["event_id"]))]
        found = proven.newest(history, person.member_id, catalogue, now=NOW).get(purpose)
    except Malformed:
        found = None
    standing = Standing(person.member_id, MemberStatus(person.status), personalisation=person.personalisation)
    if found is not None:
        kept = {"consent": found.state, "expires_at": found.expires_at, "scope": found.scope, "by_guardian": found.by_guardian}
        standing = replace(standing, **kept)
    if not (person.adult or (person.adult is None and person.birthday is None)):
        standing = replace(standing, minority=minority_of(person.birthday, catalogue, NOW, guarded=person.guardian_is_there))
    plan = weigh(Ask(purpose, tuple(catalogue.fields), frozenset(catalogue.roles), staff=staff), catalogue)
    answer = decide(plan, standing, NOW) if isinstance(plan, Plan) else plan
    if not isinstance(answer, Permit):
        return Opened()
    return Opened(set(answer.shapes), {key for key, shape in answer.shapes.items() if shape is Shape.PLAIN})


def _columns(row: Row) -> tuple[object, ...]:
    names = ("event_id", "purpose", "state", "recorded_at", "expires_at", "notice_version", "evidence", "previous_hash", "hash")
    return tuple(row[name] for name in names)


@pytest.mark.obligation("NC-08", "NC-09", "NC-18", "SM-05", "SM-07", "AD-01", "LB-09")
@MANY
@given(data=st.data(), person=people, staff=st.booleans())
def test_an_honest_history_opens_exactly_what_the_law_allows(
    shop: Shop, declared: Catalogue, data: st.DataObject, person: Person, staff: bool
) -> None:
    rows = data.draw(honest(shop, ANN, NOW, LEDGERS))
    for purpose in ASKED:
        assert opened(declared, person, rows, purpose, staff=staff) == may_leave(shop, person, rows, purpose, NOW, staff=staff)


@pytest.mark.obligation("NC-08", "LB-09")
@MANY
@given(data=st.data(), person=people)
def test_no_history_that_somebody_has_touched_opens_more_than_the_law_allows(
    shop: Shop, declared: Catalogue, data: st.DataObject, person: Person
) -> None:
    rows = data.draw(wrecked(data.draw(honest(shop, ANN, NOW, LEDGERS)), NOW))
    for purpose in ASKED:
        out, allowed = opened(declared, person, rows, purpose), may_leave(shop, person, rows, purpose, NOW, staff=False)
        assert out.fields <= allowed.fields
        assert out.whole <= allowed.whole


def test_the_generators_reach_both_sides_of_the_door(shop: Shop, declared: Catalogue) -> None:
    """A property that never saw anything open, or never saw anything shut by mischief, would prove nothing."""
    seen = {"open": 0, "stale": 0, "shut by mischief": 0, "open in spite of it": 0}

    @settings(MANY, max_examples=800, database=None, derandomize=True)
    @given(data=st.data())
    def look(data: st.DataObject) -> None:
        rows = data.draw(honest(shop, ANN, NOW, ("birthday_gift",)))
        before = opened(declared, Person(ANN), rows, "birthday_gift").fields
        after = opened(declared, Person(ANN), data.draw(wrecked(rows, NOW)), "birthday_gift").fields
        seen["open"] += bool(before)
        seen["stale"] += before == {"birthday", "tier"}
        seen["shut by mischief"] += bool(before and not after)
        seen["open in spite of it"] += bool(after)

    look()
    assert min(seen.values()) >= 5, seen


@pytest.mark.obligation("NC-08", "NC-09", "LB-09")
@pytest.mark.parametrize(
    "forged",
    [
        {"piiInformation": ["tier"]},
        {"piiInformation": "birthday, tier"},
        {"purposeVersion": 4},
        {"purposeVersion": True},
        {"purposeVersion": "1"},
        {"purposeVersion": 0},
        {"validityMonths": "for ever"},
        {"previousEventHash": "1" * 64},
        {"piiPrincipalId": "019a0000-0000-7000-8000-0000000000bb"},
    ],
    ids=str,
)
def test_a_yes_that_says_something_impossible_opens_nothing_though_it_hashes_to_what_it_says(
    shop: Shop, declared: Catalogue, forged: dict[str, object]
) -> None:
    given = paper(shop, ANN, 1, purpose="birthday_gift", state="GIVEN", moment=NOW - timedelta(days=9), before=NO_PAPER, **forged)
    assert opened(declared, Person(ANN), [given], "birthday_gift") == Opened()


@pytest.mark.obligation("NC-08", "NC-18")
@pytest.mark.parametrize(
    "cover",
    [
        {"state": "RENEWED"},
        {"expires_at": None},
        {"expires_at": NOW + timedelta(days=9999)},
        {"recorded_at": NOW - timedelta(days=1)},
        {"notice_version": "2026-10"},
        {"event_id": "019a0000-0000-7000-8000-00000000000f"},
        {"hash": bytes(32)},
        {"previous_hash": bytes(32)[1:]},
    ],
    ids=str,
)
def test_a_column_that_says_something_else_than_its_record_opens_nothing(
    shop: Shop, declared: Catalogue, cover: dict[str, object]
) -> None:
    given = paper(shop, ANN, 1, purpose="birthday_gift", state="GIVEN", moment=NOW - timedelta(days=9), before=NO_PAPER)
    assert opened(declared, Person(ANN), [given], "birthday_gift").fields == {"birthday", "tier", "region", "gender"}
    assert opened(declared, Person(ANN), [given | cover], "birthday_gift") == Opened()

"""Days as the law counts them."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import clock
from policies.terms import Catalogue

KNOWN = st.dates(date(2004, 1, 1), date(2025, 12, 31))


@pytest.mark.parametrize(
    ("received", "count", "due"),
    [
        (date(2026, 9, 28), 15, date(2026, 10, 23)),  # National Day is passed over; Saturday 10 October is worked
        (date(2026, 9, 18), 1, date(2026, 9, 20)),  # Friday; Sunday 20 September is worked for the Mid-Autumn Festival
        (date(2026, 2, 13), 1, date(2026, 2, 14)),  # Saturday is worked before the Spring Festival
        (date(2026, 2, 14), 1, date(2026, 2, 24)),  # ... and then nobody works for nine days
        (date(2026, 11, 20), 1, date(2026, 11, 23)),  # an ordinary weekend
        (date(2026, 11, 22), 1, date(2026, 11, 23)),  # received on a Sunday
    ],
)
def test_holidays_are_passed_over_and_make_up_days_are_counted(received: date, count: int, due: date) -> None:
    assert clock.add_working_days(received, count) == clock.WorkingDay(due, assumed=False)


def test_the_next_working_day_is_never_the_day_itself() -> None:
    assert clock.next_working_day(date(2026, 11, 23)) == clock.WorkingDay(date(2026, 11, 24), assumed=False)


def test_in_a_year_that_is_not_known_every_weekday_counts_and_it_is_said(catalogue: Catalogue) -> None:
    last = clock.known_until()

    assert (last.month, last.day) == (12, 31)
    assert last == catalogue.holidays_known_until
    assert clock.add_working_days(date(2030, 9, 30), 3) == clock.WorkingDay(date(2030, 10, 3), assumed=True)
    assert clock.add_working_days(last, 1).assumed
    assert not clock.add_working_days(date(last.year, 11, 2), 3).assumed


@given(start=st.dates(date(1990, 1, 1), date(2050, 1, 1)), count=st.integers(1, 60))
def test_a_due_date_is_a_working_day_with_just_so_many_since_the_start(start: date, count: int) -> None:
    due = clock.add_working_days(start, count)
    passed = [start + timedelta(days=n + 1) for n in range((due.day - start).days)]

    assert sum(map(clock.is_working_day, passed)) == count
    assert clock.is_working_day(due.day)
    assert due.assumed == any(not 2004 <= day.year <= clock.known_until().year for day in passed)


@given(start=KNOWN, count=st.integers(1, 30))
def test_one_working_day_after_another_is_the_same_as_all_of_them(start: date, count: int) -> None:
    day = start
    for _ in range(count):
        day = clock.next_working_day(day).day

    assert clock.add_working_days(start, count).day == day


@pytest.mark.parametrize("count", [0, -1])
def test_no_deadline_lies_in_the_past(count: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        clock.add_working_days(date(2026, 1, 1), count)


@pytest.mark.parametrize(
    ("birthday", "day", "age"),
    [
        (date(2012, 11, 22), date(2026, 11, 21), 13),
        (date(2012, 11, 22), date(2026, 11, 22), 14),
        (date(2008, 2, 29), date(2026, 2, 28), 17),  # a minor for one day more, not one less
        (date(2008, 2, 29), date(2026, 3, 1), 18),
        (date(2008, 2, 29), date(2028, 2, 28), 19),
        (date(2008, 2, 29), date(2028, 2, 29), 20),
        (date(2026, 11, 22), date(2026, 11, 22), 0),
        (date(2026, 11, 23), date(2026, 11, 22), -1),
    ],
)
def test_a_year_is_full_on_the_birthday(birthday: date, day: date, age: int) -> None:
    assert clock.age_on(birthday, day) == age


@given(birthday=st.dates(), day=st.dates(max_value=date(9998, 12, 31)))
def test_age_grows_by_a_day_at_most_once_and_never_shrinks(birthday: date, day: date) -> None:
    assert clock.age_on(birthday, day + timedelta(days=1)) - clock.age_on(birthday, day) in {0, 1}


def test_the_day_is_shanghais_wherever_the_clock_hangs() -> None:
    midnight = datetime(2026, 12, 31, 16, 0, tzinfo=UTC)

    assert clock.day_in_shanghai(midnight) == date(2027, 1, 1)
    assert clock.day_in_shanghai(midnight - timedelta(microseconds=1)) == date(2026, 12, 31)
    assert clock.day_in_shanghai(midnight.astimezone(timezone(timedelta(hours=-10)))) == date(2027, 1, 1)
    with pytest.raises(ValueError, match="offset"):
        clock.day_in_shanghai(datetime(2027, 1, 1))


@given(day=st.dates(date(1, 1, 2), date(9999, 12, 30)))
def test_a_day_begins_at_its_first_moment(day: date) -> None:
    begins = clock.start_of_day(day)

    assert clock.day_in_shanghai(begins) == day
    assert clock.day_in_shanghai(begins - timedelta(microseconds=1)) == day - timedelta(days=1)


@pytest.mark.parametrize(
    ("given_at", "months", "ends"),
    [
        ("2025-12-31T10:00:00+08:00", 12, "2027-01-01T00:00:00+08:00"),
        ("2026-11-30T23:59:59+08:00", 3, "2027-03-01T00:00:00+08:00"),  # February has no 30th
        ("2026-11-22T18:00:00+00:00", 1, "2026-12-24T00:00:00+08:00"),  # in Shanghai it was the 23rd already
        ("2027-02-28T12:00:00+08:00", 12, "2028-02-29T00:00:00+08:00"),
        ("2026-01-31T12:00:00+08:00", 13, "2027-03-01T00:00:00+08:00"),
    ],
)
def test_a_consent_for_some_months_holds_to_the_end_of_its_last_day(given_at: str, months: int, ends: str) -> None:
    assert clock.consent_ends(datetime.fromisoformat(given_at), months) == datetime.fromisoformat(ends)


def test_a_consent_without_a_period_holds_until_it_is_withdrawn() -> None:
    assert clock.consent_ends(datetime(2026, 11, 22, tzinfo=UTC), 0) is None

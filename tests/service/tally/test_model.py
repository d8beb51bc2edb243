"""The count is that of a naive model: the distinct members of the last 24 hours, and no more than so many of them."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.bulk import BulkClass
from service.approvals.model import account_of
from service.errors import Refused
from service.tally.model import WINDOW, Allowance, Recent, allowance, classes_of
from tests.service.tally.house import clerk, look, members

START = datetime(2026, 11, 22, tzinfo=UTC)
STEPS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 30)), max_size=60)


def distinct(told: list[tuple[str, datetime]], now: datetime) -> set[str]:
    """Who was told of within 24 hours."""
    return {who for who, at in told if now - WINDOW < at <= now}


@given(STEPS, st.integers(1, 6))
def test_what_a_machine_reads_is_counted_as_the_model_counts(steps, most):
    recent, told, now, crossed = Recent(most), [], START, None
    for who, hours in steps:
        now += timedelta(hours=hours / 5)
        told.append((f"p{who}", now))
        much = len(distinct(told, now)) > most
        expected = much and (crossed is None or crossed <= now - WINDOW)
        assert recent.add([f"p{who}"], now) is expected
        if expected:
            crossed = now
        assert len(recent) == min(len(distinct(told, now)), most + 1)


async def test_what_a_person_is_told_is_counted_as_the_model_counts(running, clock):
    ids, told, dice = await members(running, 9), [], random.Random(7)
    for _ in range(60):
        clock.advance(hours=dice.choice([0, 0, 1, 3, 9]))
        who, now = dice.choice(ids), clock()
        fits = len(distinct([*told, (who, now)], now)) <= 5
        try:
            assert await look(running, clerk(), who) is not None
            answered = True
        except Refused:
            answered = False
        assert answered is fits
        if answered:
            told.append((who, now))


@given(st.text(min_size=1, max_size=64), st.sampled_from(BulkClass), st.integers(0, 10**6))
def test_an_allowance_is_read_as_it_was_written(operator, bulk, most):
    meant = Allowance(operator, bulk, most)
    assert allowance(meant.what) == meant


@given(st.text(max_size=80))
def test_any_words_are_an_allowance_or_none(what):
    found = allowance(what)
    assert found is None or found.most >= 0


def test_whatever_tells_of_somebody_without_a_field_counts_as_other(catalogue):
    assert classes_of(catalogue, ()) == {BulkClass.OTHER}
    assert classes_of(catalogue, ("name", "tier", "tier")) == {BulkClass.OTHER, BulkClass.TRANSACTION}


@pytest.mark.parametrize("spelt", ["Li@Shop", "ｌi@shop", " li@shop ", "l\u00adi@shop"])
def test_one_account_has_one_count(spelt):
    assert account_of(spelt) == "li@shop"

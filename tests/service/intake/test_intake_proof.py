"""What a marketing flag is worth: NC-17 and LB-08 as properties of one pure function."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.terms import Basis, ConsentState, MemberStatus
from service.consent.model import Expression
from service.intake.mapping import Gesture
from service.intake.model import Provenance
from service.intake.proof import Claim, ending, worth

COLLECTED = date(2026, 11, 1)
WHERE = Provenance("门店会员系统", COLLECTED, "https://evidence.example.com/batch/7")
GESTURE = Gesture(Expression.TAP_UNTICKED_BOX, "shop/register", "zh-CN")


def proven(catalogue):
    """A yes with everything behind it: given under the notice that was in force then."""
    notice = min(catalogue.notices.values(), key=lambda notice: notice.effective_at)
    at = notice.effective_at + timedelta(days=1)
    return Claim(at, notice.version, GESTURE, replace(WHERE, collected_on=at.date() + timedelta(days=1)))


def asked(catalogue):
    return next(p for p in catalogue.purposes.values() if p.basis is Basis.CONSENT and p.channel and not p.separate_consent)


def of(catalogue, claim, **more):
    given = {"granted": True, "status": MemberStatus.ACTIVE, "now": claim.at or datetime(2026, 11, 22, tzinfo=UTC)} | more
    return worth(catalogue, asked(catalogue), claim, **given)


@pytest.mark.obligation("NC-17")
def test_a_yes_with_notice_time_expression_and_provenance_is_given(catalogue):
    assert of(catalogue, proven(catalogue)) is ConsentState.GIVEN


@pytest.mark.obligation("NC-17")
@pytest.mark.parametrize("missing", [{"at": None}, {"notice": ""}, {"notice": "2019-01"}, {"gesture": None}])
def test_a_yes_that_lacks_one_of_them_is_unknown(catalogue, missing):
    assert of(catalogue, replace(proven(catalogue), **missing)) is ConsentState.UNKNOWN


@pytest.mark.obligation("LB-08")
@pytest.mark.parametrize("missing", [{"source": ""}, {"collected_on": None}, {"evidence_uri": ""}])
def test_a_yes_from_nobody_knows_where_is_unknown(catalogue, missing):
    claim = proven(catalogue)
    assert of(catalogue, replace(claim, provenance=replace(claim.provenance, **missing))) is ConsentState.UNKNOWN


@pytest.mark.obligation("SM-05")
def test_a_child_gives_nothing_however_well_it_is_proven(catalogue):
    assert of(catalogue, proven(catalogue), status=MemberStatus.GUARDIAN_PENDING) is ConsentState.UNKNOWN


def test_what_contradicts_itself_proves_nothing(catalogue):
    claim = proven(catalogue)
    before_the_notice = replace(claim, at=claim.at - timedelta(days=30))
    after_the_collection = replace(claim, provenance=replace(claim.provenance, collected_on=claim.at.date() - timedelta(days=2)))
    in_another_language = replace(claim, gesture=replace(GESTURE, language="fr-FR"))
    for wrong in (before_the_notice, after_the_collection, in_another_language):
        assert of(catalogue, wrong) is ConsentState.UNKNOWN


def test_what_must_be_asked_alone_is_never_given_by_a_column(catalogue):
    alone = next(purpose for purpose in catalogue.purposes.values() if purpose.separate_consent)
    claim = proven(catalogue)
    state = worth(catalogue, alone, claim, granted=True, status=MemberStatus.ACTIVE, now=claim.at)
    assert state is ConsentState.UNKNOWN


def test_a_yes_whose_time_is_over_is_worth_nothing_and_is_no_younger_for_being_imported(catalogue):
    claim = proven(catalogue)
    end = ending(asked(catalogue), claim)
    assert end is not None and timedelta(days=360) < end - claim.at < timedelta(days=740)
    assert of(catalogue, claim, now=end - timedelta(seconds=1)) is ConsentState.GIVEN
    assert of(catalogue, claim, now=end) is ConsentState.UNKNOWN


@given(
    at=st.none() | st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    notice=st.sampled_from(["", "2026-10", "2019-01"]),
    gesture=st.none() | st.just(GESTURE),
    where=st.builds(
        Provenance,
        st.sampled_from(["", "店"]),
        st.none() | st.dates(date(2020, 1, 1), date(2030, 1, 1)),
        st.sampled_from(["", "x:y"]),
    ),
    status=st.sampled_from(MemberStatus),
    granted=st.booleans(),
)
def test_nothing_but_a_whole_proof_permits_and_a_no_is_always_a_no(catalogue, at, notice, gesture, where, status, granted):
    state = of(catalogue, Claim(at, notice, gesture, where), status=status, granted=granted)
    if not granted:
        assert state is ConsentState.REFUSED
    elif state is ConsentState.GIVEN:
        assert at and gesture and where.complete and status is MemberStatus.ACTIVE
        assert catalogue.notice_in_force(at).version == notice
    else:
        assert state is ConsentState.UNKNOWN

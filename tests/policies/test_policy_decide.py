"""No valid basis, no permit: `weigh` and `decide` against a second opinion that was written without looking at them.

The second opinion is naive on purpose: words instead of types, one question after another, and everything that is not plainly allowed
is forbidden.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.decide import Ask, Permit, Plan, Refusal, Standing, decide, weigh
from policies.naming import Title
from policies.terms import Basis, Catalogue, ConsentState, MemberStatus, Purpose, PurposeClass, Reason, Shape

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
EXTREMES = [datetime.min.replace(tzinfo=UTC), NOW, NOW - timedelta(microseconds=1), NOW + timedelta(microseconds=1)]

moments = st.sampled_from(EXTREMES) | st.datetimes(timezones=st.just(UTC))
words = st.text(alphabet="abcdefgh_*. ", max_size=6) | st.sampled_from(["given", "Given", "GIVEN ", "ACTIVE ", "", "*", "None"])
malformed = words | st.none() | st.integers() | st.booleans() | st.binary(max_size=3)
states = st.sampled_from(ConsentState) | malformed
statuses = st.sampled_from(MemberStatus) | malformed
shapes = st.dictionaries(st.sampled_from(["phone", "name", "birthday", "skin_type"]), st.sampled_from(Shape))


@st.composite
def purposes(draw: st.DrawFn) -> Purpose:
    """Any purpose whose parts fit their types, lawful or not: the loader is not asked here."""
    return Purpose(
        key=draw(words),
        title=Title("目的", "purpose"),
        basis=draw(st.sampled_from(Basis)),
        purpose_class=draw(st.sampled_from(PurposeClass)),
        fields=draw(shapes),
        roles=frozenset(draw(st.sets(words))),
        channel=draw(st.none() | words),
        method=Title("方式", "method"),
        separate_consent=draw(st.booleans()),
        automated_decision=draw(st.booleans()),
        recipients=(),
        retention_months=draw(st.integers(0, 360)),
        notice_section=draw(words),
        pia="",
        self_service=draw(st.booleans()),
        consent_months=draw(st.integers(0, 360)),
        of_children=draw(st.booleans()),
    )


plans = st.builds(Plan, purposes(), shapes, st.just(()))
standings = st.builds(
    Standing,
    member_id=words,
    status=statuses,
    consent=states,
    expires_at=st.none() | moments,
    event_id=st.none() | words,
    by_guardian=st.booleans(),
)


def lawful(plan: Plan, standing: Standing, now: datetime) -> bool:
    """The second opinion: is there a valid basis at this moment?"""
    own = plan.purpose.self_service and standing.status is MemberStatus.RESTRICTED
    if str(standing.status) != "ACTIVE" and not own:
        return False
    basis = str(plan.purpose.basis)
    if basis in {"CONTRACT", "LEGAL_DUTY", "EMERGENCY", "NEWS", "PUBLIC_INFORMATION", "OTHER_LAW"}:
        return True
    if basis != "CONSENT" or str(standing.consent) not in {"GIVEN", "RENEWED"}:
        return False
    if plan.purpose.of_children and not standing.by_guardian:
        return False
    return standing.expires_at is None or now < standing.expires_at


@pytest.mark.obligation("LB-01", "LB-02", "SM-05")
@given(plan=plans, standing=standings, now=moments)
def test_without_a_valid_basis_there_is_no_permit_whatever_is_known_of_the_member(
    plan: Plan, standing: Standing, now: datetime
) -> None:
    answer = decide(plan, standing, now)

    assert isinstance(answer, Permit) == lawful(plan, standing, now)
    if isinstance(answer, Permit):
        assert answer == Permit(standing.member_id, plan.purpose.key, plan.shapes)
    else:
        assert answer.reason in Reason


def on(basis: Basis, **more: object) -> Purpose:
    """A purpose of which only the basis matters."""
    shaped = {"phone": Shape.MASKED}
    blank = Title("", "")
    purpose = Purpose(
        "p",
        blank,
        basis,
        PurposeClass.SERVICE,
        shaped,
        frozenset(),
        None,
        blank,
        False,
        False,
        (),
        12,
        "",
        "",
        self_service=False,
    )
    return replace(purpose, **more)  # type: ignore[arg-type]


@pytest.mark.obligation("LB-01", "NC-06")
@pytest.mark.parametrize("basis", Basis)
@pytest.mark.parametrize("status", MemberStatus)
def test_every_basis_status_state_and_expiry_is_answered_as_the_second_opinion_has_it(basis: Basis, status: MemberStatus) -> None:
    plan = Plan(on(basis), {"phone": Shape.MASKED}, ())
    known = [Standing("m", status, state, expires_at) for state in ConsentState for expires_at in (None, *EXTREMES)]
    answers = [isinstance(decide(plan, standing, NOW), Permit) for standing in known]

    assert answers == [lawful(plan, standing, NOW) for standing in known]
    assert sum(answers) == (0 if status is not MemberStatus.ACTIVE else 4 if basis is Basis.CONSENT else len(known))


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (ConsentState.NEVER_ASKED, Reason.CONSENT_REQUIRED),
        (ConsentState.REQUESTED, Reason.CONSENT_REQUIRED),
        (ConsentState.DEFERRED, Reason.CONSENT_REQUIRED),
        (ConsentState.REFUSED, Reason.CONSENT_REQUIRED),
        (ConsentState.UNKNOWN, Reason.CONSENT_REQUIRED),
        (ConsentState.WITHDRAWN, Reason.CONSENT_WITHDRAWN),
        (ConsentState.REVOKED, Reason.CONSENT_WITHDRAWN),
        (ConsentState.EXPIRED, Reason.CONSENT_EXPIRED),
        (ConsentState.INVALIDATED, Reason.CONSENT_REQUIRED),
    ],
)
def test_a_refusal_says_what_would_open_the_door(state: ConsentState, reason: Reason) -> None:
    standing = Standing("m", MemberStatus.ACTIVE, state)
    separate = Reason.SEPARATE_CONSENT_REQUIRED if reason is Reason.CONSENT_REQUIRED else reason

    for asked_alone, expected in ((False, reason), (True, separate)):
        purpose = on(Basis.CONSENT, separate_consent=asked_alone)
        assert decide(Plan(purpose, purpose.fields, ()), standing, NOW) == Refusal(expected)


@pytest.mark.obligation("NC-06")
def test_a_member_who_was_never_asked_has_consented_to_nothing(catalogue: Catalogue) -> None:
    commercial = [purpose for purpose in catalogue.purposes.values() if purpose.purpose_class is PurposeClass.COMMERCIAL]
    answers = [decide(Plan(purpose, purpose.fields, ()), Standing("m", MemberStatus.ACTIVE), NOW) for purpose in commercial]

    assert len(commercial) == 12
    assert {type(answer) for answer in answers} == {Refusal}


@pytest.mark.obligation("LB-04")
@given(standing=standings, now=moments, ahead=st.data())
def test_no_commercial_purpose_of_the_shipped_policy_opens_without_consent(
    catalogue: Catalogue, standing: Standing, now: datetime, ahead: st.DataObject
) -> None:
    commercial = [purpose for purpose in catalogue.purposes.values() if purpose.purpose_class is PurposeClass.COMMERCIAL]
    purpose = ahead.draw(st.sampled_from(commercial))
    answer = decide(Plan(purpose, purpose.fields, ()), standing, now)

    assert isinstance(answer, Refusal) or standing.consent in {"GIVEN", "RENEWED"}


def test_a_consent_is_over_at_the_moment_it_names_and_not_after() -> None:
    plan = Plan(on(Basis.CONSENT), {"phone": Shape.MASKED}, ())
    until = Standing("m", MemberStatus.ACTIVE, ConsentState.GIVEN, expires_at=NOW)

    assert isinstance(decide(plan, until, NOW - timedelta(microseconds=1)), Permit)
    assert decide(plan, until, NOW) == Refusal(Reason.CONSENT_EXPIRED)


@pytest.mark.obligation("SE-02")
def test_a_token_can_narrow_what_its_roles_may_state_and_never_widen_it(catalogue: Catalogue) -> None:
    def answer(role: str, purpose: str, *narrowed: str) -> object:
        asked = weigh(Ask(purpose, ("phone",), frozenset({role}), frozenset(narrowed)), catalogue)
        return asked.reason if isinstance(asked, Refusal) else asked.shapes

    assert answer("marketer", "marketing_sms", "marketing_sms", "marketing_phone") == {"phone": Shape.MASKED}
    assert answer("marketer", "marketing_sms", "marketing_phone") is Reason.ROLE_NOT_ALLOWED
    assert answer("marketer", "marketing_sms") is Reason.ROLE_NOT_ALLOWED
    assert answer("marketer", "order_fulfilment", "order_fulfilment") is Reason.ROLE_NOT_ALLOWED


@given(
    purpose=st.sampled_from(["marketing_sms", "self_access", "order_fulfilment", "CRM_ANALYTICS", ""]) | words,
    fields=st.lists(st.sampled_from(["phone", "name", "birthday", "address", "income_band", "nonsense"]), max_size=8),
    roles=st.sets(st.sampled_from(["member", "marketer", "order_service", "mini_program", "auditor", "admin", "*"])),
    narrowing=st.none() | st.sets(st.sampled_from(["marketing_sms", "self_access", "order_fulfilment"])),
)
@pytest.mark.obligation("LB-01", "LB-02", "SE-02")
def test_a_plan_holds_no_field_that_the_purpose_the_roles_and_the_token_do_not_all_allow(
    catalogue: Catalogue, purpose: str, fields: list[str], roles: set[str], narrowing: set[str] | None
) -> None:
    allowed = None if narrowing is None else frozenset(narrowing)
    answer = weigh(Ask(purpose, tuple(fields), frozenset(roles), allowed), catalogue)
    declared = catalogue.purposes.get(purpose)

    if declared is None:
        assert answer == Refusal(Reason.PURPOSE_UNKNOWN)
    elif not roles & declared.roles or (narrowing is not None and purpose not in narrowing):
        assert answer == Refusal(Reason.ROLE_NOT_ALLOWED)
    else:
        assert isinstance(answer, Plan)
        assert answer.shapes == {key: shape for key, shape in declared.fields.items() if key in fields}
        assert {key for key, _ in answer.withheld} == set(fields) - declared.fields.keys()
        assert {reason for _, reason in answer.withheld} <= {Reason.FIELD_NOT_IN_PURPOSE}


@pytest.mark.obligation("LB-01")
def test_a_purpose_that_is_not_declared_reads_nothing(catalogue: Catalogue) -> None:
    everything = tuple(catalogue.fields)

    assert weigh(Ask("CRM_ANALYTICS", everything, frozenset(catalogue.roles)), catalogue) == Refusal(Reason.PURPOSE_UNKNOWN)


@pytest.mark.obligation("LB-02")
def test_a_birthday_is_outside_the_purpose_of_shipping_an_order(catalogue: Catalogue) -> None:
    asked = ("name", "phone", "address", "birthday")
    plan = weigh(Ask("order_fulfilment", asked, frozenset({"order_service"})), catalogue)

    assert isinstance(plan, Plan)
    assert set(plan.shapes) == {"name", "phone", "address"}
    assert plan.withheld == (("birthday", Reason.FIELD_NOT_IN_PURPOSE),)

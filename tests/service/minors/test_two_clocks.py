"""Two instances whose clocks are minutes apart, around midnight of a birthday in Shanghai: each by its own clock, and never more than that."""

from datetime import UTC, datetime, timedelta

import pytest

from service.app import parts
from service.config import Config
from service.consent.model import CaptureChannel, ConsentsRecorded, Decision, GuardianConsentRequired
from service.consent.rebuilding import rebuild
from service.errors import Forbidden
from service.minors.model import Link, Method
from tests.conftest import StillClock
from tests.factories import a_call, a_member, a_profile, evidence
from tests.service.minors.family import ADULT, GIFT

MIDNIGHT = datetime(2026, 11, 22, 16, tzinfo=UTC)
"""00:00 of 23 November 2026 in Shanghai."""
APART = timedelta(minutes=4)
FOURTEEN, EIGHTEEN = "2012-11-23", "2008-11-23"
RECOMMENDATION = "personalised_recommendation"


@pytest.fixture
async def two(postgresql_url, tmp_path):
    """One whose clock says two minutes past midnight, and one whose clock says two minutes before."""
    homes = [tmp_path / name for name in ("ahead", "behind")]
    for home in homes:
        home.mkdir(mode=0o700)
    first = Config(home=homes[0], database_url=postgresql_url)
    second = Config(home=homes[1], database_url=postgresql_url, kms_uri=first.kms, signer=f"file:{homes[0] / 'log.key'}")
    ahead, behind = StillClock(MIDNIGHT + APART / 2), StillClock(MIDNIGHT - APART / 2)
    async with parts(first, clock=ahead) as one, parts(second, clock=behind) as other:
        yield one, other


async def says(running, who, *, of=None, yes=True, kind="GENERAL", purpose=GIFT):
    notice = running.catalogue.notice_in_force(running.clock(), kind)
    shown = evidence(running.catalogue, running.clock(), notice_version=notice.version)
    call = a_call("member", member_id=who)
    return await running.operations.record_consents(call, member_id=of, decisions=[Decision(purpose, yes)], evidence=shown)


async def seen(running, member_id, purpose=GIFT, field="birthday", role="mini_program"):
    """None where the value is let out; otherwise why not."""
    found = await running.operations.member(a_call(role), member_id=member_id, purpose=purpose, fields=[field])
    return next((str(each.reason) for each in found.withheld), None)


async def family(running):
    child = await a_member(running, a_profile(birthday=FOURTEEN))
    guardian = await a_member(running, a_profile(birthday=ADULT))
    await running.operations.request_guardian_link(a_call("member", member_id=guardian), member_id=child)
    given = {"member_id": child, "guardian_id": guardian, "method": Method.MOBILE_CODE}
    assert isinstance(await running.operations.verify_guardian(a_call(), **given), Link)
    return child, guardian


def passes(*instances):
    """Midnight has passed on every clock."""
    for running in instances:
        running.clock.advance(seconds=APART.total_seconds())


@pytest.mark.obligation("SM-05")
async def test_before_its_own_midnight_an_instance_opens_nothing_that_only_the_member_agreed_to(two):
    ahead, behind = two
    child = await a_member(behind, a_profile(birthday=FOURTEEN))
    assert isinstance(await says(behind, child), GuardianConsentRequired)
    assert isinstance(await says(ahead, child), ConsentsRecorded), "by that clock they are fourteen"
    assert (await seen(ahead, child), await seen(behind, child)) == (None, "GUARDIAN_CONSENT_REQUIRED")
    passes(*two)
    assert (await seen(ahead, child), await seen(behind, child)) == (None, None)


@pytest.mark.obligation("SM-05", "WD-01")
async def test_a_guardian_who_takes_back_where_it_is_still_yesterday_has_taken_back_everywhere(two):
    ahead, behind = two
    child, guardian = await family(behind)
    assert isinstance(await says(behind, guardian, of=child, kind="CHILD"), ConsentsRecorded)
    assert (await seen(ahead, child), await seen(behind, child)) == (None, None)
    with pytest.raises(Forbidden):
        await says(ahead, guardian, of=child, kind="CHILD", purpose="analytics")
    call = a_call("member", member_id=guardian)
    await behind.operations.withdraw(call, member_id=child, purpose=GIFT, channel=CaptureChannel.WEB)
    assert (await seen(ahead, child), await seen(behind, child)) == ("CONSENT_WITHDRAWN", "CONSENT_WITHDRAWN")
    passes(*two)
    assert await seen(ahead, child) == "CONSENT_WITHDRAWN"


@pytest.mark.obligation("SM-05")
async def test_what_was_answered_on_both_sides_of_midnight_is_one_chain_and_the_mark_goes_back_and_forth_without_opening_anything(
    two,
):
    ahead, behind = two
    child, guardian = await family(behind)
    await says(behind, guardian, of=child, kind="CHILD")
    await says(ahead, child, purpose="analytics")
    assert await seen(behind, child, "analytics", role="analyst") == "GUARDIAN_CONSENT_REQUIRED"
    await says(behind, guardian, of=child, kind="CHILD", purpose="marketing_email", yes=False)
    opened = [await seen(running, child, "analytics", role="analyst") for running in two]
    assert opened[1] is not None, "where it is still yesterday the child's own yes is none"
    passes(*two)
    found = await rebuild(ahead.units, a_call("compliance_officer"), repair=False, step=lambda _: None)
    assert (found.differing, found.broken) == ((), ())


@pytest.mark.obligation("SM-07")
async def test_no_machine_markets_by_a_clock_that_has_not_reached_the_eighteenth_birthday(two):
    ahead, behind = two
    youth = await a_member(ahead, a_profile(birthday=EIGHTEEN, region="杭州"), yes=[RECOMMENDATION])
    asked = {"purpose": RECOMMENDATION, "field": "region", "role": "recommender"}
    assert (await seen(ahead, youth, **asked), await seen(behind, youth, **asked)) == (None, "MINOR_ADM_MARKETING_FORBIDDEN")
    passes(behind)
    assert await seen(behind, youth, **asked) is None


@pytest.mark.obligation("SM-05")
async def test_somebody_who_joins_on_their_birthday_where_it_has_begun_is_a_child_where_it_has_not(two):
    ahead, behind = two
    born = await a_member(ahead, a_profile(birthday=FOURTEEN), yes=[GIFT])
    assert (await seen(ahead, born), await seen(behind, born)) == (None, "GUARDIAN_CONSENT_REQUIRED")
    passes(behind)
    assert await seen(behind, born) is None

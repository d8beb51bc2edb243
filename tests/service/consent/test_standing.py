"""Where a consent stands: to the second of its end, in the words of its asking, under a purpose that has grown since (NC-09, NC-18)."""

from datetime import UTC, datetime, timedelta

import pytest

from policies.clock import SHANGHAI
from service.app import parts
from service.config import Config
from service.consent.asks import Initiator
from service.consent.model import CaptureChannel, Decision
from service.operations import Operations
from service.unit import Units
from tests.api.front_end import entries
from tests.conftest import StillClock
from tests.factories import a_call, a_member, a_profile, evidence, words_digest
from tests.policy_folder import publish, set_key, shipped
from tests.service.consent.screens import GIFT, MAIL, READ, SMS, join, say, standing, why_withheld

OVERVIEW = "query O($of: PurposeKey!) { consentOverview(of: $of) { states { state members } stale } }"
STALE = """query S($of: PurposeKey!, $first: Int, $after: ID) { staleConsents(of: $of, purpose: "audit", first: $first, after: $after) {
  memberId since version noticeVersion } }"""


@pytest.mark.obligation("NC-18")
async def test_a_consent_valid_to_31_december_2026_is_over_at_midnight_in_china(tmp_path, database_url):
    folder = shipped(tmp_path)
    set_key(folder, "purposes.toml", "purposes.marketing_sms.consent_months", 2)
    publish(folder, "2026-10b", effective_at="2026-10-15T00:00:00+08:00")
    clock = StillClock(datetime(2026, 10, 31, 4, 0, tzinfo=UTC))
    async with parts(Config(home=tmp_path, database_url=database_url, policies=folder), clock=clock) as running:
        member_id = await a_member(running, yes=[SMS])

        async def found():
            (view,) = [
                each
                for each in await running.operations.consents(a_call("member", member_id=member_id), member_id=None)
                if each.purpose == SMS
            ]
            profile = await running.operations.member(a_call("marketer"), member_id=member_id, purpose=SMS, fields=["phone"])
            page = await running.operations.page(
                a_call("marketer"), purpose=SMS, fields=["phone"], first=5, after=None, edge_cursors=False
            )
            return view.state, [each.reason for each in profile.withheld], len(page.profiles)

        midnight = datetime(2027, 1, 1, tzinfo=SHANGHAI)
        clock.now = (midnight - timedelta(microseconds=1)).astimezone(UTC)
        assert await found() == ("GIVEN", [], 1)
        clock.now = midnight.astimezone(UTC)
        assert await found() == ("EXPIRED", ["CONSENT_EXPIRED"], 0)


@pytest.mark.obligation("WD-02", "NC-18")
async def test_the_past_shows_a_consent_as_running_until_it_ended(ask, running, clock):
    member_id = await join(ask, running)
    await say(ask, running, member_id, marketing_sms=True)
    ends = datetime.fromisoformat((await standing(ask, member_id, SMS))["expiresAt"])
    clock.now = ends + timedelta(days=9)
    assert (await standing(ask, member_id, SMS, at=(ends - timedelta(seconds=1)).isoformat()))["state"] == "GIVEN"
    assert (await standing(ask, member_id, SMS, at=ends.isoformat()))["state"] == "EXPIRED"
    assert (await standing(ask, member_id, SMS))["state"] == "EXPIRED"
    assert await why_withheld(ask, member_id, SMS) == {"phone": "CONSENT_EXPIRED"}


async def test_a_consent_is_read_with_the_words_the_notice_and_the_evidence_of_its_asking(ask, running):
    member_id = await join(ask, running)
    await say(ask, running, member_id, marketing_sms=True)
    found = await standing(ask, member_id, SMS)
    words = {each["language"]: each["digest"] for each in found["words"]}
    assert words["zh-CN"] == words_digest(running.catalogue, SMS)
    assert found["evidence"] == {
        "language": "zh-CN",
        "expression": "TAP_UNTICKED_BOX",
        "channel": "MINI_PROGRAM",
        "screen": "mini/join",
        "role": "self",
    }
    assert (found["version"], found["currentVersion"], found["stale"], found["noticeVersion"]) == (1, 1, False, "2026-10")
    never = await standing(ask, member_id, MAIL)
    assert (never["state"], never["words"], never["evidence"], never["version"]) == ("NEVER_ASKED", [], None, None)


async def test_a_withheld_field_names_the_purpose_the_notice_and_what_to_call(ask, running):
    member_id = await join(ask, running)
    answer = await ask(READ, role="marketer", variables={"id": member_id, "purpose": SMS})
    (withheld,) = [each for each in answer["data"]["member"]["withheld"] if each["field"] == "phone"]
    remedy = {"operation": "recordConsents", "ask": "consentsToAsk", "notice": "2026-10", "purpose": SMS}
    assert withheld == {"field": "phone", "reason": "CONSENT_REQUIRED", "purpose": SMS, "remedy": remedy}


@pytest.fixture
async def grown(tmp_path, database_url, clock):
    """Ten members said yes; then the gift learnt of the region, and a new notice told of it."""
    async with parts(Config(home=tmp_path, database_url=database_url), clock=clock) as before:
        yes = [await a_member(before, a_profile(birthday="1990-07-14"), yes=[GIFT]) for _ in range(10)]
        no = await a_member(before, no=[GIFT])
    folder = shipped(tmp_path)
    set_key(folder, "purposes.toml", "purposes.birthday_gift.fields.region", "plain")
    set_key(folder, "purposes.toml", "purposes.birthday_gift.version", 2)
    publish(folder, "2026-12", effective_at="2026-11-22T18:00:00+08:00")
    clock.advance(days=40)
    async with parts(Config(home=tmp_path, database_url=database_url, policies=folder), clock=clock) as after:
        yield after, yes, no


@pytest.mark.obligation("NC-09")
async def test_what_a_purpose_learns_later_waits_for_a_new_yes_while_the_old_goes_on(grown):
    running, yes, _ = grown
    for member_id in yes:
        found = await running.operations.member(
            a_call("marketer"), member_id=member_id, purpose=GIFT, fields=["birthday", "region"]
        )
        assert str(found.values["birthday"]) == "1990-07-14"
        assert [(each.field, each.reason) for each in found.withheld] == [("region", "NOTICE_STALE")]
    call = a_call("member", member_id=yes[0])
    (view,) = [each for each in await running.operations.consents(call, member_id=None) if each.purpose == GIFT]
    assert (view.state, view.stale, view.scope, view.current) == ("GIVEN", True, 1, 2)
    outcome = await running.operations.record_consents(
        call,
        member_id=None,
        decisions=[Decision(GIFT, True)],
        evidence=evidence(running.catalogue, running.clock()),
    )
    assert [(each.state, each.scope) for each in outcome.standings] == [("RENEWED", 2)]


@pytest.mark.obligation("NC-09", "NC-11")
async def test_whoever_is_stale_may_be_asked_again_and_whoever_said_no_only_after_the_pause(grown):
    running, yes, no = grown
    for member_id in (yes[0], no):
        found = await running.operations.consents_to_ask(
            a_call(), member_id=member_id, purposes=[GIFT], channel=CaptureChannel.WEB, initiator=Initiator.SYSTEM
        )
        assert [(each.scope.version, each.notice_version) for each in found.questions] == [(2, "2026-12")]
        assert "省市" in found.questions[0].scope.words["zh-CN"]


@pytest.mark.obligation("NC-09")
async def test_compliance_sees_who_is_stale_page_by_page_and_how_many_stand_how(grown):
    running, yes, _ = grown
    officer = a_call("compliance_officer")
    first = await running.operations.stale_consents(officer, of=GIFT, purpose="audit", first=4, after=None)
    rest = await running.operations.stale_consents(officer, of=GIFT, purpose="audit", first=100, after=first[-1].member_id)
    assert [each.member_id for each in (*first, *rest)] == sorted(yes) and {each.scope for each in first} == {1}
    found = await running.operations.consent_overview(officer, of=GIFT)
    assert (found.states, found.stale) == ({"GIVEN": 10, "REFUSED": 1}, 10)
    running.clock.advance(days=900)
    found = await running.operations.consent_overview(officer, of=GIFT)
    assert (found.states, found.stale) == ({"EXPIRED": 10, "REFUSED": 1}, 0)
    assert await running.operations.stale_consents(officer, of=GIFT, purpose="audit", first=9, after=None) == ()
    entry, *_ = await entries(running, "staleConsents")
    assert (entry["pur"], entry["cnt"], len(entry["sub"])) == ("audit", 4, 4)


async def test_the_lists_of_compliance_are_for_compliance(ask, running):
    member_id = await join(ask, running)
    await say(ask, running, member_id, marketing_sms=True)
    found = (await ask(OVERVIEW, role="compliance_officer", variables={"of": SMS}))["data"]["consentOverview"]
    assert found == {"states": [{"state": "GIVEN", "members": 1}], "stale": 0}
    assert (await ask(STALE, role="compliance_officer", variables={"of": SMS}))["data"]["staleConsents"] == []
    for role in ("marketer", "mini_program", "customer_service_agent"):
        for query in (OVERVIEW, STALE):
            answer = await ask(query, role=role, variables={"of": SMS})
            assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    too_many = await ask(STALE, role="compliance_officer", variables={"of": SMS, "first": 101})
    assert too_many["errors"][0]["extensions"]["code"] == "PAGE_SIZE_TOO_LARGE"
    unknown = await ask(OVERVIEW, role="compliance_officer", variables={"of": "order_fulfilment"})
    assert unknown["errors"][0]["extensions"]["code"] == "BAD_INPUT"


class Counting:
    """A database that notes which statements were asked of it."""

    def __init__(self, database):
        self.database, self.asked = database, []

    def __getattr__(self, name):
        return getattr(self.database, name)

    @property
    def read(self):
        return self

    async def rows(self, statement, params=None):
        self.asked.append(statement.compiled(self.database.dialect).text)
        return await self.database.read.rows(statement, params)


@pytest.mark.parametrize("members", [1, 6])
async def test_the_lists_over_all_members_cost_one_statement_however_many_there_are(running, members):
    for _ in range(members):
        await a_member(running, yes=[SMS])
    counting = Counting(running.database)
    units = Units(
        database=counting,
        vault=running.vault,
        journal=running.journal,
        catalogue=running.catalogue,
        clock=running.clock,
        chance=running.chance,
    )
    operations, officer = Operations(units), a_call("compliance_officer")
    await operations.stale_consents(officer, of=SMS, purpose="audit", first=50, after=None)
    await operations.consent_overview(officer, of=SMS)
    assert len(counting.asked) == 2 and all("consent_standing" in text for text in counting.asked)


async def test_a_stale_page_needs_no_write_for_anybody(grown):
    running, yes, _ = grown
    history = await running.operations.consent_history(a_call("member", member_id=yes[3]), member_id=None)
    assert [event.state for event in history] == ["GIVEN"], "a new version writes nothing about anybody"

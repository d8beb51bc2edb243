"""People are told of so many members a day and no more, unless another person has approved it (LB-07)."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from policies.bulk import BulkClass
from service.app import parts
from service.db.statement import Prepared
from service.db.tables import tally as rows
from service.db.tables import tally_operator
from service.errors import Forbidden, Refused
from service.tally import store
from tests.api.front_end import entries
from tests.service.audit.logs import Administrator
from tests.service.tally.house import BENEFITS, TIER, alarms, clerk, look, machine, members, officer, page

EVERY = Prepared(select(rows.c.operator, rows.c.bulk, rows.c.mark))


async def refused(doing):
    with pytest.raises(Refused) as refusal:
        await doing
    assert refusal.value.code == "APPROVAL_REQUIRED"


class TestTheLawsCounts:
    @pytest.fixture
    def counts(self):
        return {}

    @pytest.mark.obligation("LB-07")
    async def test_a_clerk_who_walks_the_pages_is_stopped_before_the_501st_member_with_order_data(self, running):
        ids = await members(running, 501)
        seen, after = set(), None
        for _ in range(5):
            found = await page(running, clerk(), after=after)
            seen |= {profile.member_id for profile in found.profiles}
            after = found.end_cursor
        assert len(seen) == 500
        await refused(page(running, clerk(), after=after))
        (last,) = set(ids) - seen
        await refused(look(running, clerk(), last))
        assert (await look(running, clerk(), ids[0])) is not None, "who was seen before is not counted again"
        assert await alarms(running) == [("BULK_READING", "staff:clerk@shop TRANSACTION", 2)]
        denied = [one for one in await entries(running) if one["dec"] == "deny"]
        assert {(one["rsn"], one["x"]["bulk"], one["x"]["most"]) for one in denied} == {("APPROVAL_REQUIRED", "TRANSACTION", 500)}
        assert len(await running.database.read.rows(EVERY)) == 500, "a page that is refused is refused whole, and counts nobody"


@pytest.mark.obligation("LB-07")
async def test_a_page_that_would_cross_is_refused_whole_and_a_smaller_one_is_answered(running):
    await members(running, 7)
    first = await page(running, clerk(), first=4)
    await refused(page(running, clerk(), first=3, after=first.end_cursor))
    assert len((await page(running, clerk(), first=1, after=first.end_cursor)).profiles) == 1


@pytest.mark.obligation("LB-07")
async def test_the_count_is_of_the_account_whatever_its_spelling_role_or_instance(running, config, clock):
    ids = await members(running, 7)
    await page(running, clerk(), first=5)
    async with parts(config, clock=clock) as other:
        await refused(look(other, clerk(), ids[5]))
    for name in ("CLERK@shop", "ｃｌｅｒｋ@shop", " clerk@shop"):
        await refused(look(running, clerk(name), ids[5]))
    await refused(look(running, clerk(role="customer_service_agent"), ids[5], purpose="customer_service"))
    assert await look(running, clerk("li@shop"), ids[5]) is not None


async def test_each_class_has_its_own_count_and_a_look_counts_in_every_class_that_it_tells_of(running):
    ids = await members(running, 9)
    agent = clerk("agent@shop", "customer_service_agent")
    for member_id in ids[:5]:
        await look(running, agent, member_id, ["name", "tier"], "customer_service")
    for member_id in ids[5:8]:
        await look(running, agent, member_id, ["name"], "customer_service")
    await refused(look(running, agent, ids[8], ["name"], "customer_service"))
    await refused(look(running, agent, ids[5], ["tier"], "customer_service"))
    assert {about.rpartition(" ")[2] for _, about, _ in await alarms(running)} == {"OTHER", "TRANSACTION"}


async def test_a_whole_value_that_is_revealed_counts_like_any_other(running):
    ids = await members(running, 9)
    agent = clerk("agent@shop", "customer_service_agent")

    async def reveal(member_id):
        return await running.operations.reveal(
            agent, member_id=member_id, purpose="customer_service", field="phone", reason="parcel is lost"
        )

    for member_id in ids[:8]:
        await reveal(member_id)
    await refused(reveal(ids[8]))


@pytest.mark.obligation("LB-07")
async def test_what_was_told_a_day_ago_is_forgotten_and_deleted(running, clock):
    ids = await members(running, 7)
    await page(running, clerk(), first=5)
    clock.advance(hours=23, minutes=59)
    await refused(look(running, clerk(), ids[5]))
    clock.advance(minutes=1)
    assert await look(running, clerk(), ids[5]) is not None
    clock.advance(hours=24)
    async with running.database.write() as session:
        assert await store.purge(session, before=clock() - timedelta(hours=24)) == 6
        assert await session.rows(EVERY) == []
        assert await session.rows(Prepared(select(tally_operator.c.operator))) == []


@pytest.mark.obligation("LB-07")
async def test_in_a_months_first_day_whoever_was_seen_the_evening_before_counts_once_more_and_nobody_counts_less(running, clock):
    ids = await members(running, 7)
    clock.advance(days=8, hours=21)  # 30 November, 23:00 in UTC, by which months are named
    for member_id in ids[:3]:
        await look(running, clerk(), member_id)
    clock.advance(hours=2)
    for member_id in ids[:2]:
        await look(running, clerk(), member_id)
    await refused(look(running, clerk(), ids[2]))
    clock.advance(hours=23)
    for member_id in ids[2:5]:
        assert await look(running, clerk(), member_id) is not None, "a day after, each counts once again"
    await refused(look(running, clerk(), ids[5]))


@pytest.mark.obligation("LB-07")
async def test_a_look_again_keeps_a_member_in_the_count(running, clock):
    ids = await members(running, 6)
    await page(running, clerk(), first=5)
    clock.advance(hours=20)
    await look(running, clerk(), ids[0])
    clock.advance(hours=5)
    operator = "clerk@shop"
    found = await store.counts(running.database.read, operator, since=clock() - timedelta(hours=24))
    assert found == {BulkClass.TRANSACTION: 1}


async def test_whoever_is_told_nothing_is_not_counted(running):
    ids = await members(running, 2)
    await look(running, clerk(), ids[0], ["birthday"])
    with pytest.raises(Refused):
        await look(running, clerk(), ids[0], purpose="nobody_knows")
    assert await look(running, clerk(), "019a0000-0000-7000-8000-000000000001") is None
    assert await running.database.read.rows(EVERY) == []


async def test_the_table_names_no_member_that_the_log_does_not(running):
    ids = await members(running, 1)
    await look(running, clerk(), ids[0])
    ((operator, bulk, mark),) = await running.database.read.rows(EVERY)
    (entry,) = await entries(running, "member")
    assert (operator, bulk, [mark]) == ("clerk@shop", "TRANSACTION", entry["sub"])
    assert ids[0] not in mark


@pytest.mark.obligation("LB-07")
async def test_pages_at_the_same_moment_do_not_add_up_to_more(running, config, clock):
    ids = await members(running, 12)
    async with parts(config, clock=clock) as other:
        instances = [running, other] * 6
        looks = [look(instance, clerk(), member_id) for instance, member_id in zip(instances, ids, strict=True)]
        outcomes = await asyncio.gather(*looks, return_exceptions=True)
    told = [one for one in outcomes if not isinstance(one, Exception)]
    stopped = [one for one in outcomes if isinstance(one, Refused)]
    assert (len(told), len(stopped)) == (5, 7)
    assert len(await running.database.read.rows(EVERY)) == 5


@pytest.mark.obligation("LB-07")
async def test_who_is_one_person_to_a_second_person_has_one_count_at_the_terminal_and_by_token(running):
    ids = await members(running, 9)
    for member_id in ids[:3]:
        await look(running, clerk("Li"), member_id)
    for member_id in ids[2:5]:
        await look(running, clerk("li@corp"), member_id)
    await refused(look(running, clerk("li@corp"), ids[5]))
    await refused(look(running, clerk("li"), ids[5]))
    for member_id in ids[5:7]:
        assert await look(running, clerk("li@partner"), member_id) is not None, (
            "another li: only what the terminal's read counts for both"
        )
    await refused(look(running, clerk("li@partner"), ids[7]))
    for other in ("lia", "liA@corp", "li.corp@x", "l"):
        assert await look(running, clerk(other), ids[7]) is not None
    asked = await running.operations.ask_bulk_reading(
        clerk("li"), bulk=BulkClass.TRANSACTION, most=6, reason="stock-taking of cards", hours=2
    )
    await running.operations.decide_approval(officer(), approval_id=asked.approval_id, allow=True)
    assert await look(running, clerk("li@corp"), ids[5]) is not None, (
        "what was allowed to them at the terminal, they may by token"
    )
    await refused(look(running, clerk("li@corp"), ids[6]))


@pytest.mark.obligation("LB-07")
async def test_an_account_with_an_empty_realm_is_the_terminals_and_no_second_count(running):
    ids = await members(running, 6)
    for member_id in ids[:5]:
        await look(running, clerk("li@"), member_id)
    await refused(look(running, clerk("li@corp"), ids[5]))
    await refused(look(running, clerk("li"), ids[5]))


@pytest.mark.obligation("LB-07")
async def test_another_persons_approval_opens_exactly_so_many_for_so_long(running, clock):
    ids = await members(running, 8)
    await page(running, clerk(), first=5)
    asked = await running.operations.ask_bulk_reading(
        clerk(), bulk=BulkClass.TRANSACTION, most=7, reason="stock-taking of cards", hours=2
    )
    assert asked.what == "TRANSACTION 7 clerk@shop"
    await refused(look(running, clerk(), ids[5]))
    with pytest.raises(Forbidden):
        await running.operations.decide_approval(clerk(), approval_id=asked.approval_id, allow=True)
    await running.operations.decide_approval(officer(), approval_id=asked.approval_id, allow=True)
    for member_id in ids[5:7]:
        await look(running, clerk(), member_id)
    await refused(look(running, clerk(), ids[7]))
    (told,) = (await entries(running, "member"))[-2:-1]
    assert told["x"]["bulk_approval"] == asked.approval_id
    clock.advance(hours=2)
    await refused(look(running, clerk(), ids[6]))


@pytest.mark.obligation("LB-07")
async def test_an_approval_of_one_is_of_no_use_to_another(running):
    ids = await members(running, 7)
    asked = await running.operations.ask_bulk_reading(
        clerk(), bulk=BulkClass.TRANSACTION, most=7, reason="stock-taking of cards", hours=2
    )
    await running.operations.decide_approval(officer(), approval_id=asked.approval_id, allow=True)
    for member_id in ids[:5]:
        await look(running, clerk("li@shop"), member_id)
    await refused(look(running, clerk("li@shop"), ids[5]))


@pytest.mark.obligation("LB-07")
async def test_leave_is_for_its_class_as_it_was_read_and_for_the_account_however_it_asked(running, database_url):
    async def allowed(bulk, most):
        given = {"most": most, "reason": "stock-taking of cards", "hours": 2}
        asked = await running.operations.ask_bulk_reading(clerk("CLERK@shop"), bulk=bulk, **given)
        return await running.operations.decide_approval(officer(), approval_id=asked.approval_id, allow=True)

    ids = await members(running, 8)
    await page(running, clerk(), first=5)
    await allowed(BulkClass.OTHER, 9)
    await refused(look(running, clerk(), ids[5]))
    leave = await allowed(BulkClass.TRANSACTION, 6)
    assert await look(running, clerk(), ids[5]) is not None
    say = "UPDATE approval SET what = ? WHERE approval_id = ?"
    Administrator(database_url).run(say, given=("TRANSACTION 900 clerk@shop", leave.approval_id))
    await refused(look(running, clerk(), ids[6]))
    with pytest.raises(Forbidden):
        await running.operations.ask_bulk_reading(
            clerk(role="auditor"), bulk=BulkClass.OTHER, most=9, reason="stock-taking of cards", hours=2
        )


@pytest.mark.obligation("LB-07")
async def test_leave_for_one_class_opens_no_other_and_the_strictest_that_is_over_is_named(running):
    ids = await members(running, 9)
    agent = clerk("agent@shop", "customer_service_agent")

    async def both(member_id):
        return await look(running, agent, member_id, ["name", "tier"], "customer_service")

    for member_id in ids[:5]:
        await both(member_id)
    for member_id in ids[5:8]:
        await look(running, agent, member_id, ["name"], "customer_service")
    await refused(both(ids[8]))
    assert {about for _, about, _ in await alarms(running)} == {"staff:agent@shop TRANSACTION"}
    given = {"bulk": BulkClass.TRANSACTION, "most": 7, "reason": "stock-taking of cards", "hours": 2}
    asked = await running.operations.ask_bulk_reading(agent, **given)
    await running.operations.decide_approval(officer(), approval_id=asked.approval_id, allow=True)
    await refused(both(ids[8]))
    assert await both(ids[5]) is not None


@pytest.mark.obligation("LB-07")
@pytest.mark.parametrize(("asker", "named", "decider"), [("officer", "li@shop", "li@shop"), ("li@shop", "clerk@shop", "officer")])
async def test_nobody_reads_under_leave_that_they_gave_themselves_or_that_names_another(running, asker, named, decider):
    def as_officer(name):
        return officer() if name == "officer" else replace(officer(), actor=replace(officer().actor, name=name))

    ids = await members(running, 6)
    given = {"kind": "bulk.read", "what": f"TRANSACTION 7 {named}", "reason": "stock-taking of cards", "hours": 2}
    asked = await running.operations.ask_approval(as_officer(asker), **given)
    await running.operations.decide_approval(as_officer(decider), approval_id=asked.approval_id, allow=True)
    for member_id in ids[:5]:
        await look(running, clerk("li@shop"), member_id)
    await refused(look(running, clerk("li@shop"), ids[5]))


@pytest.mark.parametrize("most", [5, 0, -1, 1_000_001])
async def test_leave_that_is_needless_or_without_bound_is_not_asked_for(running, most):
    with pytest.raises(Exception, match="most"):
        await running.operations.ask_bulk_reading(clerk(), bulk=BulkClass.TRANSACTION, most=most, reason="stock-taking", hours=2)


async def test_a_machine_is_never_refused_and_raises_an_alarm_once_it_reads_more_than_usual(running, clock):
    ids = await members(running, 9)
    fields = ["name", "phone"]
    for member_id in ids[:8]:
        assert await look(running, machine(), member_id, fields, "order_fulfilment") is not None
    assert await alarms(running) == []
    await look(running, machine(), ids[0], fields, "order_fulfilment")
    assert await alarms(running) == []
    await look(running, machine(), ids[8], fields, "order_fulfilment")
    await look(running, machine(), ids[8], fields, "order_fulfilment")
    assert await alarms(running) == [("BULK_READING", "service:orders OTHER", 1)]
    assert await running.database.read.rows(EVERY) == [], "what a machine reads costs no statement"


@pytest.mark.obligation("LB-07")
async def test_the_entry_of_what_a_person_was_told_stands_with_its_count_or_not_at_all(running):
    ids = await members(running, 1)
    before = await entries(running)
    found = await running.operations.member(clerk(), member_id=ids[0], purpose=BENEFITS, fields=TIER)
    assert found is not None
    (entry,) = (await entries(running))[len(before) :]
    assert (entry["op"], entry["typ"], entry["dec"], entry["cnt"]) == ("member", "access", "allow", 1)

"""An alarm is raised once, told until somebody sees to it, and closed by somebody else than it is about."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from service.alarms import baits, commands, store
from service.alarms.mail import TOLD
from service.alarms.model import AlarmKind, AlarmState, Rules, Sight
from service.alarms.opening import carriers
from service.alarms.settings import load
from service.alarms.watch import Watchman, of_publisher
from service.app import kept
from service.audit.entry import Draft
from service.checkpoints.model import State
from service.db.statement import Prepared
from service.db.tables import bait
from service.errors import BadInput, ConfigError, Forbidden, Refused
from service.members import store as store_of_members
from service.tally.guard import Guard
from tests.api.front_end import entries
from tests.factories import a_call
from tests.service.alarms.house import alarms_file, bell, plant, raised
from tests.service.audit.logs import Administrator
from tests.service.tally.house import TIER, alarms, clerk, look, machine, members, officer

NOTE = "a wrong setting"


async def test_what_is_open_is_not_raised_again_it_counts_and_each_time_is_an_entry(running):
    first = await raised(running)
    assert await raised(running) == first
    assert await raised(running, about="staff:li@shop") != first
    assert await alarms(running) == [("DENIED_STREAK", "staff:clerk@shop", 2), ("DENIED_STREAK", "staff:li@shop", 1)]
    told = [one["x"] for one in await entries(running, "raiseAlarm")]
    assert [(one["alarm"], "again" in one) for one in told[:2]] == [(first, False), (first, True)]
    long = await raised(running, about="w" * 300)
    assert await raised(running, about="w" * 300) == long
    assert [len(about) for _, about, _ in await alarms(running) if "w" in about] == [160], "as much of it as a row holds"


async def test_raised_at_the_same_moment_it_is_one(running):
    found = await asyncio.gather(*(raised(running) for _ in range(6)))
    assert len(set(found)) == 1
    assert await alarms(running) == [("DENIED_STREAK", "staff:clerk@shop", 6)]


async def test_closed_is_closed_and_the_next_one_is_another(running):
    first = await raised(running)
    seen = await running.operations.acknowledge_alarm(officer(), alarm_id=first)
    closed = await running.operations.close_alarm(officer(), alarm_id=first, note=NOTE)
    assert (seen.state.value, closed.state.value, closed.handled_by, closed.note) == ("SEEN", "CLOSED", "zhao@corp", NOTE)
    handled = await entries(running, "acknowledgeAlarm") + await entries(running, "closeAlarm")
    assert [one["x"]["state"] for one in handled] == ["SEEN", "CLOSED"]
    with pytest.raises(Refused) as refusal:
        await running.operations.close_alarm(officer(), alarm_id=first, note=NOTE)
    assert refusal.value.code == "ALARM_CLOSED"
    assert await alarms(running) == []
    assert await raised(running) != first
    assert len(await alarms(running, live=False)) == 2


async def test_what_somebody_said_to_see_to_and_left_is_told_anew_when_it_happens_again(running, clock):
    first = await raised(running)
    await running.operations.acknowledge_alarm(officer(), alarm_id=first)
    told, ringing = [], bell(running, None)

    async def carry(alarm, _now):
        told.append(alarm.alarm_id)
        return TOLD

    ringing._carriers = (carry,)
    clock.advance(hours=23)
    assert (await raised(running), await ringing.once(), told) == (first, 0, [])
    clock.advance(hours=1)
    assert await ringing.once() == 0, "as long as it does not happen again"
    assert (await raised(running), await ringing.once(), told) == (first, 1, [first])
    assert (await raised(running), await ringing.once()) == (first, 0), "once more is counted, and told after the pause"
    assert [one.state.value for one in await running.operations.alarms(officer(), live=True, first=9, after=None)] == ["OPEN"]
    await ringing.close()


async def test_nobody_closes_what_was_found_of_themselves(running):
    own = await raised(running, AlarmKind.BULK_READING, "staff:zhao@corp TRANSACTION")
    for name in ("zhao@corp", "ZHAO@corp", "ｚｈａｏ@corp", "zhao"):
        for doing in (
            running.operations.acknowledge_alarm(officer(name), alarm_id=own),
            running.operations.close_alarm(officer(name), alarm_id=own, note=NOTE),
        ):
            with pytest.raises(Refused) as refusal:
                await doing
            assert refusal.value.code == "OWN_ALARM"
    assert (await running.operations.close_alarm(officer("sun@corp"), alarm_id=own, note=NOTE)).slot == own


async def test_who_may_not_handle_alarms_does_not(running):
    found = await raised(running)
    with pytest.raises(Forbidden):
        await running.operations.close_alarm(clerk(), alarm_id=found, note=NOTE)
    with pytest.raises(Forbidden):
        await running.operations.alarms(clerk(), live=True, first=10, after=None)
    robot = machine("robot", "compliance_officer")
    for doing in (
        running.operations.acknowledge_alarm(robot, alarm_id=found),
        running.operations.close_alarm(robot, alarm_id=found, note=NOTE),
    ):
        with pytest.raises(Forbidden):
            await doing
    for first in (0, 101):
        with pytest.raises(BadInput):
            await running.operations.alarms(officer(), live=True, first=first, after=None)
    for note in ("", "call 13800138000", "x" * 201):
        with pytest.raises(BadInput):
            await running.operations.close_alarm(officer(), alarm_id=found, note=note)


async def test_of_two_who_close_it_at_the_same_time_one_does(running):
    found = await raised(running)
    closing = [running.operations.close_alarm(officer(f"{n}@corp"), alarm_id=found, note=f"seen by {n}") for n in "abcd"]
    outcomes = await asyncio.gather(*closing, return_exceptions=True)
    (closed,) = [one for one in outcomes if not isinstance(one, Exception)]
    assert {one.code for one in outcomes if isinstance(one, Refused)} == {"ALARM_CLOSED"}

    async def over(unit):
        await commands.settle(unit, replace(closed, state=AlarmState.OPEN))

    await running.units.change(officer(), Draft(typ="admin", operation="closeAlarm"), over)
    (held,) = await running.operations.alarms(officer(), live=False, first=9, after=None)
    assert (held.handled_by, held.note) == (closed.handled_by, closed.note), "nor is it closed a second time because it is over"


@pytest.mark.parametrize("who", [clerk("li@shop"), machine("benefits", "mini_program")], ids=["a person", "a machine"])
async def test_whoever_reads_a_planted_member_raises_an_alarm_before_they_are_answered(running, who):
    ordinary, planted = await members(running, 2)
    await plant(running, planted)
    await look(running, who, ordinary)
    assert await alarms(running) == []
    assert await look(running, who, planted) is not None
    account = f"{who.actor.kind.value}:{who.actor.name}"
    assert await alarms(running) == [("HONEY_MEMBER", account, 1)]
    raised_for = (await entries(running, "raiseAlarm"))[-1]
    assert (raised_for["x"]["op_seen"], planted in str(raised_for)) == ("member", False)


async def test_a_planted_member_is_known_in_the_next_month_and_in_a_list(running, clock):
    planted = (await members(running, 2))[1]
    await plant(running, planted)
    clock.advance(days=10)
    found = await running.operations.page(
        clerk(), purpose="membership_benefits", fields=TIER, first=10, after=None, edge_cursors=False
    )
    assert len(found.profiles) == 2
    assert [kind for kind, _, _ in await alarms(running)] == ["HONEY_MEMBER"]


async def test_the_database_does_not_tell_who_is_planted(running):
    planted = (await members(running, 1))[0]
    await plant(running, planted)
    ((row,),) = await running.database.read.rows(Prepared(select(bait.c.sealed)))
    assert planted.encode() not in bytes(row) and bytes.fromhex(planted.replace("-", "")) not in bytes(row)
    assert await baits.planted(running.database.read, running.vault) == [planted]
    with pytest.raises(BadInput):
        await plant(running, "019a0000-0000-7000-8000-000000000001")


async def test_an_account_that_is_refused_again_and_again_is_an_alarm(running, clock):
    async def tried(times):
        for _ in range(times):
            with pytest.raises(Forbidden):
                await running.operations.alarms(clerk("mallory@shop"), live=True, first=10, after=None)

    await tried(19)
    clock.advance(minutes=10)
    await tried(19)
    assert await alarms(running) == []
    await tried(1)
    assert await alarms(running) == [("DENIED_STREAK", "staff:mallory@shop", 1)]
    await tried(19)
    assert await alarms(running) == [("DENIED_STREAK", "staff:mallory@shop", 1)], "it takes as many again"


async def test_a_machines_refusals_are_an_alarm_and_a_members_are_not_nor_is_its_name_in_any(running):
    (planted,) = await members(running, 1)
    own = a_call("member", member_id=planted)
    for call in [machine()] * 20 + [own] * 20:
        with pytest.raises(Forbidden):
            await running.operations.alarms(call, live=True, first=10, after=None)
    assert await alarms(running) == [("DENIED_STREAK", "service:orders", 1)]
    await plant(running, planted)
    assert await running.operations.me(own, fields=TIER) is not None
    assert await alarms(running) == [("DENIED_STREAK", "service:orders", 1), ("HONEY_MEMBER", "member", 1)]


def test_however_many_accounts_are_refused_they_fill_no_memory(catalogue, clock):
    guard, denied = Guard(catalogue, Rules()), Draft(typ="audit", decision="deny")
    for number in range(10_100):
        assert guard.owed(clerk(f"c{number}"), denied, clock()) == []
    assert len(guard._refused) <= 10_000


async def test_refusals_are_of_the_account_however_it_is_spelt(running):
    for name in ("mallory@shop", "Mallory@Shop", "ｍａｌｌｏｒｙ@shop", "MALLORY@shop") * 5:
        with pytest.raises(Forbidden):
            await running.operations.alarms(clerk(name), live=True, first=10, after=None)
    assert await alarms(running) == [("DENIED_STREAK", "staff:mallory@shop", 1)]


async def test_the_watch_raises_what_is_wrong_once_and_closes_what_is_over_by_itself(running, clock, chance):
    wrong = {(AlarmKind.WITNESS_UNREACHABLE, "witness.example/w1"): "SLOW", (AlarmKind.LOG_BROKEN, "log"): "LOG_BROKEN"}

    async def looked():
        return Sight(dict(wrong), whole=True)

    watchman = Watchman(units=running.units, looks=(looked,), chores=(), clock=clock, chance=chance)
    await watchman.round()
    await watchman.round()
    assert {(kind, count) for kind, _, count in await alarms(running)} == {("WITNESS_UNREACHABLE", 1), ("LOG_BROKEN", 1)}
    wrong.clear()
    await watchman.round()
    assert [kind for kind, _, _ in await alarms(running)] == ["LOG_BROKEN"], "somebody has to look at a log that was broken"
    wrong[AlarmKind.WITNESS_UNREACHABLE, "witness.example/w1"] = "SLOW"
    await watchman.round()
    assert [kind for kind, _, _ in await alarms(running)] == ["LOG_BROKEN", "WITNESS_UNREACHABLE"], (
        "what comes again is raised again"
    )
    await watchman.close()


async def test_while_the_record_takes_no_entry_what_is_wrong_is_raised_all_the_same(running, clock, chance):
    async def seeing():
        return Sight({(AlarmKind.UNSIGNED_TAIL, "log"): "LATE"}, whole=True)

    await running.journal.close()
    for _ in range(2):
        watchman = Watchman(units=running.units, looks=(seeing,), chores=(), clock=clock, chance=chance)
        await watchman.round()
        await watchman.close()
    assert [(one.kind, one.about, one.count) for one in await store.live(running.database.read)] == [
        (AlarmKind.UNSIGNED_TAIL, "log", 2)
    ]


async def test_what_fails_in_a_round_does_not_keep_the_rest_from_being_done(running, clock, chance):
    done = []

    async def failing():
        raise OSError

    async def chore():
        done.append(True)

    watchman = Watchman(units=running.units, looks=(failing,), chores=(failing, chore), clock=clock, chance=chance)
    await watchman.round()
    await watchman.close()
    assert done == [True]


async def test_a_look_that_fails_hides_nothing_of_what_another_sees(running, clock, chance):
    async def failing():
        raise ValueError

    async def seeing():
        return Sight({(AlarmKind.LOG_BROKEN, "log"): "LOG_BROKEN"}, whole=True)

    await raised(running, AlarmKind.DUTY_OVERDUE, "retention")

    async def in_part():
        return Sight({}, whole=False)

    for looks in ((failing, seeing), (seeing, failing), (seeing, in_part)):
        watchman = Watchman(units=running.units, looks=looks, chores=(), clock=clock, chance=chance)
        await watchman.round()
        await watchman.close()
    assert await alarms(running) == [("DUTY_OVERDUE", "retention", 1), ("LOG_BROKEN", "log", 3)], "nor closes what it did not see"


async def test_open_alarms_are_a_metric(running, client):
    await raised(running)
    bait = await raised(running, AlarmKind.HONEY_MEMBER)
    await running.operations.close_alarm(officer(), alarm_id=bait, note=NOTE)
    page = (await client.get("/metrics")).text
    assert 'menshen_alarms_open{kind="DENIED_STREAK"} 1.0' in page
    assert 'menshen_alarms_open{kind="HONEY_MEMBER"} 0.0' in page


async def test_a_bait_that_was_erased_or_spoilt_keeps_the_others_known_in_this_month_and_the_next(running, database_url):
    one, other = await members(running, 2)
    await plant(running, one)
    await plant(running, other)
    await running.operations.erase(officer(), member_id=one)
    names = await baits.names(running.database.read, running.vault, kept, now=running.clock())
    assert len(names) == 2
    Administrator(database_url).run(
        "INSERT INTO bait (bait_id, sealed, added_by, added_at) SELECT '0', ?, added_by, added_at FROM bait LIMIT 1",
        given=(b"spoilt",),
    )
    assert await baits.names(running.database.read, running.vault, kept, now=running.clock()) == names
    row = await store_of_members.row(running.database.read, other)
    keys = running.vault.member_keys(other, row.generation, row.wrapped)
    on = datetime(2027, 1, 30, tzinfo=UTC)
    months = {running.vault.pseudonym_at(keys, month) for month in ("2027-01", "2027-02")}
    assert await baits.names(running.database.read, running.vault, kept, now=on) == months, "the shortest month is not left out"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[mail]\nhost = "mail.example"\n', "mail"),
        ('[mail]\nhost = "h"\nport = 0\nfrom = "a@b"\nto = ["a@b"]\n', "port"),
        ('[mail]\nhost = "h"\nport = 25\nfrom = "a@b\\nBcc: x@y"\nto = ["a@b"]\n', "addresses"),
        ('[mail]\nhost = "h"\nport = 25\nfrom = "a@b"\nto = []\n', "to"),
        ("[rules]\nrefusals = 2\n", "rules"),
        ("[rules]\nrefusal = 20\n", "rules"),
        ('[post]\nurl = "x"\n', "tables"),
    ],
)
def test_a_file_that_is_not_fit_is_refused_by_key(tmp_path, text, said):
    path = tmp_path / "alarms.toml"
    path.write_text(text, "utf-8")
    path.chmod(0o600)
    with pytest.raises(ConfigError, match=said):
        load(path, production=True)


def test_a_file_that_others_can_read_is_refused(tmp_path):
    path = alarms_file(tmp_path, 25)
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="MENSHEN_ALARMS"):
        load(path, production=False)


def test_in_production_the_mail_server_must_offer_tls(tmp_path):
    path = alarms_file(tmp_path, 25)
    told = load(path, production=True).mail
    assert told is not None
    assert told.tls
    path.write_text(path.read_text("utf-8").replace("127.0.0.1", "mail.example"), "utf-8")
    elsewhere = load(path, production=False)
    assert elsewhere.mail is not None
    assert elsewhere.mail.tls, "on another machine it is the same where somebody develops"

    async def posted(*_given):
        return True

    assert len(carriers(elsewhere, posted)) == 2, "whoever names both is told both ways"


def test_what_the_publisher_tells_becomes_alarms_and_only_the_one_that_leads_says_that_all_is_well(clock):
    state, rules = State(leading=True), Rules()
    assert of_publisher(state, rules, now=clock()) == Sight({}, whole=True)
    state.tail_since, state.witnesses = clock(), {"w1": "SLOW", "w2": "AHEAD"}
    clock.advance(minutes=6)
    wrong = {
        (AlarmKind.UNSIGNED_TAIL, "log"): "LATE",
        (AlarmKind.WITNESS_UNREACHABLE, "w1"): "SLOW",
        (AlarmKind.WITNESS_REFUSED, "w2"): "AHEAD",
    }
    assert of_publisher(state, rules, now=clock()).troubles == wrong
    state.problem = "KEY_UNAVAILABLE"
    found = of_publisher(state, rules, now=clock()).troubles
    assert found == wrong | {(AlarmKind.UNSIGNED_TAIL, "log"): "KEY_UNAVAILABLE"}
    state.leading, state.breaker = False, "LOG_BROKEN"
    assert of_publisher(state, rules, now=clock()) == Sight({(AlarmKind.LOG_BROKEN, "log"): "LOG_BROKEN"}, whole=False)

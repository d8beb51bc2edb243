"""Somebody is told of an alarm: by every way that there is, again after a pause, by one instance, until one who sees to it says so."""

import asyncio

from service.alarms import store
from service.alarms.mail import TOLD
from service.alarms.model import Rules
from service.alarms.opening import carriers
from service.alarms.settings import load
from tests.api.front_end import entries
from tests.service.alarms.house import alarms_file, bell, raised
from tests.service.senders.keys import certificate
from tests.service.senders.post import post
from tests.service.tally.house import alarms, officer


async def test_a_person_is_told_by_mail_again_after_a_pause_until_somebody_sees_to_it(running, tmp_path, clock):
    found = await raised(running)
    async with post() as server:
        ringing = bell(running, alarms_file(tmp_path, server.port))
        assert (await ringing.once(), await ringing.once()) == (1, 0)
        mail = server.mail()
        assert server.recipients == ["compliance@corp.example"]
        body = mail.get_content()
        assert "连续多次被拒绝" in body and "One account was refused many times" in body and found in body
        clock.advance(hours=3, minutes=59)
        assert await ringing.once() == 0
        clock.advance(minutes=1)
        assert (await ringing.once(), len(server.mails)) == (1, 2)
        await running.operations.acknowledge_alarm(officer(), alarm_id=found)
        assert [one.due_at for one in await store.live(running.database.read)] == [None]
        clock.advance(hours=40)
        assert (await ringing.once(), len(server.mails)) == (0, 2)
        await ringing.close()
    told = await entries(running, "tellAlarm")
    assert [(one["typ"], one["x"]["outcome"]) for one in told] == [("result", "TOLD")] * 2


async def test_a_mail_server_that_is_away_is_tried_until_it_is_back(running, tmp_path, clock):
    await raised(running)
    async with post() as server:
        server.answers["RCPT"] = "451 later"
        ringing = bell(running, alarms_file(tmp_path, server.port))
        assert await ringing.once() == 1
        (held,) = await store.live(running.database.read)
        assert (held.outcome, held.told_at, held.tries) == ("MAIL_FAILED", None, 1)
        server.answers.clear()
        clock.advance(seconds=30)
        assert await ringing.once() == 1
        (held,) = await store.live(running.database.read)
        assert (held.outcome, held.told_at, len(server.mails)) == ("TOLD", running.clock(), 1)
        await ringing.close()


async def test_in_production_no_alarm_is_handed_to_a_server_without_tls(running, tmp_path):
    await raised(running)
    async with post() as server:
        told = load(alarms_file(tmp_path, server.port), production=True)
        ringing = ringing_by(running, *carriers(told, None))
        assert await ringing.once() == 1
        (held,) = await store.live(running.database.read)
        assert (held.outcome, server.mails) == ("MAIL_FAILED", [])
        await ringing.close()


async def test_the_mail_servers_certificate_is_checked_against_what_the_file_trusts(running, tmp_path):
    tls, trusted = certificate(tmp_path)
    async with post(tls) as server:
        for more, outcome in (("", "MAIL_FAILED"), (f'trust = "{trusted.name}"\n', TOLD)):
            found = await raised(running, about=f"staff:{outcome}")
            ringing = ringing_by(running, *carriers(load(alarms_file(tmp_path, server.port, more=more), production=True), None))
            assert await ringing.once() == 1
            assert {one.alarm_id: one.outcome for one in await store.live(running.database.read)}[found] == outcome
            await ringing.close()


async def test_a_mail_server_that_wants_a_name_and_a_password_gets_those_of_the_file(running, tmp_path):
    tls, trusted = certificate(tmp_path)
    async with post(tls, only=("menshen", "a password")) as server:
        for password, outcome in (("another", "MAIL_FAILED"), ("a password", TOLD)):
            found = await raised(running, about=f"staff:{outcome}")
            signing_in = f'user = "menshen"\npassword = "{password}"\ntrust = "{trusted.name}"\n'
            path = alarms_file(tmp_path, server.port, more=signing_in)
            ringing = ringing_by(running, *carriers(load(path, production=True), None))
            assert await ringing.once() == 1
            assert {one.alarm_id: one.outcome for one in await store.live(running.database.read)}[found] == outcome
            await ringing.close()


async def test_of_two_instances_one_rings(running, tmp_path):
    await raised(running)
    async with post() as server:
        path = alarms_file(tmp_path, server.port)
        ringing = [bell(running, path), bell(running, path)]
        assert sum(await asyncio.gather(*(each.once() for each in ringing))) == 1
        assert len(server.mails) == 1
        for each in ringing:
            await each.close()


def ringing_by(running, *carriers):
    ringing = bell(running, None)
    ringing._carriers = carriers
    return ringing


async def failed(_alarm, _now):
    return "POST_FAILED"


async def reached(_alarm, _now):
    return TOLD


async def test_one_who_is_told_is_enough_whichever_way(running):
    for ways in ((failed, reached), (reached, failed)):
        await raised(running, about=f"staff:{len(await alarms(running))}")
        ringing = ringing_by(running, *ways)
        assert await ringing.once() == 1
        await ringing.close()
    assert [(one.outcome, one.told_at) for one in await store.live(running.database.read)] == [(TOLD, running.clock())] * 2


async def test_an_alarm_that_is_seen_while_it_is_told_is_left_to_who_saw_it(running, clock):
    found = await raised(running)

    async def seen(_alarm, _now):
        await running.operations.acknowledge_alarm(officer(), alarm_id=found)
        return TOLD

    ringing = ringing_by(running, seen)
    assert await ringing.once() == 1
    told = (await entries(running, "tellAlarm"))[-1]
    assert (told["dec"], told["rsn"]) == ("deny", "ALARM_HANDLED")
    (held,) = await store.live(running.database.read)
    assert (held.state.value, held.due_at, held.outcome) == ("SEEN", None, "")
    await ringing.close()


async def test_who_was_too_slow_to_tell_leaves_it_to_who_took_it_over(running, clock):
    await raised(running)
    quick = ringing_by(running, reached)

    async def slow(_alarm, _now):
        clock.advance(seconds=91)
        assert await quick.once() == 1
        return "POST_FAILED"

    ringing = ringing_by(running, slow)
    assert await ringing.once() == 1
    (held,) = await store.live(running.database.read)
    assert (held.outcome, held.due_at) == (TOLD, clock() + Rules().repeat)
    for each in (ringing, quick):
        await each.close()


async def test_without_anybody_to_tell_an_alarm_waits(running):
    await raised(running)
    ringing = bell(running, None)
    assert await ringing.once() == 0
    (held,) = await store.live(running.database.read)
    assert held.tries == 0


async def test_while_the_record_takes_no_entry_somebody_is_told_and_only_once(running, clock):
    await raised(running)
    await running.journal.close()
    ringing = ringing_by(running, reached)
    assert await ringing.once() == 1
    clock.advance(minutes=5)
    assert await ringing.once() == 0
    (held,) = await store.live(running.database.read)
    assert (held.outcome, held.tries) == (TOLD, 0)
    await ringing.close()

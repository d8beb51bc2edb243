"""`menshen alarms` and `menshen approvals`, as a person at this deployment's terminal types them."""

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from service.alarms.model import AlarmKind
from service.app import Parts, parts
from service.cli.alarms import alarms
from service.cli.approvals import approvals
from service.errors import BadInput, Conflict, Refused
from service.values import Actor, ActorKind, Call
from tests.api.front_end import entries
from tests.factories import a_member
from tests.service.alarms.house import raised

KIND, WHAT = "audit.resolve", "p1:x"


@pytest.fixture
def inside(config, clock) -> Callable[[Callable[[Parts], Awaitable[Any]]], Any]:
    """Do something as the service would, before or after a command."""

    async def within(work: Callable[[Parts], Awaitable[Any]]) -> Any:
        async with parts(config) as running:
            return await work(running)

    return lambda work: asyncio.run(within(work))


@pytest.fixture
def menshen(config, monkeypatch) -> Callable[..., Result]:
    monkeypatch.setenv("MENSHEN_HOME", str(config.home))
    monkeypatch.setenv("MENSHEN_DATABASE_URL", config.database)

    def run(group, *words: str) -> Result:
        return CliRunner().invoke(group, list(words), env={"COLUMNS": "260"})

    return run


def refused(done: Result) -> str:
    assert isinstance(done.exception, Refused)
    return done.exception.code


def test_an_alarm_is_listed_taken_and_closed_and_each_step_names_who_did_it(menshen, inside):
    found = inside(raised)
    listed = menshen(alarms, "list")
    assert listed.exit_code == 1, "a job that looks every morning must see that there is something"
    assert found in listed.output and "DENIED_STREAK" in listed.output and "OPEN" in listed.output
    taken = menshen(alarms, "ack", found)
    assert taken.exit_code == 0 and "连续多次被拒绝" in taken.output
    assert isinstance(menshen(alarms, "close", found, "--note", "call 13800138000").exception, BadInput)
    closed = menshen(alarms, "close", found, "--note", "a wrong setting")
    assert closed.exit_code == 0 and "OK" in closed.output
    assert refused(menshen(alarms, "ack", found)) == "ALARM_CLOSED"
    assert menshen(alarms, "list").exit_code == 0
    assert found in menshen(alarms, "list", "--all").output
    written = [one for one in inside(entries) if one["op"] in {"acknowledgeAlarm", "closeAlarm"} and one["dec"] == "allow"]
    assert {(one["op"], one["act"]["id"]) for one in written} == {
        ("acknowledgeAlarm", getpass.getuser()),
        ("closeAlarm", getpass.getuser()),
    }


def test_nobody_at_the_terminal_closes_what_was_found_of_themselves(menshen, inside):
    own = inside(lambda running: raised(running, AlarmKind.HONEY_MEMBER, f"staff:{getpass.getuser()}"))
    assert refused(menshen(alarms, "close", own, "--note", "nothing")) == "OWN_ALARM"


def test_a_member_is_planted_once_and_the_look_at_who_is_planted_is_recorded(menshen, inside):
    member_id = inside(a_member)
    assert menshen(alarms, "honey", "add", member_id).output == "OK 1\n"
    assert isinstance(menshen(alarms, "honey", "add", member_id).exception, Conflict)
    assert menshen(alarms, "honey", "list").output == f"{member_id}\n"
    written = {one["op"]: one for one in inside(entries)}
    assert (written["plantedMembers"]["typ"], written["plantedMembers"]["x"]["planted"]) == ("audit", 1)
    assert member_id not in str(written)


def test_an_approval_is_asked_for_here_and_decided_by_somebody_else(menshen, inside):
    asked = menshen(approvals, "ask", KIND, WHAT, "--reason", "a complaint of today")
    assert asked.exit_code == 0 and "a complaint of today" in asked.output
    approval_id = next(word for word in asked.output.split() if len(word) > 20 and word[:2] == "01")
    assert approval_id in menshen(approvals, "list").output
    assert refused(menshen(approvals, "decide", approval_id, "--allow")) == "OWN_APPROVAL"
    other = Call(Actor(ActorKind.STAFF, "zhao@corp", frozenset({"compliance_officer"})), "req-1")
    inside(lambda running: running.operations.decide_approval(other, approval_id=approval_id, allow=True))
    assert approval_id not in menshen(approvals, "list").output
    assert "zhao@corp" in menshen(approvals, "list", "--all").output


def test_what_somebody_else_asked_for_is_refused_from_the_terminal_for_good(menshen, inside):
    other = Call(Actor(ActorKind.STAFF, "wang@corp", frozenset({"compliance_officer"})), "req-1")
    given = {"kind": KIND, "what": WHAT, "reason": "a complaint", "hours": 24}
    asked = inside(lambda running: running.operations.ask_approval(other, **given))
    done = menshen(approvals, "decide", asked.approval_id, "--refuse")
    assert done.exit_code == 0 and "REFUSED" in done.output and getpass.getuser() in done.output

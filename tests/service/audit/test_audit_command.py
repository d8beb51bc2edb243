"""`menshen audit`: what a compliance officer sees in the terminal, and what a pipeline is told."""

import asyncio
import json
import os
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from service.app import parts
from service.cli import menshen
from service.cli.terminal import account
from service.config import Config
from service.errors import BadInput, LogBroken
from tests.factories import a_call, a_member
from tests.service.audit.logs import Administrator

Run = Callable[..., Result]


@pytest.fixture
def run(config: Config, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command in this instance's environment."""
    monkeypatch.setenv("MENSHEN_HOME", str(config.home))
    monkeypatch.setenv("MENSHEN_DATABASE_URL", config.database_url)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(menshen, ["audit", *arguments])

    return invoke


@pytest.fixture
def member_id(config: Config) -> str:
    """Somebody who joined, and whom a clerk has read for a purpose that covers it and for one that does not."""

    async def live() -> str:
        async with parts(config) as running:
            member = await a_member(running)
            for purpose in ("customer_service", "order_fulfilment"):
                await running.operations.member(
                    a_call("customer_service_agent"), member_id=member, purpose=purpose, fields=("name", "phone")
                )
            return member

    return asyncio.run(live())


def told(result: Result) -> Any:
    return json.loads(result.output)


@pytest.mark.obligation("AL-03")
def test_a_whole_log_exits_with_0_and_says_so_in_both_languages(run: Run, member_id: str) -> None:
    result = run("verify")
    assert result.exit_code == 0
    assert "完整无改动" in result.output
    assert "nothing was altered" in result.output
    facts = told(run("verify", "--json"))
    assert (facts["verdict"], facts["findings"]) == ("OK", [])
    assert facts["size"] == facts["entries"] == facts["remembered"] > 3


@pytest.mark.obligation("AL-03")
def test_an_altered_log_exits_with_1_and_names_the_index(run: Run, member_id: str, database_url: str) -> None:
    Administrator(database_url).run("UPDATE audit_entry SET leaf = entry, entry = leaf WHERE idx = 2")
    result = run("verify")
    assert result.exit_code == 1
    assert "ALTERED 2: 审计条目被篡改" in result.output
    facts = told(run("verify", "--json"))
    assert facts["findings"][0] == {"verdict": "ALTERED", "part": "entry", "first": 2, "last": 2}


@pytest.mark.obligation("AL-03")
def test_a_log_that_the_service_refuses_to_start_on_can_still_be_examined(
    run: Run, config: Config, member_id: str, database_url: str
) -> None:
    backup = Administrator(database_url).backup()
    assert run("search").exit_code == 0
    Administrator(database_url).restore(backup)
    assert isinstance(run("search").exception, LogBroken)
    result = run("verify", "--json")
    assert result.exit_code == 1
    assert told(result)["verdict"] == "ROLLED-BACK"


def test_a_remembered_head_that_cannot_be_read_is_no_verdict(run: Run, config: Config, member_id: str) -> None:
    (config.home / "audit-head").write_bytes(b"menshen")
    assert isinstance(run("verify").exception, LogBroken)


@pytest.mark.obligation("AL-02", "AL-05")
def test_a_members_readers_are_found_and_the_search_is_recorded(run: Run, member_id: str) -> None:
    rows = told(run("search", "--member", member_id, "--json"))
    assert {row["entry"]["typ"] for row in rows} >= {"access", "consent"} or {row["entry"]["typ"] for row in rows} >= {
        "access",
        "change",
    }
    assert all(row["whole"] and len(row["entry"]["sub"]) == 1 for row in rows)
    assert any(row["entry"]["act"]["id"] == "customer_service_agent-1" and "phone" in row["entry"]["fld"] for row in rows)
    newest = told(run("search", "--most", "1", "--json"))[0]["entry"]
    assert newest["typ"] in {"audit", "stop"}
    assert {row["status"] for row in rows} <= {"PENDING", "PROVEN"}
    looks = [row for row in told(run("search", "--json")) if row["entry"]["typ"] == "audit"]
    assert looks[-1]["entry"]["sub"] == rows[0]["entry"]["sub"]


def test_the_table_shows_who_when_why_what_and_how_it_ended(run: Run, member_id: str) -> None:
    output = run("search", "--member", member_id).output
    for heading in (
        "时间 Time",
        "操作者 Actor",
        "角色 Role",
        "目的 Purpose",
        "依据 Basis",
        "字段 Fields",
        "结果 Decision",
        "原因 Reason",
    ):
        assert heading in output
    for shown in ("staff:customer_service_agent-1", "customer_service", "CONTRACT", "手机", "允许 allow", "证明 Status"):
        assert shown in output


def test_searches_narrow_by_actor_purpose_time_and_refusal(run: Run, member_id: str) -> None:
    assert told(run("search", "--actor", "nobody", "--json")) == []
    assert {row["entry"]["pur"] for row in told(run("search", "--purpose", "customer_service", "--json"))} == {"customer_service"}
    assert {row["entry"]["dec"] for row in told(run("search", "--denied", "--json"))} <= {"deny"}
    assert told(run("search", "--until", "2020-01-01", "--json")) == []
    assert told(run("search", "--role", "nobody", "--json")) == told(run("search", "--reason", "NONE", "--json")) == []
    fields = told(run("search", "--field", "phone", "--role", "customer_service_agent", "--basis", "CONTRACT", "--json"))
    assert fields
    assert all("phone" in row["entry"]["fld"] for row in fields)
    request = fields[0]["entry"]["req"]
    assert fields[0] in told(run("search", "--request", request, "--operation", "member", "--type", "access", "--json"))
    assert told(run("search", "--since", "2020-01-01", "--json")) != []


def test_nobody_and_somebody_erased_cannot_be_found(run: Run, member_id: str) -> None:
    result = run("search", "--member", "019aa8f2-0000-7000-8000-00000000ffff")
    assert isinstance(result.exception, BadInput)


def test_a_day_that_is_none_is_an_error_of_use(run: Run, config: Config) -> None:
    assert run("search", "--since", "yesterday").exit_code == 2


def test_a_terminal_whose_account_has_only_a_number_is_recorded_by_it() -> None:
    assert account(4_200_000_000) == "uid-4200000000"
    assert account() == account(os.getuid())

"""`menshen policy check`: what the privacy officer sees, and what a pipeline is told."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from policies.catalogue import SHIPPED, load
from service.cli.policy import policy

run = CliRunner().invoke


def test_a_good_policy_is_told_by_its_digest_and_counts() -> None:
    result = run(policy, ["check"])

    assert result.exit_code == 0
    assert load(SHIPPED).digest in result.output
    assert "20 fields · 17 purposes · 6 channels · 12 roles · 6 recipients · 2 notices" in result.output


def test_a_good_policy_is_told_to_machines() -> None:
    result = run(policy, ["check", str(SHIPPED), "--json"])
    told = json.loads(result.output)

    assert result.exit_code == 0
    assert told["ok"] is True
    assert (told["digest"], told["purposes"]) == (load(SHIPPED).digest, 17)


@pytest.mark.obligation("LB-01")
def test_every_problem_is_shown_by_file_key_and_reason(folder: Path) -> None:
    page = folder / "purposes.toml"
    page.write_text(page.read_text("utf-8").replace('basis = "CONTRACT"', 'basis = "LEGITIMATE_INTEREST"'), "utf-8")
    result = run(policy, ["check", str(folder)])

    assert result.exit_code == 1
    for key in ("account_service", "order_fulfilment", "customer_service", "membership_benefits"):
        assert f"purposes.{key}.basis" in result.output
    assert result.output.count("BASIS_NOT_ALLOWED") == 4
    assert "没有“正当利益”" in result.output
    assert "4 个问题" in result.output


def test_every_problem_is_told_to_machines(folder: Path) -> None:
    (folder / "roles.toml").unlink()
    result = run(policy, ["check", str(folder), "--json"])
    told = json.loads(result.output)

    assert result.exit_code == 1
    assert told["ok"] is False
    assert [(p["file"], p["key"], p["code"]) for p in told["problems"]] == [("roles.toml", "", "FILE_MISSING")]
    assert {*told["problems"][0]} == {"file", "key", "code", "en", "zh"}


def test_a_narrow_screen_cuts_nothing_off(folder: Path) -> None:
    page = folder / "recipients.toml"
    page.write_text(page.read_text("utf-8").replace('contract = "DPA-2026-01"\n', ""), "utf-8")
    result = run(policy, ["check", str(folder)], env={"COLUMNS": "40", "TTY_COMPATIBLE": "1"})
    lines = re.sub(r"\x1b\[[0-9;]*m", "", result.output).splitlines()
    cells = [line.split("│")[1:4] for line in lines if line.count("│") == 4]
    file, key, reason = ("".join(cell.strip() for cell in column) for column in zip(*cells, strict=True))

    assert max(map(len, lines)) <= 40
    assert (file, key) == ("recipients.toml", "recipients.example_courier.contract")
    assert "KEY_MISSING" in reason


def test_what_an_officer_wrote_in_brackets_is_shown_and_not_obeyed(folder: Path) -> None:
    page = folder / "roles.toml"
    page.write_text(page.read_text("utf-8").replace('"member.import"', '"[bold]member.fly[/bold]"'), "utf-8")
    result = run(policy, ["check", str(folder)])

    assert "[bold]member.fly[/bold]" in result.output


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_a_folder_that_cannot_be_read_is_another_outcome(tmp_path: Path, arguments: list[str]) -> None:
    result = run(policy, ["check", str(tmp_path / "nowhere"), *arguments])

    assert result.exit_code == 2
    assert "UNREADABLE" in result.output


def test_the_folder_of_the_deployment_is_checked_when_none_is_named(folder: Path) -> None:
    (folder / "roles.toml").unlink()

    assert run(policy, ["check"], env={"MENSHEN_POLICIES": str(folder)}).exit_code == 1

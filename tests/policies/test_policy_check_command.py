"""`menshen policy check`: what the privacy officer sees, and what a pipeline is told."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from policies.catalogue import SHIPPED, load
from service.cli.policy import policy
from tests.policy_folder import add_table, set_key

run = CliRunner().invoke


def test_a_good_policy_is_told_by_its_digest_and_counts() -> None:
    result = run(policy, ["check"])

    assert result.exit_code == 0
    assert load(SHIPPED).digest in result.output
    assert "20 fields · 19 purposes · 6 channels · 15 roles · 8 recipients · 2 notices" in result.output


def test_a_good_policy_is_told_to_machines() -> None:
    result = run(policy, ["check", str(SHIPPED), "--json"])
    told = json.loads(result.output)

    assert result.exit_code == 0
    assert told["ok"] is True
    assert (told["digest"], told["purposes"]) == (load(SHIPPED).digest, 19)


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


@pytest.mark.obligation("AD-06")
@pytest.mark.parametrize("category", ["health", "child"])
def test_a_tag_with_a_sensitive_meaning_is_refused_where_tags_are_not_read_by_separate_consent(
    folder: Path, category: str
) -> None:
    meaning = {"zh": "孕期用品", "en": "Things for expectant mothers"}
    add_table(folder, "tags.toml", "tags.pregnant", title={"zh": "孕期", "en": "Pregnant"}, meaning=meaning, category=category)
    result = run(policy, ["check", str(folder), "--json"])

    assert result.exit_code == 1
    found = [(p["file"], p["key"], p["code"]) for p in json.loads(result.output)["problems"]]
    assert found == [("tags.toml", "tags.pregnant.category", "TAG_SENSITIVE")]


@pytest.mark.obligation("AD-06")
def test_a_sensitive_tag_for_one_purpose_is_refused_as_long_as_another_reads_tags_without_separate_consent(folder: Path) -> None:
    words = {"title": {"zh": "敏感肌", "en": "Delicate skin"}, "meaning": {"zh": "自述", "en": "As said"}}
    add_table(folder, "tags.toml", "tags.delicate_skin", **words, category="health")
    set_key(folder, "purposes.toml", "purposes.skin_profile.fields.tags", "plain")
    result = run(policy, ["check", str(folder), "--json"])

    assert "TAG_SENSITIVE" in {p["code"] for p in json.loads(result.output)["problems"]}


@pytest.mark.obligation("AD-06")
def test_no_word_stands_for_two_tags(folder: Path) -> None:
    set_key(folder, "tags.toml", "tags.outdoor.title", {"zh": "香氛爱好", "en": "Outdoor"})
    result = run(policy, ["check", str(folder), "--json"])

    found = [(p["key"], p["code"]) for p in json.loads(result.output)["problems"]]
    assert found == [("tags.outdoor.title", "DUPLICATE")]


@pytest.mark.obligation("AD-07")
@pytest.mark.parametrize("key", ["personalised_recommendation", "skin_profile", "baby_care"])
def test_an_automated_decision_without_an_impact_assessment_is_not_activated(folder: Path, key: str) -> None:
    set_key(folder, "purposes.toml", f"purposes.{key}.pia", "")
    result = run(policy, ["check", str(folder), "--json"])

    assert result.exit_code == 1
    found = [(p["key"], p["code"]) for p in json.loads(result.output)["problems"]]
    assert found == [(f"purposes.{key}.pia", "PIA_MISSING")]


@pytest.mark.obligation("AD-04")
def test_an_automated_decision_of_which_nobody_says_how_is_not_activated(folder: Path) -> None:
    page = folder / "purposes.toml"
    text = page.read_text("utf-8")
    start = text.index("[purposes.personalised_recommendation.logic]")
    page.write_text(text[:start] + text[text.index("[", start + 1) :], "utf-8")
    result = run(policy, ["check", str(folder), "--json"])

    assert result.exit_code == 1
    found = [(p["key"], p["code"]) for p in json.loads(result.output)["problems"]]
    assert found == [("purposes.personalised_recommendation.logic", "LOGIC_MISSING")]

"""`menshen oversight …`: a clerk's terminal, and a third person's who has only the file and the key."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from service.cli.oversight import oversight
from service.config import Config
from service.db import migrate
from tests.architecture.text_rules import REPOSITORY

Run = Callable[..., Result]


@pytest.fixture
def menshen(config: Config, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command as a person at this deployment's terminal runs it."""
    migrate.upgrade(config.database)
    monkeypatch.setenv("MENSHEN_HOME", str(config.home))
    monkeypatch.setenv("MENSHEN_DATABASE_URL", config.database)

    def run(*arguments: object) -> Result:
        return CliRunner().invoke(oversight, [str(argument) for argument in arguments])

    return run


@pytest.mark.obligation("AL-06")
def test_one_command_makes_the_pack_and_a_third_person_verifies_it_with_the_published_key_alone(menshen: Run, tmp_path: Path):
    path = tmp_path / "pack.zip"
    made = menshen("audit-pack", "--since", "2026-01-01", "--until", "2026-12-31", "-o", path)
    assert made.exit_code == 0, made.output
    key = menshen("pack-key").output.split()[0]
    assert key in made.output
    checked = menshen("recompute", path, "--key", key)
    assert checked.exit_code == 0 and "✔" in checked.output
    alone = subprocess.run(
        [sys.executable, "-m", "menshen_verifier", "pack", str(path), key],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (alone.returncode, alone.stderr) == (0, "") and "all figures recomputed" in alone.stdout
    path.write_bytes(path.read_bytes()[:-40])
    broken = subprocess.run(
        [sys.executable, "-m", "menshen_verifier.pack", str(path), key],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert broken.returncode == 2 and broken.stderr.startswith("Malformed")
    assert menshen("recompute", path, "--key", key).exit_code != 0


def test_a_pack_of_no_period_leaves_no_file_behind(menshen: Run, tmp_path: Path):
    folder = tmp_path / "packs"
    folder.mkdir()
    made = menshen("audit-pack", "--since", "2026-12-31", "--until", "2026-01-01", "-o", folder / "pack.zip")
    assert made.exit_code != 0
    assert list(folder.iterdir()) == []


def test_a_machine_is_told_of_a_pack_and_its_key_in_one_json_value(menshen: Run, tmp_path: Path):
    path = tmp_path / "pack.zip"
    made = json.loads(menshen("audit-pack", "--since", "2026-01-01", "--until", "2026-12-31", "-o", path, "--json").output)
    assert made["figures"] > 40 and made["rows"] > 0 and len(made["manifest"]) == 64
    assert json.loads(menshen("pack-key", "--json").output) == {"vkeys": made["vkeys"]}


def test_measures_are_recorded_and_shown_and_what_is_missing_ends_with_1(menshen: Run, tmp_path: Path):
    document = tmp_path / "plan.txt"
    document.write_text("应急预案")
    recorded = menshen("record", "INCIDENT_PLAN", "--title", "应急预案 2026", "--on", "2026-01-05", "--document", document)
    assert recorded.exit_code == 0, recorded.output
    shown = menshen("evidence", "--json")
    assert shown.exit_code == 1
    measures = {measure["item"]: measure for measure in json.loads(shown.output)}
    plan = next(one for one in measures["51(5)"]["artefacts"] if one["code"] == "INCIDENT_PLAN")
    assert plan["standing"] == "PRESENT" and json.loads(recorded.output)["digest"] in plan["value"]
    words = menshen("evidence")
    assert "MISSING" in words.output and "menshen oversight record TRAINING" in words.output


def test_the_review_is_a_table_and_is_signed_by_its_digest(menshen: Run, tmp_path: Path):
    path = tmp_path / "review.csv"
    assert menshen("access-review", "-o", path).exit_code == 0
    lines = path.read_text("utf-8").splitlines()
    assert lines[0] == "account,role,grant,name,last_use,disabled" and len(lines) > 50
    assert menshen("access-review", "--sign", "0" * 64).exit_code != 0


def test_the_register_and_the_tasks_are_shown(menshen: Run):
    assert json.loads(menshen("register").output) is None
    told = json.loads(menshen("diff", "--since", "2026-01-01").output)
    assert told == {"before": None, "after": None, "differences": []}
    assert menshen("duties", "--json").output.strip() == "[]"

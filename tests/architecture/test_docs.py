"""What the documents say is what the code has: they are written from it, or held to it."""

import re
from pathlib import Path

import pytest

from tests.architecture.text_rules import REPOSITORY, read, tracked
from tests.plugins import obligations
from tools import reference


def test_the_reference_is_what_the_code_would_write_today() -> None:
    assert reference.PAGE.read_text("utf-8") == reference.text(), "run `make docs`"


def test_every_setting_reason_and_command_is_in_the_reference() -> None:
    page = reference.PAGE.read_text("utf-8")
    known = (*reference.Reason, *(f"MENSHEN_{name.upper()}" for name in reference.Config.model_fields))
    assert [name for name in known if f"`{name}`" not in page] == []
    commands = ("serve", "migrate", "import", "demo", "doctor", "token", "policy check", "audit verify", "audit search")
    assert [name for name in commands if f"### `menshen {name}`" not in page] == []


def test_every_code_that_the_service_raises_is_explained() -> None:
    page = read(Path("docs/errors.md"))
    raised = reference.codes()
    assert raised >= {"FORBIDDEN", "CONFLICT", "RECORD_UNAVAILABLE"}
    assert sorted(code for code in raised if f"`{code}`" not in page) == []


def test_the_page_of_obligations_names_the_tests_that_claim_them(request: pytest.FixtureRequest) -> None:
    if obligations.is_partial(request.config) or request.config.getoption("--matrix"):
        pytest.skip("only a run of the whole suite knows every claim, and one that writes the page cannot judge it")
    rows = [row.split(" | ") for row in read(Path("docs/obligations.md")).splitlines() if re.match(r"\| [A-Z]{2,3}-\d\d ", row)]
    page = {row[0].removeprefix("| "): row[2].strip() for row in rows}
    assert page == obligations.of_this_run(request.config).claims(), "run `make matrix`"


def test_every_test_that_the_threat_model_names_is_there_and_every_claim_about_the_record_names_one() -> None:
    page = read(Path("docs/threat-model.md"))
    sources = {path.name: read(path) for path in tracked() if path.parts[0] == "tests" and path.name.startswith("test_")}
    known = sources.keys() | {name for text in sources.values() for name in re.findall(r"def (test_\w+)\(", text)}
    named = set(re.findall(r"`(test_\w+(?:\.py)?)`", page))
    assert sorted(named - known) == []
    attackers = page.partition("## The record\n")[2].partition("\n## ")[0]
    rows = [line for line in attackers.splitlines() if line.startswith("| **")]
    assert len(rows) >= 15
    assert [row for row in rows if not re.search(r"`test_\w+", row)] == []


DECISIONS = sorted((REPOSITORY / "docs" / "decisions").glob("*.md"))


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_is_short_and_ends_with_the_check_that_enforces_it(page: Path) -> None:
    text = page.read_text("utf-8").strip()
    assert text.count("\n") < 60
    assert text.startswith(f"# {page.name[:4]} · ")
    assert text.rsplit("\n\n", 1)[-1].startswith("**Check.** ")


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [int(page.name[:4]) for page in DECISIONS] == list(range(len(DECISIONS)))


@pytest.mark.parametrize("page", [path for path in tracked() if path.suffix == ".md"], ids=str)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", read(page))
    local = [target for target in targets if "://" not in target and not target.startswith("mailto:")]
    assert [target for target in local if not (REPOSITORY / page.parent / target).exists()] == []

"""One way down: the imports follow the drawing in docs/architecture.md, and a violation of any contract is caught."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
CONTRACTS = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]

# One line that breaks each contract, and the file that it is written into.
VIOLATIONS = {
    "One way down": ("service/values.py", "import service.unit"),
    "Inside a feature: commands > queries > store > model": ("service/members/model.py", "import service.members.store"),
    "Inside intake: a file becomes rows, rows become members": ("service/intake/model.py", "import service.intake.store"),
    "Inside receipts: a document is signed, judged, shown": ("service/receipts/model.py", "import service.receipts.store"),
    "Inside work: a worker claims jobs": ("service/work/model.py", "import service.work.store"),
    "Inside propagation: a recipient is told, a person sees to it": (
        "service/propagation/model.py",
        "import service.propagation.store",
    ),
    "Inside suppression: events beside a row": ("service/suppression/model.py", "import service.suppression.store"),
    "Inside subscriptions: a yes and a no are written down, everything else reads them": (
        "service/subscriptions/model.py",
        "import service.subscriptions.store",
    ),
    "Inside senders: a leave becomes words, words are handed over, a job sees to it": (
        "service/senders/model.py",
        "import service.senders.store",
    ),
    "Inside checkpoints: read again, signed behind a guard, published, waited for": (
        "service/checkpoints/model.py",
        "import service.checkpoints.store",
    ),
    "Inside campaigns: words are parsed, linted, reviewed": (
        "service/campaigns/model.py",
        "import service.campaigns.store",
    ),
    "Inside the archive: rows and files, what is handed out, what is kept and taken away": (
        "service/archive/model.py",
        "import service.archive.store",
    ),
    "Inside the gate: locked, judged, kept, redeemed, proven": ("service/gate/model.py", "import service.gate.store"),
    "Inside inbound: read, believed, done once": ("service/inbound/model.py", "import service.inbound.store"),
    "Inside inspection: where to look, what is there, who may see it": (
        "service/inspection/model.py",
        "import service.inspection.store",
    ),
    "Inside approvals: asked, decided, used": ("service/approvals/model.py", "import service.approvals.store"),
    "Inside alarms: raised, told, seen to": ("service/alarms/model.py", "import service.alarms.store"),
    "Inside the tally: counted before anybody is told": ("service/tally/model.py", "import service.tally.store"),
    "Inside the witness: settings are served, a submission is judged, remembered, signed": (
        "service/witness/model.py",
        "import service.witness.store",
    ),
    "Inside anchors: settings name who keeps a checkpoint, it is left there, the receipt is kept": (
        "service/checkpoints/anchors/model.py",
        "import service.checkpoints.anchors.store",
    ),
    "Inside oversight: the log is traced, people record, the pack stands by itself": (
        "service/oversight/model.py",
        "import service.oversight.store",
    ),
    "Hazmat is fenced": ("service/members/store.py", "import service.hazmat.aead"),
    "Raw cryptography only in hazmat, the KMS clients and the token verifier's library": (
        "service/unit.py",
        "import cryptography",
    ),
    "SQL only in store.py and db": ("service/unit.py", "import sqlalchemy"),
    "GraphQL and HTTP only at the edges": ("service/consent/store.py", "import strawberry"),
    "The verifier stands alone": ("menshen_verifier/merkle.py", "import service.errors"),
    "Policies import nothing of ours": ("policies/decide.py", "import service.errors"),
}


# Who may do what a contract forbids to all the others. (Of the features, the stores: tests/architecture/test_rules.py looks into them.)
EXEMPT = {
    "Raw cryptography only in hazmat, the KMS clients and the token verifier's library": {"hazmat", "identity", "vault"},
    "SQL only in store.py and db": {
        "alarms",
        "approvals",
        "archive",
        "audit",
        "campaigns",
        "checkpoints",
        "consent",
        "db",
        "disclosure",
        "gate",
        "guardians",
        "inbound",
        "inspection",
        "intake",
        "members",
        "minors",
        "notices",
        "oversight",
        "propagation",
        "receipts",
        "senders",
        "subscriptions",
        "suppression",
        "tally",
        "vault",
        "witness",
        "work",
    },
    "GraphQL and HTTP only at the edges": {"__main__", "addresses", "cli", "web", "witness"},
}


def lint(folder: Path) -> str:
    """What the linter says of the packages in `folder`; its last line on stderr when it could not even look."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    done = subprocess.run([*command, "--no-cache", "--no-logo"], cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def copy(folder: Path) -> Path:
    """The packages and the contracts, alone."""
    for package in ("menshen_verifier", "policies", "schema", "service", "migrations"):
        shutil.copytree(REPOSITORY / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "pyproject.toml", folder)
    return folder


def test_imports_follow_the_drawing() -> None:
    said = lint(REPOSITORY)
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken." in said, said


def test_every_room_of_the_service_has_its_place_in_the_drawing() -> None:
    assert rooms_without_a_place(REPOSITORY / "service") == set()


def rooms_without_a_place(service: Path) -> set[str]:
    """The children of service/ that the layers do not name: they could import anything, and be imported by anything."""
    layers = next(contract["layers"] for contract in CONTRACTS if contract["name"] == "One way down")
    named = {name.strip() for layer in layers for name in layer.split("|")}
    return {f"service.{room}" for room in rooms(service)} - named


def rooms(service: Path) -> set[str]:
    """The children of service/."""
    found = {path.stem for path in service.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    return found - {"__init__"}


@pytest.mark.parametrize("name", EXEMPT)
def test_what_is_forbidden_is_forbidden_to_every_room_but_those_named_here(name: str) -> None:
    sources = next(contract["source_modules"] for contract in CONTRACTS if contract["name"] == name)
    bound = {source.removeprefix("service.") for source in sources if source.startswith("service.")}
    assert rooms(REPOSITORY / "service") - bound == EXEMPT[name]


def test_the_drawing_shows_every_room() -> None:
    drawing = (REPOSITORY / "docs" / "architecture.md").read_text("utf-8").split("```")[1]
    layers = next(contract["layers"] for contract in CONTRACTS if contract["name"] == "One way down")
    drawn = [name.strip().removeprefix("service.") for layer in layers for name in layer.split("|")]
    assert [room for room in drawn if room not in drawing and room != "__main__"] == []


def test_a_room_that_the_drawing_does_not_name_is_caught(tmp_path: Path) -> None:
    (tmp_path / "annexe").mkdir()
    (tmp_path / "annexe" / "__init__.py").touch()
    (tmp_path / "shed.py").touch()
    assert rooms_without_a_place(tmp_path) == {"service.annexe", "service.shed"}


def test_every_contract_catches_its_violation(tmp_path: Path) -> None:
    house = copy(tmp_path)
    for path, line in VIOLATIONS.values():
        with (house / path).open("a", encoding="utf-8") as file:
            file.write(f"\n{line}\n")
    said = lint(house)
    kept = [contract["name"] for contract in CONTRACTS if f"{contract['name']} BROKEN" not in " ".join(said.split())]
    assert kept == [], said


def test_every_contract_has_a_violation_that_it_catches() -> None:
    assert {contract["name"] for contract in CONTRACTS} == set(VIOLATIONS)


@pytest.mark.parametrize("feature", ["members", "consent", "disclosure", "intake"])
def test_a_file_of_a_feature_that_has_no_place_in_it_is_caught(tmp_path: Path, feature: str) -> None:
    house = copy(tmp_path)
    (house / "service" / feature / "helpers.py").write_text('"""Anything."""\n', "utf-8")
    assert f"service.{feature}.helpers" in lint(house)

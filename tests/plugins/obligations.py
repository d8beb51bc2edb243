"""`@pytest.mark.obligation("NC-05")`: which test proves which legal obligation, and the matrix a compliance officer can hand on.

The numbers and titles are those of docs/obligations-list.txt; a mark with any other number stops the run. `--matrix FILE` writes the
table after the run. Only a test that ran and passed, in all its variants, proves anything: a skipped one does not. When the suite runs
in several processes (pytest-xdist), each sends home what became of its share.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

LIST = Path(__file__).parents[2] / "docs" / "obligations-list.txt"
_HEAD = """# Obligations and their proof

Made by `make matrix` from a run of the whole suite; do not edit. An obligation is proven when every test that carries its number
passed, on every database it runs on; a test that was skipped proves nothing. Numbers and titles: `docs/obligations-list.txt`.

"""


@dataclass
class Proof:
    """One test function and what became of its variants (one for each database, for each parameter)."""

    outcomes: dict[str, str] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """The worst that happened to any variant."""
        worst = [state for state in ("failed", "skipped", "not run") if state in self.outcomes.values()]
        return worst[0] if worst else "passed"


def titles(path: Path = LIST) -> dict[str, str]:
    """Number → title, in the order of the list."""
    lines = path.read_text("utf-8").splitlines()
    return dict(line.split(" ", 1) for line in lines if line)


class Matrix:
    """Collects the marks, then the outcomes, then writes the table."""

    def __init__(self, known: dict[str, str]) -> None:
        self._known = known
        self._proofs: dict[str, dict[str, Proof]] = defaultdict(dict)
        self._marked: dict[str, list[Proof]] = defaultdict(list)

    def collect(self, node: str, numbers: tuple[str, ...]) -> None:
        """Note that this test claims these obligations. Raises UsageError for a number that no obligation has."""
        unknown = [number for number in numbers if number not in self._known]
        if unknown or not numbers:
            raise pytest.UsageError(f"{node}: no obligation is numbered {', '.join(unknown) or '(nothing)'}")
        for number in numbers:
            proof = self._proofs[number].setdefault(node.split("[", maxsplit=1)[0], Proof())
            proof.outcomes[node] = "not run"
            self._marked[node].append(proof)

    def record(self, node: str, when: str, outcome: str) -> None:
        """Note one phase of one test: it has passed when its call passed and nothing else failed."""
        for proof in self._marked.get(node, ()):
            if outcome != "passed" or (when == "call" and proof.outcomes[node] == "not run"):
                proof.outcomes[node] = outcome

    def outcomes(self) -> dict[str, dict[str, str]]:
        """Number → test → what became of it here."""
        found = {number: [proof.outcomes for proof in proofs.values()] for number, proofs in self._proofs.items()}
        return {number: {node: state for each in proofs for node, state in each.items()} for number, proofs in found.items()}

    def merge(self, outcomes: dict[str, dict[str, str]]) -> None:
        """Take in another process's `outcomes`: every process knows every test, and one of them ran it."""
        for number, states in outcomes.items():
            for node, state in states.items():
                proof = self._proofs[number].setdefault(node.split("[", maxsplit=1)[0], Proof())
                if proof.outcomes.get(node, "not run") == "not run":
                    proof.outcomes[node] = state

    def claims(self) -> dict[str, str]:
        """Number → the tests that carry it, as the page shows them."""
        return {number: self._tests(number) for number in self._known}

    def proven(self, number: str) -> bool:
        """True when at least one test carries the number, and all that do passed."""
        return bool(self._proofs[number]) and all(proof.verdict == "passed" for proof in self._proofs[number].values())

    def text(self) -> str:
        """The page."""
        count = sum(self.proven(number) for number in self._known)
        rows = [
            f"| {number} | {title} | {self._tests(number)} | {self._state(number)} |" for number, title in self._known.items()
        ]
        table = ["| number | obligation | tests | state |", "|---|---|---|---|", *rows]
        return f"{_HEAD}**{count} of {len(self._known)} proven by this run.**\n\n" + "\n".join(table) + "\n"

    def _tests(self, number: str) -> str:
        return "<br>".join(f"`{node.removeprefix('tests/')}`" for node in sorted(self._proofs[number]))

    def _state(self, number: str) -> str:
        verdicts = {proof.verdict for proof in self._proofs[number].values()}
        worst = [state for state in ("failed", "skipped", "not run", "passed") if state in verdicts]
        return worst[0] if worst else "—"


_matrix = pytest.StashKey[Matrix]()


def of_this_run(config: pytest.Config) -> Matrix:
    """For the test that compares the page with the marks."""
    return config.stash[_matrix]


def is_partial(config: pytest.Config) -> bool:
    """Whether this run was given paths or a selection, so that nothing can be said of the whole suite."""
    if told := getattr(config, "workerinput", None):
        return bool(told["partial"])
    selected = bool(config.option.keyword or config.option.markexpr or config.option.deselect)
    return selected or config.args_source is not pytest.Config.ArgsSource.TESTPATHS


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--matrix FILE`."""
    parser.addoption("--matrix", metavar="FILE", type=Path, help="write the table obligation → tests → outcome to FILE")


def pytest_configure(config: pytest.Config) -> None:
    """One matrix a run."""
    config.stash[_matrix] = Matrix(titles())


# First, so that what `-k` deselects later is known and shows as not run.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Read the marks."""
    for item in items:
        numbers = tuple(number for mark in item.iter_markers("obligation") for number in mark.args)
        if item.get_closest_marker("obligation"):
            config.stash[_matrix].collect(item.nodeid, numbers)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    """Read the outcomes."""
    report = yield
    item.config.stash[_matrix].record(item.nodeid, report.when, report.outcome)
    return report


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a process that this one starts what was asked of the whole run: its own command line no longer shows it."""
    node.workerinput["partial"] = is_partial(node.config)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A process that this one started has ended, and sent home what became of its tests (nothing, when it was killed)."""
    node.config.stash[_matrix].merge(getattr(node, "workeroutput", {}).get("obligations", {}))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send home what was found, or write the table if it was asked for."""
    matrix = session.config.stash[_matrix]
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["obligations"] = matrix.outcomes()
        return
    path: Path | None = session.config.getoption("--matrix")
    if path is not None:
        path.write_text(matrix.text(), "utf-8")

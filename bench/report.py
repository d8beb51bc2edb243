"""What was found, as a table for people and as JSON for the next run."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from statistics import median

from bench.rounds import Ratio, Rounds, middle, ratio

ENOUGH = 0.7
FLAT = 1.3
_NOISE = 0.05


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table: what was measured, what came out, what was aimed at, and whether it was reached."""

    what: str
    found: str
    target: str
    reached: bool


def compared(question: str, rounds: Rounds) -> list[Finding]:
    """Menshen against each of the others."""
    found = []
    for other in rounds:
        if other != "menshen":
            times = ratio(rounds, "menshen", other)
            found.append(Finding(f"`{question}` against {other}", str(times), f"≥ {ENOUGH}×", times.middle >= ENOUGH))
    return found


def grown(question: str, rounds: Rounds) -> list[Finding]:
    """The smallest database's throughput over each larger one's."""
    smallest, *larger = rounds
    found = []
    for name in larger:
        times: Ratio = ratio(rounds, smallest, name)
        found.append(Finding(f"`{question}`: {smallest} over {name}", str(times), f"≤ {FLAT}×", times.middle <= FLAT))
    return found


def findings_table(findings: Iterable[Finding]) -> str:
    """Markdown."""
    lines = ["| ratio | median (least–greatest) | target | |", "|---|---|---|---|"]
    lines += [f"| {one.what} | {one.found} | {one.target} | {'reached' if one.reached else '**missed**'} |" for one in findings]
    return "\n".join(lines)


def rounds_table(question: str, rounds: Rounds) -> str:
    """Markdown: the medians that the ratios come from."""
    lines = [f"| `{question}` | requests/s | CPU µs a request | p50 ms | p99 ms | of its core |", "|---|---|---|---|---|---|"]
    for name, done in rounds.items():
        one = middle(done)
        lines.append(f"| {name} | {one.rate:,.0f} | {one.cpu:,.0f} | {one.p50:.2f} | {one.p99:.2f} | {one.busy:.0%} |")
    return "\n".join(lines)


def noise(all_rounds: Mapping[str, Rounds]) -> str:
    """A warning when somebody else used the servers' core, else nothing."""
    shares = [done.foreign for rounds in all_rounds.values() for each in rounds.values() for done in each]
    if not shares or median(shares) < _NOISE:
        return ""
    others = f"{median(shares):.0%} (at most {max(shares):.0%})"
    return f"Somebody else had {others} of the servers' core: trust CPU µs before requests/s."


def as_json(all_rounds: Mapping[str, Rounds], findings: Iterable[Finding]) -> dict[str, object]:
    """Every round of every question, and the findings."""
    rounds = {
        question: {name: [asdict(done) for done in each] for name, each in rounds.items()}
        for question, rounds in all_rounds.items()
    }
    return {"rounds": rounds, "findings": [asdict(one) for one in findings]}

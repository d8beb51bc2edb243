"""Rounds, interleaved: every contender once, then every contender again, so that a noisy minute is everybody's."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench.load import Load, Round, run

Rounds = Mapping[str, Sequence[Round]]


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times as fast one is as another: the median of the rounds' ratios, and the least and the greatest of them."""

    middle: float
    least: float
    most: float

    def __str__(self) -> str:
        return f"{self.middle:.2f}× ({self.least:.2f}–{self.most:.2f})"


def interleave(loads: Sequence[Load], *, rounds: int, seconds: float, warm: float, told: Callable[[str], None]) -> Rounds:
    """`rounds` rounds of each load after a warm-up; each round begins with another one."""
    for load in loads:
        run(load, warm)
    found: dict[str, list[Round]] = {load.name: [] for load in loads}
    for turn in range(rounds):
        shift = turn % len(loads)
        for load in (*loads[shift:], *loads[:shift]):
            found[load.name].append(_again(load, seconds, told))
        told(f"round {turn + 1}/{rounds}: " + ", ".join(f"{name} {done[-1].rate:.0f}/s" for name, done in found.items()))
    return found


def _again(load: Load, seconds: float, told: Callable[[str], None]) -> Round:
    """One round; one in which something failed is told of, and done once more. Raises RuntimeError when it fails again."""
    try:
        return run(load, seconds)
    except RuntimeError as problem:
        told(f"a round is done again: {problem}")
        return run(load, seconds)


def ratio(rounds: Rounds, one: str, other: str) -> Ratio:
    """One's throughput over another's, round by round."""
    each = [mine.rate / theirs.rate for mine, theirs in zip(rounds[one], rounds[other], strict=True)]
    return Ratio(median(each), min(each), max(each))


def middle(rounds: Sequence[Round]) -> Round:
    """The median of every figure by itself."""
    return Round(*(median(getattr(done, name) for done in rounds) for name in Round.__slots__))

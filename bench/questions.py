"""The questions that a server answers: one member, a page of a hundred, and both as the database grows."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import people
from bench.contenders import PAGE, Contender
from bench.load import Load, write_bodies
from bench.rounds import Rounds, interleave
from bench.seed import Site

QUESTIONS = ("member", "members")
_DIFFERENT = {"member": 20_000, "members": 2_000}
_PROBES = 20
_SEED = 20_261_122


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to measure."""

    rounds: int = 5
    seconds: float = 3
    warm: float = 2


def compare(
    question: str, contenders: Mapping[Contender, Site], pace: Pace, *, folder: Path, told: Callable[[str], None]
) -> Rounds:
    """Ask every contender the same question, in turns. Raises RuntimeError when one of them answers something else."""
    loads = [_load(question, contender, site, folder) for contender, site in contenders.items()]
    return interleave(loads, rounds=pace.rounds, seconds=pace.seconds, warm=pace.warm, told=told)


def _load(question: str, contender: Contender, site: Site, folder: Path) -> Load:
    chance = random.Random(_SEED)
    numbers = [_consenting(chance.randrange(site.size - 2 * PAGE)) for _ in range(_DIFFERENT[question])]
    length = _check(question, contender, numbers[:_PROBES])
    ids = [people.person(number).member_id for number in numbers]
    ask = contender.dialect.ask_one if question == "member" else contender.dialect.ask_page
    bodies = write_bodies(folder / f"{contender.name}-{question}.jsonl", [ask(member_id) for member_id in ids])
    return Load(contender.name, contender.url, contender.headers, bodies, contender.process.pids, length)


def _consenting(number: int) -> int:
    """This member, or the next where this one has said no: all are asked for members whom all may show."""
    return number if people.person(number).consents else number + 1


def _check(question: str, contender: Contender, numbers: Sequence[int]) -> float:
    """Compare answers, value by value, with what was seeded; the mean length of an answer."""
    lengths = []
    for number in numbers:
        member_id = people.person(number).member_id
        if question == "member":
            one, length = contender.one(member_id)
            found, expected = [one], [people.person(number).answer()]
        else:
            found, length = contender.page(member_id)
            expected = [each.answer() for each in _following(number, everybody=contender.everybody)]
        if found != expected:
            raise RuntimeError(f"{contender.name} gives another answer to `{question}` than what was seeded")
        lengths.append(length)
    return sum(lengths) / len(lengths)


def _following(number: int, *, everybody: bool) -> list[people.Person]:
    """The hundred behind this one, with or without those who said no."""
    found: list[people.Person] = []
    while len(found) < PAGE:
        number += 1
        one = people.person(number)
        if everybody or one.consents:
            found.append(one)
    return found

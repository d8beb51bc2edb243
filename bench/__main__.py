"""`make bench`, or `python -m bench [--only NAME]… [--quick] [--json FILE]`: measure, and print ratios.

`python -m bench NAME [options]` runs one program of those in `outside` with options of its own.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from bench import contenders, load, outside, report
from bench.cluster import Cluster, open_cluster
from bench.contenders import Contender
from bench.machine import description, other_cores
from bench.people import person
from bench.policy import write_policy
from bench.questions import QUESTIONS, Pace, compare
from bench.rounds import Rounds
from bench.seed import Site, seed

NAMES = (*QUESTIONS, "growth", *outside.PROGRAMS)
SIZE = 100_000
SIZES = (10_000, SIZE, 1_000_000)


class Bench:
    """One run: its PostgreSQL, its databases, what it has found so far."""

    def __init__(self, cluster: Cluster, folder: Path, pace: Pace) -> None:
        self.cluster = cluster
        self.folder = folder
        self.pace = pace
        self.rounds: dict[str, Rounds] = {}
        self.findings: list[report.Finding] = []
        self._sites: dict[int, Site] = {}
        (folder / "policies").mkdir()
        self._policies = write_policy(folder / "policies")

    def site(self, size: int) -> Site:
        """A database of this many members; made once a run."""
        if size not in self._sites:
            begun = time.monotonic()
            url = self.cluster.make(f"of_{size}")
            self._sites[size] = site = Site(url, self.folder / f"home-{size}", self._policies, size)
            seed(site)
            told(f"{size:,} members sealed and stored in {time.monotonic() - begun:.0f} s")
        return self._sites[size]

    def side_by_side(self, question: str) -> None:
        """Menshen, its plain twin and PostGraphile."""
        site = self.site(SIZE)
        makers = (contenders.menshen, contenders.plain, contenders.postgraphile)
        with running([make(site, self.folder) for make in makers]) as servers:
            rounds = self._ask(question, dict.fromkeys(servers, site))
        self._keep(question, rounds, report.compared(question, rounds))

    def growth(self, sizes: tuple[int, ...]) -> None:
        """Menshen alone, on databases of several sizes."""
        sites = [self.site(size) for size in sizes]
        with running([contenders.menshen(site, self.folder, f"{site.size:,}") for site in sites]) as servers:
            for question in QUESTIONS:
                rounds = self._ask(question, dict(zip(servers, sites, strict=True)))
                self._keep(f"{question}, growing", rounds, report.grown(question, rounds))

    def _ask(self, question: str, servers: dict[Contender, Site]) -> Rounds:
        self.cluster.settle()
        told(f"\n{question}: " + ", ".join(server.name for server in servers))
        return compare(question, servers, self.pace, folder=self.folder, told=told)

    def _keep(self, name: str, rounds: Rounds, findings: list[report.Finding]) -> None:
        self.rounds[name] = rounds
        self.findings += findings
        told("\n" + report.rounds_table(name, rounds))


def told(line: str) -> None:
    """Say it now."""
    print(line, flush=True)


@contextmanager
def running(servers: list[Contender]) -> Iterator[list[Contender]]:
    """Servers that answer, until the block ends."""
    with ExitStack() as stack:
        for server in servers:
            stack.callback(server.process.close)
        for server in servers:
            server.wait(person(1).member_id)
        yield servers


def main() -> None:
    """Measure what was asked for."""
    if sys.argv[1:] and not sys.argv[1].startswith("-"):
        return outside.command(sys.argv[1:])
    return _measure_all(_arguments())


def _measure_all(asked: argparse.Namespace) -> None:
    names = asked.only or NAMES
    facts = {"measured": datetime.now(UTC).isoformat(timespec="minutes"), **description()}
    bench = _side_by_side(asked, names, facts) if set(names) - set(outside.PROGRAMS) else None
    printed = {name: outside.run(name, told) for name in outside.PROGRAMS if name in names}
    told("\n" + ", ".join(f"{name} {value}" for name, value in facts.items()))
    rounds, findings = (bench.rounds, bench.findings) if bench else ({}, [])
    if bench:
        told("\n" + report.findings_table(findings) + "\n" + report.noise(rounds))
    if asked.json:
        found = {"facts": facts, **report.as_json(rounds, findings), "printed": printed}
        asked.json.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")


def _side_by_side(asked: argparse.Namespace, names: tuple[str, ...], facts: dict[str, str]) -> Bench:
    """What is asked of servers side by side; `facts` learns what they are."""
    load.install()
    facts["postgraphile"] = contenders.install_postgraphile()
    with tempfile.TemporaryDirectory(prefix="menshen-bench-") as folder, ExitStack() as stack:
        cluster = open_cluster()
        stack.callback(cluster.close)
        facts |= {"postgresql": cluster.version, **cluster.settings()}
        bench = Bench(cluster, Path(folder), Pace(rounds=3) if asked.quick else Pace())
        os.sched_setaffinity(0, other_cores())
        _measure(bench, names, sizes=SIZES[:2] if asked.quick else SIZES)
    return bench


def _measure(bench: Bench, names: tuple[str, ...], *, sizes: tuple[int, ...]) -> None:
    for question in QUESTIONS:
        if question in names:
            bench.side_by_side(question)
    if "growth" in names:
        bench.growth(sizes)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=NAMES, help="measure this alone; may be given several times")
    parser.add_argument("--quick", action="store_true", help="three rounds instead of five, and no database of a million")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every round there")
    return parser.parse_args()


if __name__ == "__main__":
    main()

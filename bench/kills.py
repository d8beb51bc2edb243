"""Whether anything is lost when instances are killed: `python -m bench kills [--seconds N] [--instances N] [--clients N] [--seed N]`.

Real `menshen serve` processes on one PostgreSQL that waits for its disk, clients at all of them, `kill -9` of a random one at random
moments. Afterwards every answer is looked for in the log, and the log is verified twice: by the service, and with SQL and hashes that
share nothing with it (tests/journeys/storm.py, which the suite runs for seconds). Fails where anything is not as it must be.
"""

import argparse
import asyncio
import itertools
import random
import tempfile
import time
from contextlib import closing
from pathlib import Path

from bench.cluster import open_cluster
from service.db import migrate
from tests.journeys.storm import Storm, faults

_PHONE = 13_800_000_000


async def _run(storm: Storm, asked: argparse.Namespace) -> None:
    begun = time.monotonic()
    await storm.blow(asked.seconds, clients=asked.clients, pause=(0.2, 2.5))
    blown = time.monotonic() - begun
    found, types = await faults(storm)
    lives = ", ".join(str(instance.lives) for instance in storm.instances)
    print(
        f"{storm.count} instances, {asked.clients} clients, {blown:.0f} s, seed {asked.seed}: {storm.kills} kills; lives {lives}"
    )
    print(
        f"    answered: {len(storm.joined):,} joined, {len(storm.read):,} read; {storm.refused} told to try again, {storm.cut:,} cut off"
    )
    print("    entries: " + ", ".join(f"{count:,} {typ}" for typ, count in types.most_common()))
    print("    " + ("; ".join(found) if found else "no gap, no double, counters and tree whole, no answer without its entry"))
    if found:
        raise SystemExit(1)


def main() -> None:
    """Kill, and look."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--instances", type=int, default=4)
    parser.add_argument("--clients", type=int, default=24)
    parser.add_argument("--seed", type=int, default=5)
    asked = parser.parse_args()
    numbers = itertools.count(_PHONE)
    with tempfile.TemporaryDirectory(prefix="menshen-bench-") as folder, closing(open_cluster()) as cluster:
        url = cluster.make("kills").render_as_string(hide_password=False)
        migrate.upgrade(url)
        chance = random.Random(asked.seed)
        storm = Storm(Path(folder), url, asked.instances, phone=lambda: f"+86{next(numbers)}", chance=chance)
        asyncio.run(_run(storm, asked))


if __name__ == "__main__":
    main()

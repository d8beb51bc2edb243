"""A process of its own that reads and changes as fast as it can: `python -m tests.service.audit.another_process URL HOME NAME [ROUNDS]`.

Says "ready" on its standard output when it has begun, and "done" when its rounds are over; without rounds it goes on until it is killed.
"""

import asyncio
import sys
from pathlib import Path

from service.audit.writer import Writer
from service.db.engine import Database, connect
from service.errors import ServiceError
from tests.service.audit import logs
from tests.service.audit.logs import CLERK
from tests.service.audit.work import do


async def _reader(journal: Writer, rounds: int) -> None:
    for _ in range(rounds):
        await journal.append(logs.read(), CLERK)


async def _changer(database: Database, journal: Writer, name: str, rounds: int) -> None:
    for number in range(rounds):
        await do(database, journal, f"{name}-{number}", again=True)


async def _run(url: str, home: Path, name: str, rounds: int) -> None:
    database = connect(url)
    await database.start()
    journal = logs.writer(database, home)
    await journal.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    readers = (_reader(journal, rounds) for _ in range(8))
    changers = (_changer(database, journal, f"{name}-{worker}", rounds) for worker in range(3))
    await asyncio.gather(*readers, *changers)
    await journal.close()
    await database.close()
    sys.stdout.write("done\n")


if __name__ == "__main__":
    where, kept, called, *more = sys.argv[1:]
    try:
        asyncio.run(_run(where, Path(kept), called, int(more[0]) if more else 10**9))
    except ServiceError as problem:
        sys.stdout.write(f"{problem.code} {problem}\n")
        sys.exit(1)

"""One of the processes of the race: `python -m tests.service.gate.racer HOME URL MOMENT TASKS FILE`. It asks until it is done, or killed.

FILE holds {"members": […], "campaigns": […]}. Each task asks for all members with one campaign after the other, and says so on a line.
"""

import asyncio
import json
import sys
from datetime import datetime
from pathlib import Path

from service.app import parts
from service.config import Config
from tests.service.gate.made import page


async def race(running, members: list[str], campaigns: list[str], tasks: int) -> None:
    """So many tasks at once, each with its share of the campaigns."""

    async def one(number: int) -> None:
        for campaign in campaigns[number::tasks]:
            await page(running, campaign, members=members)
            sys.stdout.write("asked\n")
            sys.stdout.flush()

    await asyncio.gather(*(one(number) for number in range(tasks)))


async def main(home: str, url: str, moment: str, tasks: str, file: str) -> None:
    given = json.loads(Path(file).read_text("utf-8"))
    config = Config(home=Path(home), database_url=url)
    async with parts(config, clock=lambda: datetime.fromisoformat(moment)) as running:
        await race(running, given["members"], given["campaigns"], int(tasks))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

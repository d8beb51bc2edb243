"""A deployment whose database is put back to an older state, as a fail-over or an old dump does it, and copies of what it had."""

import asyncio
import os
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import Result
from sqlalchemy import URL, make_url
from typer.testing import CliRunner

from service.app import Parts, parts
from service.archive.exporting import export, planned
from service.checkpoints.store import newest
from service.cli import menshen
from service.config import Config
from service.consent.model import Decision
from service.db.engine import connect
from service.db.sqlite import path_of
from tests.factories import a_call, a_member, evidence
from tests.plugins.databases import text
from tests.plugins.nursery import Child
from tests.plugins.postgres import Server
from tests.service.archive.logs import Published, fill
from tests.service.audit.logs import Administrator

READS = 320
"""More than a tile: the lost tail has a full one, and an edge."""

_AT_ONCE = 16


class Databases:
    """Copies of whole databases; on PostgreSQL they are dropped in the end."""

    def __init__(self, postgres: Callable[[], Server]) -> None:
        self._postgres = postgres
        self._made: list[URL] = []

    def copied(self, config: Config, to: Path, home: Path | None = None) -> Config:
        """The database as it is now, beside the one that lives on."""
        home = home or config.home
        if config.database_url.startswith("sqlite"):
            shutil.copy(path_of(config.database_url), to)
            return config.model_copy(update={"home": home, "database_url": f"sqlite:///{to}"})
        name = make_url(config.database_url).database
        assert name is not None
        self._made.append(self._postgres().make(name))
        return config.model_copy(update={"home": home, "database_url": text(self._made[-1])})

    def drop(self) -> None:
        """All of them."""
        for one in self._made:
            self._postgres().drop(one)


async def grown(config: Config, entries: int) -> None:
    """So many entries more, signed: a command that has to do with them takes long enough to be killed at each step."""
    async with parts(config) as running:
        authority = running.journal.authority
        await running.journal.close()
        await fill(config.database, config.home, entries, authority)
        await Published(running).publish()


def killed(child: Child, reached: Callable[[], bool], pause: float) -> None:
    """SIGKILL, so many seconds after it got somewhere."""
    limit = time.monotonic() + 60
    while not reached() and child.poll() is None and time.monotonic() < limit:
        time.sleep(0.001)
    time.sleep(pause)
    child.kill(signal.SIGKILL)


async def live(config: Config, member: str = "", *, reads: int = READS) -> str:
    """Somebody joins, or says yes and is read so often that a tile becomes full; all of it signed in the end. Their id."""
    async with parts(config) as running:
        if not member:
            return await a_member(running)
        await says_yes(running, member)
        await asyncio.gather(*(_reads(running, member, reads // _AT_ONCE) for _ in range(_AT_ONCE)))
    return member


async def _reads(running: Parts, member: str, count: int) -> None:
    for _ in range(count):
        await running.operations.member(a_call("order_service"), member_id=member, purpose="order_fulfilment", fields=("name",))


async def says_yes(running: Parts, member: str) -> None:
    """A change that will be lost."""
    given = evidence(running.catalogue, running.clock(), purpose="marketing_sms")
    decisions = [Decision("marketing_sms", True)]
    await running.operations.record_consents(a_call(), member_id=member, decisions=decisions, evidence=given)


async def exported(config: Config, folder: Path, *, first: int = 0, end: int | None = None) -> Path:
    """The log in a folder, by whoever has the database: nobody is asked, nothing is recorded, as a mirror beside it does."""
    folder.mkdir(mode=0o700)
    database = connect(config.database, pool_size=2)
    await database.start()
    try:
        point = await newest(database.read)
        assert point is not None
        await export(database, planned(point.note.partition("\n")[0], point, "", first=first, end=end), folder)
    finally:
        await database.close()
    return folder


@dataclass(frozen=True)
class Lost:
    """`before` is the older state, `after` what it was before that was put back; `copy` a folder with all of it."""

    before: Config
    after: Config
    copy: Path
    member: str

    def run(self, *arguments: str, config: Config | None = None, **settings: object) -> Result:
        """`menshen audit …` on the older state."""
        chosen = config or self.before
        env: dict[str, str | None] = {name: None for name in os.environ if name.startswith("MENSHEN_")}
        env |= {"MENSHEN_HOME": str(chosen.home), "MENSHEN_DATABASE_URL": chosen.database_url}
        env |= {f"MENSHEN_{name.upper()}": str(value) for name, value in settings.items()}
        return CliRunner().invoke(menshen, ["audit", *arguments], env=env)

    def restore(self, *more: str, folder: Path | None = None) -> Result:
        """The command."""
        return self.run("tail", "restore", "--from", str(folder or self.copy), *more)


def rows(config: Config, table: str = "audit_entry", order: str = "idx") -> list[tuple[Any, ...]]:
    """A table as it is stored."""
    return Administrator(config.database_url).run(f"SELECT * FROM {table} ORDER BY {order}")


def begun(config: Config) -> str:
    """A log with one member in it; their id."""
    return asyncio.run(live(config))


def lived(config: Config, databases: Databases, folder: Path) -> Lost:
    """Acknowledged and signed: a yes and some hundred reads; then the database is what it was before."""
    member = begun(config)
    before = databases.copied(config, folder / "dump.db")
    asyncio.run(live(config, member))
    return Lost(before, config, asyncio.run(exported(config, folder / "copy")), member)


def again(lost: Lost, databases: Databases, folder: Path) -> Lost:
    """The same, for a test of its own."""
    home = folder / "home"
    shutil.copytree(lost.before.home, home)
    shutil.copytree(lost.copy, folder / "copy")
    before, after = (
        databases.copied(lost.before, folder / "before.db", home),
        databases.copied(lost.after, folder / "after.db", home),
    )
    return Lost(before, after, folder / "copy", lost.member)

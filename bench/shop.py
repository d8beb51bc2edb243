"""A shop under measurement: a seeded database, and as many `menshen serve` over it as a question needs."""

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psycopg

from bench import people
from bench.cluster import Cluster, info
from bench.policy import write_policy
from bench.process import Process, free_port
from bench.seed import Site, seed
from service import app
from service.identity.development import DevelopmentIssuer, open_issuer

_ROOT = Path(__file__).parent.parent
_START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Server:
    """One `menshen serve`."""

    process: Process
    port: int


class Shop:
    """A seeded database, and servers over it."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site = site
        self.folder = folder
        self._issuer: DevelopmentIssuer | None = None

    @contextmanager
    def open(self, *cores: int, policies: Path | None = None) -> Iterator[list[Server]]:
        """So many servers, each held to its core, ready."""
        with ExitStack() as stack:
            servers = [self._serve(stack, core, policies or self.site.policies) for core in cores]
            for server in servers:
                _wait(server)
            yield servers

    def _serve(self, stack: ExitStack, core: int, policies: Path) -> Server:
        port = free_port()
        environment = {
            "MENSHEN_HOME": str(self.site.home),
            "MENSHEN_DATABASE_URL": self.site.config().database,
            "MENSHEN_POLICIES": str(policies),
            "MENSHEN_PORT": str(port),
            "MENSHEN_LOG_LEVEL": "warning",
        }
        command = [sys.executable, "-m", "service", "serve"]
        process = Process(command, environment=environment, log=self.folder / f"{port}.log", folder=_ROOT, core=core)
        stack.callback(process.close)
        return Server(process, port)

    def token(self, role: str, member_id: str | None = None) -> str:
        """A real token of the development issuer."""
        if self._issuer is None:
            audience = self.site.config().audience
            self._issuer = open_issuer(self.site.home, production=False, audience=audience, chance=os.urandom)
        return self._issuer.issue(roles=[role], member_id=member_id, now=app.now(), lasts=timedelta(hours=12))

    def count(self, statement: str) -> int:
        """One number from the database."""
        with psycopg.connect(info(self.site.url)) as connection:
            row = connection.execute(statement.encode()).fetchone()
            return int(row[0]) if row else 0


def open_shop(cluster: Cluster, folder: Path, size: int) -> Shop:
    """A new database with so many members, two in three of whom have consented."""
    (folder / "policies").mkdir()
    site = Site(cluster.make("consent"), folder / "home", write_policy(folder / "policies"), size)
    seed(site)
    return Shop(site, folder)


def consenting(size: int) -> list[str]:
    """The members who have said yes."""
    return [one.member_id for one in map(people.person, range(size)) if one.consents]


def _wait(server: Server) -> None:
    limit = time.monotonic() + _START_SECONDS
    while True:
        server.process.check()
        try:
            asyncio.run(_ready(server.port))
        except (OSError, asyncio.IncompleteReadError):
            if time.monotonic() > limit:
                raise RuntimeError(f"it does not answer: {server.process.log.read_text()[-2000:]}") from None
            time.sleep(0.2)
        else:
            return


async def _ready(port: int) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()

"""A shop under attack: a real `menshen serve` on PostgreSQL, its publisher, a witness elsewhere, an auditor with a policy, and a database
administrator who means no good.
"""

import asyncio
import itertools
import json
import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import psycopg

from menshen_verifier.findings import Report
from menshen_verifier.note import Kind
from menshen_verifier.policy import Policy, parse_policy
from menshen_verifier.verify import verify
from service import app
from service.archive.exporting import export, planned
from service.checkpoints import keys
from service.checkpoints.store import newest
from service.config import Config
from service.db.engine import connect
from service.db.postgres import conninfo
from service.identity.development import open_issuer
from service.witness.cosigner import Cosigner, write
from tests.journeys.servers import environment
from tests.journeys.storm import EVIDENCE, READ
from tests.journeys.test_withdraw import JOIN
from tests.plugins import canary
from tests.plugins.nursery import Child, Nursery

ORIGIN = "members.example.cn/audit"
BROKEN = "AUDIT_LOG_BROKEN"
SOON, SLOW = 1.5, 40
"""Seconds within which an instance must have found out: the model says about one. Where the machine has much else to do, and an instance takes
long to say that it lives, so many times as long as that is added.
"""

_AT_ONCE = 8


@dataclass
class House:
    """Everything about one deployment. `dba` may do whatever SQL can, and no trigger stops it."""

    nursery: Nursery
    folder: Path
    url: str
    witnessed: bool = True
    members: list[str] = field(default_factory=list)
    instances: list[tuple[Child, str]] = field(default_factory=list)
    witness: Child | None = None
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.home = self.folder / "home"
        self.home.mkdir(mode=0o700)
        self.log_key = self.home / "log.key"
        keys.make(self.log_key, Kind.ED25519, chance=os.urandom, setting="test")
        self.vkey = keys.load(self.log_key, ORIGIN, Kind.ED25519, setting="test").key.vkey
        self.cosigner = Cosigner.drawn("witness.example.cn/w1", os.urandom)
        write(self.folder / "witness.key", self.cosigner)
        self.witness_url = f"http://127.0.0.1:{free_port()}"
        self.dba = psycopg.connect(conninfo(self.url), autocommit=True)
        self.dba.execute("SET session_replication_role = replica")

    # --- what runs -----------------------------------------------------------------------------------------------------------------

    def settings(self, home: Path | None = None, **more: str) -> dict[str, str]:
        """Of one instance."""
        given = {"MENSHEN_ORIGIN": ORIGIN, "MENSHEN_LOG_LEVEL": "info", "MENSHEN_WORKER": "false", **more}
        if self.witnessed:
            given["MENSHEN_WITNESSES"] = str(self._witnesses())
        return environment(home or self.home, self.url, **given)

    def _witnesses(self) -> Path:
        path = self.folder / "witnesses.toml"
        if not path.exists():
            path.touch(mode=0o600)
            vkeys = f'vkeys = ["{self.cosigner.keys[0].vkey}"]'
            path.write_text(f'quorum = 1\nstrict = true\n\n[[witness]]\nurl = "{self.witness_url}"\n{vkeys}\n')
        return path

    async def open(self, instances: int = 1) -> None:
        """The witness, and so many instances; each after the first with a home of its own."""
        if self.witnessed:
            await self.open_witness()
        for _ in range(instances):
            await self.serve()

    async def open_witness(self) -> None:
        """A process of its own, that knows the log's key and nothing else."""
        path = self.folder / "witness.toml"
        if not path.exists():
            path.touch(mode=0o600)
            listen = self.witness_url.removeprefix("http://")
            path.write_text(f'listen = "{listen}"\nkey = "witness.key"\nstore = "witness"\n\n[[log]]\nvkeys = ["{self.vkey}"]\n')
        command = ("audit", "witness", "serve", "--settings", str(path))
        self.witness = self.nursery.begin(environment(self.folder, ""), *command, out=self.folder / "witness.out")
        await answers(f"{self.witness_url}/readyz", self.witness)

    async def serve(self, **more: str) -> str:
        """One more instance, ready; its address."""
        child, url = self.begin(**more)
        await answers(f"{url}/readyz", child)
        return url

    def begin(self, **more: str) -> tuple[Child, str]:
        """One more instance, whatever becomes of it."""
        number = next(self._numbers)
        home = self.folder / f"home-{number}" if number else self.home
        if not home.exists():
            shutil.copytree(self.home, home, ignore=shutil.ignore_patterns("audit-head", "*.lock"))
        port = free_port()
        signer = f"file:{self.log_key}"
        settings = self.settings(home, MENSHEN_PORT=str(port), MENSHEN_SIGNER=signer, **more)
        child = self.nursery.begin(settings, "serve", out=self.folder / f"serve-{number}.out")
        self.instances.append((child, f"http://127.0.0.1:{port}"))
        return self.instances[-1]

    def kill(self) -> None:
        """Every instance, with -9."""
        for child, _ in self.instances:
            child.kill()
        self.instances.clear()

    def close(self) -> None:
        """Nothing of it runs any more."""
        self.kill()
        if self.witness is not None:
            self.witness.kill()
        self.dba.close()

    # --- what is done in it ----------------------------------------------------------------------------------------------------------

    def token(self, role: str, member_id: str | None = None) -> dict[str, str]:
        """The header of a caller."""
        issuer = open_issuer(self.home, production=False, audience="menshen", chance=os.urandom)
        issued = issuer.issue(roles=[role], member_id=member_id, now=app.now(), lasts=timedelta(hours=1))
        return {"authorization": f"Bearer {issued}"}

    async def ask(self, url: str, role: str, body: dict[str, Any], member_id: str | None = None) -> dict[str, Any]:
        """The answer's JSON, whatever it is."""
        async with httpx2.AsyncClient(timeout=20) as client:
            answer = await client.post(f"{url}/graphql", json=body, headers=self.token(role, member_id))
        found: dict[str, Any] = answer.json()
        return found

    async def live(self, entries: int, url: str = "") -> None:
        """One member joins, if there is none, and is read so often that the log has at least so many entries."""
        url = url or self.instances[0][1]
        if not self.members:
            await self.join(url)
        missing = entries - self.size
        async with httpx2.AsyncClient(timeout=20) as client:

            async def reads(count: int) -> None:
                for _ in range(count):
                    answer = await client.post(f"{url}/graphql", json={"query": READ % self.members[0]}, headers=bearer)
                    assert "errors" not in answer.json(), answer.text

            bearer = self.token("order_service")
            await asyncio.gather(*(reads(-(-missing // _AT_ONCE)) for _ in range(_AT_ONCE)))

    async def join(self, url: str) -> str:
        """Somebody new; their id."""
        decisions = [{"purpose": "marketing_sms", "granted": True}]
        given = {"fields": {"phone": canary.value("phone")}, "decisions": decisions, "evidence": EVIDENCE}
        answer = await self.ask(url, "mini_program", {"query": JOIN, "variables": given})
        self.members.append(answer["data"]["joinMember"]["memberId"])
        return self.members[-1]

    async def read(self, url: str = "") -> str:
        """What comes of a read: "ok", or the error's code."""
        answer = await self.ask(url or self.instances[0][1], "order_service", {"query": READ % self.members[0]})
        return str(answer["errors"][0]["extensions"]["code"]) if answer.get("errors") else "ok"

    async def refuses(self, url: str = "", *, reading: bool = False) -> None:
        """Until the instance answers nobody any more, and in time. With `reading`, entries are written meanwhile."""
        url = url or self.instances[0][1]
        begun = time.monotonic()
        async with httpx2.AsyncClient(timeout=20) as client:
            await client.get(f"{url}/livez")
            asked = time.monotonic()
            await client.get(f"{url}/livez")
            within = SOON + SLOW * (time.monotonic() - asked)
            while time.monotonic() - begun < within:
                if (await client.get(f"{url}/readyz")).status_code == 503:
                    assert await self.read(url) == BROKEN
                    return
                if reading:
                    await self.read(url)
                await asyncio.sleep(0.05)
        raise AssertionError(f"{within} s later it still answers: {self.said()[-1500:]}")

    def said(self) -> str:
        """What the first instance logged."""
        return self.instances[0][0].said

    # --- what is in it ---------------------------------------------------------------------------------------------------------------

    @property
    def size(self) -> int:
        """Of the log."""
        rows = self.sql("SELECT size FROM audit_head")
        return int(rows[0][0]) if rows else 0

    def sql(self, statement: str, *given: Any) -> list[tuple[Any, ...]]:
        """As the administrator."""
        cursor = self.dba.execute(statement.encode(), given)
        return cursor.fetchall() if cursor.description else []

    async def settled(self) -> int:
        """Until everything is signed, and cosigned where there is a witness; the size."""
        column = "witnessed_at" if self.witnessed else "signed_at"
        for _ in range(1200):
            rows = self.sql(f"SELECT max(size) FROM audit_checkpoint WHERE {column} IS NOT NULL")
            if rows[0][0] == self.size:
                return self.size
            await asyncio.sleep(0.05)
        raise AssertionError(f"not signed in time: {self.said()[-2000:]}")

    def dump(self) -> dict[str, list[tuple[Any, ...]]]:
        """The log's tables as they are."""
        named = (
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition AND starts_with(relname, 'audit_')"
        )
        tables = [name for (name,) in self.sql(named)]
        return {table: self.sql(f"SELECT * FROM {table}") for table in tables}

    def restore(self, dump: dict[str, list[tuple[Any, ...]]]) -> None:
        """An older state in the place of the present one, in one transaction."""
        with self.dba.transaction():
            for table, rows in dump.items():
                self.sql(f"DELETE FROM {table}")
                for row in rows:
                    self.sql(f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(row))})", *row)

    # --- the auditor -----------------------------------------------------------------------------------------------------------------

    @property
    def policy(self) -> Policy:
        """What the auditor was handed at the beginning, on paper."""
        lines = [f"log {self.vkey}", f"witness w1 {self.cosigner.keys[0].vkey}", "quorum w1"]
        return parse_policy("\n".join([*lines, ""]).encode())

    async def note(self) -> bytes:
        """The newest checkpoint, as an auditor keeps it."""
        rows = self.sql("SELECT note FROM audit_checkpoint WHERE size = (SELECT max(size) FROM audit_checkpoint)")
        return str(rows[0][0]).encode()

    async def exported(self, name: str = "export") -> Path:
        """The log in a folder, by whoever has the database: nobody is asked, nothing is recorded."""
        folder = self.folder / name
        folder.mkdir(mode=0o700)
        database = connect(self.url, pool_size=2)
        await database.start()
        try:
            point = await newest(database.read)
            assert point is not None
            plan = planned(ORIGIN, point, "", first=0, end=None)
            await export(database, plan, folder, vkeys=(self.vkey,))
        finally:
            await database.close()
        return folder

    async def verdict(self, folder: Path | None = None, *, since: bytes | None = None, later: int = 0) -> Report:
        """What the auditor's own program says of an export. No network, no database, no key but the public ones."""
        folder = folder or await self.exported(f"export-{time.monotonic_ns()}")
        return verify(folder, self.policy, now=int(time.time()) + later, since=since, processes=1)


async def answers(url: str, child: Child, seconds: float = 90) -> None:
    """Until it does."""
    limit = time.monotonic() + seconds
    async with httpx2.AsyncClient(timeout=20) as client:
        while time.monotonic() < limit:
            if child.poll() is not None:
                break
            with suppress(httpx2.HTTPError):
                if (await client.get(url)).status_code == 200:
                    return
            await asyncio.sleep(0.05)
    raise AssertionError(f"it does not get ready: {child.said[-2000:]}")


def free_port() -> int:
    """Of loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def housekeeping(house: House) -> Iterator[House]:
    """Closed whatever happens."""
    try:
        yield house
    finally:
        house.close()


def config_of(house: House) -> Config:
    """The house's own settings, for a test that looks from inside."""
    return Config(home=house.home, database_url=house.url, origin=ORIGIN, worker=False)


def entry(raw: bytes) -> dict[str, Any]:
    """An entry's bytes, parsed."""
    found: dict[str, Any] = json.loads(raw)
    return found

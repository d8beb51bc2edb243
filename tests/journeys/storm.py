"""Several instances under `kill -9`: real `menshen serve` processes on one PostgreSQL, clients at all of them, and what must hold afterwards.

`Storm.blow` lets clients join and read through whichever instance answers, and kills one at random moments. Whoever is killed is started
again at once. What was answered is remembered by its request id. `faults` then looks for it: with SQL and hashes of its own, which
share nothing with the log's code, and with the log's own verification.
"""

import asyncio
import hashlib
import itertools
import json
import random
import shutil
import socket
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import psycopg

from service.app import Parts, issue_token, parts
from service.audit.findings import Verdict
from service.audit.remembered import RememberedHead
from service.audit.verify import verify
from service.config import Config
from service.db.postgres import conninfo
from service.members import store as members
from tests.journeys.servers import environment
from tests.journeys.test_withdraw import JOIN
from tests.plugins import nursery
from tests.plugins.nursery import Child

READ = '{ member(id: "%s", purpose: "order_fulfilment") { phone } }'
EVIDENCE = {
    "noticeVersion": "2026-10",
    "presentedAt": "2026-11-01T00:00:00Z",
    "language": "zh-CN",
    "expression": "BUTTON",
    "screen": "mini/join",
    "channel": "MINI_PROGRAM",
}
_HEAD = "audit-head"
_ENOUGH, _PATIENCE = 20, 40.0
Phone = Callable[[], str]


@dataclass
class Instance:
    """One `menshen serve`, over and over: each life on the same port, in the same home."""

    home: Path
    settings: dict[str, str]
    port: int
    log: Path
    process: Child | None = None
    lives: int = 0

    def start(self) -> None:
        """A new life."""
        self.lives += 1
        self.process = nursery.of_this_run().begin(self.settings, "serve", out=self.log)

    def kill(self) -> None:
        """`kill -9`."""
        if self.process is not None:
            self.process.kill()

    @property
    def alive(self) -> bool:
        """Whether it runs; that nobody killed it and it has ended is a fault."""
        return self.process is not None and self.process.poll() is None


@dataclass
class Storm:
    """`joined` and `read` are what was answered, by request id; `refused` what was told that it cannot be recorded now."""

    folder: Path
    url: str
    count: int
    phone: Phone
    chance: random.Random
    instances: list[Instance] = field(default_factory=list)
    joined: dict[str, str] = field(default_factory=dict)
    read: dict[str, str] = field(default_factory=dict)
    refused: int = 0
    cut: int = 0
    kills: int = 0

    async def blow(self, seconds: float, *, clients: int, pause: tuple[float, float]) -> None:
        """Kill one instance after another for so long, with between `pause` seconds from one to the next; in the end, all of them."""
        tokens = await self._prepare()
        try:
            for instance in self.instances:
                instance.start()
            await asyncio.gather(*map(_ready, self.instances))
            tasks = [asyncio.create_task(self._client(number, tokens)) for number in range(clients)]
            await self._kill_for(seconds, pause)
            for instance in self.instances:
                instance.kill()
            for task in tasks:
                task.cancel()
            broken = [end for end in await asyncio.gather(*tasks, return_exceptions=True) if isinstance(end, Exception)]
            if broken:
                raise broken[0]
        finally:
            for instance in self.instances:
                instance.kill()

    async def _prepare(self) -> dict[str, str]:
        """The first home, with the keys that all of them share; and one token for each role."""
        first = self.folder / "home-0"
        async with parts(Config(home=first, database_url=self.url)) as running:
            tokens = {role: issue_token(running, role=role) for role in ("mini_program", "order_service")}
        for number in range(self.count):
            home = self.folder / f"home-{number}"
            if number:
                shutil.copytree(first, home, ignore=shutil.ignore_patterns(_HEAD, "*.lock", "*.sock"))
            port = _free_port()
            settings = environment(home, self.url, MENSHEN_PORT=str(port), MENSHEN_LOG_LEVEL="error")
            self.instances.append(Instance(home, settings, port, self.folder / f"{number}.log"))
        return tokens

    async def _kill_for(self, seconds: float, pause: tuple[float, float]) -> None:
        """And, where the machine has much else to do, for so long that enough was answered."""
        end = time.monotonic() + seconds
        while (now := time.monotonic()) < end or (min(len(self.joined), len(self.read)) < _ENOUGH and now < end + _PATIENCE):
            await asyncio.sleep(self.chance.uniform(*pause))
            one = self.chance.choice(self.instances)
            if not one.alive:
                raise AssertionError(f"an instance ended by itself: {one.log.read_text()[-2000:]}")
            one.kill()
            self.kills += 1
            one.start()

    async def _client(self, number: int, tokens: dict[str, str]) -> None:
        """Join, and read somebody who has joined, now here and now there."""
        async with httpx2.AsyncClient(timeout=10) as client:
            for turn in itertools.count():
                url = f"http://127.0.0.1:{self.chance.choice(self.instances).port}/graphql"
                known = list(itertools.islice(self.joined.values(), 50))
                joins = turn % 3 == 0 or not known
                body = self._joining() if joins else {"query": READ % self.chance.choice(known)}
                request = f"{number:08x}{turn:024x}"
                bearer = tokens["mini_program" if joins else "order_service"]
                headers = {"authorization": f"Bearer {bearer}", "x-request-id": request}
                try:
                    answer = await client.post(url, json=body, headers=headers)
                except httpx2.HTTPError:
                    self.cut += 1
                    await asyncio.sleep(0.01)
                else:
                    self._keep(request, answer.json(), joins=joins)

    def _joining(self) -> dict[str, Any]:
        decisions = [{"purpose": "marketing_sms", "granted": True}]
        return {"query": JOIN, "variables": {"fields": {"phone": self.phone()}, "decisions": decisions, "evidence": EVIDENCE}}

    def _keep(self, request: str, answer: dict[str, Any], *, joins: bool) -> None:
        if answer.get("errors"):
            self.refused += 1
        elif joins:
            self.joined[request] = answer["data"]["joinMember"]["memberId"]
        else:
            self.read[request] = answer["data"]["member"]["phone"]


async def _ready(instance: Instance) -> None:
    limit = time.monotonic() + 30
    async with httpx2.AsyncClient() as client:
        while time.monotonic() < limit:
            if not instance.alive:
                break
            with suppress(httpx2.HTTPError):
                if (await client.get(f"http://127.0.0.1:{instance.port}/readyz")).status_code == 200:
                    return
            await asyncio.sleep(0.05)
    raise AssertionError(f"an instance did not get ready: {instance.log.read_text()[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- afterwards --------------------------------------------------------------------------------------------------------------------


async def faults(storm: Storm) -> tuple[list[str], Counter[str]]:
    """What is not as it must be, in words; and how many entries of each type the log has. The next instance is started for it: it puts in
    what the dead ones left waiting.
    """
    async with parts(Config(home=storm.instances[0].home, database_url=storm.url)) as running:
        with psycopg.connect(conninfo(storm.url)) as connection:
            rows = connection.execute("SELECT idx, entry_id, entry, leaf FROM audit_entry ORDER BY idx").fetchall()
            (head,) = connection.execute("SELECT size, root FROM audit_head").fetchall()
            waiting = connection.execute("SELECT count(*) FROM audit_pending").fetchall()[0][0]
            ids = [one for (one,) in connection.execute("SELECT member_id FROM member").fetchall()]
        entries = [json.loads(entry) for _, _, entry, _ in rows]
        found = [*_tree_faults(rows, head), *_lane_faults(entries), *_answer_faults(storm, entries, ids)]
        found += [f"{waiting} entries still wait"] * bool(waiting)
        found += await _change_faults(running, entries, ids)
        found += await _verdicts(running, storm)
    return found, Counter(entry["typ"] for entry in entries)


def _tree_faults(rows: list[tuple[Any, ...]], head: tuple[int, bytes]) -> Iterator[str]:
    """No gap, no double, and the head is the root of the bytes that are there: RFC 6962, written down a second time."""
    if [row[0] for row in rows] != list(range(head[0])):
        yield "the indices have a gap, or the head another size"
    if len({row[1] for row in rows}) != len(rows):
        yield "an entry is there twice"
    leaves = [hashlib.sha256(b"\0" + row[2]).digest() for row in rows]
    if leaves != [row[3] for row in rows]:
        yield "a leaf is not its entry's"
    if _root(leaves) != head[1]:
        yield "the root is not the entries'"


def _root(hashes: list[bytes]) -> bytes:
    if len(hashes) == 1:
        return hashes[0]
    half = 1 << (len(hashes) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + _root(hashes[:half]) + _root(hashes[half:])).digest()


def _lane_faults(entries: list[dict[str, Any]]) -> Iterator[str]:
    lanes = defaultdict(list)
    for entry in entries:
        lanes[entry["w"]].append(entry["s"])
    broken = sum(numbers != list(range(len(numbers))) for numbers in lanes.values())
    if broken:
        yield f"{broken} of {len(lanes)} lanes have a gap, a double or another order"


def _answer_faults(storm: Storm, entries: list[dict[str, Any]], ids: list[str]) -> Iterator[str]:
    """Whatever was answered is there, once."""
    log = Counter(entry["req"] for entry in entries if entry["typ"] in {"access", "change"} and entry["dec"] == "allow")
    missing = [request for request in (*storm.joined, *storm.read) if log[request] != 1]
    if missing:
        yield f"{len(missing)} answers have not exactly one entry: {missing[:3]}"
    gone = set(storm.joined.values()) - set(ids)
    if gone:
        yield f"{len(gone)} members who were told that they have joined are not there"


async def _change_faults(running: Parts, entries: list[dict[str, Any]], ids: list[str]) -> list[str]:
    """Each member has the entry of their joining, under the pseudonym of its month, and each such entry a member."""
    joins = [entry for entry in entries if entry.get("op") == "joinMember" and entry["dec"] == "allow"]
    recorded = Counter(entry["sub"][0] for entry in joins)
    expected = Counter[str]()
    for member_id in ids:
        row = await members.row(running.database.read, member_id)
        assert row is not None
        assert row.wrapped is not None
        keys = running.vault.member_keys(member_id, row.generation, row.wrapped)
        known = {running.vault.pseudonym_at(keys, month) for month in {entry["ts"][:7] for entry in joins}}
        expected.update(known & recorded.keys() or {f"nobody recorded that {member_id} joined"})
    return [] if expected == recorded else [f"members and the entries of their joining differ by {len(expected - recorded)}"]


async def _verdicts(running: Parts, storm: Storm) -> list[str]:
    """What each instance remembers is where the log has been."""
    authority, found = running.journal.authority, []
    for instance in storm.instances:
        seen = RememberedHead(instance.home / _HEAD).read(authority)
        report = await verify(running.database, authority, seen)
        if report.verdict is not Verdict.OK or report.remembered is None:
            found.append(f"verified with what {instance.home.name} remembers: {report.verdict} {report.findings[:2]}")
    return found

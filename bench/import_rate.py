"""How fast a shop's export comes in: `python -m bench.import_rate [--members N] [--rounds N] [--database postgresql|sqlite]`.

A file of N invented members with 14 sealed fields each (CSV, UTF-8) goes through the whole of `menshen import`: read, every rule,
duplicates looked for, sealed, stored, recorded in the audit log. The importing process has one core and PostgreSQL the others.
The same again with two answers to marketing a member, each an event in the consent ledger. Last, where that one core's time
goes, from a sample a millisecond.
"""

import argparse
import asyncio
import csv
import gc
import os
import signal
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from bench.cluster import Cluster, open_cluster
from bench.machine import SERVER_CORE
from bench.people import person
from service.app import Parts, parts
from service.config import Config
from service.db import migrate
from service.intake.commands import ACT, Intake
from service.intake.job import understand
from service.intake.report import RejectFile
from service.values import Actor, ActorKind, Call

_HEADER = (
    *("会员编号", "姓名", "手机号", "邮箱", "微信openid", "微信unionid", "企微外部联系人ID", "生日", "性别", "省市"),
    *("收货地址", "职业", "收入区间", "兴趣", "备注", "会员等级", "积分", "入会时间"),
)
_ANSWERS = ("短信营销", "邮件营销", "同意时间", "隐私政策版本")
_TIERS = ("普通", "银卡", "金卡", "钻石")
_BANDS = ("10万以下", "10万至20万", "20万至50万", "50万以上")
_ROOMS = (
    ("service/intake/reading", "reading the file"),
    ("service/intake/admission", "members' and ledger's rows"),
    ("service/intake", "rules, duplicates, batches"),
    ("service/vault", "vault: seal, wrap, look up"),
    ("service/consent", "consent ledger: events"),
    ("service/members", "members' and ledger's rows"),
    ("service/audit", "audit entry and log"),
    ("service/db", "database driver"),
    ("psycopg", "database driver"),
    ("aiosqlite", "database driver"),
    ("asyncio", "event loop, and SQLite's own thread"),
)


@dataclass(frozen=True, slots=True)
class Rate:
    """One import: how many members, in how many seconds, and how many seconds of its core it used."""

    members: int
    seconds: float
    cpu: float


class Sample:
    """Asks, after each millisecond of this process's CPU time, which room is at work."""

    def __init__(self) -> None:
        self.rooms: Counter[str] = Counter()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Sample while this is open."""
        signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, 0.001, 0.001)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)

    def shares(self) -> list[tuple[str, float]]:
        """Rooms by their share, the busiest first."""
        total = max(self.rooms.total(), 1)
        return [(room, count / total) for room, count in self.rooms.most_common()]

    def _look(self, _: int, frame: FrameType | None) -> None:
        """The innermost frame that belongs to a room: what it calls in libraries is done for it."""
        while frame is not None:
            for part, room in _ROOMS:
                if part in frame.f_code.co_filename:
                    self.rooms[room] += 1
                    return
            frame = frame.f_back


def write_export(path: Path, members: int, *, answers: bool) -> None:
    """An export of invented members; with `answers`, each has answered two questions, without any proof of it."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow((*_HEADER, *_ANSWERS) if answers else _HEADER)
        for number in range(members):
            writer.writerow(_row(number) + (("是", "否", "2025-11-20", "2026-10") if answers else ()))


def _row(number: int) -> tuple[str, ...]:
    """The n-th member of the bench, with four sealed fields more than its questions ask for, and what is kept unsealed."""
    said = {key: "、".join(value) if isinstance(value, tuple) else str(value) for key, value in person(number).values.items()}
    return (
        *(f"N{number:07d}", said["name"], said["phone"].removeprefix("+86"), said["email"], said["wechat_openid"]),
        *(f"u{number:027d}", f"wm{number:030d}", said["birthday"], said["gender"], said["region"], said["address"]),
        *(said["occupation"], _BANDS[number % 4], said["interests"], f"周末不接电话，{number % 12}楼前台代收"),
        *(_TIERS[number % 4], str(number * 37 % 20000), f"202{number % 6}-0{number % 9 + 1}-1{number % 10}"),
    )


async def load(config: Config, path: Path) -> Rate:
    """Import one file into one database."""
    async with parts(config) as running:
        job = understand(path, running.catalogue, now=running.clock())
        with RejectFile(None) as rejects:
            intake = Intake(running.units, _call(running), job, rejects=rejects)
            gc.freeze()  # as the command does
            begun, used = time.perf_counter(), time.process_time()
            outcome = await intake.load()
            return Rate(outcome.tally.made, time.perf_counter() - begun, time.process_time() - used)


def _call(running: Parts) -> Call:
    roles = frozenset(key for key, role in running.catalogue.roles.items() if ACT in role.may)
    return Call(Actor(ActorKind.STAFF, "bench", roles), request_id="bench")


def measured(path: Path, cluster: Cluster | None, folder: Path) -> Rate:
    """The same in a new database."""
    number = len(list(folder.glob("home-*")))
    home = folder / f"home-{number}"
    home.mkdir(mode=0o700)
    if cluster is None:
        url = f"sqlite:///{home}/menshen.db"
        migrate.upgrade(url)
        return asyncio.run(load(Config(home=home, database_url=url), path))
    made = cluster.make(f"import_{number}")
    try:
        url = made.render_as_string(hide_password=False)
        migrate.upgrade(url)
        return asyncio.run(load(Config(home=home, database_url=url), path))
    finally:
        cluster.drop(made)


def told(what: str, rates: list[Rate]) -> None:
    """One line: the median, its spread, and what a member costs."""
    speeds = sorted(rate.members / rate.seconds for rate in rates)
    cost = min(rate.cpu / rate.members for rate in rates) * 1e6
    spread = f"{speeds[0]:,.0f} to {speeds[-1]:,.0f}"
    print(
        f"{what}: {statistics.median(speeds):,.0f} members/s ({spread}); {cost:.0f} µs of its core a member: {1e6 / cost:,.0f}/s"
    )


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=30_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--database", choices=("postgresql", "sqlite"), action="append")
    wanted = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="menshen-bench-import-")))
        files = {answers: folder / f"{answers}.csv" for answers in (False, True)}
        for answers, path in files.items():
            write_export(path, wanted.members, answers=answers)
        for name in wanted.database or ("postgresql", "sqlite"):
            cluster = open_cluster() if name == "postgresql" else None
            if cluster is not None:
                stack.callback(cluster.close)
            os.sched_setaffinity(0, {SERVER_CORE})
            for answers, path in files.items():
                rates = [measured(path, cluster, folder) for _ in range(wanted.rounds)]
                told(f"{name}, 14 sealed fields{', 2 answers' if answers else ''}", rates)
            sample = Sample()
            with sample.taken():
                measured(files[False], cluster, folder)
            print("".join(f"    {share:4.0%} {room}\n" for room, share in sample.shares()), end="")


if __name__ == "__main__":
    main()

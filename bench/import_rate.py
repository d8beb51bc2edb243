"""How fast a shop's export comes in: `python -m bench.import_rate [--members N] [--database postgresql|sqlite] [--profile]`.

A file of N invented members with 14 sealed fields each (CSV, UTF-8) goes through the whole of `menshen import`: read, every rule, duplicates
against the database, sealed, looked up, stored, recorded in the audit log. The importing process is held to one core; PostgreSQL has the
others. `--profile` says where that core's time goes, room by room.
"""

import argparse
import asyncio
import cProfile
import csv
import os
import pstats
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.cluster import open_cluster
from bench.machine import SERVER_CORE
from bench.people import person
from service.app import Parts, parts
from service.config import Config
from service.db import migrate
from service.intake.commands import ACT, Intake
from service.intake.job import understand
from service.intake.report import RejectFile
from service.values import Actor, ActorKind, Call

HEADER = (
    *("会员编号", "姓名", "手机号", "邮箱", "微信openid", "微信unionid", "企微外部联系人ID", "生日", "性别", "省市"),
    *("收货地址", "职业", "收入区间", "兴趣", "备注", "会员等级", "积分", "入会时间"),
)
ANSWERS = ("短信营销", "邮件营销", "同意时间", "隐私政策版本")
_TIERS = ("普通", "银卡", "金卡", "钻石")
_BANDS = ("10万以下", "10万至20万", "20万至50万", "50万以上")
_ROOMS = {
    "service/intake/reading": "reading the file",
    "csv": "reading the file",
    "service/intake": "rules, duplicates, batches",
    "policies": "rules, duplicates, batches",
    "service/vault": "vault: seal, wrap, look up",
    "service/hazmat": "vault: seal, wrap, look up",
    "msgpack": "vault: seal, wrap, look up",
    "service/consent": "consent ledger",
    "json": "consent ledger",
    "service/members": "members' rows",
    "service/audit": "audit entry and log",
    "service/db": "database driver",
    "psycopg": "database driver",
    "sqlite": "database driver",
}


@dataclass(frozen=True, slots=True)
class Rate:
    """One import: how many members, in how many seconds, and how much of them this process computed."""

    members: int
    seconds: float
    cpu: float


def write_export(path: Path, members: int, *, answers: bool) -> None:
    """An export of invented members; with `answers`, each has answered two marketing questions without any proof of it."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow((*HEADER, *ANSWERS) if answers else HEADER)
        for number in range(members):
            writer.writerow(_row(number) + (("是", "否", "2025-11-20", "2026-10") if answers else ()))


def _row(number: int) -> tuple[str, ...]:
    """The n-th member of the bench, with four fields more than the questions ask for."""
    said = {key: "、".join(value) if isinstance(value, tuple) else str(value) for key, value in person(number).values.items()}
    return (
        *(f"N{number:07d}", said["name"], said["phone"].removeprefix("+86"), said["email"], said["wechat_openid"]),
        *(f"u{number:027d}", f"wm{number:030d}", said["birthday"], said["gender"], said["region"], said["address"]),
        *(said["occupation"], _BANDS[number % 4], said["interests"], f"周末不接电话，{number % 12}楼前台代收"),
        *(_TIERS[number % 4], str(number * 37 % 20000), f"202{number % 6}-0{number % 9 + 1}-1{number % 10}"),
    )


async def load(config: Config, path: Path, *, profile: cProfile.Profile | None = None) -> Rate:
    """Import one file into one database."""
    async with parts(config) as running:
        intake = Intake(
            running.units, _call(running), understand(path, running.catalogue, now=running.clock()), rejects=RejectFile(None)
        )
        begun, used = time.perf_counter(), time.process_time()
        if profile:
            profile.enable()
        outcome = await intake.load()
        if profile:
            profile.disable()
        return Rate(outcome.tally.made, time.perf_counter() - begun, time.process_time() - used)


def _call(running: Parts) -> Call:
    roles = frozenset(key for key, role in running.catalogue.roles.items() if ACT in role.may)
    return Call(Actor(ActorKind.STAFF, "bench", roles), request_id="bench")

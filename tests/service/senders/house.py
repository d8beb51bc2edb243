"""A running house with vendors on loopback: a deployment's file of senders, orders, and a worker that carries them out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from sqlalchemy import select

from service.app import Parts, open_worker
from service.db.statement import Prepared
from service.db.tables import job
from service.gate.model import Became, Decision
from service.gate.store import outcomes_of
from service.senders.model import SEND, Ordered, SendRecord, SendsQueued
from service.work.worker import Worker
from tests.factories import a_call
from tests.service.senders.keys import ed25519_pem
from tests.service.senders.vendors import APP_ID, KEY_ID, SECRET

PUBLIC = "https://members.example.com"
ENGINE = a_call("marketing_engine")
OFFICER = a_call("compliance_officer")
JOBS = Prepared(select(job.c.job_id, job.c.state, job.c.outcome, job.c.attempts).where(job.c.kind == SEND).order_by(job.c.job_id))


def senders_file(folder: Path, **tables: str) -> Path:
    """The deployment's file, and the DKIM key beside it. `living_sms="http://…"` is all of that table but its keys."""
    key, path = folder / "dkim.pem", folder / "senders.toml"
    for file in (key, path):
        file.touch(mode=0o600)
    key.write_bytes(ed25519_pem())
    path.write_text("".join(f"[{sender}]\n{table(sender, where)}\n" for sender, where in tables.items()), "utf-8")
    return path


def table(sender: str, where: str) -> str:
    """One sender's table; for mail `where` is a port."""
    if "email" in sender:
        said = f'host = "127.0.0.1"\nport = {where}\ndomain = "mail.retail.example.com"\n'
        return said + 'dkim_selector = "s1"\ndkim_key = "dkim.pem"\nmailbox = "unsubscribe@mail.retail.example.com"\n'
    said = f'url = "{where}"\nsecret = "{SECRET}"\n'
    if sender == "beauty_sms":
        return said + f'key_id = "{KEY_ID}"\napp_id = "{APP_ID}"\nregion = "ap-guangzhou"\n'
    if sender.endswith("wechat"):
        return said + 'page = "pages/preferences/index"\n'
    return said if sender.endswith("phone") else said + f'key_id = "{KEY_ID}"\n'


@asynccontextmanager
async def working(running: Parts, folder: Path, **tables: str) -> AsyncIterator[Worker]:
    """A worker that reaches these vendors."""
    config = running.config.model_copy(update={"senders": senders_file(folder, **tables), "public_url": PUBLIC})
    async with open_worker(replace(running, config=config)) as worker:
        yield worker


async def queue(running: Parts, campaign_id: str, *decisions: Decision) -> SendsQueued:
    """Have these decisions carried out."""
    orders = [Ordered(member_id=one.member_id, send_id=one.send_id, token=one.token or "") for one in decisions]
    found = await running.operations.queue_sends(ENGINE, campaign_id=campaign_id, sends=orders)
    assert isinstance(found, SendsQueued), found
    return found


async def jobs(running: Parts) -> list[tuple[str, str]]:
    """Each send's state and code."""
    return [(row[1], row[2]) for row in await running.database.read.rows(JOBS, {})]


async def became(running: Parts, decision: Decision) -> list[str]:
    """What became of it, step by step."""
    found: list[Became] = await outcomes_of(running.database.read, decision.member_id, decision.send_id)
    return [one.outcome.value for one in found]


async def record(running: Parts, decision: Decision) -> SendRecord:
    """What was handed over."""
    asked = {"member_id": decision.member_id, "send_id": decision.send_id, "purpose": "audit"}
    found = await running.operations.send_record(OFFICER, **asked)
    assert isinstance(found, SendRecord), found
    return found

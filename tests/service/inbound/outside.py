"""What somebody outside holds and sends, and what a test sees of it inside."""

import json

from sqlalchemy import select

from service.db.statement import Prepared
from service.db.tables import inbound, quota, send_outcome, subscription, suppression
from service.subscriptions import links
from service.subscriptions.links import Link
from service.vault.normalise import normalise
from tests.factories import a_call
from tests.plugins import canary
from tests.service.inbound import wechat_push as push

ALIYUN, TENCENT, MAIL = "a" * 40, "t" * 40, "m" * 40
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
SEND = "019a0000-0000-7000-8000-00000000abcd"
FILE = f"""
[sms.aliyun]
secret = "{ALIYUN}"
[sms.tencent]
secret = "{TENCENT}"
[mail]
secret = "{MAIL}"
[wechat.{push.APPID}]
token = "{push.TOKEN}"
[wechat.{push.OTHER}]
token = "{push.TOKEN}"
aes_key = "{push.AES_KEY}"
"""


def hooks_file(folder, text=FILE, mode=0o600):
    """The deployment's file."""
    path = folder / "hooks.toml"
    path.write_text(text, "utf-8")
    path.chmod(mode)
    return path


def link(running, member_id, *, channel="email", at=None, send=SEND):
    """The opaque part of a member's link."""
    made = Link(member_id, channel, "offers", "living", send, at or running.clock())
    return links.make(running.vault, made)


async def everything(running, table):
    """The rows of a table as mappings."""
    names = [column.name for column in table.columns]
    return [dict(zip(names, row, strict=True)) for row in await running.database.read.rows(Prepared(select(table)))]


async def suppressed(running, channel, field, value):
    """Whether nothing may go to this address, whoever has it."""
    normaliser = running.catalogue.fields[field].normaliser
    mark = running.vault.mark(field, normalise(normaliser, value))
    rows = await everything(running, suppression)
    return any((row["channel"], bytes(row["mark"]), row["state"]) == (channel, mark, "SUPPRESSED") for row in rows)


async def off(running, member_id, channel):
    """Whether the member has left the channel as a whole."""
    rows = await everything(running, subscription)
    return any(
        (row["member_id"], row["channel"], row["topic"], row["state"]) == (member_id, channel, "", "UNSUBSCRIBED") for row in rows
    )


async def state(running, member_id, purpose):
    """What stands of one consent."""
    found = await running.operations.consents(a_call("member", member_id=member_id), member_id=None)
    return {each.purpose: each.state.value for each in found}[purpose]


async def came_in(running, kind=""):
    """What is kept of what came in."""
    return [row for row in await everything(running, inbound) if kind in {"", row["kind"]} and row["source"] != "nonce"]


async def balances(running):
    """What is left of each template."""
    return {row["template"]: row["balance"] for row in await everything(running, quota)}


async def outcomes(running):
    """What became of messages."""
    return [(row["send_id"], row["outcome"], row["code"]) for row in await everything(running, send_outcome)]


def a_push(*replies):
    """Aliyun's body: (number, text, sequence)."""
    keys = ("phone_number", "content", "sequence_id")
    rest = {"send_time": "2026-11-22 10:00:00", "dest_code": "10690000000001", "sign_name": "示例生活"}
    return json.dumps([dict(zip(keys, reply, strict=True)) | rest for reply in replies]).encode()


def an_openid():
    """An openid that no log may show."""
    return canary.value("openid")

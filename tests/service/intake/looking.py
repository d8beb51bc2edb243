"""What a test sees of a database and a log after an import."""

from sqlalchemy import func, select

from policies.terms import ConsentState
from service.audit.entry import parse_entry
from service.db.statement import Prepared
from service.db.tables import audit_entry, metadata
from service.members import store as members
from service.vault.normalise import normalise
from tests.factories import a_call
from tests.service.intake.exports import a_row

SMS = "marketing_sms"


async def member_of(running, number):
    """The id of the member who holds a phone."""
    digest = running.vault.lookup("phone", normalise("phone", number))
    return await members.holder_of(running.database.read, "phone", digest, generation=running.vault.lookup_generation)


async def contents(running):
    """Every row of every table but the audit log's, where each look and each try leaves its mark."""
    tables = [table for table in metadata.sorted_tables if not table.name.startswith("audit_")]
    return {table.name: sorted(map(repr, await running.database.read.rows(Prepared(select(table))))) for table in tables}


async def count(running, table):
    return (await running.database.read.rows(Prepared(select(func.count()).select_from(table))))[0][0]


async def entries(running):
    """What the log says, but for the writer's own first entry."""
    rows = await running.database.read.rows(Prepared(select(audit_entry.c.entry).order_by(audit_entry.c.idx)))
    return [entry for entry in (parse_entry(bytes(row[0])) for row in rows) if entry["typ"] != "boot"]


async def states(running, number):
    """What stands for each purpose that the member ever answered."""
    found = await running.operations.consents(a_call("member", member_id=await member_of(running, number)), member_id=None)
    return {one.purpose: one.state for one in found if one.state is not ConsentState.NEVER_ASKED}


def many(number, **more):
    """Rows with as few canaries as possible."""
    return [a_row(姓名="", 收货地址="", 邮箱="", 微信openid="", 会员编号="", **more) for _ in range(number)]

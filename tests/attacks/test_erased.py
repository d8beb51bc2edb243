"""A member is erased. No byte of the log changes, every old proof still holds, and nobody finds the member in it again: not the auditor who
may search, not the member, not whoever holds the log, the database, every key that is left and the member's number.
"""

import asyncio
import hmac
import json
import pathlib
from hashlib import sha256

import pytest

from menshen_verifier.findings import Verdict
from menshen_verifier.proof import check_proof, parse_proof
from service import app
from service.app import Parts
from service.archive.operations import VERIFY
from service.cli.audit_archive import caller
from service.errors import SealBroken, ServiceError
from service.members import store as members
from tests.attacks.house import House, config_of
from tests.factories import a_call

SEARCH = """query Search($id: ID!) { auditEntries(where: {memberId: $id}, first: 50) { nodes { index } } }"""


@pytest.mark.obligation("AL-04")
async def test_erasing_a_member_changes_no_byte_breaks_no_proof_and_leaves_nobody_to_be_found(house: House):
    await house.open()
    other = await house.join(house.instances[0][1])
    house.members.insert(0, gone := await house.join(house.instances[0][1]))
    await house.live(40)
    await house.settled()
    named, secret = await named_in(house, gone), await wrapped(house, gone)
    assert len(named) >= 30
    proofs = {index: await proof(house, index) for index in named[:2]}
    before, note = raws(house), await house.note()

    async with app.parts(config_of(house)) as running:
        assert await running.operations.erase(a_call("compliance_officer"), member_id=gone)
    await house.settled()

    assert raws(house)[: len(before)] == before, "no byte of the log has changed"
    for index, text in proofs.items():
        proven = check_proof(parse_proof(text.encode()), house.policy)
        assert (proven.index, proven.entry) == (index, before[index]), "the old proof, as it was"
        assert check_proof(parse_proof((await proof(house, index)).encode()), house.policy).entry == before[index], (
            "and a new one"
        )
    report = await house.verdict(since=note)
    assert report.verdict is Verdict.OK and report.checkpoints >= 2

    assert await found(house, gone) == 0, "whoever may search finds nothing"
    assert await found(house, other) > 0, "and still finds everybody else"
    await hunt(house, gone, secret, {json.loads(before[index])["sub"][0] for index in named})


async def named_in(house: House, member_id: str) -> list[int]:
    """The entries about them, by the search that those who may have."""
    async with app.parts(config_of(house)) as running:
        keys = await keys_of(running, member_id)
        pseudonym = running.vault.pseudonym(keys, running.clock())
    rows = house.sql("SELECT idx FROM audit_subject WHERE sub = %s ORDER BY idx", pseudonym)
    return [index for (index,) in rows]


async def keys_of(running: Parts, member_id: str):
    row = await members.row(running.database.read, member_id)
    assert row is not None
    assert row.wrapped is not None
    return running.vault.member_keys(member_id, row.generation, row.wrapped)


async def wrapped(house: House, member_id: str) -> tuple[int, bytes]:
    return house.sql("SELECT generation, wrapped FROM member_secret WHERE member_id = %s", member_id)[0]


async def proof(house: House, index: int) -> str:
    await house.settled()
    async with app.parts(config_of(house)) as running:
        return await running.operations.proof(caller(running, VERIFY), running.journal.authority, index)


def raws(house: House) -> list[bytes]:
    return [raw for (raw,) in house.sql("SELECT entry FROM audit_entry ORDER BY idx")]


async def found(house: House, member_id: str) -> int:
    """As an auditor asks at the real door."""
    answer = await house.ask(house.instances[0][1], "compliance_officer", {"query": SEARCH, "variables": {"id": member_id}})
    assert not answer.get("errors"), answer
    return len((answer["data"]["auditEntries"] or {"nodes": []})["nodes"])


async def hunt(house: House, member_id: str, secret: tuple[int, bytes], names: set[str]) -> None:
    """With the whole database, this machine's keys and the member's number: no row leads to the names in the log, and no key makes them."""
    tables = [name for (name,) in house.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    # The tally of a day has the log's names too, beside the account that was told of them, and nothing else: neither leads to a member.
    assert {name for (name,) in house.sql("SELECT attname FROM pg_attribute WHERE attrelid = 'tally'::regclass AND attnum > 0")} == {
        "operator", "bulk", "mark", "at",
    }  # fmt: skip
    for table in [name for name in tables if not name.startswith(("audit_entry", "audit_subject")) and name != "tally"]:
        told = " ".join(str(row[0]) for row in house.sql(f"SELECT t::text FROM {table} AS t"))
        assert not [name for name in names if name in told], f"{table} has a name of the log"
        assert secret[1].hex() not in told, f"{table} still has the secret"
    async with app.parts(config_of(house)) as running:
        row = await members.row(running.database.read, member_id)
        assert row is None or row.wrapped is None
        tries = [bytes(32), *[path.read_bytes() for path in await asyncio.to_thread(files, house)]]
        origin, month = running.vault.origin, f"{running.clock():%Y-%m}"
        for key in tries:
            message = b"audit-sub/v1\0" + origin.encode() + b"\0" + month.encode() + member_id.encode()
            assert hmac.digest(key, message, sha256).hex()[:20] not in names
        with pytest.raises((SealBroken, ServiceError)):
            running.vault.member_keys(member_id, secret[0], bytes(len(secret[1])))


def files(house: House) -> list[pathlib.Path]:
    return [path for path in house.home.iterdir() if path.is_file()]

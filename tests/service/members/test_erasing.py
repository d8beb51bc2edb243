"""Erasing one member: nothing of it opens, is found or can be linked, and nobody else notices."""

import pytest
from sqlalchemy import bindparam, insert, select

from service.db.statement import Prepared
from service.db.tables import audit_subject, member, member_lookup, member_secret, metadata
from service.errors import Forbidden, SealBroken
from service.members import store
from tests.conftest import START
from tests.factories import a_call, a_member, a_profile


async def subjects(running):
    return {row[0] for row in await running.database.read.rows(Prepared(select(audit_subject.c.sub)))}


async def test_an_erased_member_is_neither_read_nor_found_nor_listed(running):
    profile = a_profile()
    member_id = await a_member(running, profile, yes=["marketing_sms"])
    neighbour = await a_member(running)
    saved = await store.row(running.database.read, member_id)

    assert await running.operations.erase(a_call("compliance_officer"), member_id=member_id)

    found = await running.operations.member(
        a_call("order_service"), member_id=member_id, purpose="order_fulfilment", fields=["phone"]
    )
    assert found.values == {} and found.withheld[0].reason == "ERASED"
    lookup = {"field": "phone", "value": profile["phone"], "purpose": "order_fulfilment", "fields": ["phone"]}
    assert await running.operations.by_contact(a_call("order_service"), **lookup) is None
    page = await running.operations.page(
        a_call("order_service"), purpose="order_fulfilment", fields=["phone"], first=9, after=None, edge_cursors=False
    )
    assert [p.member_id for p in page.profiles] == [neighbour]
    for table in (member_secret, member_lookup):
        rows = await running.database.read.rows(Prepared(select(table.c.member_id).where(table.c.member_id == member_id)))
        assert rows == []
    row = await running.database.read.rows(Prepared(select(member.c.sealed).where(member.c.member_id == member_id)))
    assert row == [(b"",)] and saved.sealed


@pytest.mark.obligation("AL-04")
async def test_the_log_cannot_be_linked_to_an_erased_member(running):
    """Its pseudonyms can be computed from the member's secret alone, and the secret is gone; not even its number leads back.

    Databunker: what was erased still stands in its audit log.
    """
    member_id = await a_member(running)
    row = await store.row(running.database.read, member_id)
    keys = running.vault.member_keys(member_id, row.generation, row.wrapped)
    token = running.vault.pseudonym(keys, running.clock())
    assert token in await subjects(running)
    before = await subjects(running)
    await running.operations.erase(a_call("compliance_officer"), member_id=member_id)
    assert await subjects(running) >= before
    assert await store.row(running.database.read, member_id) is not None
    assert (await store.row(running.database.read, member_id)).wrapped is None
    # Whoever puts another secret in its place gets other pseudonyms: nothing else in the system leads to the old ones.
    stranger, _ = running.vault.new_member(member_id)
    assert running.vault.pseudonym(stranger, running.clock()) != token
    with pytest.raises(SealBroken):
        running.vault.member_keys(member_id, row.generation, bytes(len(row.wrapped)))


def a_row(table, member_id):
    """Some row of this member, whatever the table is about."""
    some = {"Text": "x", "String": "x", "Integer": 1, "SmallInteger": 1, "BigInteger": 1, "LargeBinary": b"x", "Moment": START}
    values = {c.name: None if c.nullable else some[type(c.type).__name__] for c in table.columns}
    return values | {"member_id": member_id} | {name: "ENDED" for name in values if name == "state"}


async def test_whatever_table_a_member_owns_rows_in_none_is_left_and_no_row_of_a_neighbour_is_missing(running):
    """Also of a table that somebody adds: who forgets it here is told by this test (Databunker: erasure leaves queues)."""
    kept = {
        "member",
        "job",
        "guardian_request",
    }  # the row that says ERASED; what recipients have yet to be told; what guardians were answered
    owned = [table for table in metadata.sorted_tables if table.info["kind"] == "member" and table.name not in kept]
    member_id, neighbour = await a_member(running, yes=["marketing_sms"]), await a_member(running, yes=["marketing_sms"])
    async with running.database.write() as transaction:
        for table in owned:
            if table.name in {"member_secret", "consent_standing"}:
                continue
            for each in (member_id, neighbour):
                row = a_row(table, each)
                await transaction.run(Prepared(insert(table).values({name: bindparam(name) for name in row})), row)
        await transaction.commit()
    assert await running.operations.erase(a_call("compliance_officer"), member_id=member_id)
    left = {}
    for table in owned:
        found = await running.database.read.rows(Prepared(select(table.c.member_id)))
        left[table.name] = {row[0] for row in found}
    assert left == {table.name: {neighbour} for table in owned}


async def test_only_a_role_that_may_erase_erases(running):
    member_id = await a_member(running)
    with pytest.raises(Forbidden):
        await running.operations.erase(a_call("marketer"), member_id=member_id)
    assert await running.operations.me(a_call("member", member_id=member_id), fields=["phone"])


async def test_erasing_nobody_says_so(running):
    assert not await running.operations.erase(a_call("compliance_officer"), member_id="018f0000-0000-7000-8000-000000000000")

"""/metrics tells how far the log's signature is, and that a log was found broken."""

import httpx2
import pytest

from service.app import Parts
from service.audit.entry import Draft
from service.audit.journal import Ack
from service.errors import LogBroken
from tests.factories import a_call
from tests.service.audit.logs import Administrator


async def counted(client: httpx2.AsyncClient) -> dict[str, float]:
    lines = (await client.get("/metrics")).text.splitlines()
    return {name: float(value) for name, value in (line.split(" ") for line in lines if line.startswith("menshen_audit_"))}


async def test_sizes_and_the_age_of_the_unsigned_tail(client: httpx2.AsyncClient, running: Parts) -> None:
    receipt = await running.journal.append(Draft(typ="export", operation="test"), a_call())
    found = await counted(client)
    assert (
        found["menshen_audit_size"] == found["menshen_audit_signed_size"] == found["menshen_audit_verified_size"] == receipt.size
    )
    assert (found["menshen_audit_unsigned_seconds"], found["menshen_audit_broken"], found["menshen_audit_cosigned_size"]) == (
        0,
        0,
        0,
    )


@pytest.mark.obligation("AL-02")
async def test_a_broken_log_is_counted_refused_and_not_ready(
    client: httpx2.AsyncClient, running: Parts, database_url: str
) -> None:
    await running.journal.append(Draft(typ="export", operation="test"), a_call())
    signed = running.publisher.state.signed
    Administrator(database_url).run("UPDATE audit_head SET size = size + 1")
    with pytest.raises(LogBroken):
        await running.publisher.reached(10**6, Ack.SIGNED)
    assert (await counted(client))["menshen_audit_broken"] == 1
    assert (await client.get("/readyz")).json()["parts"]["audit"] == "broken"
    with pytest.raises(LogBroken):
        await running.journal.append(Draft(typ="access", operation="test"), a_call())
    assert running.publisher.state.signed == signed

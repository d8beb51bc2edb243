"""Consistency proofs from a real log: between any two of its sizes, as RFC 9162 writes them; where something is missing, none."""

import pytest

from menshen_verifier.consistency import check_consistency
from service.audit import store
from service.audit.consistency import consistency
from service.audit.entry import Draft
from tests.factories import a_call
from tests.service.audit.logs import Administrator
from tests.vectors.test_consistency import proof_of, root

ENTRIES = 700


@pytest.fixture
async def leaves(running) -> list[bytes]:
    """The leaf hashes of a log of two full tiles and an edge."""

    async def nothing(_: object) -> None:
        return None

    for _ in range(ENTRIES):
        await running.units.disclose(a_call(), Draft(typ="access", operation="test"), nothing)
    return await store.leaves(running.database.read, 0, ENTRIES)


async def test_between_any_two_sizes_it_is_the_rfc_s(running, leaves) -> None:
    for old, new in (
        (0, 700),
        (1, 2),
        (1, 700),
        (255, 256),
        (256, 257),
        (256, 512),
        (300, 511),
        (511, 700),
        (513, 699),
        (700, 700),
    ):
        proof = await consistency(running.database.read, old, new)
        assert list(proof) == proof_of(old, leaves[:new])
        check_consistency(old, root(leaves[:old]), new, root(leaves[:new]), proof)


async def test_beyond_the_end_and_over_a_hole_there_is_none(running, leaves, database_url: str) -> None:
    session = running.database.read
    for old, new in ((300, 200), (700, 5000)):
        with pytest.raises(ValueError, match=r"missing|larger"):
            await consistency(session, old, new)
    Administrator(database_url).run("DELETE FROM audit_entry WHERE idx = 600")
    with pytest.raises(ValueError, match=r"missing|larger"):
        await consistency(session, 599, 700)

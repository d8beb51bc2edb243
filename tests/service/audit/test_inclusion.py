"""Proofs of inclusion from a real log: what the service says, a stranger recomputes with hashlib; what was touched is proven no more."""

import pytest

from service.audit import inclusion, store
from service.audit.entry import Draft
from service.audit.head import Authority
from tests.factories import a_call
from tests.service.audit.logs import Administrator
from tests.vectors.test_merkle import climbed_as_rfc_9162_says

ENTRIES = 700
"""Two full tiles and an edge."""


@pytest.fixture
async def authority(running) -> Authority:
    """Whoever has the key; and a log of some length."""

    async def nothing(_: object) -> None:
        return None

    for _ in range(ENTRIES):
        await running.units.disclose(a_call(), Draft(typ="access", operation="test"), nothing)
    return Authority(running.vault.origin, lambda message: running.vault.mac("head", message))


async def proof(running, authority, index):
    session = running.database.read
    (leaf,) = await store.leaves(session, index, index + 1)
    return leaf, await inclusion.prove(session, authority, index, leaf)


async def test_whatever_the_entry_a_stranger_comes_from_it_to_the_root(running, authority) -> None:
    head = await store.head(running.database.read, authority.origin)
    assert head is not None and head.size > ENTRIES
    for index in (0, 1, 127, 128, 255, 256, 511, 512, head.size - 2, head.size - 1):
        leaf, found = await proof(running, authority, index)
        assert (found.index, found.size, found.root) == (index, head.size, head.root)
        assert climbed_as_rfc_9162_says(index, found.size, leaf, list(found.path)) == head.root


async def test_what_is_not_there_or_has_another_leaf_is_not_proven(running, authority) -> None:
    leaf, _ = await proof(running, authority, 300)
    size = (await store.head(running.database.read, authority.origin)).size
    for index in (299, 301, size, size + 1, -1):
        assert await inclusion.prove(running.database.read, authority, index, leaf) is None


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_tile SET root = leaf_of FROM (SELECT leaf AS leaf_of FROM audit_entry WHERE idx = 0) AS other WHERE n = 0",
        "UPDATE audit_entry SET leaf = (SELECT leaf FROM audit_entry WHERE idx = 0) WHERE idx = 600",
        "DELETE FROM audit_entry WHERE idx = 600",
        "UPDATE audit_head SET size = size - 1",
    ],
)
async def test_beside_what_somebody_touched_nothing_is_proven(running, authority, database_url: str, change: str) -> None:
    assert (await proof(running, authority, 601))[1] is not None
    Administrator(database_url).run(change)
    assert (await proof(running, authority, 601))[1] is None

"""What the gate's tests share."""

import pytest

from service.db.engine import Session
from service.gate import store, window
from service.gate.deciding import longest


@pytest.fixture
def kept(running):
    """`await kept(member_id)`: the window as it is kept, and as the ledgers say that it must be."""

    async def both(member_id: str):
        session: Session = running.database.read
        async with running.database.write() as transaction:
            held = (await store.lock(transaction, [member_id], now=running.clock()))[member_id]
        most = longest(running.catalogue)
        decisions, outcomes = await store.decisions(session, member_id), await store.outcomes(session, member_id)
        anew = window.rebuilt(decisions, outcomes, running.clock(), longest=most)
        return window.kept(window.read(held), running.clock(), longest=most), anew

    return both

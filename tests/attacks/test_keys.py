"""Keys are stolen: the log's, and then the head's, with the database. A past that was cosigned cannot be told differently to anybody."""

import asyncio

import httpx2
import pytest

from menshen_verifier.findings import Verdict
from service.checkpoints.submission import Submission
from tests.attacks import forger
from tests.attacks.house import BROKEN, House
from tests.attacks.test_rollback import put_back, refused, remembered

AT = 20
SEEN = 60


async def lived(house: House) -> bytes:
    """A shop with a cosigned past; the auditor's checkpoint of it. No instance runs."""
    await house.open()
    await house.live(SEEN)
    await house.settled()
    house.kill()
    return await house.note()


async def submitted(house: House, old: int, note: str, proof: tuple[bytes, ...] = ()) -> httpx2.Response:
    async with httpx2.AsyncClient() as client:
        return await client.post(f"{house.witness_url}/add-checkpoint", content=Submission(old, proof, note.encode()).body)


@pytest.mark.obligation("AL-02")
async def test_a_fork_under_the_stolen_key_is_refused_by_the_witness_and_kept_as_evidence(house: House):
    await lived(house)
    size = house.size
    raws = forger.another_past(house, AT)
    same = await submitted(house, size, await forger.signed(house, size, forger.root_of(raws)))
    grown = await submitted(house, size, await forger.signed(house, size + 1, forger.root_of([*raws, raws[0]])))
    behind = await submitted(house, size - 5, await forger.signed(house, size - 5, forger.root_of(raws[:-5])))
    assert (same.status_code, grown.status_code, behind.status_code) == (422, 422, 409)
    assert behind.text == f"{size}\n"

    out = house.folder / "evidence.out"
    told = house.nursery.begin(
        house.settings(), "audit", "witness", "evidence", "--settings", str(house.folder / "witness.toml"), out=out
    )
    assert await asyncio.to_thread(told.wait) == 1
    assert all(word in told.said for word in ("fork", "larger, without a proof")), told.said


@pytest.mark.obligation("AL-02")
async def test_an_auditor_believes_no_log_that_the_stolen_key_alone_signed(house: House):
    note = await lived(house)
    forged = await forger.export_of(house, forger.another_past(house, AT), house.folder / "forged")

    alone = await house.verdict(forged)
    assert alone.verdict in {Verdict.STALE, Verdict.UNSIGNED_TAIL}, "no quorum has seen it"
    assert alone.cosigned_size is None
    report = await house.verdict(forged, since=note)
    assert report.verdict is Verdict.FORKED
    assert {one.note for one in report.evidence} == {note, (forged / "checkpoint").read_bytes()}
    assert report.findings[0].first <= AT <= report.findings[0].last


@pytest.mark.obligation("AL-02", "AL-03")
async def test_with_database_and_both_keys_what_was_cosigned_cannot_be_rewritten(house: House):
    note = await lived(house)
    memories = remembered(house)
    for name in ("audit-head", "log.key.state"):
        memories.pop(name, None)
    await forger.rewrite(house, forger.another_past(house, AT))
    put_back(house, memories)

    assert "witness" in await refused(house)
    house.witnessed = False
    await house.serve()
    await house.settled()
    assert await house.read() == "ok", "without the witness, nobody here would know"
    house.kill()
    house.witnessed = True
    assert BROKEN in await refused(house)
    report = await house.verdict(since=note)
    assert report.verdict is Verdict.FORKED


@pytest.mark.obligation("AL-02")
async def test_what_the_witness_shows_tells_a_split_view(house: House):
    """The auditor was shown one log, everybody else another: what the witness last saw is at an address of its own."""
    note = await lived(house)
    from hashlib import sha256

    from tests.attacks.house import ORIGIN

    async with httpx2.AsyncClient() as client:
        shown = await client.get(f"{house.witness_url}/{sha256(ORIGIN.encode()).hexdigest()}/checkpoint")
    opened = house.policy.open(shown.content)
    assert opened.checkpoint == house.policy.open(note).checkpoint and house.policy.witnessed(opened)
    forged = await forger.export_of(house, forger.another_past(house, AT), house.folder / "forged")
    assert (await house.verdict(forged, since=shown.content)).verdict is Verdict.FORKED

"""An older dump is put back in good faith, and acknowledged entries are gone: they come back from the mirror that somebody else keeps."""

import asyncio
import os
import signal
import time
from hashlib import sha256
from pathlib import Path

import httpx2
import pytest

from menshen_verifier.findings import Verdict
from menshen_verifier.merkle import climbed, leaf_hash
from menshen_verifier.note import Kind
from menshen_verifier.proof import parse_proof
from service.checkpoints import keys
from service.checkpoints.store import newest
from service.config import Config
from service.db.engine import connect
from service.witness.cosigner import Cosigner, write
from tests.attacks.house import ORIGIN, House
from tests.attacks.test_rollback import refused
from tests.service.archive.losing import exported

FOLDER = sha256(ORIGIN.encode()).hexdigest()


async def mirrored(house: House) -> Path:
    """The witness begins to keep the log itself, as its operator would have it; where."""
    assert house.witness is not None
    house.witness.kill(signal.SIGTERM)
    write(house.folder / "mirror.key", Cosigner.drawn("witness.example.cn/m1", os.urandom))
    token = house.token("log_mirror")["authorization"].removeprefix("Bearer ")
    (house.folder / "token").touch(mode=0o600)
    (house.folder / "token").write_text(token)
    path = house.folder / "witness.toml"
    top, _, log = path.read_text().partition("\n\n")
    path.write_text(f'{top}\nmirror_key = "mirror.key"\n\n{log}tiles = "{house.instances[0][1]}/audit"\ntoken = "token"\n')
    await house.open_witness()
    return house.folder / "witness" / "mirror" / FOLDER


async def has_all(house: House, folder: Path) -> int:
    """Until the mirror has everything that was written, its own looks among it; the size."""
    limit = time.monotonic() + 60
    while time.monotonic() < limit:
        note = (folder / "checkpoint").read_text() if (folder / "checkpoint").exists() else "\n0\n"
        if int(note.split("\n")[1]) == house.size:
            return house.size
        await asyncio.sleep(0.2)
    raise AssertionError(f"the mirror does not come to {house.size}")


@pytest.mark.obligation("AL-03")
async def test_a_tail_that_a_restored_dump_has_lost_comes_back_from_the_mirror_and_every_proof_holds(house: House) -> None:
    await house.open()
    await house.live(20)
    await house.settled()
    folder = await mirrored(house)
    await has_all(house, folder)
    before = house.dump()
    await house.live(house.size + 300)
    await house.settled()
    size = await has_all(house, folder)
    note, proof = await house.note(), await _proof(house)
    house.kill()
    house.restore(before)
    assert "rolled back" in await refused(house)

    await _restored(house, folder, size)
    await house.serve()
    assert await house.read() == "ok"
    await house.settled()
    report = await house.verdict(since=note)
    assert (report.verdict, report.findings) == (Verdict.OK, ())
    kept = parse_proof(proof.encode())
    point = house.policy.open(kept.checkpoint_note.encode()).checkpoint
    assert climbed(kept.index, point.size, leaf_hash(kept.extra), kept.path) == point.root


async def _restored(house: House, folder: Path, size: int) -> None:
    settings = house.settings(MENSHEN_SIGNER=f"file:{house.log_key}")
    child = house.nursery.begin(settings, "audit", "tail", "restore", "--from", str(folder), out=house.folder / "restore.out")
    assert await asyncio.to_thread(child.wait) == 0, child.said
    assert house.size == size + 3
    assert len(list(house.home.glob("lost-*.jsonl"))) == 1


async def _proof(house: House) -> str:
    """Of an entry of the tail, as somebody took it home before."""
    from service.archive.proofs import proof_of
    from service.audit.head import Authority

    database = connect(house.url, pool_size=2)
    await database.start()
    try:
        point = await newest(database.read)
        assert point is not None
        return await proof_of(database.read, Authority(ORIGIN, lambda _: b""), point.size - 5)
    finally:
        await database.close()


@pytest.mark.obligation("AL-02")
async def test_where_nobody_has_it_the_log_is_closed_and_the_witness_cosigns_the_next_one_as_a_new_log(house: House) -> None:
    """The witness remembers the old log as it was; the new one it takes up from its first entry, under its own name and key."""
    await house.open()
    await house.live(20)
    left = await house.settled()
    before = house.dump()
    await house.live(house.size + 40)
    size, old = await house.settled(), house.policy
    (house.folder / "last.note").write_bytes(await house.note())
    house.kill()
    house.restore(before)
    assert "rolled back" in await refused(house)

    await _closed(house)
    assert house.sql("SELECT log_id, size FROM audit_head") == [(f"{ORIGIN}/2", 2)]
    house.log_key = house.home / "next.key"
    keys.make(house.log_key, Kind.ED25519, chance=os.urandom, setting="test")
    house.vkey = keys.load(house.log_key, f"{ORIGIN}/2", Kind.ED25519, setting="test").key.vkey
    assert house.witness is not None
    house.witness.kill(signal.SIGTERM)
    with (house.folder / "witness.toml").open("a") as file:
        file.write(f'\n[[log]]\nvkeys = ["{house.vkey}"]\n')
    await house.open_witness()
    await house.serve(MENSHEN_ORIGIN=f"{ORIGIN}/2")
    assert await house.read() == "ok"
    await house.settled()

    report = await house.verdict(await exported(Config(home=house.home, database_url=house.url), house.folder / "next"))
    assert (report.verdict, report.findings) == (Verdict.OK, ())
    assert (report.origin, report.continues) == (f"{ORIGIN}/2", (ORIGIN, size))
    assert left < size and report.cosigned_size is not None
    async with httpx2.AsyncClient() as client:
        kept = await client.get(f"{house.witness_url}/{FOLDER}/checkpoint")
    assert old.open(kept.content).checkpoint.size == size, "of the old log it remembers what it had seen"


async def _closed(house: House) -> None:
    words = ["--last", str(house.folder / "last.note"), "--origin", f"{ORIGIN}/2", "--reason", "nobody has the tail"]
    words += ["--approver", "wang.compliance", "--output", str(house.folder / "kept")]
    settings = house.settings(MENSHEN_SIGNER=f"file:{house.log_key}")
    child = house.nursery.begin(settings, "audit", "genesis", *words, out=house.folder / "genesis.out")
    assert await asyncio.to_thread(child.wait) == 0, child.said

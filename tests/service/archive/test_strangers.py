"""An export goes to somebody who has the verifier and the log's key, and nothing of ours (docs/formats/audit-archive.md)."""

import pytest

from menshen_verifier.findings import Verdict
from menshen_verifier.policy import parse_policy
from menshen_verifier.proof import check_proof, parse_proof
from menshen_verifier.verify import verify
from service.archive import proofs
from service.archive.exporting import export, planned
from service.checkpoints import store as checkpoints
from tests.service.archive.logs import START, Signer, fill
from tests.service.audit import logs

ENTRIES = 5000


@pytest.fixture
async def signer(database, database_url, tmp_path) -> Signer:
    """A log of some pages, published twice."""
    await fill(database_url, tmp_path, ENTRIES - 1000)
    made = Signer()
    await made.publish(database, database_url)
    await fill(database_url, tmp_path, 1000)
    await made.publish(database, database_url)
    return made


@pytest.mark.parametrize(("first", "end"), [(0, None), (1000, None), (1000, 2000), (0, 300)])
async def test_the_verifier_finds_an_export_as_it_should_be(database, signer, tmp_path, first, end) -> None:
    newest = await checkpoints.newest(database.read)
    assert newest is not None
    out = tmp_path / "out"
    out.mkdir(mode=0o700)
    await export(database, planned(logs.ORIGIN, newest, "", first=first, end=end), out, vkeys=[signer.key.vkey])
    policy = parse_policy(f"log {signer.key.vkey}\nquorum none\n".encode())
    report = verify(out, policy, now=int(START.timestamp()) + 6000, processes=1)
    assert report.verdict is Verdict.OK, report
    bundle = next((out / "tile" / "entries").glob("[0-9][0-9][0-9]"))
    raw = bytearray(bundle.read_bytes())
    raw[100] ^= 1
    bundle.write_bytes(raw)
    assert verify(out, policy, now=int(START.timestamp()) + 6000, processes=1).verdict is not Verdict.OK


async def test_a_proof_is_one_that_the_verifier_takes(database, signer) -> None:
    text = await proofs.proof_of(database.read, logs.AUTHORITY, 777)
    policy = parse_policy(f"log {signer.key.vkey}\nquorum none\n".encode())
    assert check_proof(parse_proof(text.encode()), policy).index == 777

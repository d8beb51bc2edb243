"""The proof of one entry (C2SP tlog-proof), as somebody checks it who has the log's key and nothing else of ours."""

from hashlib import sha256

import pytest

from menshen_verifier.base64 import decoded
from menshen_verifier.checkpoint import open_checkpoint
from service.archive import proofs
from service.errors import BadInput, LogBroken, RecordUnavailable
from tests.service.archive.logs import Signer, fill
from tests.service.audit import logs
from tests.vectors.test_merkle import climbed_as_rfc_9162_says

ENTRIES = 700


@pytest.fixture
async def signer(database, database_url, tmp_path) -> Signer:
    """A log of some length, published."""
    await fill(database_url, tmp_path, ENTRIES)
    made = Signer()
    await made.publish(database, database_url)
    return made


def checked(text: str, signer: Signer) -> tuple[int, bytes]:
    """Index and entry of a proof that holds: read line by line, as the document says."""
    head, gap, note = text.partition("\n\n")
    label, extra, index, *path = head.split("\n")
    assert gap and label == "c2sp.org/tlog-proof@v1" and extra.startswith("extra ") and index.startswith("index ")
    raw, at = decoded(extra[6:]), int(index[6:])
    checkpoint = open_checkpoint(note.encode(), [signer.key]).checkpoint
    leaf = sha256(b"\x00" + raw).digest()
    assert climbed_as_rfc_9162_says(at, checkpoint.size, leaf, [decoded(line) for line in path]) == checkpoint.root
    return at, raw


async def test_a_proof_holds_for_a_stranger_wherever_the_entry_stands(database, signer) -> None:
    stored = (await logs.store.page(database.read, 0, ENTRIES)).raws
    for index in (0, 1, 255, 256, 511, 512, 698, 699):
        text = await proofs.proof_of(database.read, logs.AUTHORITY, index)
        assert checked(text, signer) == (index, stored[index])


async def test_what_no_checkpoint_covers_is_not_proven_yet(database, database_url, signer, tmp_path) -> None:
    journal = logs.writer(database, tmp_path)
    await journal.start()
    receipt = await journal.append(logs.read(), logs.CLERK)
    await journal.close()
    with pytest.raises(RecordUnavailable):
        await proofs.proof_of(database.read, logs.AUTHORITY, receipt.index)
    await signer.publish(database, database_url)
    assert checked(await proofs.proof_of(database.read, logs.AUTHORITY, receipt.index), signer)[0] == receipt.index


@pytest.mark.parametrize("index", [-1, -(2**70), 2**70])
async def test_an_index_that_no_entry_can_have_is_refused(database, signer, index) -> None:
    with pytest.raises((BadInput, RecordUnavailable)):
        await proofs.proof_of(database.read, logs.AUTHORITY, index)


async def test_what_was_changed_makes_no_proof(database, database_url, signer) -> None:
    administrator = logs.Administrator(database_url)
    administrator.run("UPDATE audit_entry SET entry = ? WHERE idx = 300", given=(b"{}",))
    with pytest.raises(LogBroken):
        await proofs.proof_of(database.read, logs.AUTHORITY, 300)
    assert checked(await proofs.proof_of(database.read, logs.AUTHORITY, 301), signer)[0] == 301

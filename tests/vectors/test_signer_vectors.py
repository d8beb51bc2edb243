"""docs/formats/signer.md: keys, memory, requests, answers and the follower's position, byte by byte."""

import hmac
import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from menshen_verifier import merkle
from menshen_verifier.checkpoint import Checkpoint
from menshen_verifier.note import Kind
from service.audit.head import Authority
from service.checkpoints import keys, wire
from service.checkpoints.follower import Follower
from service.checkpoints.opening import FileSigner
from service.checkpoints.wire import Activate, Ahead, Ask, Known, Lines, Refused, Sign

VECTORS: dict[str, Any] = json.loads(Path(__file__).with_name("signer.json").read_text())
ORIGIN = VECTORS["origin"]
LEAVES = [merkle.leaf_hash(entry.encode()) for entry in VECTORS["entries"]]


@pytest.fixture
def signer(tmp_path: Path) -> FileSigner:
    """On the vectors' key file and memory."""
    path = tmp_path / "log.key"
    for name, content in (("log.key", VECTORS["key_file"]), ("state", VECTORS["state"])):
        (tmp_path / name).write_text(content)
        (tmp_path / name).chmod(0o600)
    return FileSigner(path, origin=ORIGIN, state=tmp_path / "state")


def test_a_key_file_is_the_key_of_its_vkey(signer: FileSigner, tmp_path: Path) -> None:
    assert keys.load(tmp_path / "log.key", ORIGIN, Kind.ED25519, setting="TEST").key.vkey == VECTORS["vkey"]


async def test_the_request_is_signed_as_the_answer_says_and_remembered(signer: FileSigner, tmp_path: Path) -> None:
    request = wire.parse_request(VECTORS["sign"].encode())
    assert isinstance(request, Sign)
    assert request.checkpoint == Checkpoint(ORIGIN, 5, merkle.root(merkle.extend(0, (), LEAVES).frontier))
    assert await signer.open() == 3
    lines = await signer.sign(request.checkpoint, old=request.old, proof=request.proof, time=0)
    assert wire.answer_bytes(Lines(lines)).decode() == VECTORS["signed"]
    assert (tmp_path / "state").read_text() == "menshen/signer-state/v1\n" + request.checkpoint.text


async def test_every_message_is_written_as_it_stands_there(signer: FileSigner) -> None:
    size = await signer.open()
    assert wire.request_bytes(Ask()).decode() == VECTORS["ask"]
    assert wire.request_bytes(Activate()).decode() == VECTORS["activate"]
    refused = Refused("signer: not a request", broken=False)
    broken = Refused("the signer refuses: it has signed another root at size 3", broken=True)
    for name, answer in (("known", Known(size, signer.keys)), ("ahead", Ahead(3)), ("refused", refused), ("broken", broken)):
        assert wire.answer_bytes(answer).decode() == VECTORS[name]
        assert wire.parse_answer(VECTORS[name].encode()) == answer


def test_the_followers_position() -> None:
    given = VECTORS["position"]
    follower = Follower(Authority(ORIGIN, partial(hmac.digest, bytes.fromhex(given["head_key"]), digest="sha256")))
    follower.tree, _ = follower.tree.grown(LEAVES)
    follower.lanes = dict(given["lanes"])
    assert follower.sealed().hex() == given["sealed"]

"""The witness's files: what is refused, and that no error shows a key."""

from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest
from typer.testing import CliRunner

from menshen_verifier.checkpoint import open_checkpoint
from menshen_verifier.note import Kind, parse_key
from service.cli import menshen
from service.errors import ConfigError
from service.witness import cosigner
from service.witness.cosigner import Cosigner
from service.witness.serving import opened
from service.witness.settings import load
from tests.conftest import StillClock
from tests.service.witness.house import WITNESS_SEED, Log, entries, settings_file

LOG = Log(entries(3))


def test_init_makes_a_key_that_only_its_owner_reads_and_prints_the_public_one(tmp_path: Path) -> None:
    key = tmp_path / "w.key"
    command = ["audit", "witness", "init", "--name", "witness.example.cn/w9", "--key", str(key)]
    done = CliRunner().invoke(menshen, command)
    assert done.exit_code == 0, done.output
    assert key.stat().st_mode & 0o777 == 0o600
    assert parse_key(done.output.strip()) == cosigner.read(key).keys[0]
    assert CliRunner().invoke(menshen, ["audit", "witness", "vkey", "--key", str(key)]).output == done.output
    before = key.read_bytes()
    with pytest.raises(ConfigError):
        cosigner.write(key, Cosigner("x", WITNESS_SEED))
    assert key.read_bytes() == before


@pytest.mark.parametrize("name", ["", "two words", "a+b", "x" * 256, "汉" * 100])
def test_a_name_that_no_note_can_hold_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        Cosigner(name, WITNESS_SEED)


def test_a_key_is_shown_by_nothing(tmp_path: Path) -> None:
    path = tmp_path / "w.key"
    cosigner.write(path, Cosigner("w", WITNESS_SEED))
    assert "w" not in repr(cosigner.read(path)).lower().replace("<cosigner>", "")
    for content in (path.read_text().replace("ed25519", "ed448"), 'name = "w"\ned25519 = "AA=="\n', "name = w", "\x00"):
        path.write_text(content)
        with pytest.raises(ConfigError) as problem:
            cosigner.read(path)
        assert content not in str(problem.value)
    path.chmod(0o644)
    with pytest.raises(ConfigError):
        cosigner.read(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("listen = ", "lisen = "),
        ('"127.0.0.1:0"', '"127.0.0.1"'),
        ('"127.0.0.1:0"', '"127.0.0.1:70000"'),
        ("vkeys = [", "vkeys = [1, "),
        (LOG.key.vkey, "x+00000000+AAAA"),
        ("[[log]]", "[log]"),
        ("[[log]]", "tls_key = 'x'\n[[log]]"),
        ("[[log]]", "[[log]]\ntiles = 'http://elsewhere.example'"),
        ("[[log]]", "[[log]]\ntiles = 'https://log.example/audit'"),
        ("[[log]]", f"[[log]]\nvkeys = ['{LOG.key.vkey}']\n[[log]]"),
    ],
)
def test_settings_that_are_not_fit_are_refused(tmp_path: Path, old: str, new: str) -> None:
    path = settings_file(tmp_path, LOG)
    assert load(path).logs[0].origin == LOG.origin
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ConfigError):
        load(path)


async def test_evidence_is_listed_and_a_fork_is_an_exit_code(tmp_path: Path, add, log: Log, settings: Path) -> None:
    command = ["audit", "witness", "evidence", "--settings", str(settings)]
    assert CliRunner().invoke(menshen, command).exit_code == 0
    await add(log.asks(0, 9))
    await add(Log(entries(40, "another past")).asks(0, 9))
    (settings.parent / "store" / "evidence" / "somebody-else.json").write_text("{}")
    done = CliRunner().invoke(menshen, command)
    assert done.exit_code == 1
    assert "分叉" in done.output and log.origin in done.output


async def test_a_second_signature_can_be_switched_on(tmp_path: Path, clock: StillClock) -> None:
    key = tmp_path / "witness.key"
    command = ["audit", "witness", "init", "--name", "witness.example.cn/pq", "--key", str(key), "--ml-dsa"]
    printed = CliRunner().invoke(menshen, command).output.split()
    keys = [parse_key(vkey) for vkey in printed]
    assert [one.kind for one in keys] == [Kind.COSIGNATURE_V1, Kind.ML_DSA_44]
    with ExitStack() as stack:
        transport = httpx2.ASGITransport(app=opened(stack, load(settings_file(tmp_path, LOG)), clock=clock))
        async with httpx2.AsyncClient(transport=transport, base_url="http://witness.test") as http:
            answer = await http.post("/add-checkpoint", content=LOG.asks(0, 3))
    signed = open_checkpoint((LOG.note(3) + answer.text).encode(), [LOG.key], keys).signed
    assert [(one.key, one.time) for one in signed[1:]] == [(one, int(clock().timestamp())) for one in keys]
    with pytest.raises(ValueError, match="two keys"):
        Cosigner("w", WITNESS_SEED, WITNESS_SEED)

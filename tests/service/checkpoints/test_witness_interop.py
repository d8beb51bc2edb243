"""Witnesses and logs that nobody here wrote, in Go: our client asks theirs, their log asks ours.

Skipped with a reason where there is no Go, or its modules cannot be had.
"""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from menshen_verifier.base64 import encoded
from menshen_verifier.checkpoint import open_checkpoint
from menshen_verifier.note import Key, Kind
from service.hazmat import signing
from service.witness.serving import opened
from service.witness.settings import load
from tests.conftest import StillClock
from tests.service.checkpoints.listening import listening
from tests.service.checkpoints.test_witnesses import NAMES, House, key, proofs, seed
from tests.service.witness.house import LOG_SEED, Log, entries, settings_file
from tests.service.witness.test_add_checkpoint import COSIGNER

HERE = Path(__file__).parent / "interop" / "witness"
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("MENSHEN_")}
BUILD_SECONDS = 240


def go(*given: str, cwd: Path, **more: str) -> str:
    """Run Go; what it prints. Skips where it cannot."""
    if shutil.which("go") is None:
        pytest.skip("no Go here")
    environment = ENVIRONMENT | {"GOFLAGS": "-mod=mod -modcacherw"} | more
    try:
        done = subprocess.run(
            ["go", *given], cwd=cwd, env=environment, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        pytest.skip("Go did not build it in time")
    if done.returncode:
        pytest.skip("the modules of others cannot be had here")
    return done.stdout


@pytest.fixture(scope="session")
def their_witness(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """transparency-dev/witness, built. It asks for a merkle library that is not released; what is missing of it, signs subtrees."""
    place = tmp_path_factory.mktemp("go")
    found = json.loads(go("mod", "download", "-json", "github.com/transparency-dev/merkle@v0.0.2", cwd=place))
    shutil.copytree(found["Dir"], place / "merkle", copy_function=shutil.copyfile)
    for path in (place / "merkle").rglob("*"):
        path.chmod(0o755)
    for name, to in (("main.go", "main.go"), ("go.mod", "go.mod"), ("subtree_missing.go", "merkle/proof/subtree_missing.go")):
        shutil.copyfile(HERE / f"{name}.txt", place / to)
    go("build", "-o", "their-witness", ".", cwd=place)
    return place / "their-witness"


@pytest.fixture(scope="session")
def their_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tessera's one-shot log, built."""
    place = tmp_path_factory.mktemp("tessera")
    package = "github.com/transparency-dev/tessera/cmd/examples/posix-oneshot@v1.0.4"
    go("install", package, cwd=place, GOBIN=str(place), GOFLAGS="-modcacherw")
    return place / "posix-oneshot"


def private(name: str, secret: bytes) -> str:
    """A private key as Go's note package writes it."""
    public = Key(name, Kind.ED25519, signing.public_key(secret))
    return f"PRIVATE+KEY+{name}+{public.id.hex()}+{encoded(bytes([Kind.ED25519]) + secret)}"


@pytest.fixture
def running(their_witness: Path) -> Iterator[str]:
    """Their witness of our log; its address."""
    command = [str(their_witness), Log([]).key.vkey, private(NAMES[0], seed(NAMES[0]))]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


async def test_our_log_is_cosigned_by_a_witness_that_nobody_here_wrote(running: str, tmp_path: Path, clock: StillClock) -> None:
    log = Log(entries(600))
    async with AsyncExitStack() as stack:
        house = House(tmp_path, stack, clock)
        house.at[NAMES[0]] = running
        client = house.client(log)
        for size in (1, 2, 255, 256, 257, 257, 600):
            found = await client.cosign(log.note(size), old=0, proof=proofs(log))
            assert found.enough, (size, found.problems)
            note = log.note(size) + "".join(f"{line}\n" for line in found.lines)
            assert len(open_checkpoint(note.encode(), [log.key], [key(NAMES[0])]).signed) == 2
        anew = house.client(log)
        found = await anew.cosign(log.note(600), old=3, proof=proofs(log))
        assert found.enough
        fork = Log(entries(700, "another past"))
        for size in (600, 700):
            found = await anew.cosign(fork.note(size), old=600, proof=proofs(fork))
            assert (found.lines, found.problems) == ((), {NAMES[0]: "REFUSED"})
        found = await anew.cosign(log.note(300), old=0, proof=proofs(log))
        assert found.problems == {NAMES[0]: "AHEAD"}


async def test_a_log_that_nobody_here_wrote_is_cosigned_by_our_witness(
    their_log: Path, tmp_path: Path, clock: StillClock
) -> None:
    house = tmp_path / "witness"
    house.mkdir()
    log = Log([], origin="tessera.example/log")
    (tmp_path / "log.key").write_text(private(log.origin, LOG_SEED))
    (tmp_path / "entries").mkdir()
    with_store = tmp_path / "store"
    async with AsyncExitStack() as stack:
        app = opened(stack, load(settings_file(house, log)), clock=clock)  # type: ignore[arg-type]
        url = await stack.enter_async_context(listening(app))
        policy = tmp_path / "policy"
        policy.write_text(f"witness w1 {COSIGNER.vkey} {url}\nquorum w1\n")
        for round_ in range(3):
            for number in range(20):
                (tmp_path / "entries" / f"{round_}-{number}").write_text(f"entry {round_} {number}")
            command = [str(their_log), f"--storage_dir={with_store}", f"--entries={tmp_path}/entries/{round_}-*"]
            command += [f"--private_key={tmp_path}/log.key", f"--witness_policy_file={policy}"]
            process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
            async with asyncio.timeout(60):
                _, said = await process.communicate()
            assert process.returncode == 0, said.decode()[-2000:]
            note = (with_store / "checkpoint").read_bytes()
            found = open_checkpoint(note, [log.key], [COSIGNER])
            assert {one.key for one in found.signed} == {log.key, COSIGNER}
            assert found.checkpoint.size == 20 * (round_ + 1)

"""Verifiers that nobody here wrote are run on an export: the Go project's, Tessera's fsck, transparency.dev's formats and Merkle proofs."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from menshen_verifier import tiles
from tests.verifier.exporting import LOG, WITNESS, Log, entries, proof_of, write

PROGRAM = Path(__file__).with_name("strangers")
ENTRIES = entries(700)
WHOLE = Log(ENTRIES, sizes=(1, 255, 256, 257, 512, 700))


@pytest.fixture(scope="session")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, built from pinned sources; Go keeps them, and what it compiled, in its own cache."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("go is missing: the verifiers of others are not run")
    settings = os.environ | {"GOFLAGS": "-mod=readonly -buildvcs=false", "GOTOOLCHAIN": "local"}
    fetched = subprocess.run([go, "mod", "download"], cwd=PROGRAM, env=settings, capture_output=True, timeout=240, check=False)
    if fetched.returncode:
        pytest.skip("the sources of the verifiers of others cannot be fetched here")
    built = tmp_path_factory.mktemp("strangers") / "strangers"
    subprocess.run([go, "build", "-o", str(built), "."], cwd=PROGRAM, env=settings, check=True, timeout=400)
    return built


def run(strangers: Path, folder: Path, *proofs: Path) -> subprocess.CompletedProcess[str]:
    words = [str(strangers), str(folder), LOG.key.vkey, WITNESS.key.vkey, *map(str, proofs)]
    return subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)


def test_three_verifiers_of_others_find_the_export_whole_and_its_proofs_true(strangers: Path, tmp_path: Path) -> None:
    WHOLE.write(tmp_path / "export")
    proofs = []
    for index in (0, 255, 256, 699):
        proofs.append(tmp_path / f"{index}.tlog-proof")
        write(proofs[-1], proof_of(index, WHOLE).encode())
    found = run(strangers, tmp_path / "export", *proofs)
    assert found.returncode == 0, found.stderr
    assert found.stdout.splitlines() == [
        "golang.org/x/mod: 6 checkpoints, 700 entries proven",
        "tessera fsck: whole",
        "transparency-dev/formats: 2 signatures, 4 proofs",
    ]


@pytest.mark.parametrize(
    "what", ["checkpoint", "checkpoints/256", tiles.tile_path(0, 1), tiles.bundle_path(1), tiles.tile_path(1, 0, 2)]
)
def test_they_are_not_content_with_an_altered_one(strangers: Path, tmp_path: Path, what: str) -> None:
    """Or their approval would say nothing."""
    WHOLE.write(tmp_path)
    raw = bytearray((tmp_path / what).read_bytes())
    raw[40] ^= 1
    write(tmp_path / what, bytes(raw))
    assert run(strangers, tmp_path).returncode == 1


def test_they_are_not_content_with_the_proof_of_another_entry(strangers: Path, tmp_path: Path) -> None:
    WHOLE.write(tmp_path / "export")
    write(tmp_path / "odd", proof_of(7, WHOLE).replace("index 7\n", "index 8\n").encode())
    assert run(strangers, tmp_path / "export", tmp_path / "odd").returncode == 1

"""An export, from the folder alone: every byte is the log's, and a run that was cut off ends as one that was not."""

import json
import subprocess
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from menshen_verifier import merkle, tiles
from menshen_verifier.checkpoint import open_checkpoint
from service.archive.exporting import Plan, export, planned, unfinished
from service.archive.queries import Asked, range_of
from service.checkpoints import store as checkpoints
from service.errors import BadInput
from tests.service.archive.logs import START, Signer, fill, root_of
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


async def plan(database, *, first: int = 0, end: int | None = None, asked: str = "..") -> Plan:
    newest = await checkpoints.newest(database.read)
    assert newest is not None
    return planned(logs.ORIGIN, newest, asked, first=first, end=end)


def folder(path: Path) -> Path:
    path.mkdir(mode=0o700)
    return path


def content(path: Path) -> dict[str, bytes]:
    return {str(one.relative_to(path)): one.read_bytes() for one in sorted(path.rglob("*")) if one.is_file()}


def verified(path: Path, signer: Signer) -> list[bytes]:
    """The entries, from bundles alone, under the checkpoint that the log signed."""
    checkpoint = open_checkpoint((path / "checkpoint").read_bytes(), [signer.key]).checkpoint
    raws = []
    for n, width in tiles.widths(checkpoint.size, 0):
        raws += tiles.parse_bundle((path / tiles.bundle_path(n, width)).read_bytes())
    assert len(raws) == checkpoint.size and root_of(raws) == checkpoint.root
    return raws


async def test_the_folder_holds_the_log_and_nothing_of_it_is_anybody_elses(database, signer, tmp_path) -> None:
    out = folder(tmp_path / "out")
    await export(database, await plan(database), out, vkeys=[signer.key.vkey])
    raws = verified(out, signer)
    assert (out / "entries.jsonl").read_bytes() == b"".join(raw + b"\n" for raw in raws)
    leaves = merkle.leaf_hashes(raws)
    for n, width in tiles.widths(ENTRIES, 0):
        assert (out / tiles.tile_path(0, n, width)).read_bytes() == b"".join(leaves[n * 256 : n * 256 + width])
    assert {int(one.name) for one in (out / "checkpoints").iterdir()} == {ENTRIES - 1000, ENTRIES}
    assert {one.stat().st_mode & 0o077 for one in out.rglob("*")} == {0}
    assert not (out / ".unfinished").exists()


async def test_the_manifest_says_what_there_is(database, signer, tmp_path) -> None:
    out = folder(tmp_path / "out")
    await export(database, await plan(database), out, vkeys=[signer.key.vkey])
    told = json.loads((out / "manifest.json").read_bytes())
    raws = verified(out, signer)
    assert (told["origin"], told["size"], told["from"], told["to"]) == (logs.ORIGIN, ENTRIES, 0, ENTRIES)
    assert (told["first_ts"], told["last_ts"]) == (json.loads(raws[0])["ts"], json.loads(raws[-1])["ts"])
    assert told["policies"] == [logs.POLICY]
    digests = {one["path"]: one["sha256"] for one in told["files"]}
    rest = {path: raw for path, raw in content(out).items() if not path.startswith("tile/") and path != "manifest.json"}
    assert digests == {path: sha256(raw).hexdigest() for path, raw in rest.items()}
    assert told["tiles"]["sha256"] == as_sha256sum_says(out)


def as_sha256sum_says(path: Path) -> str:
    command = "find tile -type f | LC_ALL=C sort | xargs sha256sum | sha256sum"
    return subprocess.run(["sh", "-c", command], cwd=path, capture_output=True, text=True, check=True).stdout.split()[0]


async def test_a_range_has_its_own_entries_and_the_hashes_of_everything(database, signer, tmp_path) -> None:
    out = folder(tmp_path / "out")
    await export(database, await plan(database, first=1000, end=2000), out)
    told = json.loads((out / "manifest.json").read_bytes())
    assert (told["from"], told["to"], told["entries"]) == (768, 2048, 1280)
    bundles = {int(one.name) for one in (out / "tile/entries").iterdir()}
    assert bundles == {3, 4, 5, 6, 7}
    assert (out / "entries.jsonl").read_bytes().count(b"\n") == 1280
    assert all((out / tiles.tile_path(0, n, width)).exists() for n, width in tiles.widths(ENTRIES, 0))


@pytest.mark.parametrize("at", [2048, 4096])
async def test_a_run_that_was_cut_off_is_taken_up_and_ends_with_the_same_bytes(database, signer, tmp_path, at) -> None:
    whole, cut = folder(tmp_path / "whole"), folder(tmp_path / "cut")
    chosen = await plan(database)
    await export(database, chosen, whole)

    def cut_off(done: int, _all: int) -> None:
        if done == at:
            raise InterruptedError

    with pytest.raises((BadInput, InterruptedError)):
        await export(database, chosen, cut, progress=cut_off)
    assert not (cut / "manifest.json").exists()
    taken_up = unfinished(cut, "..")
    assert taken_up == chosen
    await export(database, taken_up, cut)
    assert content(cut) == content(whole)


async def test_a_folder_with_anything_else_in_it_is_left_alone(database, signer, tmp_path) -> None:
    out = folder(tmp_path / "out")
    (out / "letter.txt").write_text("mine")
    with pytest.raises(BadInput):
        unfinished(out, "..")
    finished = folder(tmp_path / "finished")
    await export(database, await plan(database), finished)
    with pytest.raises(BadInput):
        unfinished(finished, "..")


async def test_an_interrupted_export_is_not_taken_up_for_another_range(database, signer, tmp_path) -> None:
    out = folder(tmp_path / "out")

    def cut_off(_done: int, _all: int) -> None:
        raise InterruptedError

    with pytest.raises((BadInput, InterruptedError)):
        await export(database, await plan(database), out, progress=cut_off)
    with pytest.raises(BadInput):
        unfinished(out, "0..100")


async def test_what_was_taken_out_of_the_database_is_missing_in_the_export(database, database_url, signer, tmp_path) -> None:
    logs.Administrator(database_url).run("DELETE FROM audit_entry WHERE idx = 1000")
    out = folder(tmp_path / "out")
    done = await export(database, await plan(database), out)
    assert done.count == ENTRIES - 1
    assert not (out / tiles.bundle_path(3)).exists() and (out / tiles.bundle_path(4)).exists()


async def test_times_are_indices_and_nothing_of_the_time_is_left_out(database, signer) -> None:
    first, end = await range_of(database.read, Asked(START + timedelta(seconds=500), START + timedelta(seconds=900)))
    assert end is not None
    raws = (await logs.store.page(database.read, 0, ENTRIES)).raws
    inside = [n for n, raw in enumerate(raws) if "2020-05-20T01:08:20" <= json.loads(raw)["ts"] < "2020-05-20T01:15:00"]
    assert inside and first <= min(inside) and max(inside) < end
    assert await range_of(database.read, Asked()) == (0, None)


async def test_an_entry_that_waited_long_hides_none_that_went_before_it(database, database_url, signer) -> None:
    """A change is answered once it stands; after a crash its entry comes into the tree behind many that are younger."""
    since, until = START + timedelta(hours=-3), START + timedelta(hours=-2)
    administrator, moved = (
        logs.Administrator(database_url),
        (START + timedelta(hours=-2, minutes=-30)).strftime("%Y-%m-%dT%H:%M:%S.000000Z"),
    )
    administrator.run("UPDATE audit_entry SET ts = ? WHERE idx = 3000", given=(moved,))
    assert await range_of(database.read, Asked(since, until)) == (0, 3001)

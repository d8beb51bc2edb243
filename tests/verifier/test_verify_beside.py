"""What lies beside the entries, and what the report says: found where it is not the signed tree's, in both languages."""

import json
import os
from pathlib import Path

import pytest

from menshen_verifier import merkle, tiles
from menshen_verifier.errors import Malformed
from menshen_verifier.findings import Part, Verdict
from menshen_verifier.report import as_json, page
from tests.verifier.exporting import Log, write, write_tiles
from tests.verifier.judged import ENTRIES, WHOLE, changed, rewritten, told, verified

# --- what lies beside -----------------------------------------------------------------------------------------------------------------


def test_a_number_that_is_missing_is_told_though_everything_is_signed(tmp_path: Path) -> None:
    gone = [*ENTRIES[:310], *ENTRIES[311:]]
    report = verified(Log(gone, sizes=(512, 999)).write(tmp_path))
    assert told(report) == [(Verdict.REMOVED, Part.NUMBERS, 309, 311)]


def test_a_number_that_comes_twice_is_told(tmp_path: Path) -> None:
    twice = [*ENTRIES[:310], ENTRIES[308], *ENTRIES[310:]]
    found = told(verified(Log(twice, sizes=(1001,)).write(tmp_path)))
    assert (Verdict.INSERTED, Part.NUMBERS, 310, 310) in found


def test_a_writer_begins_with_its_boot(tmp_path: Path) -> None:
    report = verified(Log(ENTRIES[2:], sizes=(998,)).write(tmp_path))
    assert told(report) == [(Verdict.REMOVED, Part.NUMBERS, 0, 0), (Verdict.REMOVED, Part.NUMBERS, 0, 1)]


def test_an_entry_that_is_none_is_told_though_it_is_signed(tmp_path: Path) -> None:
    odd = [*ENTRIES[:10], ENTRIES[10].replace(b'"v":1', b'"v":2'), *ENTRIES[11:]]
    found = told(verified(Log(odd, sizes=(1000,)).write(tmp_path)))
    assert (Verdict.ALTERED, Part.FORM, 10, 10) in found


def test_a_tile_that_was_changed_is_told_and_the_entries_are_not_accused(tmp_path: Path) -> None:
    WHOLE.write(tmp_path)
    hashes = bytearray((tmp_path / tiles.tile_path(0, 1)).read_bytes())
    hashes[32 * 7] ^= 1
    write(tmp_path / tiles.tile_path(0, 1), bytes(hashes))
    assert told(verified(tmp_path)) == [(Verdict.ALTERED, Part.TILE, 263, 263)]


@pytest.mark.parametrize(
    ("path", "first", "last"),
    [(tiles.tile_path(0, 1), 256, 511), (tiles.tile_path(0, 3, 232), 768, 999), (tiles.tile_path(1, 0, 3), 0, 767)],
)
def test_a_tile_that_is_gone_is_told(tmp_path: Path, path: str, first: int, last: int) -> None:
    WHOLE.write(tmp_path)
    (tmp_path / path).unlink()
    assert told(verified(tmp_path)) == [(Verdict.REMOVED, Part.TILE, first, last)]


def test_lines_that_differ_from_the_entries_are_told(tmp_path: Path) -> None:
    WHOLE.write(tmp_path)
    lines = (tmp_path / "entries.jsonl").read_bytes()
    write(tmp_path / "entries.jsonl", lines.replace(b'"s":300', b'"s":301', 1))
    assert {(one.verdict, one.part) for one in verified(tmp_path).findings} == {(Verdict.ALTERED, Part.LINES)}
    for other in (lines + b"{}\n", lines[:-1], b""):
        write(tmp_path / "entries.jsonl", other)
        assert {(one.verdict, one.part) for one in verified(tmp_path).findings} == {(Verdict.ALTERED, Part.LINES)}
    (tmp_path / "entries.jsonl").unlink()
    assert verified(tmp_path).verdict is Verdict.OK


@pytest.mark.parametrize(
    "manifest",
    [
        b"",
        b"[]",
        b"{}",
        b'{"origin":"o","size":1,"from":2,"to":1}',
        b'{"origin":"o","size":true,"from":0,"to":1}',
        b"[" * 100_000,
    ],
)
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, manifest: bytes) -> None:
    WHOLE.write(tmp_path)
    write(tmp_path / "manifest.json", manifest)
    with pytest.raises(Malformed):
        verified(tmp_path)


def test_a_manifest_of_another_log_is_told(tmp_path: Path) -> None:
    WHOLE.write(tmp_path)
    write(tmp_path / "manifest.json", json.dumps({"origin": "o", "size": 1000, "from": 0, "to": 1000}).encode())
    assert {one.part for one in verified(tmp_path).findings} == {Part.MANIFEST}


def test_without_a_manifest_everything_must_be_there(tmp_path: Path) -> None:
    WHOLE.write(tmp_path)
    (tmp_path / "manifest.json").unlink()
    assert verified(tmp_path).verdict is Verdict.OK


def test_a_pipe_in_the_folder_keeps_nobody_waiting(tmp_path: Path) -> None:
    WHOLE.write(tmp_path)
    (tmp_path / tiles.bundle_path(1)).unlink()
    os.mkfifo(tmp_path / tiles.bundle_path(1))
    assert verified(tmp_path).verdict is Verdict.REMOVED


def test_a_folder_without_a_checkpoint_is_no_export(tmp_path: Path) -> None:
    with pytest.raises(Malformed):
        verified(tmp_path)


# --- reports -----------------------------------------------------------------------------------------------------------------------


def test_the_report_says_it_in_both_languages_on_one_page_and_never_what_an_entry_says(tmp_path: Path) -> None:
    other = [*ENTRIES[:310], changed(ENTRIES[310]), *ENTRIES[311:]]
    report = rewritten(tmp_path, other, tiles_too=False)
    text = page(report)
    assert "ALTERED" in text
    assert "被篡改" in text
    assert "310" in text
    assert len(text.splitlines()) < 66
    assert "clerk-0017" not in text + as_json(report, {})
    assert json.loads(as_json(report, {}))["findings"] == [{"verdict": "ALTERED", "part": "entry", "first": 310, "last": 310}]


def test_the_report_of_a_whole_log_says_that_it_was_only_appended_to(tmp_path: Path) -> None:
    text = page(verified(WHOLE.write(tmp_path), since=WHOLE.note(300)))
    assert "仅有追加" in text
    assert "only appended to" in text
    assert json.loads(as_json(verified(tmp_path), {}))["verdict"] == "OK"


def test_tiles_made_anew_do_not_hide_which_entries_are_gone(tmp_path: Path) -> None:
    write_tiles(tmp_path, merkle.leaf_hashes(ENTRIES))
    assert (tmp_path / tiles.tile_path(1, 0, 3)).read_bytes() == b"".join(
        merkle.tile_root(merkle.leaf_hashes(ENTRIES[n * 256 : n * 256 + 256])) for n in range(3)
    )

"""What was done to a log is found in its export, under the right verdict and at the right place; and nothing is found in a whole one."""

import json
from pathlib import Path

import pytest

from menshen_verifier import merkle, tiles
from menshen_verifier.errors import Forged, Malformed
from menshen_verifier.findings import Part, Verdict
from menshen_verifier.note import Kind
from menshen_verifier.policy import parse_policy
from menshen_verifier.verify import FRESH, TOLERANCE, verify
from tests.verifier.exporting import ALONE, LOG, POLICY, WITNESS, Log, Signer, entries, note, root_of, seconds, write
from tests.verifier.judged import ENTRIES, NOW, SIZES, WHOLE, changed, rewritten, told, verified

# --- whole logs --------------------------------------------------------------------------------------------------------------------


def test_a_whole_log_is_ok_and_every_checkpoint_was_compared(tmp_path: Path) -> None:
    report = verified(WHOLE.write(tmp_path), since=WHOLE.note(300), notes=[WHOLE.note(513)])
    assert told(report) == []
    assert (report.verdict, report.entries, report.size, report.writers) == (Verdict.OK, 1000, 1000, 2)
    assert report.checkpoints == len(SIZES) + 3
    assert (report.since, report.cosigned_size, report.cosigned_at) == (300, 1000, NOW)
    assert report.witnesses == (WITNESS.name,)
    assert (report.root, report.unchecked) == (root_of(ENTRIES).hex(), 0)


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512])
def test_logs_of_all_kinds_of_sizes_are_whole(tmp_path: Path, size: int) -> None:
    report = verified(Log(ENTRIES[:size], sizes=(size,)).write(tmp_path))
    assert (told(report), report.entries) == ([], size)


def test_a_log_without_entries_is_whole(tmp_path: Path) -> None:
    report = verified(Log([], sizes=(0,)).write(tmp_path), policy=ALONE, now=0)
    assert (report.verdict, report.root, report.checkpoints) == (Verdict.OK, merkle.EMPTY_ROOT.hex(), 2)


def test_several_processes_find_what_one_finds_in_a_log_of_more_than_one_stretch(tmp_path: Path) -> None:
    some = entries(66_300, lanes=3)
    Log(some, sizes=(256, 65_535, 65_536, 65_537, 66_000, 66_300)).write(tmp_path)
    one = verify(tmp_path, parse_policy(POLICY.encode()), now=seconds(66_300), processes=1)
    assert (one.verdict, one.entries, one.checkpoints, one.writers) == (Verdict.OK, 66_300, 7, 3)
    assert verify(tmp_path, parse_policy(POLICY.encode()), now=seconds(66_300), processes=2) == one
    bundle = tmp_path / tiles.bundle_path(256)
    write(bundle, tiles.bundle([*some[65_536:65_540], changed(some[65_540]), *some[65_541:65_792]]))
    (found,) = (one for one in verified(tmp_path).findings if one.part is Part.ENTRY)
    assert (found.verdict, found.first, found.last) == (Verdict.ALTERED, 65_540, 65_540)


@pytest.mark.parametrize(("first", "end"), [(256, 1000), (300, 700), (512, 513), (999, 1000), (0, 300), (1000, 1000)])
def test_a_range_begins_at_the_tiles_of_what_lies_before_it(tmp_path: Path, first: int, end: int) -> None:
    report = verified(WHOLE.but(first=first, end=end).write(tmp_path))
    assert told(report) == []
    covered = 0 if first == end else min(1000, -(-end // 256) * 256) - first // 256 * 256
    assert (report.entries, report.checkpoints, report.unchecked) == (covered, len(SIZES) + 1, 0)


def test_a_pruned_log_of_which_only_roots_of_tiles_are_left_still_comes_to_its_root(tmp_path: Path) -> None:
    WHOLE.but(first=512).write(tmp_path)
    for n in (0, 1):
        (tmp_path / tiles.tile_path(0, n)).unlink()
    report = verified(tmp_path)
    assert told(report) == []
    # 1, 100 and 300 end inside tiles that are gone; 256 and 512 do not.
    assert (report.checkpoints, report.unchecked) == (5, 3)
    write(tmp_path / tiles.tile_path(1, 0, 3), bytes(96))
    assert verified(tmp_path).verdict is Verdict.ALTERED


def test_of_several_remembered_heads_that_can_no_longer_be_compared_the_first_is_told(tmp_path: Path) -> None:
    WHOLE.but(first=512).write(tmp_path)
    for n in (0, 1):
        (tmp_path / tiles.tile_path(0, n)).unlink()
    for notes in ((300, 100, 513), (100, 300)):
        found = told(verified(tmp_path, notes=[WHOLE.note(size) for size in notes]))
        assert found == [(Verdict.REMOVED, Part.TILE, 99, 99)]


# --- altered, removed, inserted ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("index", [0, 5, 255, 256, 777, 999])
def test_a_changed_byte_is_found_at_its_entry(tmp_path: Path, index: int) -> None:
    other = [*ENTRIES[:index], ENTRIES[index].replace(b'"v":1', b'"v":1'[:-1] + b"2"), *ENTRIES[index + 1 :]]
    report = verified(Log(other, sizes=(), hashed=ENTRIES, notes={1000: WHOLE.note(1000)}).write(tmp_path))
    assert (Verdict.ALTERED, Part.ENTRY, index, index) in told(report)
    assert report.verdict is Verdict.ALTERED


def test_an_entry_that_says_something_else_now_is_found_exactly_by_the_tiles(tmp_path: Path) -> None:
    report = rewritten(tmp_path, [*ENTRIES[:310], changed(ENTRIES[310]), *ENTRIES[311:]], tiles_too=False)
    assert (report.verdict, told(report)) == (Verdict.ALTERED, [(Verdict.ALTERED, Part.ENTRY, 310, 310)])


def test_and_between_two_checkpoints_where_the_tiles_were_made_anew(tmp_path: Path) -> None:
    report = rewritten(tmp_path, [*ENTRIES[:310], changed(ENTRIES[310]), *ENTRIES[311:]], tiles_too=True)
    assert (report.verdict, told(report)) == (Verdict.ALTERED, [(Verdict.ALTERED, Part.ENTRY, 300, 511)])


def test_two_entries_that_changed_places_are_found(tmp_path: Path) -> None:
    report = rewritten(tmp_path, [*ENTRIES[:400], ENTRIES[401], ENTRIES[400], *ENTRIES[402:]], tiles_too=False)
    assert report.verdict in {Verdict.ALTERED, Verdict.REMOVED, Verdict.INSERTED}
    assert 400 <= report.findings[0].first <= report.findings[0].last <= 401


@pytest.mark.parametrize("sizes", [(1000,), (100, 1000)])
def test_whoever_closes_the_gap_and_loses_the_edge_is_told_where_the_gap_was(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    """The entries moved up by one, so the last bundle has one too few and its tile is gone: no signed head can be compared any more."""
    other = [*ENTRIES[:200], *ENTRIES[201:]]
    Log(other, sizes=sizes, notes={size: WHOLE.note(size) for size in SIZES}, hashed=ENTRIES).write(tmp_path)
    (tmp_path / tiles.tile_path(0, 3, 232)).unlink()
    manifest = {"origin": LOG.name, "size": 1000, "from": 0, "to": 1000}
    write(tmp_path / "manifest.json", json.dumps(manifest).encode())
    report = verified(tmp_path)
    assert report.verdict is Verdict.REMOVED
    assert told(report)[0] == (Verdict.REMOVED, Part.ENTRY, 200, 200)


def test_where_the_edge_is_gone_what_a_signed_head_covers_is_believed_and_the_rest_is_not(tmp_path: Path) -> None:
    tiled = [*ENTRIES[:99], changed(ENTRIES[99]), *ENTRIES[100:400], changed(ENTRIES[400]), *ENTRIES[401:]]
    WHOLE.but(sizes=(256, 1000), hashed=tiled).write(tmp_path)
    for path in (tiles.tile_path(0, 3, 232), tiles.bundle_path(3, 232)):
        (tmp_path / path).unlink()
    found = told(verified(tmp_path))
    assert (Verdict.ALTERED, Part.TILE, 99, 99) in found, "the entries are those that were signed at 256"
    assert (Verdict.ALTERED, Part.ENTRY, 400, 400) in found, "nobody can tell whether entry or hash is the signed one"


@pytest.mark.parametrize("tiles_too", [False, True])
def test_a_removed_entry_is_told_from_an_altered_one(tmp_path: Path, *, tiles_too: bool) -> None:
    other = [*ENTRIES[:310], *ENTRIES[311:]]
    log = Log(other, sizes=SIZES[:-1], notes={size: WHOLE.note(size) for size in SIZES}, hashed=None if tiles_too else ENTRIES)
    log.write(tmp_path)
    write(tmp_path / "checkpoint", WHOLE.note(1000))
    report = verified(tmp_path)
    assert report.verdict is Verdict.REMOVED
    first = next(one for one in report.findings if one.verdict is Verdict.REMOVED and one.part is Part.ENTRY)
    assert first.first <= 310 <= first.last <= (312 if tiles_too else 310)


@pytest.mark.parametrize("tiles_too", [False, True])
def test_an_inserted_entry_is_told_from_an_altered_one(tmp_path: Path, *, tiles_too: bool) -> None:
    other = [*ENTRIES[:310], changed(ENTRIES[308]), *ENTRIES[310:999]]
    report = rewritten(tmp_path, other, tiles_too=tiles_too)
    assert report.verdict is Verdict.INSERTED
    assert next((one.first, one.last) for one in report.findings if one.verdict is Verdict.INSERTED) == (310, 310)


def test_what_follows_an_entry_that_was_put_in_is_not_told_again_bundle_by_bundle(tmp_path: Path) -> None:
    other = [*ENTRIES[:310], changed(ENTRIES[308]), *ENTRIES[310:999]]
    report = verified(Log(other, sizes=(1000,), notes={1000: WHOLE.note(1000)}, hashed=ENTRIES).write(tmp_path))
    assert [one for one in told(report) if one[1] is Part.ENTRY] == [(Verdict.INSERTED, Part.ENTRY, 310, 310)]


def test_a_bundle_that_is_gone_leaves_its_range(tmp_path: Path) -> None:
    WHOLE.write(tmp_path)
    (tmp_path / tiles.bundle_path(1)).unlink()
    (tmp_path / "entries.jsonl").unlink()
    assert told(verified(tmp_path)) == [(Verdict.REMOVED, Part.ENTRY, 256, 511)]


def test_where_a_bundle_could_not_be_made_the_lines_say_which_entry_is_gone(tmp_path: Path) -> None:
    """So an exporter writes what a hole in the database leaves."""
    WHOLE.write(tmp_path)
    (tmp_path / tiles.bundle_path(1)).unlink()
    write(tmp_path / "entries.jsonl", b"".join(entry + b"\n" for at, entry in enumerate(ENTRIES) if at != 310))
    assert told(verified(tmp_path)) == [(Verdict.REMOVED, Part.ENTRY, 310, 310)]


def test_a_cut_tail_is_removed_entries_for_the_checkpoint_still_counts_them(tmp_path: Path) -> None:
    Log(ENTRIES[:700], sizes=(512,)).write(tmp_path)
    write(tmp_path / "checkpoint", WHOLE.note(1000))
    report = verified(tmp_path)
    assert report.verdict is Verdict.REMOVED
    first = next(one for one in report.findings if one.part is Part.ENTRY)
    assert first.first <= 700 <= first.last == 767


# --- heads ---------------------------------------------------------------------------------------------------------------------------


def test_a_log_that_is_shorter_than_what_the_auditor_remembers_was_rolled_back(tmp_path: Path) -> None:
    Log(ENTRIES[:600], sizes=(256, 512, 600)).write(tmp_path)
    report = verified(tmp_path, since=WHOLE.note(1000), now=seconds(600))
    assert told(report) == [(Verdict.ROLLED_BACK, Part.CHECKPOINT, 600, 999)]
    assert [one.note for one in report.evidence] == [WHOLE.note(1000), WHOLE.note(600)]


@pytest.mark.parametrize("size", [601, 1000])
def test_a_log_that_is_shorter_than_a_checkpoint_of_its_own_was_rolled_back(tmp_path: Path, size: int) -> None:
    Log(ENTRIES[:600], sizes=(256, 600)).write(tmp_path)
    write(tmp_path / f"checkpoints/{size}", WHOLE.note(size))
    report = verified(tmp_path, now=seconds(600))
    assert told(report) == [(Verdict.ROLLED_BACK, Part.CHECKPOINT, 600, size - 1)]
    assert [one.note for one in report.evidence] == [WHOLE.note(size), WHOLE.note(600)]


def test_a_larger_checkpoint_that_nobody_signed_hides_no_other(tmp_path: Path) -> None:
    Log(ENTRIES[:600], sizes=(256, 600)).write(tmp_path)
    write(tmp_path / "checkpoints/700", WHOLE.note(700))
    write(tmp_path / "checkpoints/900", WHOLE.note(900).replace(b"\n900\n", b"\n901\n"))
    report = verified(tmp_path, now=seconds(600))
    assert (Verdict.ROLLED_BACK, Part.CHECKPOINT, 600, 699) in told(report)


def test_a_rewritten_log_under_a_stolen_key_is_a_fork_and_both_heads_are_kept(tmp_path: Path) -> None:
    other = [*ENTRIES[:310], changed(ENTRIES[310]), *ENTRIES[311:]]
    forged = Log(other, sizes=SIZES)
    report = verified(forged.write(tmp_path), since=WHOLE.note(513))
    assert (report.verdict, told(report)) == (Verdict.FORKED, [(Verdict.FORKED, Part.CHECKPOINT, 0, 512)])
    narrower = verified(tmp_path, since=WHOLE.note(513), notes=[WHOLE.note(300)])
    assert told(narrower) == [(Verdict.FORKED, Part.CHECKPOINT, 300, 512)]
    assert [one.note for one in report.evidence][:2] == [WHOLE.note(513), forged.note(513)]
    assert forged.note(1000) in [one.note for one in report.evidence]


def test_two_heads_of_one_size_are_a_fork_whatever_the_entries_are(tmp_path: Path) -> None:
    WHOLE.write(tmp_path)
    other = note(1000, root_of(ENTRIES[:999]))
    report = verified(tmp_path, notes=[other])
    assert report.verdict is Verdict.FORKED
    assert {one.note for one in report.evidence} == {WHOLE.note(1000), other}


def test_a_second_head_of_the_export_s_own_size_parts_behind_the_last_one_that_fits(tmp_path: Path) -> None:
    other = note(1000, root_of(ENTRIES[:999]))
    WHOLE.write(tmp_path)
    write(tmp_path / "checkpoints/1000", other)
    report = verified(tmp_path)
    assert told(report) == [(Verdict.FORKED, Part.CHECKPOINT, 513, 999)]
    assert {one.note for one in report.evidence} == {WHOLE.note(1000), other}


def test_two_heads_beyond_the_export_are_a_fork_too(tmp_path: Path) -> None:
    Log(ENTRIES[:600], sizes=(600,)).write(tmp_path)
    report = verified(tmp_path, since=WHOLE.note(1000), notes=[note(1000, bytes(32))], now=seconds(600))
    assert {one.verdict for one in report.findings} >= {Verdict.FORKED, Verdict.ROLLED_BACK}


def test_a_head_that_somebody_else_signed_is_no_head(tmp_path: Path) -> None:
    thief = Signer(LOG.name, Kind.ED25519, 9)
    Log(ENTRIES, signers=(thief, WITNESS)).write(tmp_path)
    with pytest.raises(Forged):
        verified(tmp_path)


def test_a_known_checkpoint_that_is_not_signed_is_told_and_does_not_count(tmp_path: Path) -> None:
    WHOLE.write(tmp_path)
    write(tmp_path / "checkpoints/300", WHOLE.note(300).replace(b"\n300\n", b"\n301\n"))
    assert told(verified(tmp_path)) == [(Verdict.ALTERED, Part.CHECKPOINT, 300, 300)]


def test_a_log_under_a_new_key_is_one_log_to_a_policy_with_both(tmp_path: Path) -> None:
    new = Signer(LOG.name, Kind.ED25519, 7)
    WHOLE.but(notes={1000: note(1000, root_of(ENTRIES), signers=(new, WITNESS))}).write(tmp_path)
    both = f"log {new.key.vkey}\n{POLICY}"
    assert verified(tmp_path, policy=both, since=WHOLE.note(300)).verdict is Verdict.OK


def test_remembered_checkpoints_of_another_log_are_refused(tmp_path: Path) -> None:
    WHOLE.write(tmp_path)
    other = Signer("other.example/log", Kind.ED25519, 8)
    with pytest.raises(Malformed, match="different logs"):
        verified(
            tmp_path,
            policy=f"log {other.key.vkey}\n{POLICY}",
            since=note(3, bytes(32), signers=(other,), origin="other.example/log"),
        )


# --- witnesses and time --------------------------------------------------------------------------------------------------------------


def test_entries_that_the_quorum_has_not_seen_are_an_unsigned_tail(tmp_path: Path) -> None:
    alone = note(1000, root_of(ENTRIES), signers=(LOG,))
    WHOLE.but(notes={1000: alone}).write(tmp_path)
    report = verified(tmp_path)
    assert told(report) == [(Verdict.UNSIGNED_TAIL, Part.CHECKPOINT, 513, 999)]
    assert verified(tmp_path, policy=ALONE).verdict is Verdict.OK


def test_entries_behind_the_newest_checkpoint_are_an_unsigned_tail(tmp_path: Path) -> None:
    Log(ENTRIES, sizes=(600,)).write(tmp_path)
    report = verified(tmp_path)
    assert (told(report), report.entries) == ([(Verdict.UNSIGNED_TAIL, Part.CHECKPOINT, 600, 999)], 1000)


def test_a_log_that_no_witness_saw_lately_is_stale(tmp_path: Path) -> None:
    WHOLE.write(tmp_path)
    assert verified(tmp_path, now=NOW + FRESH).verdict is Verdict.OK
    assert told(verified(tmp_path, now=NOW + FRESH + 1)) == [(Verdict.STALE, Part.CHECKPOINT, 1000, 1000)]
    assert verified(tmp_path, now=NOW + FRESH + 1, policy=ALONE).verdict is Verdict.OK


@pytest.mark.parametrize(("shift", "where"), [(-TOLERANCE - 60, [(300, 511)]), (TOLERANCE + 60, [(512, 512)])])
def test_entries_whose_time_does_not_fit_between_cosignatures_are_told(
    tmp_path: Path, shift: int, where: list[tuple[int, int]]
) -> None:
    """The witness says 512 was there long before its entries say they were written; or that it was long after, and the next ones earlier."""
    odd = note(512, root_of(ENTRIES[:512]), time=seconds(512) + shift)
    report = verified(WHOLE.but(notes={512: odd}).write(tmp_path))
    assert {(one.verdict, one.part) for one in report.findings} == {(Verdict.ALTERED, Part.CLOCK)}
    assert [(one.first, one.last) for one in report.findings][:1] == where


def test_clocks_may_differ_by_the_tolerance(tmp_path: Path) -> None:
    odd = note(512, root_of(ENTRIES[:512]), time=seconds(512) + TOLERANCE - 1)
    assert verified(WHOLE.but(notes={512: odd}).write(tmp_path)).verdict is Verdict.OK

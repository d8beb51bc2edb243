"""Instances whose clocks are apart: times go back and forth in the log, and that is no finding until it is more than clocks may differ."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from menshen_verifier.findings import Part, Verdict
from menshen_verifier.report import page
from menshen_verifier.verify import TOLERANCE
from tests.verifier.exporting import ALONE, Log
from tests.verifier.judged import ENTRIES, SIZES, told, verified


def moved(raw: bytes, seconds: int) -> bytes:
    """The entry as an instance wrote it whose clock is so far ahead."""
    entry = json.loads(raw)
    moment = datetime.fromisoformat(entry["ts"]) + timedelta(seconds=seconds)
    entry["ts"] = moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def apart(seconds: int, *, since: int = 0) -> Log:
    """Of two writers, whose entries alternate, one is so far ahead from an entry on; the witness's clock is right."""
    entries = [moved(raw, seconds) if at >= since and at % 2 else raw for at, raw in enumerate(ENTRIES)]
    return Log(entries, sizes=SIZES)


@pytest.mark.parametrize("seconds", [1, -1, 60, -60, TOLERANCE - 2, 2 - TOLERANCE])
def test_entries_whose_times_go_back_from_one_writer_to_the_other_are_a_whole_log(tmp_path: Path, seconds: int) -> None:
    log = apart(seconds)
    times = [json.loads(raw)["ts"] for raw in log.entries]
    assert times != sorted(times), "they do go back"
    report = verified(log.write(tmp_path))
    assert (report.verdict, told(report), report.checkpoints) == (Verdict.OK, [], len(SIZES) + 1)


def test_a_writer_who_is_further_ahead_than_clocks_may_differ_is_told_with_the_entries_before_the_cosignature(
    tmp_path: Path,
) -> None:
    found = told(verified(apart(TOLERANCE + 60, since=300).write(tmp_path)))
    assert {(verdict, part) for verdict, part, _, _ in found} == {(Verdict.ALTERED, Part.CLOCK)}
    assert found[0][2:] == (300, 511), "from the checkpoint that was still right to the one whose witness knew better"


def test_a_writer_who_is_further_behind_is_told_with_the_entries_after_the_cosignature(tmp_path: Path) -> None:
    found = told(verified(apart(-TOLERANCE - 60, since=300).write(tmp_path)))
    assert {(verdict, part) for verdict, part, _, _ in found} == {(Verdict.ALTERED, Part.CLOCK)}
    assert min(first for _, _, first, _ in found) == 300


def test_an_entry_ahead_is_told_where_it_stands_though_the_ones_after_it_are_right(tmp_path: Path) -> None:
    ahead = [*ENTRIES[:600], moved(ENTRIES[600], TOLERANCE + 60), *ENTRIES[601:]]
    found = told(verified(Log(ahead, sizes=(1000,)).write(tmp_path)))
    assert found == [(Verdict.ALTERED, Part.CLOCK, 512, 767)]


def test_without_a_witness_nobody_knows_whose_clock_is_right(tmp_path: Path) -> None:
    log = apart(TOLERANCE + 60).but(signers=Log(ENTRIES).signers[:1])
    assert verified(log.write(tmp_path), policy=ALONE).verdict is Verdict.OK


@pytest.mark.parametrize("time", [2**63 - 1, 253402300799, 253402271999])
def test_a_witness_s_time_that_no_calendar_has_does_not_stop_the_report(tmp_path: Path, time: int) -> None:
    found = verified(apart(0).write(tmp_path))
    assert "9999-12-31 23:59:59" in page(replace(found, cosigned_at=time))

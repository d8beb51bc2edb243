"""What the log's own keeper may show an auditor in order to be believed, and what it is told instead."""

import json
from pathlib import Path
from typing import Any

import pytest

from menshen_verifier import tiles
from menshen_verifier.__main__ import keep
from menshen_verifier.answer import parse_answer
from menshen_verifier.errors import Malformed
from menshen_verifier.findings import Evidence, Part, Verdict
from menshen_verifier.verify import FRESH
from tests.verifier.exporting import LOG, POLICY, SECOND, WITNESS, note, root_of, write
from tests.verifier.judged import ENTRIES, NOW, WHOLE, changed, told, verified

BOTH = POLICY.replace("both any", "both all")


def cosigned(first: int, second: int) -> bytes:
    """The newest head, cosigned by two witnesses at different times."""
    text = note(1000, root_of(ENTRIES), signers=(LOG,)).decode()
    body = text.rpartition("\n\n")[0] + "\n"
    return (text + "".join(f"{one.line(body, time)}\n" for one, time in ((WITNESS, first), (SECOND, second)))).encode()


def test_one_witness_with_a_new_time_does_not_make_an_old_quorum_fresh(tmp_path: Path) -> None:
    today = NOW + 30 * FRESH
    WHOLE.but(sizes=(1000,), notes={1000: cosigned(today, NOW)}).write(tmp_path)
    report = verified(tmp_path, policy=BOTH, now=today)
    assert (report.verdict, report.cosigned_at) == (Verdict.STALE, NOW)
    write(tmp_path / "checkpoint", cosigned(today, today - 60))
    assert verified(tmp_path, policy=BOTH, now=today).cosigned_at == today - 60


def test_a_head_of_which_nothing_is_left_to_compare_makes_nothing_fresh(tmp_path: Path) -> None:
    """Its root is anybody's, who has the log's key: a number between two others, with a new time under it."""
    today = NOW + 30 * FRESH
    WHOLE.but(first=512).write(tmp_path)
    (tmp_path / tiles.tile_path(0, 0)).unlink()
    write(tmp_path / "checkpoints/100", note(100, bytes(32), time=today))
    report = verified(tmp_path, now=today)
    assert (report.verdict is Verdict.OK, report.cosigned_at) == (False, NOW)


def test_a_remembered_head_in_a_part_without_hashes_is_not_called_only_appended_to(tmp_path: Path) -> None:
    other = [changed(ENTRIES[0]), *ENTRIES[1:]]
    forged = WHOLE.but(entries=other, first=512, sizes=(256, 512, 1000), notes={})
    forged.write(tmp_path)
    (tmp_path / tiles.tile_path(0, 0)).unlink()
    report = verified(tmp_path, since=WHOLE.note(100))
    assert (report.verdict, told(report)) == (Verdict.REMOVED, [(Verdict.REMOVED, Part.TILE, 99, 99)])


@pytest.mark.parametrize("size", [2**40, 2**63 - 1])
def test_a_size_that_is_only_claimed_does_not_keep_the_verifier_for_ever(tmp_path: Path, size: int) -> None:
    WHOLE.write(tmp_path)
    manifest = {"origin": LOG.name, "size": size, "from": 0, "to": size}
    write(tmp_path / "manifest.json", json.dumps(manifest).encode())
    report = verified(tmp_path)
    assert report.verdict is Verdict.REMOVED
    assert max(one.last for one in report.findings) == size - 1


def asked(**changes: Any) -> bytes:
    names = {"2026-05": "p1:AAECAwQFBgcICQoLDA0ODw"}
    question = {"field": "phone", "since": "2026-05-02T00:00:00.000000Z", "until": "2026-05-03T00:00:00.000000Z"}
    return json.dumps({"format": "menshen/audit-answer/v1", "question": question | changes, "names": names, "rows": []}).encode()


@pytest.mark.parametrize(
    "changes",
    [
        {"field": "phone\n完整 COMPLETE"},
        {"field": "\x1b[2J"},
        {"field": "\ud800"},
        {"until": "2026-05-02T00:00:00.000000Z"},
    ],
)
def test_a_question_that_would_draw_its_own_page_or_asks_for_no_time_is_none(changes: dict[str, Any]) -> None:
    assert parse_answer(asked()).question.field == "phone"
    with pytest.raises(Malformed):
        parse_answer(asked(**changes))


def test_evidence_is_not_written_through_a_link_that_an_export_brought_along(tmp_path: Path) -> None:
    mine, folder = tmp_path / "mine.txt", tmp_path / "menshen-evidence"
    mine.write_bytes(b"an auditor's own")
    folder.mkdir()
    (folder / "300.note").symlink_to(mine)
    keep([Evidence("300.note", b"signed")], folder)
    assert (mine.read_bytes(), (folder / "300.note").read_bytes()) == (b"an auditor's own", b"signed")
    (tmp_path / "linked").symlink_to(folder)
    with pytest.raises(OSError, match="not followed"):
        keep([Evidence("301.note", b"signed")], tmp_path / "linked")

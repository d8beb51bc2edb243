"""That an answer covers the time it was asked about is shown by what witnesses saw, not by what one entry says of the time."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from menshen_verifier.answer import FOLDER, FORMAT, Checked, check_answer, page
from menshen_verifier.note import Kind
from menshen_verifier.policy import parse_policy
from tests.verifier.exporting import BEGAN, LOG, ORIGIN, POLICY, WITNESS, Log, Signer, entries, note, root_of, seconds

ENTRIES = entries(1000)
FIRST = 256


def moment(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}Z"


def packed(
    folder: Path, log: Log, question: Mapping[str, str], *, names: Mapping[str, str], rows: Sequence[Mapping[str, object]]
) -> Path:
    """The file of an answer."""
    said = {"format": FORMAT, "question": question, "names": names, "checkpoint": "", "rows": rows}
    log.write(folder / FOLDER)
    (folder / "answer.json").write_text(json.dumps(said), "utf-8")
    with zipfile.ZipFile(folder.with_suffix(".zip"), "w") as file:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                file.write(path, path.relative_to(folder).as_posix())
    return folder.with_suffix(".zip")


def answered(folder: Path, log: Log, since: datetime) -> Checked:
    """The answer "nobody" for a second from then on."""
    question = {"field": "", "since": moment(since), "until": moment(since + timedelta(seconds=1))}
    file = packed(folder, log, question, names={"2025-11": "p1:" + "A" * 22}, rows=[])
    return check_answer(file, parse_policy(POLICY.encode()), now=seconds(1000))


@pytest.mark.obligation("AL-05")
def test_one_entry_with_an_old_time_does_not_cover_what_was_left_out_before_it(tmp_path: Path) -> None:
    said = moment(BEGAN + timedelta(milliseconds=50) * FIRST).encode()
    assert said in ENTRIES[FIRST]
    old = ENTRIES[FIRST].replace(said, moment(BEGAN - timedelta(days=1)).encode())
    lying = [*ENTRIES[:FIRST], old, *ENTRIES[FIRST + 1 :]]
    found = answered(tmp_path / "lie", Log(lying, sizes=(1000,), first=FIRST), BEGAN + timedelta(seconds=5))
    assert (found.report.verdict.value, found.covered, found.complete) == ("OK", False, False)
    whole = answered(tmp_path / "whole", Log(lying, sizes=(1000,)), BEGAN + timedelta(seconds=5))
    assert (whole.covered, whole.complete) == (True, True)


@pytest.mark.parametrize(("sizes", "covered"), [((1000,), False), ((255, 1000), False), ((256, 1000), True), ((300, 1000), True)])
def test_what_the_quorum_had_seen_before_the_time_need_not_be_there(
    tmp_path: Path, sizes: tuple[int, ...], covered: bool
) -> None:
    found = answered(tmp_path / "some", Log(ENTRIES, sizes=sizes, first=FIRST), BEGAN + timedelta(seconds=340))
    assert (found.covered, found.complete) == (covered, covered)


@pytest.mark.parametrize(("after", "covered"), [(5, False), (340, True)])
@pytest.mark.obligation("AL-05")
def test_a_log_that_goes_on_from_a_closed_one_does_not_answer_for_the_time_before_it(
    tmp_path: Path, after: int, covered: bool
) -> None:
    """Its first entry is there. But nobody may be told that this is all, when the rest stands in the log that was closed."""
    first = json.loads(ENTRIES[0]) | {"typ": "genesis", "x": {"origin": "members.example.cn/audit", "size": 300}}
    begun = [json.dumps(first, sort_keys=True, separators=(",", ":")).encode(), *ENTRIES[1:]]
    found = answered(tmp_path / "next", Log(begun, sizes=(20, 1000)), BEGAN + timedelta(seconds=after))
    assert (found.report.verdict.value, found.report.continues) == ("OK", ("members.example.cn/audit", 300))
    assert (found.covered, found.complete) == (covered, covered)
    assert "承接已终结的 members.example.cn/audit" in page(found)


class Second(Log):
    """A log whose name has the next number; whoever made it by hand put no `genesis` in it."""

    def write(self, folder: Path) -> Path:
        path = super().write(folder) / "manifest.json"
        path.write_text(path.read_text().replace(ORIGIN, f"{ORIGIN}/2"))
        return folder


@pytest.mark.obligation("AL-05")
def test_a_log_that_is_the_second_by_its_name_is_not_the_first_whatever_its_first_entry_says(tmp_path: Path) -> None:
    signer = Signer(f"{ORIGIN}/2", Kind.ED25519, 1)
    said = note(1000, root_of(ENTRIES), signers=(signer, WITNESS), origin=f"{ORIGIN}/2")
    since = BEGAN + timedelta(milliseconds=10)
    question = {"field": "", "since": moment(since), "until": moment(since + timedelta(seconds=1))}
    names = {"2025-11": "p1:" + "A" * 22}
    file = packed(tmp_path / "second", Second(ENTRIES, notes={1000: said}), question, names=names, rows=[])
    found = check_answer(file, parse_policy(POLICY.replace(LOG.key.vkey, signer.key.vkey).encode()), now=seconds(1000))
    assert (found.report.verdict.value, found.report.continues, found.covered) == ("OK", None, False)
    assert answered(tmp_path / "first", Log(ENTRIES), since).covered

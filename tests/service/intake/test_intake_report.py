"""The reject file: complete or not there, harmless in a spreadsheet, and silent about values."""

import csv

import pytest

from service.intake.model import REASONS, Code, FileProblem, Reject
from service.intake.report import RejectFile, place_for


def written(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def test_it_says_where_and_why_in_both_languages(tmp_path):
    path = tmp_path / "a.rejects.csv"
    with RejectFile(path) as rejects:
        rejects.add([Reject("7", "手机号", Code.DUPLICATE, 3), Reject("9-11", "", Code.QUOTES)])
        rejects.publish()
    header, first, second = written(path)
    assert header == ["行号 line", "列 column", "代码 code", "原因", "reason"]
    assert first[:3] == ["7", "手机号", "DUPLICATE"] and "第 3 行" in first[3] and "line 3" in first[4]
    assert second[:3] == ["9-11", "", "QUOTES"]
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")


def test_it_is_there_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.rejects.csv"
    path.write_text("older")
    with RejectFile(path) as rejects:
        rejects.add([Reject("7", "手机号", Code.PHONE_MISSING)])
        assert path.read_text() == "older"
    assert path.read_text() == "older"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("label", ["=cmd", "+x", "-x", "@x", "\tx"])
def test_a_header_that_is_a_formula_is_made_harmless(tmp_path, label):
    path = tmp_path / "a.rejects.csv"
    with RejectFile(path) as rejects:
        rejects.add([Reject("2", label, Code.TOO_LONG)])
        rejects.publish()
    assert written(path)[1][1] == "'" + label


def test_every_code_has_its_sentence_in_both_languages():
    assert set(REASONS) == set(Code)
    assert all(title.zh.endswith("。") and title.en.endswith(".") for title in REASONS.values())


def test_it_lies_beside_the_file_unless_told_otherwise(tmp_path):
    file = tmp_path / "members.csv"
    assert place_for(file, None) == tmp_path / "members.rejects.csv"
    assert place_for(file, tmp_path / "x.csv") == tmp_path / "x.csv"


def test_it_goes_to_the_current_folder_when_the_file_lies_where_nothing_can_be_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    guarded = tmp_path / "guarded"
    guarded.mkdir(mode=0o555)
    assert place_for(tmp_path / "gone" / "members.csv", None) == tmp_path / "members.rejects.csv"
    assert place_for(guarded / "members.csv", None) == tmp_path / "members.rejects.csv"
    with pytest.raises(FileProblem):
        place_for(guarded / "members.csv", guarded / "told.csv")


def test_it_overwrites_neither_the_file_itself_nor_a_folder(tmp_path):
    file = tmp_path / "members.csv"
    file.write_text("x")
    for place in (file, tmp_path, tmp_path / "gone" / "x.csv"):
        with pytest.raises(FileProblem) as problem:
            place_for(file, place)
        assert problem.value.code == "REJECTS_UNWRITABLE"

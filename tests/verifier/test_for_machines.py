"""`--json`: what the commands tell people they tell machines too, with the same exit codes."""

import json
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from menshen_verifier.__main__ import main
from menshen_verifier.pack import FIGURES, MANIFEST
from tests.vectors.reading import whole
from tests.verifier.exporting import BEGAN, ORIGIN, POLICY, Log, entries, proof_of, root_of, seconds, write
from tests.verifier.test_answered import moment, packed

ENTRIES = entries(300)
WHOLE = Log(ENTRIES, sizes=(300,))


@pytest.fixture(autouse=True)
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "policy", POLICY.encode())


def told(words: list[str], capsys: pytest.CaptureFixture[str], code: int) -> dict[str, Any]:
    assert main([*words, "--json"]) == code
    out, err = capsys.readouterr()
    assert err == ""
    found: dict[str, Any] = json.loads(out)
    return found


def test_a_proof_tells_where_the_entry_stands_and_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    write(Path("p.tlog-proof"), proof_of(17, WHOLE).encode())
    assert told(["proof", "p.tlog-proof", "--policy", "policy"], capsys, 0) == {
        "proven": True,
        "origin": ORIGIN,
        "size": 300,
        "root": root_of(ENTRIES).hex(),
        "index": 17,
        "entry": json.loads(ENTRIES[17]),
        "witnessed": True,
        "cosigned_at": seconds(300),
    }


def test_an_entry_is_shown_without_what_would_move_a_terminals_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    said = "\x9b2J\u202e"
    told_so = json.loads(ENTRIES[7]) | {"x": {"said": said}}
    odd = json.dumps(told_so, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    log = Log([*ENTRIES[:7], odd, *ENTRIES[8:]], sizes=(len(ENTRIES),))
    write(Path("odd.tlog-proof"), proof_of(7, log).encode())
    assert main(["proof", "odd.tlog-proof", "--policy", "policy"]) == 0
    shown = capsys.readouterr().out
    assert not set(said[0] + said[-1]) & set(shown)
    assert json.loads(shown.splitlines()[-1])["x"]["said"] == said, "it is the same JSON"


def test_a_proof_that_is_none_tells_why_and_one_that_cannot_be_read_is_no_json(capsys: pytest.CaptureFixture[str]) -> None:
    write(Path("p.tlog-proof"), proof_of(5, WHOLE).replace("index 5\n", "index 4\n").encode())
    found = told(["proof", "p.tlog-proof", "--policy", "policy"], capsys, 1)
    assert found["proven"] is False
    assert found["why"]
    write(Path("p.tlog-proof"), b"nothing")
    assert main(["proof", "p.tlog-proof", "--policy", "policy", "--json"]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)


def test_an_answer_tells_its_rows_what_is_missing_and_what_the_log_is_worth(capsys: pytest.CaptureFixture[str]) -> None:
    (name,) = json.loads(ENTRIES[17])["sub"]
    question = {"field": "phone", "since": moment(BEGAN), "until": moment(BEGAN + timedelta(seconds=10))}
    row = {"index": 17, "proof": proof_of(17, WHOLE)}
    file = packed(Path("answer"), WHOLE, question, names={"2025-11": name}, rows=[row])
    found = told(["answer", str(file), "--policy", "policy"], capsys, 0)
    assert (found["complete"], found["covered"], found["question"]) == (True, True, question)
    assert (found["rows"], found["missing"], found["surplus"]) == ([{"index": 17, "entry": json.loads(ENTRIES[17])}], [], [])
    assert (found["log"]["verdict"], found["log"]["size"], found["log"]["findings"]) == ("OK", 300, [])
    assert found["cost"].keys() >= {"seconds", "core_seconds", "entries_per_second"}
    short = packed(Path("short"), WHOLE, question, names={"2025-11": name}, rows=[])
    found = told(["answer", str(short), "--policy", "policy"], capsys, 1)
    assert (found["complete"], found["missing"]) == (False, [17])


def test_a_pack_tells_what_does_not_fit(capsys: pytest.CaptureFixture[str]) -> None:
    vector = whole("audit-pack")
    for change, problems in (
        ({}, []),
        ({"README.md": "other"}, [{"code": "UNEXPECTED", "name": "README.md", "stated": None, "found": None}]),
    ):
        with zipfile.ZipFile("pack.zip", "w") as archive:
            for name, text in {**vector["files"], MANIFEST: vector["manifest"], **change}.items():
                archive.writestr(name, text)
        found = told(["pack", "pack.zip", vector["vkey"]], capsys, 1 if problems else 0)
        assert found == {"figures": 3, "problems": problems}


def test_a_pack_with_half_a_character_in_a_figure_s_name_is_told_like_any_other(capsys: pytest.CaptureFixture[str]) -> None:
    vector = whole("audit-pack")
    figures = json.loads(vector["files"][FIGURES])
    figures["figures"][0] |= {"key": "\ud800", "value": 77}
    with zipfile.ZipFile("pack.zip", "w") as archive:
        for name, text in {**vector["files"], MANIFEST: vector["manifest"], FIGURES: json.dumps(figures)}.items():
            archive.writestr(name, text)
    assert main(["pack", "pack.zip", vector["vkey"], "--json"]) == 1
    out = capsys.readouterr().out.encode()
    assert ("FIGURE", "\ud800", 77) in {(one["code"], one["name"], one["stated"]) for one in json.loads(out)["problems"]}


@pytest.mark.parametrize("command", [[], ["proof"], ["answer"], ["pack"]])
def test_the_help_of_each_command_knows_it(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([*command, "--help"])
    assert "机器可读" in capsys.readouterr().out

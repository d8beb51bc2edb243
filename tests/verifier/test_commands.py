"""The commands that an auditor types: `menshen-verify`, with nothing but the standard library and cryptography, and `menshen audit verify DIR`."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import cryptography
import pytest
from typer.testing import CliRunner

from menshen_verifier.__main__ import main
from service.cli.audit import audit
from tests.architecture.text_rules import REPOSITORY
from tests.verifier.exporting import ALONE, POLICY, Log, entries, note, proof_of, root_of, write

ENTRIES = entries(300)
WHOLE = Log(ENTRIES, sizes=(100, 300))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with an export that a witness saw just now, and a policy."""
    monkeypatch.chdir(tmp_path)
    now = int(datetime.now(UTC).timestamp())
    recent = Log(entries(300, began=datetime.now(UTC)), sizes=(300,))
    recent.but(notes={300: note(300, root_of(recent.entries), time=now)}).write(tmp_path / "export")
    WHOLE.write(tmp_path / "old")
    write(tmp_path / "policy", POLICY.encode())
    write(tmp_path / "alone", ALONE.encode())
    return tmp_path


def test_a_whole_export_ends_with_0_and_a_page_in_both_languages(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--policy", "policy", "--processes", "1"]) == 0
    out, err = capsys.readouterr()
    assert "验证报告" in out
    assert "verification report" in out
    assert err == ""


def test_an_altered_one_ends_with_1_and_says_for_machines_what_it_found(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = place / "old/tile/entries/000"
    write(bundle, bundle.read_bytes().replace(b'"s":5', b'"s":6', 1))
    assert main(["old", "--policy", "alone", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"] == "ALTERED"
    assert {"verdict": "ALTERED", "part": "entry", "first": 10, "last": 10} in found["findings"]


def test_what_cannot_be_found_out_ends_with_2_and_one_line(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(place / "bad", b"quorum nobody\n")
    for words in (
        ["nothing", "--policy", "policy"],
        ["old", "--policy", "bad"],
        ["old", "--policy", "missing"],
        ["proof", "old", "--policy", "policy"],
    ):
        assert main(words) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
    with pytest.raises(SystemExit) as ended:
        main(["old"])
    assert ended.value.code == 2


def test_a_fork_leaves_both_heads_in_files(place: Path) -> None:
    other = note(300, root_of(ENTRIES[:299]))
    write(place / "last.note", other)
    assert main(["old", "--policy", "alone", "--since", "last.note", "--evidence", "kept"]) == 1
    assert {one.read_bytes() for one in (place / "kept").iterdir()} == {WHOLE.note(300), other}


def test_a_proof_is_one_command_and_one_file(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(place / "p.tlog-proof", proof_of(5, WHOLE).encode())
    assert main(["proof", "p.tlog-proof", "--policy", "policy"]) == 0
    assert ENTRIES[5].decode() in capsys.readouterr().out
    write(place / "p.tlog-proof", proof_of(5, WHOLE).replace("index 5\n", "index 4\n").encode())
    assert main(["proof", "p.tlog-proof", "--policy", "policy"]) == 1
    write(place / "other", ENTRIES[6])
    write(place / "p.tlog-proof", proof_of(5, WHOLE).encode())
    assert main(["proof", "p.tlog-proof", "--policy", "policy", "--entry", "other"]) == 1


def test_menshen_verifies_a_folder_with_the_same_code(place: Path) -> None:
    run = CliRunner().invoke
    assert run(audit, ["verify", "export", "--policy", "policy"]).exit_code == 0
    told = run(audit, ["verify", "old", "--policy", "policy", "--json"])
    assert (told.exit_code, json.loads(told.stdout)["verdict"]) == (1, "STALE")
    assert run(audit, ["verify", "old", "--policy", "alone", "--since", "old/checkpoints/100"]).exit_code == 0
    assert run(audit, ["verify", "old"]).exit_code == 2
    assert run(audit, ["verify", "--policy", "policy"]).exit_code == 2


def test_the_help_says_what_a_policy_is_and_what_the_exit_codes_mean(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--help"], ["proof", "--help"]):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 0
        out = capsys.readouterr().out
        assert "quorum" in out
        assert "exit codes" in out


def test_it_runs_on_the_standard_library_and_cryptography_alone(place: Path) -> None:
    """Isolated from everything that is installed here: a folder with links to these two packages is all that it can import from."""
    alone = place / "alone-here"
    alone.mkdir()
    installed = Path(cryptography.__file__).parents[1]
    for one in (
        REPOSITORY / "menshen_verifier",
        installed / "cryptography",
        *installed.glob("_cffi_backend*"),
        installed / "cffi",
    ):
        (alone / one.name).symlink_to(one)
    program = (
        f"import sys; sys.path[:0] = [{str(alone)!r}]; sys.dont_write_bytecode = True\n"
        "from menshen_verifier.__main__ import main\n"
        "code = main(['export', '--policy', 'policy', '--processes', '1', '--json'])\n"
        "known = {'menshen_verifier', 'cryptography', 'cffi', '_cffi_backend', '_openssl', '__main__', '__mp_main__'} | sys.stdlib_module_names\n"
        "strange = {name.split('.')[0] for name in sys.modules} - known\n"
        "sys.exit(f'{strange}' if strange else code)"
    )
    ended = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert found["verdict"] == "OK"
    cost = found["cost"]
    assert cost["entries_per_second"] > 0
    assert 0 < cost["core_seconds"] < 60
    assert 8 << 20 < cost["peak_rss_bytes"] < 1 << 30

"""`menshen import` as somebody types it: what it prints, how it ends, and what a kill leaves behind."""

import asyncio
import json
import os
import re
import signal
import sys
import time
from typing import NamedTuple

import pytest
from sqlalchemy import func, select

from service.cli import main
from service.db import engine
from service.db.statement import Prepared
from service.db.tables import audit_entry, consent_event, import_run, member
from tests.journeys.servers import begun
from tests.plugins import canary
from tests.service.intake.exports import a_row, dirty, rejects_of, write

SECONDS = 120


class Said(NamedTuple):
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


class Deployment:
    """A database, a home, and the command line."""

    def __init__(self, url, folder, monkeypatch, capfd):
        home = folder / "home"
        home.mkdir(mode=0o700)
        self.url, self.folder = url, folder
        self._settings = {"MENSHEN_DATABASE_URL": url, "MENSHEN_HOME": str(home)}
        self._monkeypatch, self._capfd = monkeypatch, capfd

    def __call__(self, *arguments):
        """Run `menshen import …` to its end; everything it says is searched for canaries."""
        with self._monkeypatch.context() as patch, pytest.raises(SystemExit) as end:
            patch.setattr(sys, "argv", ["menshen", "import", *map(str, arguments)])
            patch.chdir(self.folder)
            for name, value in self._settings.items():
                patch.setenv(name, value)
            main()
        out, err = self._capfd.readouterr()
        canary.look("what menshen import prints", (out + err).encode())
        return Said(end.value.code, out, err)

    def begin(self, *arguments):
        """Start it in a process of its own, and go on."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return begun({**kept, **self._settings}, "import", *map(str, arguments), cwd=str(self.folder))

    def asked(self, statement):
        """The first column of the first row."""
        return asyncio.run(_asked(self.url, statement))


@pytest.fixture
def menshen(sqlite_url, tmp_path, monkeypatch, capfd):
    return Deployment(sqlite_url, tmp_path, monkeypatch, capfd)


@pytest.fixture
def on_either(database_url, tmp_path, monkeypatch, capfd):
    """The same on each database, for what a database can decide."""
    return Deployment(database_url, tmp_path, monkeypatch, capfd)


def facts(done):
    return json.loads(done.out)


async def _asked(url, statement):
    database = engine.connect(url)
    await database.start()
    try:
        return (await database.read.rows(Prepared(statement)))[0][0]
    finally:
        await database.close()


def test_it_ends_with_0_when_every_row_is_a_member_and_with_1_when_some_are_not(menshen, tmp_path):
    good = write(tmp_path / "good.csv", [a_row(), a_row()])
    done = menshen(good, "--json")
    assert done.code == 0, done.err
    assert facts(done)["made"] == 2 and rejects_of(tmp_path / "good.rejects.csv") == []
    made = dirty(6)
    done = menshen(write(tmp_path / "dirty.csv", made.rows), "--json")
    assert done.code == 1, done.err
    assert facts(done)["reasons"] == made.expected
    assert len(rejects_of(tmp_path / "dirty.rejects.csv")) == len(made.rows) - 6


def test_it_prints_a_table_for_people(menshen, tmp_path):
    done = menshen(write(tmp_path / "a.csv", dirty(6).rows))
    text = done.out
    assert done.code == 1 and "PHONE_INVALID" in text and "reject file: " in text and "marketing_sms" in text
    again = menshen(tmp_path / "a.csv")
    assert "nothing was changed" in again.out and again.code == 1


def test_a_dry_run_loads_nothing_and_leaves_no_file_unless_told(menshen, tmp_path):
    path = write(tmp_path / "a.csv", dirty(6).rows)
    done = menshen(path, "--dry-run", "--json")
    assert done.code == 1 and facts(done)["made"] == 6 and facts(done)["rejects"] is None
    assert sorted(file.name for file in tmp_path.glob("*.csv")) == ["a.csv"]
    assert menshen.asked(select(func.count()).select_from(member)) == 0
    told = menshen(path, "--dry-run", "--rejects", tmp_path / "told.csv", "--json")
    assert facts(told)["rejects"] == str(tmp_path / "told.csv") and rejects_of(tmp_path / "told.csv")


@pytest.mark.parametrize(
    ("content", "options", "code"),
    [
        ("手机号,血型\n", (), "COLUMN_UNMAPPED"),
        ("姓名\n", (), "COLUMN_MISSING"),
        ("", (), "FILE_EMPTY"),
        ("手机号\n", ("--mapping", "nowhere.toml"), "FILE_UNREADABLE"),
        ("手机号\n", ("--rejects", "nowhere/r.csv"), "REJECTS_UNWRITABLE"),
        ("手机号\n", ("--collected-on", "gestern"), "OPTION_INVALID"),
        ("手机号\n", ("--source", "张三 13812345678"), "OPTION_INVALID"),
        ("手机号\n", ("--actor", "x" * 65), "OPTION_INVALID"),
        ("手机号\n", ("--actor", " "), "OPTION_INVALID"),
    ],
)
def test_what_cannot_be_done_ends_with_2_and_one_line_that_says_why(menshen, tmp_path, content, options, code):
    path = tmp_path / "a.csv"
    path.write_text(content)
    done = menshen(path, *options)
    assert done.code == 2 and done.out == ""
    said = done.err
    assert code in said and "Traceback" not in said and "13812345678" not in said


def test_columns_are_left_out_only_when_somebody_says_so(menshen, tmp_path):
    path = write(tmp_path / "a.csv", [a_row() | {"血型": "A"}], header=("手机号", "血型"))
    assert menshen(path).code == 2
    done = menshen(path, "--ignore-unmapped", "--json")
    assert done.code == 0 and facts(done)["unmapped"] == ["血型"]


def test_the_options_say_where_the_rows_come_from_and_who_loads_them(menshen, tmp_path):
    row = a_row(短信营销="是")
    path = write(tmp_path / "a.csv", [row])
    evidence = (
        "--source",
        "门店系统",
        "--collected-on",
        "2026-11-01",
        "--evidence-uri",
        "https://e.example.com/1",
        "--actor",
        "li.wei",
    )
    assert menshen(path, *evidence).code == 0
    stored = json.loads(menshen.asked(select(consent_event.c.evidence)))
    assert (
        stored["source"].items()
        >= {"source": "门店系统", "collectedOn": "2026-11-01", "evidenceUri": "https://e.example.com/1"}.items()
    )
    assert stored["entityId"] == "li.wei" and stored["eventState"] == "UNKNOWN"
    actors = menshen.asked(select(audit_entry.c.actor).where(audit_entry.c.typ == "change").limit(1))
    assert actors == "staff:li.wei"


def test_nothing_of_the_screen_is_a_progress_bar_where_nobody_looks(menshen, tmp_path):
    done = menshen(write(tmp_path / "a.csv", [a_row()]), "--json")
    assert "importing" not in done.err and "\x1b[" not in done.err + done.out


def test_a_kill_at_any_moment_doubles_nobody_and_loses_no_line(on_either, tmp_path):
    made = dirty(1990)
    path = write(tmp_path / "a.csv", made.rows)
    with on_either.begin(path) as child:
        done = asyncio.run(_done_rows(on_either.url, 500, child))
        child.kill()
    assert child.code == -signal.SIGKILL and 500 <= done < len(made.rows)
    assert not (tmp_path / "a.rejects.csv").exists() and not list(tmp_path.glob("*.part"))
    resumed = facts(on_either(path, "--json"))
    assert resumed["carried_on"] >= 500 and resumed["reasons"] == made.expected
    assert resumed["made"] == on_either.asked(select(func.count()).select_from(member)) == 1990
    listed = rejects_of(tmp_path / "a.rejects.csv")
    assert [int(line) for line, _, _ in listed] == list(range(1992, 2 + len(made.rows)))
    assert on_either.asked(select(import_run.c.finished_at)) is not None


async def _done_rows(url, wanted, child):
    """Wait until so many rows are done, and say how many are."""
    database = engine.connect(url)
    await database.start()
    statement = Prepared(select(import_run.c.rows_done))
    limit = time.monotonic() + SECONDS
    try:
        while time.monotonic() < limit:
            rows = await database.read.rows(statement)
            if rows and rows[0][0] >= wanted:
                return rows[0][0]
            assert child.poll() is None, "it had ended before it could be killed"
            await asyncio.sleep(0.002)
    finally:
        await database.close()
    raise AssertionError("it never came so far")


def test_help_names_every_option(menshen):
    done = menshen("--help")
    text = re.sub(r"\s+", " ", done.out)
    for option in (
        "--mapping",
        "--dry-run",
        "--rejects",
        "--ignore-unmapped",
        "--source",
        "--collected-on",
        "--evidence-uri",
        "--actor",
        "--json",
    ):
        assert option in text

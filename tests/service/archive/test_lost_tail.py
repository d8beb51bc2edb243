"""A database that was put back to an older state: what it lost comes back from a copy, byte for byte, or nothing is touched."""

import asyncio
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from menshen_verifier import merkle, tiles
from service.app import parts
from service.archive.checking import before, folder_of
from service.archive.copies import copy_in
from service.archive.model import REFUSALS, SEGMENT, TailRefused, subtree_path
from service.audit.inclusion import span_root
from service.audit.reading import store
from service.audit.remembered import RememberedHead
from service.cli.terminal import account
from service.config import Config
from service.db import migrate
from service.errors import InstanceRunning, LogBroken, Malformed
from tests.factories import a_call
from tests.plugins.databases import text
from tests.plugins.postgres import Server
from tests.service.archive import losing
from tests.service.archive.conftest import Kept
from tests.service.archive.losing import Databases, Lost, rows
from tests.service.audit.logs import Administrator


@pytest.fixture
def databases(request: pytest.FixtureRequest) -> Iterator[Databases]:
    """Of this test."""
    made = Databases(lambda: request.getfixturevalue("postgres"))
    yield made
    made.drop()


@pytest.fixture(scope="session")
def sqlite_lost(tmp_path_factory: pytest.TempPathFactory) -> Lost:
    """On SQLite, once a run."""
    folder = tmp_path_factory.mktemp("lost")
    return _lost(f"sqlite:///{folder}/menshen.db", Databases(_nowhere), folder)


@pytest.fixture(scope="session")
def postgresql_lost(tmp_path_factory: pytest.TempPathFactory, postgres: Server) -> Iterator[Lost]:
    """On PostgreSQL, once a run."""
    made, url = Databases(lambda: postgres), postgres.make()
    yield _lost(text(url), made, tmp_path_factory.mktemp("lost"))
    made.drop()
    postgres.drop(url)


def _nowhere() -> Server:
    raise AssertionError


def _lost(url: str, databases: Databases, folder: Path) -> Lost:
    migrate.upgrade(url)
    (folder / "home").mkdir(mode=0o700)
    return losing.lived(Config(home=folder / "home", database_url=url), databases, folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def lost(request: pytest.FixtureRequest, databases: Databases, tmp_path: Path) -> Lost:
    """A copy of it."""
    return losing.again(request.getfixturevalue(f"{request.param}_lost"), databases, tmp_path)


def starts(config: Config) -> None:
    """Raises as a start does."""

    async def once() -> None:
        async with parts(config):
            pass

    asyncio.run(once())


def head(config: Config) -> int:
    return int(Administrator(config.database_url).run("SELECT size FROM audit_head")[0][0])


def refused(lost: Lost, code: str, folder: Path | None = None) -> None:
    """With this code and its words, and nothing was touched."""
    before = rows(lost.before), rows(lost.before, "audit_head", "log_id")
    result = lost.restore(folder=folder)
    assert getattr(result.exception, "code", result.output) == code
    if code in REFUSALS:
        assert (result.exception.zh, result.exception.en) == REFUSALS[code]
    assert (rows(lost.before), rows(lost.before, "audit_head", "log_id")) == before


@pytest.mark.obligation("AL-03")
def test_what_was_lost_comes_back_byte_for_byte_and_the_log_says_so(lost: Lost) -> None:
    whole, short = rows(lost.after), head(lost.before)
    subjects, hashes = rows(lost.after, "audit_subject", "idx, sub"), rows(lost.after, "audit_tile", "level, n")
    with pytest.raises(LogBroken, match="rolled back"):
        starts(lost.before)

    result = lost.restore()
    assert result.exit_code == 0, (result.output, result.exception)
    now = rows(lost.before)
    assert now[: len(whole)] == whole
    assert rows(lost.before, "audit_subject", "idx, sub") == subjects
    assert rows(lost.before, "audit_tile", "level, n") == hashes
    boot, said, stop = (json.loads(row[2]) for row in now[len(whole) :])
    assert (boot["typ"], said["typ"], said["op"], stop["typ"]) == ("boot", "admin", "restoreTail", "stop")
    assert (said["cnt"], said["x"]["first"], said["x"]["last"]) == (len(whole) - short, short, len(whole) - 1)
    assert said["act"]["k"] == "staff" and said["act"]["id"] == account()

    report = lost.run("verify", "--json")
    assert json.loads(report.output)["verdict"] == "OK", report.output
    starts(lost.before)
    assert lost.run("verify").exit_code == 0, "and it grows on"


def test_changes_whose_data_is_gone_are_counted_and_named_without_a_value(lost: Lost) -> None:
    result = lost.restore()
    assert "consent" in result.output and "recordConsents" in result.output
    [path] = lost.before.home.glob("lost-*.jsonl")
    assert path.stat().st_mode & 0o777 == 0o600
    told = [json.loads(line) for line in path.read_bytes().splitlines()]
    yes = next(one for one in told if one["typ"] == "consent")
    stored = json.loads(rows(lost.before)[yes["index"]][2])
    assert {key: stored[key] for key in ("id", "ts", "op", "sub")} == {key: yes[key] for key in ("id", "ts", "op", "sub")}
    assert lost.member not in path.read_text() and all("x" not in one and one["typ"] != "access" for one in told)
    said = next(one for one in map(json.loads, (row[2] for row in rows(lost.before))) if one.get("op") == "restoreTail")
    assert said["x"]["changes"] == len(told)


def test_looking_writes_nothing_and_says_that_something_is_missing(lost: Lost) -> None:
    before = rows(lost.before)
    result = lost.restore("--check")
    assert result.exit_code == 1
    assert "可恢复 can be brought back" in result.output and "recordConsents" in result.output
    assert rows(lost.before) == before and not list(lost.before.home.glob("lost-*"))


def test_a_report_that_is_there_is_not_written_over(lost: Lost, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    assert lost.restore("--report", str(tmp_path / "mine")).exit_code != 0
    assert (tmp_path / "mine").read_text() == "mine"
    assert lost.restore("--report", str(tmp_path / "other")).exit_code == 0
    assert (tmp_path / "other").exists()


def test_what_waited_in_the_old_state_and_stands_in_the_tail_is_not_written_twice(
    config: Config, databases: Databases, tmp_path: Path
) -> None:
    """The dump was taken between a change's commit and its entry's way into the tree."""
    member = losing.begun(config)
    before = databases.copied(config, tmp_path / "dump.db")
    waits = asyncio.run(_with_a_waiting_row(config, member))
    Administrator(before.database_url).run("INSERT INTO audit_pending VALUES (?, ?, ?, ?, ?)", given=waits)
    lost = Lost(before, config, asyncio.run(losing.exported(config, tmp_path / "copy")), member)
    assert lost.restore().exit_code == 0
    assert rows(before, "audit_pending", "entry_id") == []
    starts(before)
    ids = [row[1] for row in rows(before)]
    assert ids.count(waits[0]) == 1 == len(ids) - len(set(ids)) + 1
    assert lost.run("verify").exit_code == 0


async def _with_a_waiting_row(config: Config, member: str) -> tuple:
    """A yes is written, and the row under which its entry waited."""
    from service.audit.entry import opened
    from service.audit.pending import waiting

    async with parts(config) as running:
        await losing.says_yes(running, member)
        now, authority = running.clock(), running.journal.authority
    entry = next(opened(bytes(row[2])) for row in reversed(rows(config)) if row[5] == "consent")
    said = json.loads(entry.raw)
    row = waiting(entry, authority, writer=said["w"], number=said["s"])
    moment = now.isoformat() if config.database_url.startswith("postgresql") else int(now.timestamp() * 1_000_000)
    return (row.entry_id, row.writer, row.number, row.sealed, moment)


def test_a_copy_that_ends_before_what_is_remembered_brings_back_what_it_has_and_writes_nothing_behind_it(
    lost: Lost, tmp_path: Path
) -> None:
    """An entry of today in the place of a signed one would be a fork. The fuller copy does the rest."""
    whole = rows(lost.after)
    partial = asyncio.run(losing.exported(lost.after, tmp_path / "partial", end=256))
    result = lost.restore(folder=partial)
    assert result.exit_code == 1
    assert f"仍缺 {len(whole) - 256:,} 条" in result.output
    assert rows(lost.before) == whole[:256]
    with pytest.raises(LogBroken):
        starts(lost.before)
    assert lost.restore().exit_code == 0
    assert rows(lost.before)[: len(whole)] == whole
    assert lost.run("verify").exit_code == 0


def test_a_second_run_finds_nothing_to_do(lost: Lost) -> None:
    assert lost.restore().exit_code == 0
    refused(lost, "TAIL_SHORTER")


def test_while_an_instance_runs_it_is_refused(lost: Lost) -> None:
    """Whether it holds this machine's lock or, from elsewhere, the one of the instance that publishes."""

    async def running(where: Config) -> None:
        async with parts(where):
            result = await asyncio.to_thread(lost.restore)
            assert isinstance(result.exception, InstanceRunning), result.output

    asyncio.run(running(lost.after))
    if lost.before.database_url.startswith("postgresql"):
        asyncio.run(_held_elsewhere(lost))


async def _held_elsewhere(lost: Lost) -> None:
    from service.checkpoints.store import elected
    from service.db.engine import connect

    database = connect(lost.before.database, pool_size=2)
    await database.start()
    own = database.own()
    async with own.single() as session:
        origin = Administrator(lost.before.database_url).run("SELECT log_id FROM audit_head")[0][0]
        assert await elected(session, origin)
        result = await asyncio.to_thread(lost.restore)
        assert isinstance(result.exception, InstanceRunning), result.output
    await own.close()
    await database.close()


@pytest.mark.obligation("AL-03")
def test_an_altered_entry_and_a_missing_bundle_are_refused(lost: Lost, tmp_path: Path) -> None:
    for victim in (tiles.bundle_path(0), tiles.bundle_path(1, head(lost.after) % 256)):
        folder = tmp_path / victim.replace("/", "-")
        shutil.copytree(lost.copy, folder)
        raw = bytearray((folder / victim).read_bytes())
        raw[-2] ^= 1
        (folder / victim).write_bytes(raw)
        refused(lost, "TAIL_DOES_NOT_FIT", folder)
        (folder / victim).unlink()
        refused(lost, "TAIL_DOES_NOT_FIT", folder)


def test_entries_prove_themselves_hash_tiles_that_rotted_keep_nobody_from_them(lost: Lost) -> None:
    shutil.rmtree(lost.copy / "tile" / "0")
    (lost.copy / tiles.tile_path(1, 0, 1)).write_bytes(bytes(32))
    assert lost.restore().exit_code == 0
    assert lost.run("verify").exit_code == 0


@pytest.mark.obligation("AL-03")
def test_a_checkpoint_that_is_not_ours_is_refused(lost: Lost, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    shutil.copytree(lost.copy, folder)
    note = (folder / "checkpoint").read_text()
    origin, size, rest = note.split("\n", 2)
    (folder / "checkpoint").write_text(f"other.example.cn/audit\n{size}\n{rest}")
    refused(lost, "TAIL_OF_ANOTHER_LOG", folder)
    (folder / "checkpoint").write_text(f"{origin}\n{int(size) - 1}\n{rest}")
    refused(lost, "TAIL_NOT_SIGNED", folder)
    (folder / "checkpoint").write_text("no note")
    refused(lost, "TAIL_NOT_A_COPY", folder)
    refused(lost, "TAIL_NOT_A_COPY", tmp_path / "nowhere")


@pytest.mark.obligation("AL-03")
def test_where_witnesses_are_configured_a_copy_without_their_quorum_is_refused(lost: Lost, tmp_path: Path) -> None:
    from tests.service.witness.test_add_checkpoint import COSIGNER

    witnesses = tmp_path / "witnesses.toml"
    witnesses.write_text(f'quorum = 1\n[[witness]]\nurl = "http://127.0.0.1:9"\nvkeys = ["{COSIGNER.vkey}"]\n')
    witnesses.chmod(0o600)
    result = lost.run("tail", "restore", "--from", str(lost.copy), witnesses=witnesses)
    assert getattr(result.exception, "code", "") == "TAIL_NOT_WITNESSED"


@pytest.mark.obligation("AL-03")
def test_another_past_is_never_written_over(lost: Lost, tmp_path: Path) -> None:
    """The old state has grown on by itself: two histories under one name, and which one is kept is not for a command to choose."""
    for path in lost.before.home.glob("*.state"):
        path.unlink()
    (lost.before.home / "audit-head").unlink()
    asyncio.run(losing.live(lost.before, lost.member, reads=3))
    refused(lost, "TAIL_FORKED")
    rotted = tmp_path / "rotted"
    shutil.copytree(lost.copy, rotted)
    shutil.rmtree(rotted / "tile" / "0")
    refused(lost, "TAIL_DOES_NOT_FIT", rotted)
    short = asyncio.run(losing.exported(lost.after, tmp_path / "short", end=None))
    asyncio.run(losing.live(lost.before, lost.member, reads=head(lost.after)))
    refused(lost, "TAIL_FORKED", short)


def test_a_gap_is_refused(lost: Lost, tmp_path: Path) -> None:
    refused(lost, "TAIL_GAP", asyncio.run(losing.exported(lost.after, tmp_path / "late", first=256)))


@pytest.mark.obligation("AL-03")
def test_a_head_that_was_forged_and_entries_that_were_edited_are_not_built_on(lost: Lost) -> None:
    dba = Administrator(lost.before.database_url)
    [(raw,)] = dba.run("SELECT entry FROM audit_entry WHERE idx = 1")
    dba.run("UPDATE audit_entry SET entry = ? WHERE idx = 1", given=(bytes(raw) + b" ",))
    refused(lost, "AUDIT_LOG_BROKEN")
    dba.run("UPDATE audit_entry SET entry = ? WHERE idx = 1", given=(bytes(raw),))
    dba.run("INSERT INTO audit_subject VALUES ('p1:x', 100000)")
    refused(lost, "AUDIT_LOG_BROKEN")
    dba.run("DELETE FROM audit_subject WHERE idx = 100000")
    dba.run("UPDATE audit_head SET mac = ?", given=(bytes(32),))
    refused(lost, "AUDIT_LOG_BROKEN")


@pytest.mark.obligation("AL-03")
def test_a_remembered_head_with_another_past_is_heard(lost: Lost) -> None:
    from service.audit.head import Seen

    async def lie() -> None:
        async with parts(lost.after) as running:
            authority = running.journal.authority
        memory = RememberedHead(lost.before.home / "audit-head")
        for _ in range(2):
            memory.write(authority, Seen(head(lost.before) + 5, bytes(32)))
        memory.close()

    asyncio.run(lie())
    refused(lost, "TAIL_FORKED")


async def test_an_archive_is_a_copy_as_far_as_its_segments_go(kept: Kept, tmp_path: Path) -> None:
    """The folder of one, or the folder that they lie in; each verified as `audit segment restore` does it."""
    database, trust = kept.running.database.read, kept.running.units.trust
    await kept.running.operations.archive_segments(a_call("compliance_officer"), kept.house, kept.base)
    for folder in (kept.base, folder_of(kept.base, 0)):
        copy = copy_in(folder, trust, at=10)
        assert (copy.first, copy.size) == (0, SEGMENT)
        assert copy.root == await span_root(database, 0, SEGMENT)
        pages = list(copy.pages(SEGMENT - 3000, SEGMENT - 10))
        assert [raw for page in pages for raw in page] == (await store.page(database, SEGMENT - 3000, SEGMENT - 10)).raws
    with pytest.raises(TailRefused) as refusal:
        copy_in(kept.base, trust, at=SEGMENT)
    assert refusal.value.code == "TAIL_GAP"
    victim = folder_of(kept.base, 0) / tiles.bundle_path(3)
    victim.write_bytes(victim.read_bytes()[:-1] + b"]")
    with pytest.raises(Malformed):
        copy_in(kept.base, trust, at=10)


def test_what_stands_before_a_segment_is_in_its_path(tmp_path: Path) -> None:
    """The root that a segment comes to with all before it is the log's at its end, whichever segment it is."""
    roots = [bytes([n]) * 32 for n in range(7)]
    for n in range(7):
        frontier = merkle.extend(0, (), roots[: n + 1]).frontier
        left = merkle.extend(0, (), roots[:n]).frontier
        size = (n + 1) * SEGMENT
        spans = subtree_path(n * SEGMENT, size, size)
        assert len(spans) == len(left), "at this size nothing stands right of it"
        path = [one.hex() for one in reversed(left)]
        (tmp_path / "manifest.json").write_text(json.dumps({"path": path, "size": size}))
        assert before(tmp_path, n) == left
        assert merkle.extend(n, before(tmp_path, n), [roots[n]]).frontier == frontier

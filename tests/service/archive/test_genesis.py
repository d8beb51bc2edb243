"""A log that lost what it had let out, and that nobody can give back, is closed, and the next one goes on with the members' data."""

import asyncio
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from menshen_verifier.checkpoint import parse_checkpoint
from menshen_verifier.findings import Verdict
from menshen_verifier.note import parse_note
from service import machine
from service.app import parts
from service.archive import closing, returning
from service.archive.closing import Asked
from service.audit.entry import Entry, opened
from service.audit.head import Authority
from service.audit.pending import waiting
from service.cli.stopped import stopped
from service.cli.terminal import account
from service.config import Config
from service.db.engine import Transaction
from service.errors import Conflict, LogBroken, OtherLog
from service.values import unwatched
from tests.factories import a_call
from tests.service.archive import losing
from tests.service.archive.closing import NEW, OLD, REASON, Shop, entries, judged, shop, starts
from tests.service.archive.logs import Signer
from tests.service.archive.losing import Databases, rows
from tests.service.audit.logs import Administrator


@pytest.fixture
def lost_shop(config: Config, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    databases = Databases(lambda: request.getfixturevalue("postgres"))
    yield shop(losing.lived(config, databases, tmp_path), tmp_path)
    databases.drop()


@pytest.mark.obligation("AL-03")
def test_the_next_log_begins_with_the_last_checkpoint_of_the_one_that_was_closed(lost_shop: Shop, tmp_path: Path) -> None:
    left, note = len(rows(lost_shop.old)), lost_shop.note.read_bytes()
    last = parse_checkpoint(parse_note(note).text)
    with pytest.raises(LogBroken, match="rolled back"):
        starts(lost_shop.old)
    old_policy = starts(lost_shop.lost.after)

    result = lost_shop.close()
    assert result.exit_code == 0, (result.output, result.exception)
    first, stop = entries(lost_shop.new)
    assert (first["typ"], first["s"], stop["typ"], stop["s"], first["w"]) == ("genesis", 0, "stop", 1, stop["w"])
    x = first["x"]
    assert (x["origin"], x["size"], x["root"]) == (OLD, last.size, last.root.hex())
    assert "".join(x["note"]).encode() == note and x["note_sha256"] == sha256(note).hexdigest()
    assert (x["left"], x["lost_first"], x["lost_last"], first["cnt"]) == (left, left, x["known"] - 1, x["known"] - left)
    assert (first["act"]["id"], x["approver"], x["reason"]) == (account(), "wang.compliance", REASON)
    assert x["closing"] == sha256((lost_shop.kept / "closing.json").read_bytes()).hexdigest()
    assert x["manifest"] == sha256((lost_shop.kept / "log" / "manifest.json").read_bytes()).hexdigest()

    found = judged(lost_shop.kept / "log", old_policy)
    assert (found.origin, found.entries) == (OLD, left)
    assert found.verdict in {Verdict.OK, Verdict.UNSIGNED_TAIL}
    assert (lost_shop.kept / "last.note").read_bytes() == note

    policy = starts(lost_shop.new)
    assert lost_shop.lost.run("verify", origin=NEW).exit_code == 0
    folder = asyncio.run(losing.exported(lost_shop.new, tmp_path / "export"))
    report = judged(folder, policy)
    assert (report.verdict, report.findings) == (Verdict.OK, ())
    assert (report.origin, report.continues) == (NEW, (OLD, last.size))


def refused(shop_: Shop, code: str, *more: str, **options: str) -> None:
    """With this code, and nothing in the database was touched."""
    before = rows(shop_.old), rows(shop_.old, "audit_head", "log_id"), rows(shop_.old, "audit_checkpoint", "size")
    result = shop_.close(*more, **options)
    assert getattr(result.exception, "code", result.output) == code
    assert before == (rows(shop_.old), rows(shop_.old, "audit_head", "log_id"), rows(shop_.old, "audit_checkpoint", "size"))


async def test_whoever_brings_a_policy_and_a_key_of_their_own_closes_no_log(lost_shop: Shop, tmp_path: Path) -> None:
    """A note of a million entries, under a policy that believes its signer: the key that signs for this log has not signed it."""
    thief = Signer(OLD)
    note, policy = tmp_path / "thief.note", tmp_path / "policy.txt"
    note.write_text(thief.note(1_000_000, bytes(32)))
    policy.write_text(f"log {thief.key.vkey}\nquorum none\n")
    result = await asyncio.to_thread(lost_shop.close, policy=str(policy), last=str(note))
    assert getattr(result.exception, "code", result.output) == "GENESIS_NOTE_NOT_SIGNED"


def test_looking_writes_nothing_and_says_what_would_be_lost(lost_shop: Shop) -> None:
    left = len(rows(lost_shop.old))
    result = lost_shop.close("--check", "--json")
    assert result.exit_code == 1
    told = json.loads(result.output)
    assert (told["left"], told["lost"]["first"], told["lost"]["count"]) == (left, left, told["known"] - left)
    assert not lost_shop.kept.exists() and len(rows(lost_shop.old)) == left


def test_what_is_not_fit_is_refused_before_anything_is_touched(lost_shop: Shop, tmp_path: Path) -> None:
    refused(lost_shop, "GENESIS_NAME", origin="example-retail/audit")
    refused(lost_shop, "GENESIS_NAME", origin="other.example.cn/audit/2")
    refused(lost_shop, "GENESIS_SAME_PERSON", approver=f"{account().upper()}@corp")
    refused(lost_shop, "REASON_REQUIRED", reason=" ")
    refused(lost_shop, "REASON_PERSONAL", reason="13800138000")
    note, other = lost_shop.note.read_text(), tmp_path / "other.note"
    other.write_text(note.replace(OLD, "other.example.cn/audit", 1))
    refused(lost_shop, "GENESIS_NOTE_NOT_SIGNED", last=str(other))
    origin, size, rest = note.split("\n", 2)
    other.write_text(f"{origin}\n{int(size) + 9}\n{rest}")
    refused(lost_shop, "GENESIS_NOTE_NOT_SIGNED", last=str(other))


@pytest.mark.obligation("AL-03")
def test_a_fork_is_not_covered_up_and_a_whole_log_is_not_closed(lost_shop: Shop) -> None:
    whole = lost_shop.close(config=lost_shop.lost.after)
    assert getattr(whole.exception, "code", whole.output) == "GENESIS_NOTHING_LOST"
    assert len(rows(lost_shop.lost.after)) > len(rows(lost_shop.old))
    for path in [*lost_shop.old.home.glob("*.state"), lost_shop.old.home / "audit-head"]:
        path.unlink()
    size = parse_checkpoint(parse_note(lost_shop.note.read_bytes()).text).size
    asyncio.run(losing.live(lost_shop.old, lost_shop.lost.member, reads=size + 64))
    refused(lost_shop, "GENESIS_FORKED")


def test_an_entry_of_what_is_left_that_was_edited_is_found_before_anything_is_removed(lost_shop: Shop) -> None:
    dba = Administrator(lost_shop.old.database_url)
    [(raw,)] = dba.run("SELECT entry FROM audit_entry WHERE idx = 1")
    dba.run("UPDATE audit_entry SET entry = ? WHERE idx = 1", given=(bytes(raw).replace(b'"v":1', b'"v":2'),))
    refused(lost_shop, "AUDIT_LOG_BROKEN")


def test_under_the_wrong_name_no_service_starts_and_the_words_name_the_command(lost_shop: Shop) -> None:
    with pytest.raises(OtherLog, match="menshen audit genesis"):
        starts(lost_shop.new)
    assert lost_shop.close().exit_code == 0
    with pytest.raises(OtherLog, match=NEW):
        starts(lost_shop.old)
    assert isinstance(lost_shop.lost.run("verify").exception, OtherLog)
    again = lost_shop.close()
    assert isinstance(again.exception, OtherLog), "and it is not closed twice"
    assert len(entries(lost_shop.new)) == 2


def test_the_tables_are_what_a_migration_makes_of_them(lost_shop: Shop, config: Config) -> None:
    """Triggers are back, and on PostgreSQL partitions are."""
    before = _guards(lost_shop.old)
    assert lost_shop.close().exit_code == 0
    assert _guards(lost_shop.old) == before
    starts(lost_shop.new)
    if config.database_url.startswith("postgresql"):
        dba = Administrator(lost_shop.old.database_url)
        assert {where for (where,) in dba.run("SELECT DISTINCT CAST(tableoid AS regclass)::text FROM audit_entry")} == {
            "audit_entry_p0"
        }


def _guards(config: Config) -> list[tuple[object, ...]]:
    if config.database_url.startswith("postgresql"):
        return Administrator(config.database_url).run(
            "SELECT c.relname, t.tgname, t.tgenabled, pg_get_expr(c.relpartbound, c.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "WHERE starts_with(c.relname, 'audit_') ORDER BY 1, 2"
        )
    return Administrator(config.database_url).run(
        "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name"
    )


def test_what_waited_is_kept_beside_the_log(lost_shop: Shop) -> None:
    """A change that the dump has, whose entry had not come into its tree."""
    entry, authority = asyncio.run(_an_entry(lost_shop))
    _waits(lost_shop, entry, authority)
    assert lost_shop.close().exit_code == 0
    kept = (lost_shop.kept / "waiting.jsonl").read_bytes()
    assert kept == entry.raw + b"\n"
    said = entries(lost_shop.new)[0]["x"]
    assert (said["waiting"], said["waiting_sha256"]) == (1, sha256(kept).hexdigest())
    assert rows(lost_shop.old, "audit_pending", "entry_id") == []
    starts(lost_shop.new)
    assert lost_shop.lost.run("verify", origin=NEW).exit_code == 0


def _waits(lost_shop: Shop, entry: Entry, authority: Authority) -> None:
    row = waiting(entry, authority, writer="w", number=3)
    moment = "2026-11-22T00:00:00+00:00" if lost_shop.old.database_url.startswith("postgresql") else 0
    given = (row.entry_id, row.writer, row.number, row.sealed, moment)
    Administrator(lost_shop.old.database_url).run("INSERT INTO audit_pending VALUES (?, ?, ?, ?, ?)", given=given)


async def _an_entry(lost_shop: Shop) -> tuple[Entry, Authority]:
    async with parts(lost_shop.lost.after) as running:
        authority = running.journal.authority
    return next(opened(bytes(row[2])) for row in rows(lost_shop.lost.after) if row[5] == "consent"), authority


@pytest.mark.obligation("AL-03")
def test_what_is_all_that_is_left_of_a_log_closed_before_is_not_written_over(lost_shop: Shop) -> None:
    """`-o` names the folder of another time, or one that holds other things: these are nowhere else."""
    kept = lost_shop.kept
    kept.mkdir(mode=0o700)
    was = {name: f"{name} of another log".encode() for name in ("last.note", "policy.txt", "waiting.jsonl", "closing.json")}
    for name, content in was.items():
        (kept / name).write_bytes(content)
    refused(lost_shop, "BAD_INPUT")
    assert {path.name: path.read_bytes() for path in kept.iterdir()} == was
    shutil.copytree(lost_shop.lost.copy, kept / "log")
    refused(lost_shop, "GENESIS_NOT_WHOLE")
    assert {path.name: path.read_bytes() for path in kept.iterdir() if path.is_file()} == was


@pytest.mark.obligation("AL-03")
async def test_what_waits_only_since_it_was_kept_is_not_emptied(lost_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """An instance that runs all the same (behind a pooler nothing tells of it) has told somebody that this is done."""
    entry, authority = await _an_entry(lost_shop)
    asked = Asked(lost_shop.note.read_bytes(), b"", NEW, REASON, "wang.compliance")
    for name in [name for name in os.environ if name.startswith("MENSHEN_")]:
        monkeypatch.delenv(name)
    async with stopped(lost_shop.old) as (house, trust, scribe):
        asked = replace(asked, policy=trust.policy.encode())
        case = await closing.examine(house, asked, await returning.standing(house), trust=trust)
        kept = await closing.kept(case, lost_shop.kept, trust=trust, clock=machine.now, progress=unwatched)
        await asyncio.to_thread(_waits, lost_shop, entry, authority)
        with pytest.raises(Conflict):
            await closing.begin(case, kept, lost_shop.kept, scribe=scribe, call=a_call(), clock=machine.now, also=_nothing)
    assert len(rows(lost_shop.old, "audit_pending", "entry_id")) == 1 and rows(lost_shop.old, "audit_head", "log_id")[0][0] == OLD


async def _nothing(_transaction: Transaction) -> dict[str, str]:
    return {}

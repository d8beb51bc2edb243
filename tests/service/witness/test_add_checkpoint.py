"""add-checkpoint, as C2SP tlog-witness has it: what is cosigned, what is not, and with which answer."""

import asyncio
import json
import sqlite3
from contextlib import ExitStack
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import httpx2
import pytest
from hypothesis import HealthCheck, given, strategies
from hypothesis import settings as examples
from starlette.applications import Starlette
from typer.testing import CliRunner

from menshen_verifier.checkpoint import open_checkpoint
from menshen_verifier.errors import Malformed
from menshen_verifier.note import Key, Kind
from service.checkpoints.submission import MOST_BYTES, MOST_HASHES, Submission, parse_submission
from service.cli.audit_witness import witness as witness_cli
from service.hazmat import signing
from service.witness import cosigner
from service.witness.evidence import MOST, Evidence
from service.witness.judging import Witness
from service.witness.model import Code
from service.witness.serving import opened
from service.witness.settings import load
from service.witness.store import Store
from tests.conftest import START, StillClock
from tests.service.witness.conftest import Add
from tests.service.witness.house import ORIGIN, WITNESS, WITNESS_SEED, Log, entries, settings_file

COSIGNER = Key(WITNESS, Kind.COSIGNATURE_V1, signing.public_key(WITNESS_SEED))
NEWEST = f"/{sha256(ORIGIN.encode()).hexdigest()}/checkpoint"


def evidence(settings: Path) -> list[dict[str, str]]:
    return [json.loads(path.read_text()) for path in sorted((settings.parent / "store" / "evidence").glob("*.json"))]


async def test_a_first_checkpoint_is_cosigned_with_the_witness_s_time(add: Add, log: Log) -> None:
    answer = await add(log.asks(0, 7))
    assert answer.status_code == 200
    opened = open_checkpoint((log.note(7) + answer.text).encode(), [log.key], [COSIGNER])
    assert {one.key: one.time for one in opened.signed} == {log.key: None, COSIGNER: int(START.timestamp())}


async def test_a_log_goes_on_from_what_was_cosigned_and_the_newest_can_be_asked_for(
    add: Add, log: Log, http: httpx2.AsyncClient, clock: StillClock
) -> None:
    assert (await http.get(NEWEST)).status_code == 404
    for old, new in ((0, 1), (1, 8), (8, 8), (8, 31), (31, 40)):
        clock.advance(1)
        assert (await add(log.asks(old, new))).status_code == 200, (old, new)
    answer = await http.get(NEWEST)
    assert answer.headers["content-type"].startswith("text/plain")
    opened = open_checkpoint(answer.content, [log.key], [COSIGNER])
    assert opened.checkpoint == log.checkpoint(40)
    assert [one.time for one in opened.signed] == [None, int(clock().timestamp())]


async def test_lines_of_strangers_are_not_passed_on(add: Add, log: Log, http: httpx2.AsyncClient) -> None:
    stranger = Key("stranger.example/x", Kind.ED25519, b"\x07" * 32).line(b"\x01" * 64)
    body = Submission(0, (), (log.note(7) + stranger + "\n").encode()).body
    assert (await add(body)).status_code == 200
    assert "stranger" not in (await http.get(NEWEST)).text


async def test_a_second_line_of_the_log_that_nobody_checked_is_not_passed_on(
    add: Add, log: Log, http: httpx2.AsyncClient
) -> None:
    """Anybody can add one to a checkpoint that was published, and send it again: whoever opened what the witness shows would refuse it."""
    await add(log.asks(0, 5))
    spoilt = log.note(5) + log.key.line(bytes(64)) + "\n"
    await add(Submission(5, (), spoilt.encode()).body)
    shown = await http.get(NEWEST)
    assert open_checkpoint(shown.content, [log.key], [COSIGNER]).checkpoint == log.checkpoint(5)


@pytest.mark.parametrize("old", [0, 3, 9])
async def test_who_comes_from_elsewhere_is_told_the_size_to_go_on_from(add: Add, log: Log, old: int, settings: Path) -> None:
    await add(log.asks(0, 5))
    answer = await add(log.asks(old, 9))
    assert (answer.status_code, answer.text) == (409, "5\n")
    assert answer.headers["content-type"] == "text/x.tlog.size"
    assert evidence(settings) == []


async def test_a_log_that_is_not_served_is_unknown(add: Add) -> None:
    answer = await add(Log(entries(3), origin="stranger.example.cn/audit").asks(0, 3))
    assert (answer.status_code, answer.text) == (404, "UNKNOWN_LOG\n")


@pytest.mark.obligation("AL-03")
async def test_a_checkpoint_that_the_log_did_not_sign_is_refused_and_no_evidence_of_anything(
    add: Add, log: Log, settings: Path
) -> None:
    forged = Log(log.entries, seed=b"\x09" * 32)
    answer = await add(forged.asks(0, 3))
    assert (answer.status_code, answer.text) == (403, "NOT_SIGNED\n")
    claimed = Submission(0, (), log.note(3, seed=b"\x09" * 32).encode()).body
    assert (await add(claimed)).status_code == 403
    assert evidence(settings) == []


async def test_an_old_size_that_is_larger_than_the_checkpoint_is_refused(add: Add, log: Log) -> None:
    body = Submission(9, (), log.note(5).encode()).body
    answer = await add(body)
    assert (answer.status_code, answer.text) == (400, "OLD_IS_LARGER\n")


@pytest.mark.obligation("AL-03")
@pytest.mark.parametrize("old", [0, 5])
async def test_a_proof_that_does_not_hold_is_refused_and_kept(add: Add, log: Log, old: int, settings: Path) -> None:
    if old:
        await add(log.asks(0, old))
    body = Submission(old, (b"\x01" * 32, *log.proof(old, 9)), log.note(9).encode()).body
    answer = await add(body)
    assert (answer.status_code, answer.text) == (422, "INCONSISTENT\n")
    assert [(one["suspicion"], one["size"], one["request"]) for one in evidence(settings)] == [("unproven", 9, body.decode())]


@pytest.mark.obligation("AL-03")
async def test_a_fork_of_the_same_size_is_refused_and_both_signed_heads_are_kept(add: Add, log: Log, settings: Path) -> None:
    await add(log.asks(0, 9))
    other = Log(entries(40, "another past"))
    answer = await add(Submission(9, (), other.note(9).encode()).body)
    assert (answer.status_code, answer.text) == (422, "FORKED\n")
    (kept,) = evidence(settings)
    assert kept["suspicion"] == "fork"
    assert open_checkpoint(kept["known"].encode(), [log.key]).checkpoint == log.checkpoint(9)
    refused = parse_submission(kept["request"].encode())
    assert open_checkpoint(refused.note, [log.key]).checkpoint == other.checkpoint(9)


@pytest.mark.obligation("AL-03")
async def test_a_fork_that_has_grown_is_refused_and_so_is_one_of_a_size_long_gone(add: Add, log: Log, settings: Path) -> None:
    await add(log.asks(0, 4))
    await add(log.asks(4, 9))
    other = Log(entries(40, "another past"))
    assert (await add(other.asks(9, 20))).status_code == 422
    assert (await add(other.asks(0, 4))).status_code == 409
    assert sorted(one["suspicion"] for one in evidence(settings)) == ["fork", "unproven"]


@pytest.mark.obligation("AL-03")
async def test_a_log_that_went_back_is_refused_and_kept_and_an_old_checkpoint_sent_again_is_nothing(
    add: Add, log: Log, settings: Path, http: httpx2.AsyncClient
) -> None:
    await add(log.asks(0, 4))
    await add(log.asks(4, 9))
    assert (await add(log.asks(0, 4))).status_code == 409
    assert evidence(settings) == []
    for old in (0, 6):
        assert (await add(log.asks(old, 6))).status_code == 409
    assert [(one["suspicion"], one["size"]) for one in evidence(settings)] == [("behind", 6)]
    assert open_checkpoint((await http.get(NEWEST)).content, [log.key]).checkpoint.size == 9


@pytest.mark.obligation("AL-03")
async def test_two_histories_of_a_size_that_was_never_cosigned_are_a_fork(add: Add, log: Log, settings: Path) -> None:
    """A stranger fills the folder with what the log once published; then whoever has its key shows another past of one of those sizes."""
    other = Log([*log.entries[:2], b"another", *log.entries[3:]])
    await add(log.asks(0, 9))
    for size in (8, 7, 6, 5):
        assert (await add(log.asks(0, size))).status_code == 409
    assert [one["suspicion"] for one in evidence(settings)] == ["behind"] * 4
    assert (await add(other.asks(0, 7))).status_code == 409
    (fork,) = [one for one in evidence(settings) if one["suspicion"] == "fork"]
    assert (fork["size"], fork["known"]) == (7, log.note(7))
    assert other.note(7) in fork["request"]


async def test_what_evidence_is_not_kept_any_more_is_told_everywhere_and_leaves_room_for_other_suspicions(
    add: Add, log: Log, settings: Path, http: httpx2.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    folder = settings.parent / "store" / "evidence"
    await add(log.asks(0, 9))
    await add(log.asks(0, 8))
    (kept,) = folder.glob("*-behind-*.json")
    for number in range(MOST - 1):
        (folder / kept.name.replace("-8-", f"-{1000 + number}-")).write_text("{}")
    await add(log.asks(0, 8))
    command = [str(settings), "--json"]
    assert list(folder.glob("*.full")) == [], "what is there already is not missed"
    assert CliRunner().invoke(witness_cli, ["evidence", "--settings", *command]).exit_code == 0
    for size in (7, 6):
        assert (await add(log.asks(0, size))).status_code == 409
    assert len(list(folder.glob("*.json"))) == MOST and len(list(folder.glob("*.full"))) == 1
    assert len([one for one in caplog.messages if "not kept" in one]) == 1
    labels = f'{{origin="{log.origin}",suspicion="behind"}} 1.0'
    assert f"menshen_witness_evidence_full{labels}" in (await http.get("/metrics")).text
    listed = CliRunner().invoke(witness_cli, ["evidence", "--settings", *command])
    told = [one for one in json.loads(listed.stdout) if one["full"]]
    assert listed.exit_code == 1 and [(one["origin"], one["suspicion"], one["at"][:10]) for one in told] == [
        (log.origin, "behind", "2026-11-22")
    ]
    assert "证据已满" in CliRunner().invoke(witness_cli, ["evidence", "--settings", str(settings)]).stdout
    await add(Log(entries(40, "another past")).asks(0, 9))
    assert len(list(folder.glob("*-fork-*.json"))) == 1, "noise of one suspicion takes no room from another"


async def test_a_size_of_nothing_has_one_root(add: Add, log: Log) -> None:
    assert (await add(log.asks(0, 0))).status_code == 200
    text = log.checkpoint(0).text.replace(log.checkpoint(0).text.split("\n")[2], log.checkpoint(1).text.split("\n")[2])
    signed = f"{text}\n{log.key.line(signing.sign(log.seed, text.encode()))}\n"
    assert (await add(Submission(0, (), signed.encode()).body)).status_code == 422
    assert (await add(log.asks(0, 3))).status_code == 200


@pytest.mark.obligation("AL-03")
async def test_of_requests_at_once_one_wins_and_the_log_never_goes_back(add: Add, log: Log, http: httpx2.AsyncClient) -> None:
    await add(log.asks(0, 5))
    sizes = list(range(6, 40))
    answers = await asyncio.gather(*(add(log.asks(5, size)) for size in sizes))
    won = [size for size, answer in zip(sizes, answers, strict=True) if answer.status_code == 200]
    assert len(won) == 1
    assert {answer.status_code for answer in answers} == {200, 409}
    assert open_checkpoint((await http.get(NEWEST)).content, [log.key]).checkpoint.size == won[0]


@pytest.mark.obligation("AL-03")
def test_what_was_cosigned_between_the_look_and_the_writing_is_not_gone_back_from(settings: Path, log: Log) -> None:
    told, rivals = load(settings), [log.asks(0, 7)]
    told.store.mkdir(mode=0o700, parents=True)
    with Store(told.store / "witness.db") as store:

        def clock() -> datetime:
            if rivals:
                assert witness.submit(rivals.pop()).code is Code.COSIGNED
            return START

        logs = {one.origin: one.keys for one in told.logs}
        evidence = Evidence(told.store / "evidence")
        witness = Witness(logs=logs, cosigner=cosigner.read(told.key), store=store, evidence=evidence, clock=clock)
        late = witness.submit(log.asks(0, 5))
        assert (late.code, late.size, late.lines) == (Code.NOT_FROM_HERE, 7, ())
        assert witness.newest(ORIGIN).size == 7


async def test_several_logs_do_not_touch_one_another(add: Add, log: Log) -> None:
    other = Log(entries(9), origin="other.example.cn/audit")
    assert (await add(log.asks(0, 5))).status_code == 200
    assert (await add(other.asks(0, 9))).status_code == 200
    assert (await add(log.asks(5, 6))).status_code == 200


async def test_a_log_that_changes_its_key_is_known_by_either(tmp_path: Path, clock: StillClock, log: Log) -> None:

    new = Log(log.entries, seed=b"\x05" * 32)
    path = settings_file(tmp_path, log)
    path.write_text(path.read_text().replace(f'"{log.key.vkey}"', f'"{log.key.vkey}", "{new.key.vkey}"'))
    with ExitStack() as stack:
        transport = httpx2.ASGITransport(app=opened(stack, load(path), clock=clock)[0])
        async with httpx2.AsyncClient(transport=transport, base_url="http://witness.test") as http:
            first = await http.post("/add-checkpoint", content=log.asks(0, 5))
            second = await http.post("/add-checkpoint", content=new.asks(5, 9))
    assert (first.status_code, second.status_code) == (200, 200)


async def test_counts_say_what_was_answered_and_how_far_each_log_is(add: Add, log: Log, http: httpx2.AsyncClient) -> None:
    await add(log.asks(0, 5))
    await add(b"nonsense")
    shown = (await http.get("/metrics")).text
    assert 'menshen_witness_answers_total{code="COSIGNED"} 1.0' in shown
    assert 'menshen_witness_answers_total{code="MALFORMED"} 1.0' in shown
    assert f'menshen_witness_size{{origin="{ORIGIN}"}} 5.0' in shown
    assert [(await http.get(path)).status_code for path in ("/livez", "/readyz")] == [200, 200]


async def test_too_long_a_body_is_not_read_to_its_end(add: Add) -> None:
    answer = await add(b"old 0\n" + b"x" * MOST_BYTES)
    assert (answer.status_code, answer.text) == (413, "TOO_LONG\n")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_whatever_else_is_asked_is_refused_with_a_code(http: httpx2.AsyncClient, method: str) -> None:
    assert (await http.request(method, "/add-checkpoint")).status_code in {404, 405}
    assert (await http.request(method, "/no-such-thing")).status_code == 404
    assert (await http.request(method, f"/{'0' * 64}/checkpoint")).status_code in {404, 405}


async def test_a_full_disk_is_said_with_a_code_and_nothing_is_cosigned(add: Add, log: Log, settings: Path) -> None:

    with sqlite3.connect(settings.parent / "store" / "witness.db") as elsewhere:
        elsewhere.execute("CREATE TRIGGER full BEFORE INSERT ON standing BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    elsewhere.close()
    answer = await add(log.asks(0, 5))
    assert (answer.status_code, answer.text) == (503, "STORE_UNAVAILABLE\n")


@examples(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=strategies.binary(max_size=400) | strategies.text(max_size=300).map(lambda text: f"old 0\n{text}".encode()))
async def test_whatever_bytes_come_the_answer_has_a_code(raw: bytes, witness: Starlette) -> None:
    transport = httpx2.ASGITransport(app=witness, raise_app_exceptions=True)
    async with httpx2.AsyncClient(transport=transport, base_url="http://witness.test") as http:
        assert (await http.post("/add-checkpoint", content=raw)).status_code in {400, 404}


@given(raw=strategies.binary(max_size=200) | strategies.text(alphabet="old 0123\n=A+/", max_size=200).map(str.encode))
def test_any_bytes_are_a_submission_or_malformed(raw: bytes) -> None:
    try:
        found = parse_submission(raw)
    except Malformed:
        return
    assert found.body == raw
    assert len(found.proof) <= MOST_HASHES


@given(
    old=strategies.integers(0, 2**63 - 1),
    proof=strategies.lists(strategies.binary(min_size=32, max_size=32), max_size=MOST_HASHES),
    note=strategies.binary(max_size=300),
)
def test_a_submission_is_read_as_it_was_written(old: int, proof: list[bytes], note: bytes) -> None:
    made = Submission(old, tuple(proof), note)
    assert parse_submission(made.body) == made


@pytest.mark.parametrize("old", ["00", "-1", "+1", "9223372036854775808", "1 ", "0x1", "١", ""])
def test_an_old_size_has_one_form(old: str, log: Log) -> None:
    with pytest.raises(Malformed):
        parse_submission(f"old {old}\n\n".encode() + log.note(3).encode())

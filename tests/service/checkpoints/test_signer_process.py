"""The signer process and its socket: what it signs, what it refuses, who may ask, and what strange bytes do to it."""

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen_verifier import merkle
from menshen_verifier.checkpoint import Checkpoint, open_checkpoint
from menshen_verifier.consistency import consistency_spans
from menshen_verifier.errors import Malformed
from service.audit.writer import Writer
from service.checkpoints import wire
from service.checkpoints.model import SignerAhead
from service.checkpoints.notes import note_of
from service.checkpoints.place import unfit
from service.checkpoints.process import SignerProcess
from service.checkpoints.remote import RemoteSigner
from service.checkpoints.wire import Activate, Ahead, Ask, Known, Lines, Refused, Sign
from service.db.engine import Database
from service.errors import ConfigError, KeyUnavailable, LogBroken
from tests.service.audit import logs as audit_logs
from tests.service.audit.logs import ORIGIN
from tests.service.checkpoints import logs
from tests.service.checkpoints.logs import grow, newest, publishing

LEAVES = [sha256(b"\x00%d" % number).digest() for number in range(40)]
FORKED = [*LEAVES[:7], bytes(32), *LEAVES[8:]]


def tree(size: int, leaves: list[bytes] = LEAVES) -> Checkpoint:
    return Checkpoint(ORIGIN, size, merkle.root(merkle.extend(0, (), leaves[:size]).frontier))


def proof(old: int, new: int, leaves: list[bytes] = LEAVES) -> list[bytes]:
    return [merkle.root(merkle.extend(0, (), leaves[start:end]).frontier) for start, end in consistency_spans(old, new)]


@pytest.fixture
def socket(tmp_path: Path) -> Path:
    """Where it listens. A socket's name may be no longer than a hundred bytes, and clones lie deep."""
    return Path(os.path.relpath(tmp_path / "s"))


@pytest.fixture
async def remote(home: Path, socket: Path) -> AsyncIterator[RemoteSigner]:
    """The service's end of a signer process that answers this account."""
    signer = logs.signer(home, second=True)
    process = SignerProcess(signer, clock=audit_logs.now, accounts={os.geteuid()}, files=signer.files)
    async with process.listening(socket):
        made = RemoteSigner(socket)
        assert await made.open() == 0
        yield made


async def test_what_goes_on_from_before_is_signed_under_both_keys(remote: RemoteSigner) -> None:
    old = 0
    for size in (1, 2, 13, 13, 40):
        lines = await remote.sign(tree(size), old=old, proof=proof(old, size), time=0)
        opened = open_checkpoint(note_of(tree(size), lines).encode(), remote.keys)
        assert [one.key for one in opened.signed] == list(remote.keys)
        old = size
    assert await remote.open() == 40


@pytest.mark.obligation("AL-03")
async def test_a_smaller_log_another_root_and_a_fork_are_refused(remote: RemoteSigner) -> None:
    await remote.sign(tree(13), old=0, proof=[], time=0)
    with pytest.raises(SignerAhead) as ahead:
        await remote.sign(tree(12), old=12, proof=[], time=0)
    assert ahead.value.size == 13
    with pytest.raises(SignerAhead):
        await remote.sign(tree(12), old=13, proof=[], time=0)
    with pytest.raises(LogBroken, match="another root at size 13"):
        await remote.sign(tree(13, FORKED), old=13, proof=[], time=0)
    with pytest.raises(LogBroken, match="not the beginning"):
        await remote.sign(tree(40, FORKED), old=13, proof=proof(13, 40, FORKED), time=0)
    with pytest.raises(SignerAhead):
        await remote.sign(tree(40, FORKED), old=0, proof=[], time=0)
    with pytest.raises(LogBroken, match="not its log"):
        await remote.sign(Checkpoint("another.example/audit", 40, tree(40).root), old=13, proof=proof(13, 40), time=0)
    assert await remote.open() == 13
    assert await remote.sign(tree(40), old=13, proof=proof(13, 40), time=0)


@pytest.mark.obligation("AL-03")
async def test_while_it_runs_nobody_takes_its_memory_away_or_puts_an_older_one_back(remote: RemoteSigner, home: Path) -> None:
    state = home / "log.key.state"
    await remote.sign(tree(7), old=0, proof=[], time=0)
    older = state.read_bytes()
    await remote.sign(tree(13), old=7, proof=proof(7, 13), time=0)
    newest = state.read_bytes()
    for put in (state.unlink, lambda: state.write_bytes(older)):
        put()
        with pytest.raises(LogBroken, match="put back"):
            await remote.sign(tree(40, FORKED), old=7, proof=proof(7, 40, FORKED), time=0)
        with pytest.raises(LogBroken, match="put back"):
            await remote.open()
    state.write_bytes(newest)
    assert await remote.sign(tree(40), old=13, proof=proof(13, 40), time=0)


async def test_what_it_signed_is_remembered_when_it_is_started_anew(remote: RemoteSigner, home: Path) -> None:
    await remote.sign(tree(13), old=0, proof=[], time=0)
    assert await logs.signer(home).open() == 13
    assert stat.S_IMODE((home / "log.key.state").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "content", [b"", b"menshen/signer-state/v1\n", b"\xff\xfe", b"menshen/signer-state/v1\nother\n1\nAAAA\n"]
)
async def test_a_memory_that_cannot_be_read_is_no_reason_to_begin_anew(remote: RemoteSigner, home: Path, content: bytes) -> None:
    (home / "log.key.state").write_bytes(content)
    with pytest.raises(LogBroken, match="state"):
        await remote.sign(tree(1), old=0, proof=[], time=0)


async def test_only_its_owner_can_reach_the_socket(remote: RemoteSigner, socket: Path) -> None:
    assert remote.keys
    assert stat.S_IMODE(socket.stat().st_mode) == 0o600


async def test_a_caller_of_another_account_is_not_answered(home: Path, socket: Path) -> None:
    signer = logs.signer(home)
    process = SignerProcess(signer, clock=audit_logs.now, accounts={os.geteuid() + 1}, files=signer.files)
    async with process.listening(socket):
        with pytest.raises(KeyUnavailable):
            await RemoteSigner(socket).open()


async def test_a_second_signer_does_not_take_the_socket_and_a_killed_ones_socket_is_taken(
    remote: RemoteSigner, home: Path, socket: Path
) -> None:
    signer = logs.signer(home)
    another = SignerProcess(signer, clock=audit_logs.now, accounts={os.geteuid()}, files=signer.files)
    with pytest.raises(ConfigError, match="another signer"):
        async with another.listening(socket):
            pass
    left = socket.with_name("left")
    server = await asyncio.start_unix_server(lambda _reader, _writer: None, left)
    server.close()
    assert left.exists()
    async with another.listening(left):
        assert await RemoteSigner(left).open() == await remote.open()


async def test_without_a_signer_nothing_is_signed_and_the_log_goes_on(
    database: Database, journal: Writer, home: Path, socket: Path, eventually: Callable[..., Awaitable[None]]
) -> None:
    async with publishing(database, journal, home, signer=RemoteSigner(socket)) as publisher:
        stop = asyncio.Event()
        task = asyncio.create_task(publisher.run(stop))

        async def problem() -> str:
            return publisher.state.problem

        await eventually(problem, "KEY_UNAVAILABLE")
        await grow(journal, 5)
        signer = logs.signer(home)
        async with SignerProcess(signer, clock=audit_logs.now, accounts={os.geteuid()}, files=signer.files).listening(socket):
            await eventually(problem, "")
            assert (await newest(database, publisher)).size == 6
        stop.set()
        await task


@pytest.mark.obligation("AL-03")
async def test_a_rolled_back_log_is_found_by_the_signer(
    database: Database, home: Path, remote: RemoteSigner, journal: Writer
) -> None:
    await grow(journal, 3)
    await remote.sign(tree(13), old=0, proof=[], time=0)
    async with publishing(database, journal, home, signer=remote) as publisher:
        with pytest.raises(LogBroken, match="rolled back"):
            await publisher.once()
    assert journal.health() == "broken"


async def exchange(socket: Path, raw: bytes) -> bytes:
    reader, writer = await asyncio.open_unix_connection(socket)
    try:
        writer.write(raw)
        writer.write_eof()
        return await asyncio.wait_for(reader.read(), 5)
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_strange_bytes_are_refused_and_the_next_caller_is_served(remote: RemoteSigner, socket: Path) -> None:
    for raw in (b"", b"\xff" * 100, b"GET / HTTP/1.1\r\n\r\n", b"menshen/signer/v1 sign\n", b"\n" * (wire.MOST_BYTES + 1)):
        assert (await exchange(socket, raw)).startswith(b"refused ")
    await exchange(socket, b"x" * (20 * wire.MOST_BYTES))
    assert await remote.open() == 0


CHECKPOINTS = st.builds(Checkpoint, st.just(ORIGIN), st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32))
HASHES = st.lists(st.binary(min_size=32, max_size=32), max_size=63).map(tuple)


@given(st.one_of(st.just(Ask()), st.just(Activate()), st.builds(Sign, st.integers(0, 2**63 - 1), HASHES, CHECKPOINTS)))
def test_a_request_reads_back_as_it_was_written(request: wire.Request) -> None:
    assert wire.parse_request(wire.request_bytes(request)) == request


def test_an_answer_reads_back_as_it_was_written(tmp_path: Path) -> None:
    signer = logs.signer(tmp_path, second=True)
    asyncio.run(signer.open())
    line = signer.keys[0].line(bytes(64))
    for answer in (
        Known(7, signer.keys),
        Known(0, signer.keys[:1], signer.keys[0]),
        Lines((line, line)),
        Ahead(9),
        Refused("why not", broken=True),
        Refused("MALFORMED", broken=False),
    ):
        assert wire.parse_answer(wire.answer_bytes(answer)) == answer


@given(st.one_of(st.binary(max_size=400), st.text(max_size=200).map(lambda text: f"{wire.TITLE} sign\nold {text}".encode())))
def test_any_bytes_end_in_one_error_or_in_what_they_say(raw: bytes) -> None:
    for parse, write in ((wire.parse_request, wire.request_bytes), (wire.parse_answer, wire.answer_bytes)):
        try:
            found = parse(raw)
        except Malformed:
            continue
        assert write(found) == raw  # type: ignore[operator]


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o1777])
async def test_where_others_may_put_a_socket_nobody_listens_and_nobody_asks(home: Path, tmp_path: Path, mode: int) -> None:
    """They could sign nothing. But whoever sits on the name first stops the log."""
    folder = tmp_path / "f"
    folder.mkdir(mode=0o700)
    place = Path(os.path.relpath(folder / "s"))
    signer = logs.signer(home)
    process = SignerProcess(signer, clock=audit_logs.now, accounts={os.geteuid()}, files=signer.files)
    async with process.listening(place):
        assert await RemoteSigner(place).open() == 0
        folder.chmod(mode)
        with pytest.raises(KeyUnavailable, match="others may write"):
            await RemoteSigner(place).open()
    with pytest.raises(ConfigError, match="others may write"):
        async with process.listening(place):
            pass
    folder.chmod(0o755)
    async with process.listening(place):
        assert await RemoteSigner(place).open() == 0


def test_a_folder_above_that_others_may_write_to_is_as_bad_unless_they_may_take_nothing_away_there(tmp_path: Path) -> None:
    outer = tmp_path / "outer"
    inner = outer / "inner"
    inner.mkdir(mode=0o700, parents=True)
    outer.chmod(0o777)
    assert "others may write" in unfit(inner, own=True)
    outer.chmod(0o1777)
    assert unfit(inner, own=True) == ""
    if os.geteuid() == 0:
        os.chown(inner, 4242, -1)
        assert "another account" in unfit(inner, own=False), "made there by whoever came first"
        outer.chmod(0o755)
        assert unfit(inner, own=False) == "", "the signer's own folder, which root has given it"
        assert "another account" in unfit(inner, own=True)

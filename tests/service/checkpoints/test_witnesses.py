"""The service as a witness's client: real witnesses on loopback, and some that are none."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from hashlib import sha256
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from menshen_verifier.checkpoint import open_checkpoint
from menshen_verifier.note import Key, Kind
from service.checkpoints import witness_settings
from service.checkpoints.model import Proof
from service.checkpoints.outside import MOST_BYTES
from service.checkpoints.witnesses import Witnesses
from service.errors import ConfigError, LogBroken, RecordUnavailable
from service.hazmat import signing
from service.witness.cosigner import Cosigner, write
from service.witness.serving import opened
from service.witness.settings import load
from tests.conftest import StillClock
from tests.service.checkpoints.listening import listening
from tests.service.witness.house import ORIGIN, Log, entries, settings_file

NAMES = ("witness.example.cn/a", "witness.example.cn/b", "witness.example.cn/c")
GONE = "http://127.0.0.1:9"


def seed(name: str) -> bytes:
    return sha256(name.encode()).digest()


def key(name: str) -> Key:
    return Key(name, Kind.COSIGNATURE_V1, signing.public_key(seed(name)))


def known(
    folder: Path, at: dict[str, str], *, quorum: int = 1, log: Log | None = None, strict: bool = False, seconds: float = 10
) -> Witnesses:
    """The client, through its settings."""
    path = folder / "witnesses.toml"
    tables = "".join(f'[[witness]]\nurl = "{url}"\nvkeys = ["{key(name).vkey}"]\n' for name, url in at.items())
    path.write_text(f"quorum = {quorum}\nstrict = {str(strict).lower()}\n{tables}")
    path.chmod(0o600)
    keys = (log or Log([])).key
    made = witness_settings.load(path, origin=ORIGIN, log=lambda: (keys,), production=False, seconds=seconds)
    assert made is not None
    return made


def proofs(log: Log) -> Proof:
    """Proofs of a log that is as long as its entries."""

    async def prove(old: int, new: int) -> tuple[bytes, ...]:
        if max(old, new) > len(log.entries):
            raise LogBroken("the tiles have holes")
        return log.proof(old, new) if old else ()

    return prove


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as made:
        yield made


class House:
    """Witnesses, each in a folder of its own."""

    def __init__(self, folder: Path, stack: AsyncExitStack, clock: StillClock) -> None:
        self.folder, self.stack, self.clock = folder, stack, clock
        self.at: dict[str, str] = {}

    async def witness(self, name: str, log: Log) -> str:
        """Bring one up; its address."""
        place = self.folder / name.replace("/", "-")
        place.mkdir(exist_ok=True)
        if not (place / "witness.key").exists():
            write(place / "witness.key", Cosigner(name, seed(name)))
        app, _ = opened(self.stack, load(settings_file(place, log)), clock=self.clock)  # type: ignore[arg-type]
        self.at[name] = await self.stack.enter_async_context(listening(app))
        return self.at[name]

    async def strange(self, name: str, *routes: Route) -> None:
        """Something that is no witness, in a witness's place."""
        self.at[name] = await self.stack.enter_async_context(listening(Starlette(routes=list(routes))))

    def client(self, log: Log, **more: object) -> Witnesses:
        made = known(self.folder, self.at, log=log, **more)  # type: ignore[arg-type]
        self.stack.push_async_callback(made.close)
        return made


@pytest.fixture
def house(tmp_path: Path, stack: AsyncExitStack, clock: StillClock) -> House:
    return House(tmp_path, stack, clock)


def says(status: int, body: str | bytes, kind: str = "text/plain") -> Sequence[Route]:
    async def answer(_: Request) -> Response:
        return Response(body, status, headers={"content-type": kind})

    return [Route("/add-checkpoint", answer, methods=["POST"]), Route("/{hash}/checkpoint", answer)]


LOG = Log(entries(60))


async def test_all_are_asked_and_their_lines_hold_under_their_keys(house: House) -> None:
    for name in NAMES:
        await house.witness(name, LOG)
    client = house.client(LOG, quorum=3)
    for size in (5, 5, 23, 60):
        found = await client.cosign(LOG.note(size), old=0, proof=proofs(LOG))
        assert found.enough
        assert found.problems == {}
        note = LOG.note(size) + "".join(f"{line}\n" for line in found.lines)
        signed = open_checkpoint(note.encode(), [LOG.key], client.keys).signed
        assert {one.key for one in signed} == {LOG.key, *map(key, NAMES)}
    assert await client.seen() == 60


async def test_a_witness_that_knows_another_size_is_given_the_proof_from_there(house: House) -> None:
    await house.witness(NAMES[0], LOG)
    first = house.client(LOG)
    await first.cosign(LOG.note(7), old=0, proof=proofs(LOG))
    await house.witness(NAMES[1], LOG)
    second = house.client(LOG, quorum=2)
    assert (await second.cosign(LOG.note(20), old=13, proof=proofs(LOG))).enough
    assert (await first.cosign(LOG.note(33), old=0, proof=proofs(LOG))).enough


async def test_a_quorum_is_enough_and_one_that_is_gone_is_named(house: House) -> None:
    await house.witness(NAMES[0], LOG)
    house.at[NAMES[1]] = GONE
    found = await house.client(LOG, quorum=1).cosign(LOG.note(9), old=0, proof=proofs(LOG))
    assert (found.enough, len(found.lines), found.problems) == (True, 1, {NAMES[1]: "UNREACHABLE"})
    found = await house.client(LOG, quorum=2).cosign(LOG.note(9), old=0, proof=proofs(LOG))
    assert (found.enough, len(found.lines), found.problems) == (False, 1, {NAMES[1]: "UNREACHABLE"})


async def test_one_that_hangs_holds_up_nobody_for_long(house: House) -> None:
    async def hang(_: Request) -> Response:
        await asyncio.sleep(30)
        return PlainTextResponse("")

    await house.witness(NAMES[0], LOG)
    await house.strange(NAMES[1], Route("/add-checkpoint", hang, methods=["POST"]))
    async with asyncio.timeout(9):
        found = await house.client(LOG).cosign(LOG.note(9), old=0, proof=proofs(LOG))
    assert (found.enough, found.problems) == (True, {NAMES[1]: "SLOW"})
    found = await house.client(LOG, quorum=2, seconds=1).cosign(LOG.note(9), old=0, proof=proofs(LOG))
    assert (found.enough, found.problems.get(NAMES[1])) == (False, "TIMEOUT")


OTHER = Cosigner(NAMES[1], seed("somebody else"))
ANSWERS = {
    "not signatures": (200, "thank you\n", "FORGED_ANSWER"),
    "nothing": (200, "", "FORGED_ANSWER"),
    "the log's own line": (200, LOG.note(9).rpartition("\n\n")[2], "FORGED_ANSWER"),
    "a line of another witness": (
        200,
        "".join(f"{line}\n" for line in OTHER.lines(LOG.checkpoint(9), StillClock()())),
        "FORGED_ANSWER",
    ),
    "a line over another size": (
        200,
        "".join(f"{line}\n" for line in Cosigner(NAMES[0], seed(NAMES[0])).lines(LOG.checkpoint(8), StillClock()())),
        "FORGED_ANSWER",
    ),
    "another text and its own line": (200, "\nx\n\n" + key(NAMES[0]).line(b"\x00" * 72) + "\n", "FORGED_ANSWER"),
    "too much": (200, "x" * (MOST_BYTES + 1), "TOO_LONG"),
    "403": (403, "", "NOT_TRUSTED"),
    "404": (404, "", "UNKNOWN_LOG"),
    "422": (422, "", "REFUSED"),
    "409 without a size": (409, "what\n", "REFUSED"),
    "500": (500, "traceback", "STATUS_500"),
    "418": (418, "", "STATUS_418"),
}


@pytest.mark.obligation("AL-03")
@pytest.mark.parametrize("name", ANSWERS)
async def test_whatever_a_witness_answers_has_a_code_and_no_line_is_believed(house: House, name: str) -> None:
    status, body, code = ANSWERS[name]
    await house.strange(NAMES[0], *says(status, body))
    found = await house.client(LOG).cosign(LOG.note(9), old=0, proof=proofs(LOG))
    assert (found.lines, found.enough, found.problems) == ((), False, {NAMES[0]: code})


@pytest.mark.parametrize("size", ["8\n", "9\n", "10\n", "999999999999999999\n", "-1\n", "٣\n", "1" * 400])
async def test_a_number_alone_stops_nothing(house: House, size: str) -> None:
    await house.strange(NAMES[0], *says(409, size, "text/x.tlog.size"))
    found = await house.client(LOG).cosign(LOG.note(9), old=0, proof=proofs(LOG))
    assert (found.lines, found.enough) == ((), False)
    assert found.problems[NAMES[0]] in {"AHEAD", "REFUSED"}


async def test_a_redirect_is_not_followed(house: House) -> None:
    await house.witness(NAMES[0], LOG)
    real = house.at.pop(NAMES[0])

    async def elsewhere(request: Request) -> Response:
        return RedirectResponse(real + request.url.path, 307)

    await house.strange(NAMES[0], Route("/add-checkpoint", elsewhere, methods=["POST"]))
    found = await house.client(LOG).cosign(LOG.note(9), old=0, proof=proofs(LOG))
    assert found.problems == {NAMES[0]: "STATUS_307"}


@pytest.mark.obligation("AL-03")
async def test_a_log_that_went_back_is_broken_when_a_witness_shows_what_our_key_signed(house: House) -> None:
    await house.witness(NAMES[0], LOG)
    client = house.client(LOG)
    await client.cosign(LOG.note(40), old=0, proof=proofs(LOG))
    back = Log(LOG.entries[:25])
    for fresh in (client, house.client(LOG)):
        with pytest.raises(LogBroken):
            await fresh.cosign(back.note(25), old=0, proof=proofs(back))


@pytest.mark.obligation("AL-03")
@pytest.mark.parametrize("size", [40, 55])
async def test_a_fork_is_broken_when_a_witness_shows_the_other_branch(house: House, size: int) -> None:
    await house.witness(NAMES[0], LOG)
    client = house.client(LOG)
    await client.cosign(LOG.note(40), old=0, proof=proofs(LOG))
    fork = Log(entries(60, "another past"))
    with pytest.raises(LogBroken):
        await client.cosign(fork.note(size), old=40, proof=proofs(fork))


async def test_a_witness_that_is_ahead_because_another_instance_was_quicker_is_no_reason_to_stop(house: House) -> None:
    await house.witness(NAMES[0], LOG)
    await house.client(LOG).cosign(LOG.note(40), old=0, proof=proofs(LOG))
    slower = house.client(LOG)
    found = await slower.cosign(LOG.note(30), old=0, proof=proofs(LOG))
    assert (found.enough, found.problems) == (False, {NAMES[0]: "AHEAD"})
    assert (await slower.cosign(LOG.note(41), old=0, proof=proofs(LOG))).enough


@pytest.mark.obligation("AL-03")
async def test_a_witness_that_lies_about_a_fork_without_our_signature_stops_nothing(house: House) -> None:
    fork = Log(entries(60, "another past"), seed=b"\x09" * 32)
    cosigner = Cosigner(NAMES[0], seed(NAMES[0]))
    shown = fork.note(40) + "".join(f"{line}\n" for line in cosigner.lines(fork.checkpoint(40), StillClock()()))
    refusing, showing = says(422, "")[0], says(200, shown)[1]
    await house.strange(NAMES[0], refusing, showing)
    found = await house.client(LOG).cosign(LOG.note(9), old=0, proof=proofs(LOG))
    assert found.problems == {NAMES[0]: "REFUSED"}


# --- at the start ------------------------------------------------------------------------------------------------------------------


async def roots(log: Log, size: int) -> bytes | None:
    return log.checkpoint(size).root if size <= len(log.entries) else None


async def start(house: House, log: Log, **more: object) -> None:
    async def root_at(size: int) -> bytes | None:
        return await roots(log, size)

    await house.client(LOG, **more).check(len(log.entries), root_at)


@pytest.mark.obligation("AL-03")
async def test_a_start_is_refused_when_a_witness_has_seen_more_or_another_past(house: House) -> None:
    await house.witness(NAMES[0], LOG)
    house.at[NAMES[1]] = GONE
    await start(house, Log([]))
    await house.client(LOG).cosign(LOG.note(40), old=0, proof=proofs(LOG))
    for fit in (LOG, Log(LOG.entries[:40])):
        await start(house, fit)
    for broken, said in (
        (Log(LOG.entries[:39]), "rolled back: the log has 39 entries, and a witness has seen 40"),
        (Log([]), "rolled back"),
        (Log(entries(60, "another past")), "not those that a witness has seen"),
    ):
        with pytest.raises(LogBroken, match=said):
            await start(house, broken)


async def test_a_start_without_witnesses_is_possible_unless_it_is_strict(house: House, caplog: pytest.LogCaptureFixture) -> None:
    await house.witness(NAMES[0], LOG)
    house.at[NAMES[1]] = GONE
    await start(house, LOG, quorum=1, strict=True)
    with pytest.raises(RecordUnavailable):
        await start(house, LOG, quorum=2, strict=True)
    await start(house, LOG, quorum=2)
    assert "too few witnesses" in caplog.text


@pytest.mark.obligation("AL-03")
@pytest.mark.parametrize(
    ("status", "body"), [(200, "nonsense"), (200, LOG.note(40)), (500, ""), (302, ""), (200, "x" * (MOST_BYTES + 1))]
)
async def test_what_has_not_the_witness_s_signature_counts_as_not_asked(house: House, status: int, body: str) -> None:
    await house.strange(NAMES[0], *says(status, body))
    await start(house, Log([]))
    with pytest.raises(RecordUnavailable):
        await start(house, Log([]), strict=True)


# --- settings ----------------------------------------------------------------------------------------------------------------------

GOOD = f'quorum = 1\n[[witness]]\nurl = "https://w.example.cn/"\nvkeys = ["{key(NAMES[0]).vkey}"]\n'
AGAIN = GOOD.partition("\n")[2]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("quorum = 1", "quorum = 0"),
        ("quorum = 1", "quorum = 2"),
        ("quorum = 1", "quorum = true"),
        ("quorum = 1", ""),
        ("quorum = 1", "quorum = 1\nstrict = 1"),
        ("quorum = 1", "quorum = 1\nquroum = 1"),
        ("https://", "http://"),
        ("https://", "https://user@"),
        ("w.example.cn/", "w.example.cn/?a=b"),
        (key(NAMES[0]).vkey, LOG.key.vkey),
        (key(NAMES[0]).vkey, "x"),
        (f'"{key(NAMES[0]).vkey}"', f'"{key(NAMES[0]).vkey}", "{key(NAMES[1]).vkey}"'),
        ("[[witness]]", "[[witness]]\ntrust = 'nothing.pem'"),
        ("[[witness]]", "[[witness]]\nname = 'x'"),
        ("[[witness]]", AGAIN + "[[witness]]"),
        ("[[witness]]", "[witness]"),
    ],
)
def test_settings_that_are_not_fit_are_refused_by_name(tmp_path: Path, old: str, new: str) -> None:
    path = tmp_path / "w.toml"
    path.write_text(GOOD)
    path.chmod(0o600)
    assert witness_settings.load(path, origin=ORIGIN, log=tuple, production=True) is not None
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(ConfigError, match="MENSHEN_WITNESSES"):
        witness_settings.load(path, origin=ORIGIN, log=tuple, production=True)


def test_without_a_file_there_are_no_witnesses(tmp_path: Path) -> None:
    assert witness_settings.load(None, origin=ORIGIN, log=tuple, production=True) is None
    with pytest.raises(ConfigError):
        witness_settings.load(tmp_path / "none.toml", origin=ORIGIN, log=tuple, production=True)

"""`menshen audit status`, `policy`, `key` and `signer`: what a person sees and does about the log's signature."""

import asyncio
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from menshen_verifier.checkpoint import open_checkpoint
from menshen_verifier.note import parse_key
from service.app import parts
from service.audit.journal import Ack
from service.checkpoints import store
from service.cli import menshen
from service.config import Config
from service.db.engine import connect
from service.errors import Conflict, LogBroken
from tests.factories import a_call, a_member
from tests.journeys.servers import begun
from tests.plugins.nursery import Child
from tests.service.audit.logs import Administrator
from tests.service.checkpoints.logs import export

Run = Callable[..., Result]


@pytest.fixture
def run(config: Config, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command in this instance's environment."""
    monkeypatch.setenv("MENSHEN_HOME", str(config.home))
    monkeypatch.setenv("MENSHEN_DATABASE_URL", config.database_url)
    monkeypatch.setenv("MENSHEN_PORT", "1")
    return lambda *arguments: CliRunner().invoke(menshen, arguments)


@pytest.fixture
def lived(config: Config) -> Config:
    """An instance that somebody has joined, and that ended in order."""

    async def live() -> None:
        async with parts(config) as running:
            await a_member(running)

    asyncio.run(live())
    return config


async def notes(config: Config) -> list[str]:
    database = connect(config.database_url)
    await database.start()
    try:
        return [one.note for one in await store.some(database.read, -1, 2**62)]
    finally:
        await database.close()


def test_an_instance_that_ended_in_order_leaves_nothing_unsigned(run: Run, lived: Config) -> None:
    result = run("audit", "status", "--json")
    assert result.exit_code == 0, result.output
    facts = json.loads(result.output)
    assert facts["size"] == facts["signed"] > 0
    assert (facts["window"], facts["head"], facts["breaker"], facts["cosigned"]) == (0, "ok", "unknown", 0)
    shown = run("audit", "status").output
    assert "未签名 unsigned 0" in shown


def test_a_forged_head_is_seen_in_the_status(run: Run, lived: Config, database_url: str) -> None:
    Administrator(database_url).run("UPDATE audit_head SET size = size + 1")
    result = run("audit", "status", "--json")
    assert result.exit_code == 1
    assert "MAC" in json.loads(result.output)["head"]


def test_the_policy_names_the_key_that_signed(run: Run, lived: Config) -> None:
    lines = run("audit", "policy").output.splitlines()
    assert lines[-1] == "quorum none"
    vkeys = [parse_key(line.removeprefix("log ")) for line in lines if line.startswith("log ")]
    assert len(vkeys) == 1
    for note in asyncio.run(notes(lived)):
        assert open_checkpoint(note.encode(), vkeys).checkpoint.origin == vkeys[0].name


@pytest.mark.obligation("AL-03")
def test_one_key_follows_another_and_what_the_first_signed_keeps_verifying(run: Run, lived: Config) -> None:
    first = parse_key(run("audit", "policy").output.splitlines()[0].removeprefix("log "))
    before = asyncio.run(notes(lived))
    told = run("audit", "key", "rotate")
    assert told.exit_code == 0, told.output
    second, again = (parse_key(line.removeprefix("log ")) for line in told.output.splitlines()[:2])
    assert again == first != second
    both = asyncio.run(notes(lived))[-1].encode()
    assert {one.key for one in open_checkpoint(both, [first, second]).signed} == {first, second}
    assert isinstance(run("audit", "key", "rotate").exception, Conflict), "one rotation at a time"
    assert isinstance(run("audit", "key", "retire").exception, Conflict), "only when auditors have the new key"
    assert run("audit", "key", "retire", "--yes").exit_code == 0
    assert run("audit", "policy").output.splitlines() == [f"log {second.vkey}", "quorum none"]

    async def live() -> None:
        async with parts(lived) as running:
            await running.journal.append(export(), a_call())

    asyncio.run(live())
    last = asyncio.run(notes(lived))[-1].encode()
    assert [one.key for one in open_checkpoint(last, [first, second]).signed] == [second]
    for note in before:
        assert open_checkpoint(note.encode(), [first]).checkpoint.origin == first.name
    found = json.loads(run("audit", "search", "--json").output)
    said = [entry["entry"]["x"]["vkey"] for entry in found if entry["entry"]["typ"] == "key"]
    assert said == [first.vkey, second.vkey, second.vkey]


def test_a_key_of_nobody_we_know_stops_the_start(run: Run, lived: Config) -> None:
    for file in lived.home.glob("log.key*"):
        file.unlink()

    async def live() -> str:
        async with parts(lived) as running:
            with pytest.raises(LogBroken):
                await running.journal.append(export(), a_call())
                await running.publisher.reached(10**6, Ack.SIGNED)
            return running.publisher.state.breaker

    assert "not signed by this log's key" in asyncio.run(live())


@contextmanager
def signing(vkey: str, *arguments: str) -> Iterator[Child]:
    """`menshen audit signer serve`, ready: it says its key."""
    settings = {name: value for name, value in os.environ.items() if not name.startswith("MENSHEN_")}
    with begun(settings, "audit", "signer", "serve", *arguments) as signer:
        limit = time.monotonic() + 60
        while not signer.said.endswith("\n") and signer.poll() is None and time.monotonic() < limit:
            time.sleep(0.02)
        assert signer.said.strip() == vkey
        yield signer


def test_a_whole_instance_over_a_signer_in_a_process_of_its_own(run: Run, config: Config, tmp_path: Path) -> None:
    key, place = tmp_path / "elsewhere" / "log.key", Path(os.path.relpath(tmp_path / "s"))
    origin = "example-retail/audit"
    vkey = run("audit", "signer", "make", "--origin", origin, "--key", str(key)).output.strip()
    given = config.model_copy(update={"signer": f"unix:{place}"})
    asked = ("--origin", origin, "--key", str(key), "--socket", str(place.resolve()))

    async def live(size: int) -> int:
        async with parts(given) as running:
            await running.journal.append(export(), a_call())
            assert running.publisher.state.signed > size
            return running.publisher.state.signed

    with signing(vkey, *asked) as signer:
        size = asyncio.run(live(0))
        signer.kill()
    with signing(vkey, *asked) as signer:
        assert asyncio.run(live(size)) > size
        last = asyncio.run(notes(config))[-1].encode()
        assert [one.key.vkey for one in open_checkpoint(last, [parse_key(vkey)]).signed] == [vkey]
        assert not (config.home / "log.key").exists()
        signer.terminate()
        signer.wait(10)
    assert not place.exists()

"""A whole instance that leaves its checkpoints outside: by itself, and when a person says so; by mail that is the house's own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from menshen_verifier.checkpoint import open_checkpoint
from service.app import parts
from service.audit.entry import Draft
from service.audit.journal import Ack
from service.checkpoints.anchors import store
from service.cli import menshen
from service.config import Config
from tests.conftest import StillClock
from tests.service.audit.logs import CLERK
from tests.service.senders.house import senders_file
from tests.service.senders.post import Post, post

TO = "auditor@example.org"


@pytest.fixture
async def mailbox() -> AsyncIterator[Post]:
    async with post() as made:
        yield made


@pytest.fixture
def config(database_url: str, tmp_path: Path, mailbox: Post) -> Config:
    home, worm = tmp_path / "home", tmp_path / "worm"
    home.mkdir(mode=0o700)
    worm.mkdir()
    senders = senders_file(tmp_path, living_email_service=str(mailbox.port))
    path = tmp_path / "anchors.toml"
    path.write_text(
        '[[anchor]]\nkind = "folder"\nevery = "hour"\npath = "worm"\n'
        f'[[anchor]]\nkind = "mail"\nevery = "day"\nsender = "living_email_service"\nto = ["{TO}"]\n'
    )
    path.chmod(0o600)
    return Config(home=home, database_url=database_url, senders=senders, anchors=path)


async def test_checkpoints_are_left_in_a_folder_and_in_an_auditors_mailbox(
    config: Config, tmp_path: Path, clock: StillClock, mailbox: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with parts(config, clock=clock) as running:
        receipt = await running.journal.append(Draft(typ="access", operation="test"), CLERK)
        await running.publisher.reached(receipt.index + 1, Ack.SIGNED)
        await running.anchoring.once()
        keys = running.publisher.keys
        kept = await store.newest(running.database.read, "mail")
        assert {kind: state.problem for kind, state in running.anchoring.states.items()} == {"folder": "", "mail": ""}
        (file,) = (tmp_path / "worm").iterdir()
        assert open_checkpoint(file.read_bytes(), keys).checkpoint.size > receipt.index
    assert kept is not None
    mail = mailbox.mail()
    assert mailbox.recipients == [TO]
    body = mail.get_body(("plain",))
    assert body is not None
    note = body.get_content().replace("\r\n", "\n").partition("\n\n")[2].partition("（完")[0]
    assert open_checkpoint(note.encode(), keys).checkpoint.size == kept.size
    assert mail["DKIM-Signature"]

    for name, value in config.model_dump(include={"home", "database_url", "senders", "anchors"}).items():
        monkeypatch.setenv(f"MENSHEN_{name.upper()}", str(value))
    done = await asyncio.to_thread(CliRunner().invoke, menshen, ["audit", "anchor", "now", "--kind", "folder"])
    assert done.exit_code == 0, done.output
    assert len(list((tmp_path / "worm").iterdir())) == 2
    assert (await asyncio.to_thread(CliRunner().invoke, menshen, ["audit", "anchor", "now", "--kind", "fax"])).exit_code != 0
    (tmp_path / "worm").rename(tmp_path / "away")
    done = await asyncio.to_thread(CliRunner().invoke, menshen, ["audit", "anchor", "now", "--kind", "folder"])
    assert (done.exit_code, "UNREACHABLE" in done.output) == (1, True)

"""An address that somebody types where no link of theirs holds: the address itself is asked, whoever has it, and only its answer counts."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service.app import open_worker
from service.config import Config
from service.db.tables import job, letter
from tests.api.front_end import entries
from tests.plugins import canary
from tests.service.inbound.outside import ONE_CLICK, came_in, everything, suppressed
from tests.service.inbound.test_links import a_reader
from tests.service.senders.house import PUBLIC, senders_file
from tests.service.senders.post import Post, post
from tests.service.senders.test_letters import link_in, text_of


@pytest.fixture
async def mail() -> AsyncIterator[Post]:
    """A mail server."""
    async with post() as made:
        yield made


@pytest.fixture
def config(config: Config, mail: Post, tmp_path: Path) -> Config:
    """With a mail account for the service's own mailbox."""
    senders = senders_file(tmp_path, living_email_service=str(mail.port))
    return config.model_copy(update={"senders": senders, "public_url": PUBLIC})


async def written(running, mail):
    """Do what is due, and take the one mail that came of it."""
    mail.mails.clear()
    async with open_worker(running) as worker:
        await worker.once()
    return text_of(mail)


@pytest.mark.obligation("EM-04")
@pytest.mark.parametrize("known", [True, False])
async def test_a_typed_address_is_asked_by_mail_and_one_press_of_its_link_ends_it(client, running, mail, known):
    address = (await a_reader(running))[1] if known else canary.value("email")
    answer = await client.post("/u", data={"address": address.upper()})
    assert answer.status_code == 200
    assert not await suppressed(running, "email", "email", address), "anybody can type anybody's address"
    token = link_in(await written(running, mail), "u")
    assert mail.recipients[-1] == address.lower()
    for _ in range(3):
        assert "确认退订" in (await client.get(f"/u/{token}")).text
    assert not await suppressed(running, "email", "email", address), "a scanner that opens links has said no for nobody"
    first, again = [await client.post(f"/u/{token}", data=ONE_CLICK) for _ in range(2)]
    assert (first.status_code, again.status_code) == (200, 200)
    assert await suppressed(running, "email", "email", address)
    assert {entry["dec"] for entry in await entries(running, "leaveByLink")} == {"allow"}


async def test_nobody_learns_by_the_answer_or_by_what_is_kept_whether_somebody_has_the_address(client, running, mail):
    known, stranger = (await a_reader(running))[1], canary.value("email")
    answers = [await client.post("/u", data={"address": each}) for each in (known, stranger)]
    assert answers[0].content == answers[1].content
    kept = [{key: row[key] for key in ("member_id", "purpose", "recipient", "state")} for row in await everything(running, job)]
    assert kept[-1] == kept[-2]
    rows = await came_in(running, "TYPED_ADDRESS")
    assert {(row["member_id"], row["state"], row["outcome"]) for row in rows} == {("", "HANDLED", "ASKED_BY_MAIL")}
    said, other = await entries(running, "typeAddress")
    assert said.keys() == other.keys()


async def test_the_address_is_forgotten_once_it_was_asked(client, running, mail):
    await client.post("/u", data={"address": canary.value("email")})
    assert [row["sealed"] is None for row in await everything(running, letter)] == [False]
    await written(running, mail)
    assert [row["sealed"] is None for row in await everything(running, letter)] == [True]


async def test_an_address_that_nobody_can_have_is_asked_nothing_and_answered_alike(client, running, mail):
    odd = await client.post("/u", data={"address": "a b@@c"})
    assert odd.content == (await client.post("/u", data={"address": canary.value("email")})).content
    assert len(await everything(running, letter)) == 1


async def test_typed_again_and_again_it_is_one_mail_a_day(client, running, mail, clock):
    address = canary.value("email")
    for spelled in (address, address.upper(), f" {address} "):
        await client.post("/u", data={"address": spelled})
    assert link_in(await written(running, mail), "u")
    assert mail.recipients == [address]
    clock.advance(hours=24)
    await client.post("/u", data={"address": address})
    await written(running, mail)
    assert mail.recipients == [address] * 2


async def test_the_link_runs_out_like_any_other(client, running, mail, clock):
    address = canary.value("email")
    await client.post("/u", data={"address": address})
    token = link_in(await written(running, mail), "u")
    clock.advance(days=1200)
    assert (await client.post(f"/u/{token}", data=ONE_CLICK)).status_code == 404
    assert not await suppressed(running, "email", "email", address)

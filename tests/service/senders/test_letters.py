"""The mail that asks an address whether it wants what was subscribed to: written at once, seldom, once, and never for anything else."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from policies.marketing import MessageClass
from service.app import Parts
from service.db.statement import Prepared
from service.db.tables import job, letter, send_window
from service.senders.model import Letter, NoLiveDecision
from service.senders.opening import outlets
from service.senders.settings import load
from service.senders.smtp import SmtpMail
from service.senders.wire import Wire
from service.subscriptions.model import LETTER, LetterKind
from service.work.worker import LEASE, Worker
from tests.api.front_end import entries
from tests.conftest import StillClock
from tests.factories import a_member, a_profile
from tests.plugins import canary
from tests.service.senders.house import PUBLIC, senders_file, working
from tests.service.senders.post import Post, post
from tests.service.subscriptions.saying import MAIL_NEWS, leave, states, subscribed

KEY = ("email", "news", "living")
JOBS = Prepared(select(job.c.state, job.c.outcome).where(job.c.kind == LETTER).order_by(job.c.job_id))
LETTERS = Prepared(select(letter.c.sealed, letter.c.handed_at))


@asynccontextmanager
async def mailroom(running: Parts, folder: Path) -> AsyncIterator[tuple[Post, Worker]]:
    """A mail server, and a worker that knows it as the brand's service mailbox."""
    async with post() as mail, working(running, folder, living_email_service=str(mail.port)) as worker:
        yield mail, worker


LINK_IN = re.compile(r"https://\S+")
"""What is random in a letter: letters of any kind may stand in it."""


async def ended(running: Parts) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in await running.database.read.rows(JOBS, {})]


def link_in(text: str, path: str = "s") -> str:
    found = set(re.findall(rf"{re.escape(PUBLIC)}/{path}/([A-Za-z0-9_-]+)", text))
    assert len(found) == 1
    return str(found.pop())


def text_of(mail: Post) -> str:
    body = mail.mail().get_body(("plain",))
    assert body is not None
    return str(body.get_content())


@pytest.mark.parametrize("by", ["mini_program", "member"])
async def test_whoever_subscribes_by_mail_is_asked_by_a_mail_and_its_link_confirms(
    running: Parts, client, tmp_path: Path, by: str
) -> None:
    profile = a_profile()
    member_id = await a_member(running, profile)
    found = await subscribed(running, member_id, MAIL_NEWS, by=by)
    assert found.shown.subscription.state.value == "PENDING"
    async with mailroom(running, tmp_path) as (mail, worker):
        assert await worker.once() == 1
        assert await worker.once() == 0
    assert mail.recipients == [profile["email"]]
    said, text = mail.mail(), text_of(mail)
    assert str(said["From"]) == "示例生活 <service@mail.retail.example.com>" and "DKIM-Signature" in said
    assert text.index("示例生活") < text.index("Somebody subscribed") and "每月至多 4 条，为期 24 个月" in text
    assert said["List-Unsubscribe"] is None and not re.search("广告|AD|优惠|折", str(said["Subject"]) + LINK_IN.sub("", text))
    link = link_in(text)
    assert (await client.get(f"/s/{link}")).status_code == 200
    assert (await states(running, member_id))[KEY] == "PENDING"
    assert (await client.post(f"/s/{link}")).status_code == 200
    assert (await states(running, member_id))[KEY] == "SUBSCRIBED"
    assert await ended(running) == [("DONE", "ACCEPTED")]
    assert await running.database.read.rows(Prepared(select(send_window)), {}) == [], "no letter is counted"
    (entry,) = await entries(running, "dispatchLetter")
    assert (entry["typ"], entry["fld"], entry["dec"]) == ("export", ["email"], "allow")


async def test_the_mail_has_both_forms_and_fetches_nothing(running: Parts, tmp_path: Path) -> None:
    await subscribed(running, await a_member(running), MAIL_NEWS)
    async with mailroom(running, tmp_path) as (mail, worker):
        await worker.once()
    html = mail.mail().get_body(("html",))
    assert html is not None
    shown = str(html.get_content())
    assert link_in(shown) == link_in(text_of(mail))
    assert "<img" not in shown and "src=" not in shown and shown.index('lang="zh-CN"') < shown.index('lang="en"')


async def test_a_no_before_the_mail_goes_out_leaves_nothing_to_ask(running: Parts, tmp_path: Path) -> None:
    member_id = await a_member(running)
    await subscribed(running, member_id, MAIL_NEWS)
    await leave(running, member_id, channel="email")
    async with mailroom(running, tmp_path) as (mail, worker):
        await worker.once()
        assert mail.mails == []
    assert await ended(running) == [("CANCELLED_WITHDRAWN", "WITHDRAWN")]


async def test_of_two_askings_only_the_newer_one_is_put(running: Parts, clock: StillClock, tmp_path: Path) -> None:
    member_id = await a_member(running)
    for _ in range(2):
        await subscribed(running, member_id, MAIL_NEWS)
        clock.advance(minutes=1)
    async with mailroom(running, tmp_path) as (mail, worker):
        await worker.once()
        assert len(mail.mails) == 1
    assert await ended(running) == [("DONE", "CONFIRMATION_VOID"), ("DONE", "ACCEPTED")]


async def test_an_address_is_asked_three_times_a_day_whoever_asks(running: Parts, clock: StillClock, tmp_path: Path) -> None:
    """listmonk #3229: a public form that mails whoever is typed into it, as often as somebody likes."""
    address = canary.value("email")
    members = [await a_member(running, a_profile(email=address)) for _ in range(5)]
    async with mailroom(running, tmp_path) as (mail, worker):
        for member_id in members:
            await subscribed(running, member_id, MAIL_NEWS)
            await worker.once()
        assert mail.recipients == [address] * 3
        clock.advance(hours=24)
        await subscribed(running, members[4], MAIL_NEWS)
        await worker.once()
        assert len(mail.mails) == 4


async def test_whoever_dies_behind_the_note_is_not_followed_by_a_second_mail(
    running: Parts, clock: StillClock, tmp_path: Path
) -> None:
    await subscribed(running, await a_member(running), MAIL_NEWS)
    async with mailroom(running, tmp_path) as (mail, worker):
        arrived, taken = asyncio.Event(), mail.handle_DATA

        async def silent(server, session, envelope):
            await taken(server, session, envelope)
            arrived.set()
            await asyncio.Event().wait()

        mail.handle_DATA = silent  # type: ignore[method-assign]
        dying = asyncio.create_task(worker.once())
        await arrived.wait()
        dying.cancel()
        await asyncio.gather(dying, return_exceptions=True)
        clock.advance(seconds=LEASE.total_seconds() + 1)
        await worker.once()
        await worker.once()
        assert len(mail.mails) == 1
    assert await ended(running) == [("FAILED", "OUTCOME_UNKNOWN")]


async def test_what_surely_did_not_leave_is_tried_again(running: Parts, clock: StillClock, tmp_path: Path) -> None:
    await subscribed(running, await a_member(running), MAIL_NEWS)
    async with mailroom(running, tmp_path) as (mail, worker):
        mail.answers["RCPT"] = "451 later"
        await worker.once()
        assert await ended(running) == [("WAITING", "TRY_LATER")]
        mail.answers.clear()
        clock.advance(hours=1)
        await worker.once()
        assert len(mail.mails) == 1
    assert await ended(running) == [("DONE", "ACCEPTED")]


async def test_without_an_account_it_waits_with_nothing_opened_until_nobody_would_believe_the_link(
    running: Parts, clock: StillClock, tmp_path: Path
) -> None:
    member_id = await a_member(running)
    found = await subscribed(running, member_id, MAIL_NEWS)
    assert found.confirmation, "the mini-program's own server may write instead"
    async with working(running, tmp_path) as worker:
        await worker.once()
        assert await ended(running) == [("WAITING", "NO_ACCOUNT")]
        clock.advance(hours=48)
        await worker.once()
    assert await ended(running) == [("DONE", "LINK_EXPIRED")]
    assert {entry.get("fld", []) == [] for entry in await entries(running, "dispatchLetter")} == {True}


async def test_a_letter_goes_by_no_mailbox_of_marketing_and_not_late_and_has_no_place_for_words(
    running: Parts, clock: StillClock, tmp_path: Path
) -> None:
    file = senders_file(tmp_path, living_email="1", living_email_service="1")
    accounts = load(file, running.catalogue, production=False)
    async with Wire() as wire:
        opened = outlets(accounts, running.catalogue, wire=wire, clock=clock, chance=running.chance)
    service, marketing = opened["living_email_service"].adapter, opened["living_email"].adapter
    assert isinstance(service, SmtpMail) and isinstance(marketing, SmtpMail)
    said = Letter(
        letter_id="019a0000-0000-7000-8000-00000000abcd",
        kind=LetterKind.LEAVE,
        sender=service.registered,
        controller=running.catalogue.controller,
        to=canary.value("email"),
        link=f"{PUBLIC}/u/abc",
        hours=48,
        asked_at=clock(),
    )
    assert (await service.write(said, key=said.letter_id)).code == "UNREACHABLE"
    both = replace(service.registered, classes=frozenset({MessageClass.SERVICE, MessageClass.COMMERCIAL}))
    wrong = [
        (service, replace(said, asked_at=clock() - timedelta(minutes=5))),
        (service, replace(said, asked_at=clock() + timedelta(seconds=1))),
        (service, replace(said, sender=both)),
        (marketing, replace(said, sender=marketing.registered)),
    ]
    for adapter, bad in wrong:
        with pytest.raises(NoLiveDecision):
            await adapter.write(bad, key=bad.letter_id)
    with pytest.raises(NoLiveDecision):
        await service.write(said, key="another")
    refused = await service.write(replace(said, link="http://members.example.com/u/abc"), key=said.letter_id)
    assert (refused.fate.value, refused.code) == ("REFUSED", "LINK_NOT_HTTPS")
    assert {part.name for part in fields(Letter)}.isdisjoint({"text", "subject", "html", "words", "body"})

"""From a pseudonym to a member: two persons, once, and never to somebody who was erased."""

from dataclasses import replace

import pytest

from service.app import Parts
from service.errors import BadInput, Forbidden, Refused
from tests.api.front_end import entries
from tests.conftest import StillClock
from tests.factories import a_call, a_member
from tests.service.inspection.records import OFFICER, erased, read

SECOND = replace(OFFICER, actor=replace(OFFICER.actor, name="second-officer"))
MONTH = "2026-11"


async def allowed(running: Parts, subject: str, month: str = MONTH) -> None:
    asked = await running.operations.ask_approval(
        OFFICER, kind="audit.resolve", what=f"{subject} {month}", reason="投诉核查", hours=4
    )
    await running.operations.decide_approval(SECOND, approval_id=asked.approval_id, allow=True)


@pytest.fixture
async def subject(running: Parts) -> tuple[str, str]:
    """A member, and their pseudonym of this month."""
    await a_member(running)
    member = await a_member(running)
    await read(running, member)
    return member, (await entries(running, "member"))[-1]["sub"][0]


async def test_two_persons_resolve_a_pseudonym_once(running: Parts, subject: tuple[str, str]) -> None:
    member, name = subject
    await allowed(running, name)
    found = await running.operations.resolve_subject(OFFICER, subject=name, month=MONTH)
    assert found.member_id == member
    entry = (await entries(running, "resolveSubject"))[-1]
    assert (entry["typ"], entry["sub"], entry["x"]["approval"]) == ("audit", [name], found.approval)
    with pytest.raises(Refused, match="APPROVAL_REQUIRED"):
        await running.operations.resolve_subject(OFFICER, subject=name, month=MONTH)


async def test_one_person_resolves_nothing(running: Parts, subject: tuple[str, str]) -> None:
    _, name = subject
    with pytest.raises(Refused, match="APPROVAL_REQUIRED"):
        await running.operations.resolve_subject(OFFICER, subject=name, month=MONTH)
    asked = await running.operations.ask_approval(
        OFFICER, kind="audit.resolve", what=f"{name} {MONTH}", reason="投诉核查", hours=4
    )
    with pytest.raises(Refused, match="OWN_APPROVAL"):
        await running.operations.decide_approval(OFFICER, approval_id=asked.approval_id, allow=True)
    entry = (await entries(running, "resolveSubject"))[-1]
    assert (entry["dec"], entry["rsn"]) == ("deny", "APPROVAL_REQUIRED")


async def test_what_was_allowed_for_one_pseudonym_opens_no_other(running: Parts, subject: tuple[str, str]) -> None:
    _, name = subject
    await allowed(running, name)
    for other, month in (("p1:AAECAwQFBgcICQoLDA0ODw", MONTH), (name, "2026-10")):
        with pytest.raises(Refused, match="APPROVAL_REQUIRED"):
            await running.operations.resolve_subject(OFFICER, subject=other, month=month)


@pytest.mark.obligation("AL-04")
async def test_who_was_resolved_is_named_as_of_this_month_so_that_no_entry_joins_two(
    running: Parts, subject: tuple[str, str], clock: StillClock
) -> None:
    member, name = subject
    clock.advance(days=20)
    await allowed(running, name)
    assert (await running.operations.resolve_subject(OFFICER, subject=name, month=MONTH)).member_id == member
    (now,) = (await entries(running, "resolveSubject"))[-1]["sub"]
    await read(running, member)
    assert now == (await entries(running, "member"))[-1]["sub"][0] != name


@pytest.mark.obligation("AL-04")
async def test_an_erased_member_resolves_to_nobody(running: Parts, subject: tuple[str, str]) -> None:
    member, name = subject
    await allowed(running, name)
    await erased(running, member)
    assert (await running.operations.resolve_subject(OFFICER, subject=name, month=MONTH)).member_id is None


@pytest.mark.parametrize(("name", "month"), [("13800138000", MONTH), ("p1:AAECAwQFBgcICQoLDA0ODw", "2026-13")])
async def test_what_is_no_pseudonym_is_refused(running: Parts, name: str, month: str) -> None:
    with pytest.raises(BadInput):
        await running.operations.resolve_subject(OFFICER, subject=name, month=month)


@pytest.mark.obligation("AL-05")
async def test_an_auditor_resolves_nothing(running: Parts) -> None:
    with pytest.raises(Forbidden):
        await running.operations.resolve_subject(a_call("auditor"), subject="p1:AAECAwQFBgcICQoLDA0ODw", month=MONTH)

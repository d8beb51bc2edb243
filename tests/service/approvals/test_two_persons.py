"""What takes two persons: asked by one, allowed by another, exactly, once, and not for long."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from service.approvals import commands, store
from service.approvals.model import Decision, about_of, same_person
from service.audit.entry import Draft
from service.errors import BadInput, Forbidden, Refused
from service.values import Actor, ActorKind, Call
from tests.api.front_end import entries

KIND, WHAT = "audit.resolve", "token p1 of October"
ABOUT = about_of(KIND, WHAT)


def staff(name, *roles):
    return Call(Actor(ActorKind.STAFF, name, frozenset(roles or {"compliance_officer"})), "req-1")


def draft():
    return Draft(typ="admin", operation="resolve")


async def asked(running, by="wang@corp", **more):
    given = {"kind": KIND, "what": WHAT, "reason": "a complaint of today", "hours": 24} | more
    return await running.operations.ask_approval(staff(by), **given)


async def decided(running, approval, by="zhao@corp", *, allow=True):
    return await running.operations.decide_approval(staff(by), approval_id=approval.approval_id, allow=allow)


async def used(running, by="wang@corp", *, about=ABOUT, once=True):
    work = partial(commands.use, kind=KIND, about=about, once=once)
    return await running.units.change(staff(by), draft(), work)


async def refused(code, doing):
    with pytest.raises(Refused) as refusal:
        await doing
    assert refusal.value.code == code


async def test_what_another_person_allowed_is_done_once_and_each_step_is_an_entry(running):
    approval = await asked(running)
    allowed = await decided(running, approval)
    assert (allowed.decision, allowed.decided_by, allowed.until) == (
        Decision.ALLOWED,
        "zhao@corp",
        running.clock() + timedelta(hours=24),
    )
    assert await used(running) == approval.approval_id
    await refused("APPROVAL_REQUIRED", used(running))
    await refused("APPROVAL_REQUIRED", used(running, once=False))
    assert (await asked(running)).approval_id != approval.approval_id, "what was used up is asked for anew"
    written = await entries(running)
    assert [(one["op"], one["dec"], one["x"]["approval"]) for one in written[:3]] == [
        ("askApproval", "allow", approval.approval_id),
        ("decideApproval", "allow", approval.approval_id),
        ("resolve", "allow", approval.approval_id),
    ]
    assert (written[3]["dec"], written[3]["rsn"]) == ("deny", "APPROVAL_REQUIRED")
    assert [one["x"]["about"] for one in written[:2]] == [ABOUT.hex()] * 2, "each names exactly what it was about"
    assert written[1]["x"]["allowed"] is True


@pytest.mark.parametrize("own", ["wang@corp", "WANG@corp", "ｗａｎｇ@corp", "Wang@Corp ", "wang"])
async def test_nobody_decides_for_themselves_however_the_account_is_spelt(running, own):
    approval = await asked(running)
    await refused("OWN_APPROVAL", decided(running, approval, by=own))
    await refused("APPROVAL_REQUIRED", used(running))


def test_two_accounts_of_one_name_in_two_houses_are_two_persons():
    assert not same_person("wang@one", "wang@two")
    assert same_person("wang@one", "Wang")


async def test_an_approval_is_for_who_asked_and_for_exactly_that(running):
    await decided(running, await asked(running))
    await refused("APPROVAL_REQUIRED", used(running, by="li@corp"))
    await refused("APPROVAL_REQUIRED", used(running, about=about_of(KIND, WHAT + " ")))
    await refused("APPROVAL_REQUIRED", used(running, about=about_of("audit.export", WHAT)))
    assert await used(running)


async def test_the_approver_cannot_use_what_they_allowed(running):
    await decided(running, await asked(running), by="zhao@corp")
    await refused("APPROVAL_REQUIRED", used(running, by="zhao@corp"))


async def test_an_account_without_its_house_is_not_both_persons(running):
    await decided(running, await asked(running, by="wang@corp"), by="wang@other")
    await refused("APPROVAL_REQUIRED", used(running, by="wang"))
    assert await used(running, by="wang@corp")


async def test_leave_for_one_kind_is_none_for_another_of_the_same_digest(running):
    given = {"what": None, "about": about_of("export", "everything")}
    await decided(running, await asked(running, kind="audit.resolve", **given))
    work = partial(commands.use, kind="export", about=given["about"])
    await refused("APPROVAL_REQUIRED", running.units.change(staff("wang@corp"), draft(), work))


async def test_the_words_that_are_read_are_those_that_are_allowed(running):
    work = partial(commands.ask, kind=KIND, about=about_of(KIND, "everything"), what=WHAT, reason="a complaint")
    with pytest.raises(BadInput) as problem:
        await running.units.change(staff("wang@corp"), draft(), work)
    assert problem.value.code == "APPROVAL_INVALID"


async def test_it_ends_with_its_hours_whether_it_was_decided_or_not(running, clock):
    approval = await asked(running, hours=2)
    await decided(running, approval)
    clock.advance(hours=2)
    await refused("APPROVAL_REQUIRED", used(running))
    await refused("APPROVAL_DECIDED", decided(running, approval))
    late = await asked(running, hours=1)
    clock.advance(hours=1)
    await refused("APPROVAL_EXPIRED", decided(running, late))
    assert (await asked(running, hours=72)).until == clock() + timedelta(hours=72)


async def test_a_refusal_is_for_good_and_nobody_asks_around(running, clock):
    approval = await asked(running, hours=2)
    await decided(running, approval, allow=False)
    await refused("APPROVAL_DECIDED", decided(running, approval, by="sun@corp"))
    await refused("APPROVAL_REFUSED", asked(running, by="WANG@corp"))
    await refused("APPROVAL_REQUIRED", used(running))
    clock.advance(hours=2)
    assert (await asked(running)).approval_id != approval.approval_id


async def test_of_two_questions_asked_at_one_moment_a_refusal_counts(running):
    first = await asked(running)
    second = replace(first, approval_id=first.approval_id[:-4] + "beef")
    async with running.database.write() as transaction:
        await store.add(transaction, second)
        await transaction.commit()
    await decided(running, first)
    await decided(running, second, by="sun@corp", allow=False)
    await refused("APPROVAL_REQUIRED", used(running))


async def test_asked_twice_it_is_one_question(running):
    one = await asked(running, reason="  a complaint of today ")
    assert (await asked(running)).approval_id == one.approval_id
    assert one.reason == "a complaint of today"
    assert ["again" in entry["x"] for entry in await entries(running, "askApproval")] == [False, True]
    assert len(await running.operations.approvals(staff("zhao@corp"), waiting=True, first=10, after=None)) == 1
    assert (await asked(running, by="li@corp")).approval_id != one.approval_id, "another person's is another question"


async def test_what_may_be_used_more_than_once_holds_until_it_ends(running, clock):
    await decided(running, await asked(running))
    assert await used(running, once=False) == await used(running, once=False)
    clock.advance(hours=24)
    await refused("APPROVAL_REQUIRED", used(running, once=False))


async def test_of_uses_at_the_same_time_one_wins(running):
    await decided(running, await asked(running))
    outcomes = await asyncio.gather(*(used(running) for _ in range(6)), return_exceptions=True)
    won = [one for one in outcomes if isinstance(one, str)]
    lost = [one for one in outcomes if isinstance(one, Refused)]
    assert (len(won), len(lost), {one.code for one in lost}) == (1, 5, {"APPROVAL_REQUIRED"})


async def test_of_two_answers_at_the_same_time_one_counts(running):
    approval = await asked(running)
    outcomes = await asyncio.gather(
        decided(running, approval, by="zhao@corp", allow=True),
        decided(running, approval, by="sun@corp", allow=False),
        return_exceptions=True,
    )
    (answer,) = [one for one in outcomes if not isinstance(one, Exception)]
    (other,) = [one for one in outcomes if isinstance(one, Refused)]
    assert other.code == "APPROVAL_DECIDED"
    kept = await running.operations.approvals(staff("zhao@corp"), waiting=False, first=10, after=None)
    assert [one.decision for one in kept] == [answer.decision]


async def test_a_use_that_is_rolled_back_leaves_the_approval_as_it_was(running):
    await decided(running, await asked(running))

    async def broken(unit):
        await commands.use(unit, kind=KIND, about=ABOUT)
        raise BadInput("afterwards")

    with pytest.raises(BadInput):
        await running.units.change(staff("wang@corp"), draft(), broken)
    assert await used(running)


async def test_a_machine_neither_asks_nor_decides(running):
    machine = Call(Actor(ActorKind.SERVICE, "robot", frozenset({"compliance_officer"})), "req-1")
    approval = await asked(running)
    with pytest.raises(Forbidden):
        await running.operations.decide_approval(machine, approval_id=approval.approval_id, allow=True)
    with pytest.raises(Forbidden):
        await running.operations.ask_approval(machine, kind=KIND, what="other", reason="because", hours=1)


async def test_what_waits_is_listed_by_age_a_page_at_a_time_and_what_has_run_out_waits_no_more(running, clock):
    async def listed(*, waiting=True, first=10, after=None):
        found = await running.operations.approvals(staff("zhao@corp"), waiting=waiting, first=first, after=after)
        return [one.approval_id for one in found]

    ids = []
    for what, hours in (("a", 1), ("b", 2), ("c", 2)):
        ids.append((await asked(running, what=what, hours=hours)).approval_id)
        clock.advance(seconds=1)
    short, *others = ids
    assert [await listed(first=2), await listed(after=others[0])] == [[short, others[0]], [others[1]]]
    clock.advance(hours=1)
    assert [await listed(), await listed(waiting=False)] == [others, [short, *others]]
    assert [one["cnt"] for one in await entries(running, "approvals")] == [2, 1, 2, 3]
    for first in (0, 101):
        with pytest.raises(BadInput):
            await listed(first=first)


async def test_who_may_read_members_may_ask_and_not_decide(running):
    approval = await asked(running)
    clerk = staff("clerk@corp", "store_clerk")
    assert (await running.operations.ask_approval(clerk, kind=KIND, what="mine", reason="a complaint", hours=1)).what == "mine"
    with pytest.raises(Forbidden):
        await running.operations.decide_approval(clerk, approval_id=approval.approval_id, allow=True)
    with pytest.raises(Forbidden):
        await running.operations.approvals(clerk, waiting=True, first=10, after=None)
    with pytest.raises(Forbidden):
        await running.operations.ask_approval(staff("li@corp", "auditor"), kind=KIND, what="mine", reason="a complaint", hours=1)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"reason": "  x "}, "REASON_REQUIRED"),
        ({"reason": "call 13800138000 back"}, "REASON_PERSONAL"),
        ({"reason": "x" * 201}, "REASON_PERSONAL"),
        ({"what": "of 11010519491231002X"}, "REASON_PERSONAL"),
        ({"what": "token p1\u202e of October"}, "REASON_PERSONAL"),
        ({"what": "x" * 201}, "REASON_PERSONAL"),
        ({"hours": 73}, "EXPIRY_OUT_OF_RANGE"),
        ({"hours": 0}, "EXPIRY_OUT_OF_RANGE"),
        ({"kind": "Audit Resolve"}, "APPROVAL_INVALID"),
        ({"about": ABOUT}, "APPROVAL_INVALID"),
        ({"what": None}, "APPROVAL_INVALID"),
        ({"what": None, "about": b"short"}, "APPROVAL_INVALID"),
    ],
)
async def test_what_cannot_be_approved_is_not_kept(running, more, code):
    with pytest.raises(BadInput) as problem:
        await asked(running, **more)
    assert problem.value.code == code
    assert await running.operations.approvals(staff("zhao@corp"), waiting=False, first=10, after=None) == []


async def test_an_approval_that_nobody_asked_for_cannot_be_decided(running):
    await refused(
        "APPROVAL_NOT_FOUND", running.operations.decide_approval(staff("zhao@corp"), approval_id="' OR 1=1", allow=True)
    )


async def test_of_one_person_only_so_many_questions_wait_and_a_decided_one_makes_room(running, clock):
    waiting = [
        await asked(running, by=("wang@corp", "WANG@corp", "wang")[n % 3], what=f"token p{n} of October") for n in range(20)
    ]
    for own in ("wang@corp", "ｗａｎｇ@corp", "wang"):
        await refused("TOO_MANY_QUESTIONS", asked(running, by=own, what="one more"))
    assert (await asked(running, what="token p0 of October")).approval_id == waiting[0].approval_id, "asked again, it is no other"
    assert await asked(running, by="li@corp", what="one more"), "another person's are another's"
    assert (await entries(running, "askApproval"))[-4]["rsn"] == "TOO_MANY_QUESTIONS"
    await decided(running, waiting[7], allow=False)
    assert await asked(running, what="one more")
    await refused("TOO_MANY_QUESTIONS", asked(running, what="and another"))
    clock.advance(hours=24)
    assert await asked(running, what="and another"), "what ran out waits for nobody"

"""SE-09: every grant with its last use, a review that a person signs, and accounts that nobody uses are closed at the door."""

import ast
import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest

from service.audit.entry import Draft
from service.errors import AccountDisabled, BadInput, StoreUnavailable
from service.identity.closed import MOST_MISSED, Closed
from service.oversight import commands, store
from service.oversight.acts import OPERATIONS
from service.unit import Unit
from service.values import Actor, ActorKind, Call
from tests.api.front_end import entries
from tests.api.recorded_cases import CASES
from tests.architecture.text_rules import REPOSITORY
from tests.factories import a_member
from tests.service.oversight.house import upkeep

REVIEW = (
    "{ accessReview { quarter digest readTo grants { account role what name lastUse known } accounts { account disabledAt } } }"
)
LIST = '{ members(purpose: "order_fulfilment", first: 1) { nodes { phone } } }'
ENABLE = 'mutation ($who: String!) { enableAccount(account: $who, reason: "复工") }'
AUDITOR = "staff:auditor@development"


async def reviewed(ask) -> dict:
    return (await ask(REVIEW, role="compliance_officer"))["data"]["accessReview"]


def code(answer: dict) -> str:
    return answer["errors"][0]["extensions"]["code"]


@pytest.mark.obligation("SE-09")
async def test_the_review_lists_every_act_and_purpose_of_every_role_with_its_last_use(running, ask, clock):
    await a_member(running)
    await ask(LIST, role="order_service")
    await ask("{ controlEvidence(law: PIPL51) { item } }", role="auditor")
    clock.advance(days=3)
    await ask("{ duties { dutyId } }", role="auditor")
    await ask('{ members(purpose: "order_fulfilment", first: 1) { nodes { phone } } }', role="marketer")
    await upkeep(running).once()
    lines = (await reviewed(ask))["grants"]
    named = {(one["role"], one["what"], one["name"]) for one in lines}
    wanted = set()
    for key, role in running.catalogue.roles.items():
        if role.kind != "member":
            wanted |= {(key, "ROLE", key), *((key, "ACT", act) for act in role.may)}
            wanted |= {(key, "PURPOSE", one.key) for one in running.catalogue.purposes.values() if key in one.roles}
    assert named == wanted
    last = {(one["account"], one["what"], one["name"]): one["lastUse"] for one in lines if one["lastUse"]}
    assert last["service:order_service@development", "PURPOSE", "order_fulfilment"].startswith("2026-11-22T02:00:00")
    assert last["service:order_service@development", "ROLE", "order_service"].startswith("2026-11-22T02:00:00")
    assert last[AUDITOR, "ACT", "oversight.read"].startswith("2026-11-25T02:00:00"), "of two operations of one act, the later"
    assert last[AUDITOR, "ROLE", "auditor"].startswith("2026-11-25T02:00:00")
    assert (AUDITOR, "ACT", "audit.search") not in last
    assert ("staff:marketer@development", "ROLE", "marketer") not in last, "a refusal is no use"
    assert {one["account"] for one in lines if one["role"] == "campaign_reviewer"} == {""}


@pytest.mark.obligation("SE-09")
async def test_a_person_signs_off_exactly_what_was_seen_and_what_has_changed_since_cannot_be_signed(running, ask, clock):
    await ask("{ duties { dutyId } }", role="auditor")
    await upkeep(running).once()
    seen = (await reviewed(ask))["digest"]
    sign = "mutation ($digest: String!) { signAccessReview(digest: $digest) { quarter digest reviewedBy } }"
    answer = await ask(sign, role="compliance_officer", variables={"digest": seen})
    told = {"quarter": "2026-Q4", "digest": seen, "reviewedBy": "staff:compliance_officer@development"}
    assert answer["data"]["signAccessReview"] == told
    await ask(LIST, role="marketer")
    await upkeep(running).once()
    assert code(await ask(sign, role="compliance_officer", variables={"digest": seen})) == "BAD_INPUT"
    assert (await store.last_review(running.database.read)).digest == seen


@pytest.mark.obligation("SE-09")
async def test_an_account_that_nobody_used_for_90_days_is_refused_everywhere_until_somebody_else_opens_it(running, ask, clock):
    await ask("{ duties { dutyId } }", role="auditor")
    clock.advance(days=90)
    await upkeep(running).once()
    assert "errors" not in await ask("{ duties { dutyId } }", role="auditor")
    clock.advance(days=90, seconds=1)
    await ask("{ duties { dutyId } }", role="compliance_officer")
    await upkeep(running).once()
    for query in ("{ duties { dutyId } }", "{ notice { version } }", REVIEW):
        assert code(await ask(query, role="auditor")) == "ACCOUNT_DISABLED"
    (entry,) = await entries(running, "disableUnusedAccounts")
    assert (entry["act"]["k"], entry["x"]["accounts"], entry["cnt"]) == ("system", [AUDITOR], 1)
    assert [one for one in (await reviewed(ask))["accounts"] if one["disabledAt"]] == [
        {"account": AUDITOR, "disabledAt": "2027-05-21T02:00:01Z"}
    ]
    assert code(await ask(ENABLE, role="marketer", variables={"who": AUDITOR})) == "FORBIDDEN"
    assert (await ask(ENABLE, role="compliance_officer", variables={"who": AUDITOR}))["data"]["enableAccount"]
    await upkeep(running).once()
    assert "errors" not in await ask("{ duties { dutyId } }", role="auditor")
    (entry,) = [one for one in await entries(running, "enableAccount") if one["dec"] == "allow"]
    assert entry["x"]["account"] == AUDITOR


async def test_nobody_is_closed_while_the_log_is_not_read_to_its_end(running, ask, clock):
    await ask("{ duties { dutyId } }", role="auditor")
    await upkeep(running).once()
    clock.advance(days=120)
    await ask("{ duties { dutyId } }", role="auditor")
    await upkeep(running)._disable()
    assert await store.closed(running.database.read) == frozenset()


@pytest.mark.obligation("SE-09")
async def test_the_ninety_days_are_counted_from_the_last_of_several_uses(running, ask, clock):
    begun = clock()
    for days in (0, 50, 60):
        clock.now = begun + timedelta(days=days)
        await ask("{ duties { dutyId } }", role="auditor")
        if not days:
            await upkeep(running).once()
    for after, shut in ((timedelta(0), set()), (timedelta(seconds=1), {AUDITOR})):
        clock.now = begun + timedelta(days=150) + after
        await ask("{ duties { dutyId } }", role="compliance_officer")
        await upkeep(running).once()
        assert await store.closed(running.database.read) == shut


@pytest.mark.obligation("SE-09")
async def test_a_use_of_one_grant_is_no_use_of_another(running, ask, clock):
    await ask("{ alarms { about } }", role="auditor")
    for _ in range(2):
        clock.advance(days=1)
        await ask("{ duties { dutyId } }", role="auditor")
        await upkeep(running).once()
    lines = (await reviewed(ask))["grants"]
    last = {
        one["name"]: one["lastUse"][:10] for one in lines if one["account"] == AUDITOR and one["what"] == "ACT" and one["lastUse"]
    }
    assert last == {"alarm.read": "2026-11-22", "oversight.read": "2026-11-24"}


@pytest.mark.obligation("SE-09")
async def test_whoever_comes_back_in_the_moment_of_the_closing_is_not_closed(running, ask, clock):
    await ask("{ duties { dutyId } }", role="auditor")
    await upkeep(running).once()
    call = Call(Actor(ActorKind.SYSTEM, "oversight", frozenset()), "round")

    async def work(unit: Unit) -> list[str]:
        return await commands.disable_unused(unit, [AUDITOR])

    for days, shut in ((90, []), (1, [AUDITOR])):
        clock.advance(days=days)
        assert await running.units.change(call, Draft(typ="admin", operation="disableUnusedAccounts"), work) == shut


@pytest.mark.obligation("SE-09")
@pytest.mark.parametrize("name", ["auditor", "Auditor@Development"])
async def test_nobody_opens_their_own_account_under_another_spelling_of_it(running, ask, clock, name):
    await ask("{ duties { dutyId } }", role="auditor")
    clock.advance(days=91)
    await ask("{ duties { dutyId } }", role="compliance_officer")
    await upkeep(running).once()
    call = Call(Actor(ActorKind.STAFF, name, frozenset({"compliance_officer"})), "own-account")
    with pytest.raises(BadInput, match="somebody else"):
        await running.operations.enable_account(call, account=AUDITOR, reason="复工")
    assert await store.closed(running.database.read) == {AUDITOR}


async def test_the_look_at_the_door_asks_the_database_nothing():
    asked = []

    async def look() -> frozenset[str]:
        asked.append(1)
        return frozenset({"staff:clerk-8"})

    closed = Closed(look)
    await closed.look()
    for _ in range(100):
        closed.check(Actor(ActorKind.STAFF, "clerk-7", frozenset({"store_clerk"})))
    assert len(asked) == 1


async def test_members_have_no_account_and_staff_are_refused_while_nobody_knows_who_is_closed():
    staff = Actor(ActorKind.STAFF, "clerk-7", frozenset({"store_clerk"}))
    member = Actor(ActorKind.MEMBER, "member", frozenset({"member"}))
    answers = [frozenset({"staff:clerk-8"})]

    async def look() -> frozenset[str]:
        if not answers:
            raise StoreUnavailable
        return answers.pop()

    closed = Closed(look)
    with pytest.raises(StoreUnavailable):
        closed.check(staff)
    assert closed.check(member) is None
    await closed.look()
    closed.check(staff)
    for spelt in ("clerk-8", "CLERK-8", "ｃｌｅｒｋ-8", "clerk-8 "):
        with pytest.raises(AccountDisabled):
            closed.check(Actor(ActorKind.STAFF, spelt, frozenset({"store_clerk"})))
    for _ in range(MOST_MISSED - 1):
        with pytest.raises(StoreUnavailable):
            await closed.look()
    closed.check(staff)
    with pytest.raises(StoreUnavailable):
        await closed.look()
    with pytest.raises(StoreUnavailable):
        closed.check(staff)


async def test_a_task_that_died_lets_no_staff_in(running, ask):
    stop = asyncio.Event()
    task = asyncio.create_task(upkeep(running).run(stop))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert code(await ask("{ notice { version } }", role="auditor")) == "STORE_UNAVAILABLE"


def test_every_operation_of_the_contract_that_an_act_allows_is_known():
    """What is missing here would be shown as never used. Reading for a purpose needs none."""
    by_purpose = {"member", "memberByContact", "members", "me", "myTags", "myAccessLog"}
    known = {operation for operations in OPERATIONS.values() for operation in operations}
    assert set(CASES) - known == by_purpose


def test_every_operation_that_asks_for_an_act_is_known_whatever_door_it_has():
    """Some have no place in the contract: the commands of those who run the record."""
    asking = dict(
        pair for path in sorted((REPOSITORY / "service").rglob("*.py")) for pair in recorded(ast.parse(path.read_text()))
    )
    known = {operation for operations in OPERATIONS.values() for operation in operations}
    assert {"whoSaw", "plantMember", "signAccessReview"} <= asking.keys()
    assert asking.keys() - known == set()


def recorded(module: ast.Module) -> Iterator[tuple[str, str]]:
    """The operations that are written into entries by functions which let nobody by without an act."""
    for made in (node for node in ast.walk(module) if isinstance(node, ast.AsyncFunctionDef)):
        calls = [node for node in ast.walk(made) if isinstance(node, ast.Call)]
        if {"require", "_allowed"} & {_called(call) for call in calls}:
            for call in calls:
                stated = {"duty": call.args[1:2], "Draft": [word.value for word in call.keywords if word.arg == "operation"]}
                for word in stated.get(_called(call), []):
                    if isinstance(word, ast.Constant):
                        yield word.value, made.name


def _called(call: ast.Call) -> str:
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def test_every_act_that_the_catalogue_gives_is_in_the_table(catalogue):
    assert {act for role in catalogue.roles.values() for act in role.may} == set(OPERATIONS)

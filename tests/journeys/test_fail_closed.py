"""Rows put into the ledger by whoever has the database, a rebuild, and then the question at the door: what opens is what the model of the
law allows, or less. On both databases; thousands of ledgers more, without a database, in tests/policies/test_fail_closed.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from policies.terms import MemberStatus
from service.app import Parts
from service.config import Config
from service.consent.rebuilding import rebuild
from service.db.statement import Prepared
from service.db.tables import consent_event
from service.members import store
from tests.factories import a_call, a_member, a_profile
from tests.forged_ledgers import NO_PAPER, Row, asked_for_more, honest, paper, wrecked
from tests.naive_law import Opened, Person, Shop, may_leave

LEDGERS = ("birthday_gift", "analytics", "skin_profile", "personalised_recommendation", "marketing_sms", "abolished")
ROLES = {
    "birthday_gift": "marketer",
    "analytics": "analyst",
    "skin_profile": "recommender",
    "personalised_recommendation": "recommender",
    "marketing_sms": "marketer",
    "account_service": "mini_program",
    "customer_service": "customer_service_agent",
}
STAFF = {"marketer", "analyst", "customer_service_agent"}
HELD = {"gender": "女", "region": "上海市", "occupation": "教师", "interests": ("阅读",), "skin_type": "油性"}
READ = """query Read($id: ID!, $purpose: PurposeKey!) { member(id: $id, purpose: $purpose) {
  phone email birthday gender region tier interests: attribute(key: "interests") { texts } skinType: attribute(key: "skin_type") { text }
  withheld { field reason } masked } }"""
NAMES = {"skinType": "skin_type"}
INSERT = Prepared(insert(consent_event))
ALL = list(HealthCheck)
KINDS = 10


@dataclass
class Case:
    """One member and what somebody made of their ledger."""

    person: Person
    rows: list[Row]


@pytest.fixture
def config(config: Config, tmp_path) -> Config:
    """With the policy of a shop that has asked for more."""
    return config.model_copy(update={"policies": asked_for_more(tmp_path)})


def kinds() -> Iterator[Person]:
    """Whom it is about, again and again: the last ones are an adult's, which mischief has most to gain from."""
    child, youth = date(2013, 11, 23), date(2009, 6, 1)
    yield Person("", birthday=date(1990, 7, 14))
    yield Person("", adult=False, birthday=child)
    yield Person("", adult=False, birthday=child, guardian_is_there=True)
    yield Person("", adult=False, birthday=child, guardian_is_there=True, status="GUARDIAN_PENDING")
    yield Person("", adult=False, birthday=youth)
    yield Person("", birthday=date(1990, 7, 14), personalisation=False)
    yield Person("", birthday=date(1990, 7, 14), personalisation=True)
    yield Person("", birthday=date(1990, 7, 14), status="RESTRICTED")
    yield Person("", birthday=date(1990, 7, 14), status="ERASED")
    yield Person("", birthday=date(1990, 7, 14))


async def settled(running: Parts, person: Person) -> Person:
    """The member as the database would hold them."""
    member_id = await a_member(running, a_profile())
    row = await store.row(running.database.read, member_id)
    assert row is not None
    assert row.wrapped is not None
    keys = running.vault.member_keys(member_id, row.generation, row.wrapped)
    sealed = running.vault.reseal(keys, row.sealed, {**HELD, "birthday": person.birthday})
    facts = {"status": MemberStatus(person.status), "minor": person.adult is False, "guarded": person.guardian_is_there}
    changed = replace(row, sealed=sealed, plain={**row.plain, "tier": "金卡"}, personalisation=person.personalisation, **facts)
    async with running.database.write() as transaction:
        await store.change(
            transaction,
            changed if person.status != "ERASED" else replace(changed, status=MemberStatus.ACTIVE),
            now=running.clock(),
        )
        await transaction.commit()
    if person.status == "ERASED":
        assert await running.operations.erase(a_call("compliance_officer"), member_id=member_id)
    return replace(person, member_id=member_id)


def ledgers(shop: Shop, people: list[Person], now: Any) -> list[Case]:
    """A ledger for each: every third is left as it is, so that something is open at all; and one yes to everything for each kind."""
    drawn: list[tuple[list[Row], list[Row]]] = []
    ids = [person.member_id for person in people]

    @settings(
        max_examples=400, database=None, derandomize=True, deadline=None, phases=[Phase.generate], suppress_health_check=ALL
    )
    @given(data=st.data())
    def draw(data: st.DataObject) -> None:
        whole = data.draw(honest(shop, ids[len(drawn) % len(ids)], now, LEDGERS))
        drawn.append((whole, data.draw(wrecked(whole, now))))

    draw()
    wanted = len(people) - KINDS
    found = [pair if len(pair[0]) > 1 else None for pair in drawn]
    cases = []
    for place, person in enumerate(people[:wanted]):
        mine = [pair for number, pair in enumerate(found) if pair and number % len(ids) == place]
        cases.append(Case(person, mine[0][1 if place % 3 else 0] if mine else []))
    return cases + [Case(person, yes_to_all(shop, person, now)) for person in people[wanted:]]


def yes_to_all(shop: Shop, person: Person, now: datetime) -> list[Row]:
    """Said yesterday, by whoever may say it."""
    said = {"state": "GIVEN", "moment": now - timedelta(days=1), "before": NO_PAPER}
    said["entityRole"] = "guardian" if person.guardian_is_there else "self"
    return [paper(shop, person.member_id, number, purpose=key, **said) for number, key in enumerate(LEDGERS)]


async def put(running: Parts, rows: list[Row]) -> None:
    """As an administrator would, who needs no service for it. What no database takes is left out."""
    for row in rows:
        if "\x00" not in row["evidence"]:
            async with running.database.write() as transaction:
                await transaction.run(INSERT, row)
                await transaction.commit()


async def opened(ask: Any, person: Person, purpose: str) -> tuple[Opened, set[str]]:
    """What the door lets out, and of which fields a value really came."""
    answer = await ask(READ, role=ROLES[purpose], variables={"id": person.member_id, "purpose": purpose})
    found = answer["data"]["member"]
    withheld, masked = {each["field"] for each in found.pop("withheld")}, set(found.pop("masked"))
    fields = {NAMES.get(name, name) for name in found} - withheld
    return Opened(fields, fields - masked), {NAMES.get(name, name) for name, value in found.items() if value is not None}


@pytest.mark.obligation("NC-08", "NC-09", "LB-09", "SM-05", "SM-07", "AD-01")
async def test_what_somebody_wrote_into_the_ledger_opens_nothing_that_the_law_does_not(ask, running, config):
    shop, now = Shop(config.policies), running.clock()
    people = [await settled(running, person) for _ in range(6) for person in kinds()]
    cases = ledgers(shop, people, now)
    assert len(cases) == len(people)
    for case in cases:
        case.rows = [row for row in case.rows if "\x00" not in row["evidence"]]
        await put(running, case.rows)

    assert not await anything_open(ask, cases, LEDGERS[:-1]), "what is in the ledger alone opens nothing: nobody derived it"
    found = await rebuild(running.units, a_call("compliance_officer"), repair=True, step=lambda _: None)
    assert found.broken and found.differing

    seen = 0
    for case in cases:
        for purpose, role in ROLES.items():
            out, values = await opened(ask, case.person, purpose)
            allowed = may_leave(shop, case.person, case.rows, purpose, now, staff=role in STAFF)
            assert out.fields <= allowed.fields, (purpose, case)
            assert out.whole <= allowed.whole, (purpose, case)
            assert values <= out.fields
            seen += bool(values) and purpose in LEDGERS
    assert seen > 5, "nothing was open at all: that proves nothing"


async def anything_open(ask: Any, cases: list[Case], purposes: tuple[str, ...]) -> bool:
    """Whether a consent-based purpose shows anything of anybody."""
    for case in cases[::7]:
        for purpose in purposes:
            if (await opened(ask, case.person, purpose))[1]:
                return True
    return False


@pytest.mark.obligation("NC-08", "WD-01")
@pytest.mark.parametrize(
    "mischief", ["the withdrawal is taken away", "its purpose is changed", "its date is changed", "it says GIVEN"]
)
async def test_a_consent_whose_withdrawal_was_tampered_with_does_not_come_to_life_in_a_rebuild(ask, running, config, mischief):
    """The attacker wants a withdrawn member back. The last row of a ledger can be taken away unseen, and the audit log tells of it."""
    person = await settled(running, Person("", birthday=date(1990, 7, 14)))
    shop, rows, last = Shop(config.policies), [], NO_PAPER
    for number, state in enumerate(["GIVEN", "WITHDRAWN", "GIVEN", "WITHDRAWN"]):
        moment = running.clock().replace(hour=number)
        moment = moment.replace(day=20)
        rows.append(paper(shop, person.member_id, number, purpose="birthday_gift", state=state, moment=moment, before=last))
        last = rows[-1]["hash"].hex()
    if mischief == "the withdrawal is taken away":
        del rows[1]
    else:
        column = {"its purpose is changed": "purpose", "its date is changed": "recorded_at", "it says GIVEN": "state"}[mischief]
        rows[3][column] = {"purpose": "abolished", "recorded_at": rows[0]["recorded_at"], "state": "GIVEN"}[column]
    await put(running, rows)

    found = await rebuild(running.units, a_call("compliance_officer"), repair=True, step=lambda _: None)
    assert found.broken == (person.member_id,)
    assert (await opened(ask, person, "birthday_gift"))[1] == set()

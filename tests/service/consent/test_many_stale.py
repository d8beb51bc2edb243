"""A notice that asks for more, before thousands of members: nothing is written for any of them, and a list of them is one statement."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from policies.terms import ConsentState, MemberStatus
from service.app import Parts, parts
from service.config import Config
from service.consent.ledger import GENESIS, Happening, make_event
from service.consent.model import CaptureChannel, Decision
from service.db.statement import Prepared
from service.db.tables import consent_event, consent_standing, job, member, notice_told
from service.intake.store import add_consents
from service.members import store
from service.members.model import Row
from service.values import new_id
from tests.factories import a_call, evidence
from tests.policy_folder import publish, set_key, shipped
from tests.service.consent.screens import GIFT

THOUSANDS = 3000
PER_MEMBER = (member, consent_standing, consent_event, notice_told, job)
FIELDS = ["birthday", "tier", "region"]


async def admit(running: Parts, count: int) -> list[str]:
    """Members with a birthday, a region and a yes to the gift, as an import would store them."""
    now, vault, rows, secrets, events = running.clock(), running.vault, [], [], []
    purpose = running.catalogue.purposes[GIFT]
    for number in range(count):
        member_id = new_id(now + timedelta(milliseconds=number), running.chance)
        keys, wrapped = vault.new_member(member_id)
        sealed = vault.seal(keys, {"birthday": f"1990-07-{number % 28 + 1:02}", "region": "上海市"})
        made = Row(member_id, MemberStatus.ACTIVE, keys.generation, sealed, None, {"tier": "金卡"}, 1)
        rows.append(store.values(made, now=now))
        secrets.append((member_id, keys.generation, wrapped, now))
        happened = Happening(
            event_id=new_id(now, running.chance),
            member_id=member_id,
            purpose=purpose,
            state=ConsentState.GIVEN,
            at=now,
            actor=a_call().actor,
            request_id="req-1",
            channel=CaptureChannel.MINI_PROGRAM,
            evidence=evidence(running.catalogue, now),
            previous_hash=GENESIS,
        )
        events.append((member_id, make_event(running.catalogue, happened)))
    async with running.database.write() as transaction:
        await transaction.bulk(store.ADD_MEMBERS, rows)
        await transaction.bulk(store.ADD_SECRETS, secrets)
        await add_consents(transaction, events)
        await transaction.commit()
    return [row[0] for row in rows]


async def kept(running: Parts) -> list[object]:
    """Everything that is kept for members, to the last column."""
    found: list[object] = []
    for table in PER_MEMBER:
        rows = await running.database.read.rows(Prepared(select(*table.columns).order_by(*table.primary_key.columns)))
        found += [(table.name, *row) for row in rows]
    return found


class Counted:
    """The real database, with a count of the statements that reads send to it."""

    def __init__(self, database):
        self._database = database
        self.statements = 0

    def __getattr__(self, name):
        return getattr(self._database, name)

    @property
    def read(self):
        return self

    async def rows(self, statement, params=None):
        self.statements += 1
        return await self._database.read.rows(statement, params)


async def page(running: Parts, after: str | None = None):
    """A hundred members, and how many statements they took."""
    real, counted = running.units.database, Counted(running.units.database)
    running.units.database = counted
    try:
        found = await running.operations.page(
            a_call("mini_program"), purpose=GIFT, fields=FIELDS, first=100, after=after, edge_cursors=False
        )
    finally:
        running.units.database = real
    return found, counted.statements


@pytest.mark.obligation("NC-09")
async def test_a_wider_notice_before_thousands_of_members_writes_nothing_and_lists_stay_one_statement(
    tmp_path, database_url, clock
):
    async with parts(Config(home=tmp_path, database_url=database_url), clock=clock) as running:
        everybody = await admit(running, THOUSANDS)
        before, (first, statements) = await kept(running), await page(running)
        assert (len(first.profiles), statements) == (100, 1)
        assert not any(each.reason == "NOTICE_STALE" for profile in first.profiles for each in profile.withheld)
    folder = shipped(tmp_path)
    set_key(folder, "purposes.toml", "purposes.birthday_gift.fields.region", "plain")
    set_key(folder, "purposes.toml", "purposes.birthday_gift.version", 2)
    publish(folder, "2026-12", effective_at="2026-11-22T18:00:00+08:00")
    clock.advance(days=1)

    async with parts(Config(home=tmp_path, database_url=database_url, policies=folder), clock=clock) as running:
        assert await kept(running) == before, "publishing and restarting wrote something for a member"
        seen, after = [], None
        while True:
            found, statements = await page(running, after)
            assert statements == 1
            for profile in found.profiles:
                assert {key for key, value in profile.values.items() if value is not None} == {"birthday", "tier"}
                assert [(each.field, each.reason) for each in profile.withheld] == [("region", "NOTICE_STALE")]
            seen += [profile.member_id for profile in found.profiles]
            if not found.has_next:
                break
            after = found.end_cursor
        assert seen == sorted(everybody)
        assert await kept(running) == before, "reading wrote something for a member"
        await renew(running, everybody[7])
        (again, _), rows = await page(running), await kept(running)
        whole = [profile.member_id for profile in again.profiles if profile.values.get("region") is not None]
        assert whole == [everybody[7]]
        assert {row[1] for row in {*map(repr_of, rows)} ^ {*map(repr_of, before)}} == {everybody[7]}


async def renew(running: Parts, member_id: str) -> None:
    """One of them says yes to the whole of it."""
    outcome = await running.operations.record_consents(
        a_call("member", member_id=member_id),
        member_id=None,
        decisions=[Decision(GIFT, True)],
        evidence=evidence(running.catalogue, running.clock()),
    )
    assert [(each.state, each.scope) for each in outcome.standings] == [(ConsentState.RENEWED, 2)]


def repr_of(row: object) -> tuple[object, ...]:
    """Rows may hold what cannot be hashed."""
    assert isinstance(row, tuple)
    return (row[0], row[1], repr(row))

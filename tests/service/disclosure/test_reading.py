"""What leaves and what does not: purposes, consent, masks, pages, and what each costs."""

from dataclasses import replace

import pytest

from policies.terms import Reason
from service.consent.model import CaptureChannel, Decision
from service.errors import BadInput, Forbidden, Refused, SealBroken
from service.members import store
from service.vault import sealed_map
from tests.factories import a_call, a_member, a_profile, evidence

GIFT = "birthday_gift"


async def read(running, member_id, purpose, fields, role):
    return await running.operations.member(a_call(role), member_id=member_id, purpose=purpose, fields=fields)


def reasons(profile):
    return {item.field: item.reason for item in profile.withheld}


@pytest.mark.obligation("LB-02", "WD-01")
async def test_a_field_is_withheld_until_consent_is_given_and_again_once_it_is_withdrawn(running):
    member_id = await a_member(running, a_profile(birthday="1990-07-14"))
    before = await read(running, member_id, GIFT, ["birthday"], "marketer")
    assert before.values == {} and reasons(before) == {"birthday": Reason.CONSENT_REQUIRED}
    assert before.withheld[0].remedy.operation == "recordConsents"

    own = a_call("member", member_id=member_id)
    await running.operations.record_consents(
        own, member_id=None, decisions=[Decision(GIFT, True)], evidence=evidence(running.catalogue, running.clock())
    )
    assert (await read(running, member_id, GIFT, ["birthday"], "marketer")).values["birthday"].year == 1990

    await running.operations.withdraw(own, member_id=None, purpose=GIFT, channel=CaptureChannel.MINI_PROGRAM)
    after = await read(running, member_id, GIFT, ["birthday"], "marketer")
    assert after.values == {} and reasons(after) == {"birthday": Reason.CONSENT_WITHDRAWN}


async def test_a_field_outside_the_purpose_is_withheld_and_the_others_are_answered(running):
    profile = a_profile()
    member_id = await a_member(running, profile)
    found = await read(running, member_id, "order_fulfilment", ["name", "phone", "birthday"], "order_service")
    assert found.values == {"name": profile["name"], "phone": profile["phone"]}
    assert reasons(found) == {"birthday": Reason.FIELD_NOT_IN_PURPOSE}


@pytest.mark.obligation("LB-01")
async def test_an_undeclared_purpose_is_refused_and_the_refusal_is_recorded(running):
    member_id = await a_member(running)
    with pytest.raises(Refused) as refusal:
        await read(running, member_id, "crm_analytics", ["phone"], "marketer")
    assert refusal.value.code == "PURPOSE_UNKNOWN"


async def test_a_role_that_may_not_state_a_purpose_learns_nothing_not_even_whether_the_member_exists(running):
    member_id = await a_member(running)
    for who in (member_id, "018f0000-0000-7000-8000-000000000000"):
        found = await read(running, who, "order_fulfilment", ["phone"], "auditor")
        assert found.values == {} and reasons(found) == {"phone": Reason.ROLE_NOT_ALLOWED}


@pytest.mark.obligation("SE-03")
async def test_a_clerk_sees_masks_and_a_whole_value_only_for_a_stated_reason(running):
    profile = a_profile()
    member_id = await a_member(running, profile)
    found = await read(running, member_id, "customer_service", ["phone", "name"], "customer_service_agent")
    assert found.values["phone"] != profile["phone"] and "****" in found.values["phone"]
    assert found.masked >= {"phone", "name"}
    with pytest.raises(BadInput):
        await running.operations.reveal(
            a_call("customer_service_agent"), member_id=member_id, purpose="customer_service", field="phone", reason=" "
        )
    shown = await running.operations.reveal(
        a_call("customer_service_agent"), member_id=member_id, purpose="customer_service", field="phone", reason="退货回电"
    )
    assert shown.value == profile["phone"]


async def test_a_role_without_the_right_to_reveal_is_forbidden(running):
    member_id = await a_member(running)
    with pytest.raises(Forbidden):
        await running.operations.reveal(
            a_call("marketer"), member_id=member_id, purpose=GIFT, field="name", reason="just curious"
        )


@pytest.mark.obligation("SE-05")
async def test_a_lookup_answers_alike_for_unknown_not_permitted_and_erased(running):
    profile = a_profile()
    await a_member(running, profile)
    call = a_call("marketer")
    for value in (profile["phone"], "+8619900000001"):
        assert (
            await running.operations.by_contact(call, field="phone", value=value, purpose="marketing_sms", fields=["phone"])
            is None
        )


async def test_a_lookup_finds_every_spelling_of_a_number(running):
    profile = a_profile()
    member_id = await a_member(running, profile)
    digits = profile["phone"].removeprefix("+86")
    for spelling in (digits, f"+86 {digits[:3]} {digits[3:7]} {digits[7:]}", f"0086{digits}", f"86-{digits}"):
        found = await running.operations.by_contact(
            a_call("order_service"), field="phone", value=spelling, purpose="order_fulfilment", fields=["phone"]
        )
        assert found is not None and found.member_id == member_id


async def test_a_lookup_row_that_points_at_somebody_else_finds_nobody(running):
    """The attacker: a database administrator who lets a phone's digest lead to another member."""
    from sqlalchemy import update

    from service.db.statement import Prepared
    from service.db.tables import member_lookup

    profile = a_profile()
    await a_member(running, profile)
    other = await a_member(running)
    async with running.database.write() as transaction:
        moved = update(member_lookup).where(member_lookup.c.field == "phone", member_lookup.c.member_id != other)
        await transaction.run(Prepared(moved.values(member_id=other)))
        await transaction.commit()
    lookup = {"field": "phone", "value": profile["phone"], "purpose": "order_fulfilment", "fields": ["name"]}
    assert await running.operations.by_contact(a_call("order_service"), **lookup) is None


async def test_a_list_holds_those_who_said_yes_and_nobody_else(running):
    willing = [await a_member(running, yes=["marketing_sms"]) for _ in range(3)]
    await a_member(running, no=["marketing_sms"])
    await a_member(running)
    page = await running.operations.page(
        a_call("marketer"), purpose="marketing_sms", fields=["phone"], first=10, after=None, edge_cursors=False
    )
    assert [profile.member_id for profile in page.profiles] == sorted(willing)


async def test_a_list_is_walked_page_by_page_without_a_gap_or_a_repetition(running):
    everybody = sorted([await a_member(running) for _ in range(7)])
    seen, after = [], None
    while True:
        page = await running.operations.page(
            a_call("order_service"), purpose="order_fulfilment", fields=["name"], first=3, after=after, edge_cursors=True
        )
        seen += [profile.member_id for profile in page.profiles]
        if not page.has_next:
            break
        after = page.end_cursor
    assert seen == everybody


async def test_a_cursor_of_another_list_or_with_a_byte_changed_opens_nothing(running):
    for _ in range(3):
        await a_member(running)

    async def turn(purpose, role, after):
        return await running.operations.page(
            a_call(role), purpose=purpose, fields=["name"], first=1, after=after, edge_cursors=False
        )

    cursor = (await turn("order_fulfilment", "order_service", None)).end_cursor
    changed = ("A" if cursor[7] != "A" else "B").join((cursor[:7], cursor[8:]))
    for purpose, role, bad in (
        ("customer_service", "customer_service_agent", cursor),
        ("order_fulfilment", "order_service", changed),
        ("order_fulfilment", "order_service", cursor + "="),
        ("order_fulfilment", "order_service", "不是游标"),
    ):
        with pytest.raises(BadInput) as refusal:
            await turn(purpose, role, bad)
        assert refusal.value.code == "CURSOR_INVALID"


@pytest.mark.obligation("SE-06")
@pytest.mark.parametrize("first", [0, -1, 101, 10_000])
async def test_a_page_is_never_silently_cut(running, first):
    with pytest.raises(BadInput) as refusal:
        await running.operations.page(
            a_call("order_service"), purpose="order_fulfilment", fields=["name"], first=first, after=None, edge_cursors=False
        )
    assert refusal.value.code == "PAGE_SIZE_TOO_LARGE"


async def test_a_member_reads_nobody_but_themselves(running):
    own, other = await a_member(running), await a_member(running)
    call = a_call("member", member_id=own)
    assert (await running.operations.me(call, fields=["phone"])).member_id == own
    with pytest.raises(Forbidden):
        await running.operations.member(call, member_id=other, purpose=running.catalogue.self_purpose, fields=["phone"])
    with pytest.raises(Forbidden):
        await running.operations.page(
            call, purpose=running.catalogue.self_purpose, fields=["phone"], first=5, after=None, edge_cursors=False
        )


async def test_a_token_may_narrow_the_purposes_of_its_role_but_never_widen_them(running):
    member_id = await a_member(running)
    narrowed = a_call("order_service", purposes=["customer_service"])
    found = await running.operations.member(narrowed, member_id=member_id, purpose="order_fulfilment", fields=["phone"])
    assert reasons(found) == {"phone": Reason.ROLE_NOT_ALLOWED}
    widened = a_call("auditor", purposes=["order_fulfilment"])
    found = await running.operations.member(widened, member_id=member_id, purpose="order_fulfilment", fields=["phone"])
    assert reasons(found) == {"phone": Reason.ROLE_NOT_ALLOWED}


class Counted:
    """The real database, with a count of what is sent to it outside transactions."""

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


async def test_one_read_is_one_statement_however_many_fields_and_members(running):
    ids = [await a_member(running, yes=["marketing_sms"]) for _ in range(20)]
    counted = Counted(running.database)
    running.units.database = counted
    every = list(running.catalogue.fields)
    await read(running, ids[0], "order_fulfilment", ["name"], "order_service")
    await read(running, ids[0], "order_fulfilment", every, "order_service")
    assert counted.statements == 2
    await running.operations.page(
        a_call("marketer"), purpose="marketing_sms", fields=every, first=20, after=None, edge_cursors=True
    )
    assert counted.statements == 3


async def test_nothing_is_opened_that_will_be_withheld(running):
    """Break the seal of a withheld field: nobody notices, because nobody touches it. Break a permitted one: nothing leaves."""

    member_id = await a_member(running, a_profile(birthday="1990-07-14"))
    row = await store.row(running.database.read, member_id)
    keys = running.vault.member_keys(member_id, row.generation, row.wrapped)
    fields = running.vault._present(keys, row.sealed)
    fields["birthday"] = fields["birthday"][:-1] + bytes([fields["birthday"][-1] ^ 1])
    broken = sealed_map.seal_map(keys, fields, nonce=running.chance(12), prefix=running.vault._map_prefix(keys))
    async with running.database.write() as transaction:
        await store.change(transaction, replace(row, sealed=broken), now=running.clock())
        await transaction.commit()
    assert (await read(running, member_id, "order_fulfilment", ["name"], "order_service")).values["name"]
    with pytest.raises(SealBroken):
        await running.operations.me(a_call("member", member_id=member_id), fields=["birthday"])

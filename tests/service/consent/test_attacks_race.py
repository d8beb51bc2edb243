"""What somebody tried who sent everything at once."""

import asyncio

import pytest

from tests.api.front_end import entries
from tests.plugins import canary
from tests.service.consent.screens import GIFT, SMS, join, say, standing
from tests.service.consent.test_attacks_revival import own_phone, withdraw
from tests.service.consent.test_contacts import change, proof


@pytest.mark.obligation("LB-05")
async def test_of_many_who_prove_one_number_at_once_exactly_one_holds_it(ask, running, clock):
    number = canary.value("phone")
    first = await join(ask, running, phone=number)
    await say(ask, running, first, marketing_sms=True)
    others = [await join(ask, running) for _ in range(5)]
    before = len(await entries(running, "updateMember"))
    given = proof(running)
    told = await asyncio.gather(*(change(ask, other, proven=given, phone=number) for other in others))
    assert sorted(each["__typename"] for each in told) == ["ContactTaken"] * 4 + ["MemberUpdated"]
    phones = [await own_phone(ask, each) for each in (first, *others)]
    assert phones.count(number) == 1 and phones[0] is None
    assert (await standing(ask, first, SMS))["state"] == "INVALIDATED"
    assert len(await entries(running, "updateMember")) == before + 5, "one entry each, however often they began again"


@pytest.mark.obligation("WD-01")
async def test_of_a_yes_and_a_withdrawal_at_once_one_is_the_last_and_the_read_agrees_with_it(ask, running, clock):
    for _ in range(5):
        member_id = await join(ask, running)
        await say(ask, running, member_id, birthday_gift=True)
        clock.advance(minutes=5)
        await asyncio.gather(
            say(ask, running, member_id, role="mini_program", birthday_gift=True),
            withdraw(ask, member_id),
            say(ask, running, member_id, role="mini_program", birthday_gift=True),
        )
        state = (await standing(ask, member_id, GIFT))["state"]
        assert state == "WITHDRAWN", "what was shown before the withdrawal comes too late after it"

"""What somebody tried who wanted to get at a child: through a guardian who was none, and through rooms where nobody asks for an approval."""

import pytest

from tests.service.minors.family import ADULT, CHILD, GIFT, answer, code_of, end, family, link, read, someone, verify
from tests.service.receipts.asking import MEMBER_EVIDENCE

ALMOST = "2012-12-12"
"""The birthday of a child who turns fourteen within a month of the tests."""


@pytest.mark.obligation("SM-05")
@pytest.mark.parametrize("answers", [False, True])
async def test_what_a_guardian_who_was_none_agreed_to_does_not_come_to_life_on_the_fourteenth_birthday(
    ask, running, clock, answers
):
    child, stranger = await family(running, ask, ALMOST)
    assert (await answer(running, ask, stranger, of=child))["standings"][0]["state"] == "GIVEN"
    assert (await end(ask, child, stranger))["state"] == "ENDED"
    clock.advance(days=30)
    if answers:
        await answer(running, ask, child, purpose="marketing_email", kind="GENERAL")
    found, reasons = await read(ask, child, GIFT, "mini_program")
    assert found["name"] is None and reasons <= {"CONSENT_REQUIRED", "GUARDIAN_CONSENT_REQUIRED"} and reasons
    own = await answer(running, ask, child, kind="GENERAL")
    assert own["standings"][0]["state"] in {"GIVEN", "RENEWED"}
    assert (await read(ask, child, GIFT, "mini_program"))[1] == set()


@pytest.mark.obligation("SM-05")
async def test_what_a_guardian_who_is_one_agreed_to_goes_on_after_the_fourteenth_birthday(ask, running, clock):
    child, guardian = await family(running, ask, ALMOST)
    await answer(running, ask, guardian, of=child)
    clock.advance(days=30)
    assert (await read(ask, child, GIFT, "mini_program"))[1] == set()
    await answer(running, ask, child, purpose="marketing_email", kind="GENERAL")
    assert (await read(ask, child, GIFT, "mini_program"))[1] == set()


@pytest.mark.obligation("SM-05")
async def test_a_child_that_is_named_as_its_own_guardian_is_refused_with_an_entry(ask, running):
    child, other = await someone(running, CHILD), await someone(running, ADULT)
    assert (await verify(ask, child, child))["code"] == "GUARDIAN_UNFIT"
    assert (await link(ask, child, child)).get("code") == "GUARDIAN_UNFIT"
    assert (await link(ask, other, other)).get("code") == "MEMBER_NOT_FOUND"


@pytest.mark.obligation("SM-05")
async def test_staff_get_a_minors_receipts_by_no_way_round_without_an_approval(ask, running):
    child, guardian = await family(running, ask)
    given = (await answer(running, ask, guardian, of=child))["standings"][0]["eventId"]
    receipt = 'query ($event: ID!) { consentReceipt(eventId: $event, purpose: "audit") { jws } }'
    assert code_of(await ask(receipt, role="compliance_officer", variables={"event": given})) == "APPROVAL_REQUIRED"
    variables = {"member": child, "purpose": "audit"}
    told = await ask(MEMBER_EVIDENCE, role="compliance_officer", variables=variables)
    assert given not in str(told), told

"""The second step of a double opt-in: the page asks, and only a press of its button confirms."""

import pytest

from service.db.tables import subscription
from tests.api.front_end import entries, evidence_of
from tests.factories import a_member
from tests.service.inbound.outside import everything, link

ASK = """mutation Ask($id: ID!, $evidence: EvidenceInput) { subscribe(memberId: $id, evidence: $evidence,
  input: { channel: "email", topic: "news", brand: "living", monthly: 4, months: 24 }) { ... on Subscribed { confirmation } } }"""


async def pending(running, ask):
    """A member who has asked for news, and the link that went to the address."""
    member_id = await a_member(running)
    answer = await ask(ASK, role="mini_program", variables={"id": member_id, "evidence": evidence_of(running)})
    return member_id, answer["data"]["subscribe"]["confirmation"]


async def stands(running):
    return [row["state"] for row in await everything(running, subscription)]


async def test_opening_the_link_subscribes_nobody_and_pressing_the_button_does_once(client, running, ask):
    _, token = await pending(running, ask)
    for method in ("GET", "HEAD", "OPTIONS") * 10:
        assert (await client.request(method, f"/s/{token}")).status_code in {200, 204}
    assert await stands(running) == ["PENDING"]
    page = (await client.get(f"/s/{token}")).text
    assert page.count("<button") == 1 and page.index("确认订阅") < page.index("Confirm")
    first = await client.post(f"/s/{token}")
    again = await client.post(f"/s/{token}")
    assert (first.status_code, again.status_code, first.content) == (200, 200, again.content)
    assert await stands(running) == ["SUBSCRIBED"]
    assert {entry["dec"] for entry in await entries(running, "confirmByLink")} == {"allow"}


async def test_a_link_that_ran_out_or_was_made_for_something_else_confirms_nothing(client, running, ask, clock):
    member_id, token = await pending(running, ask)
    leaving = link(running, member_id)
    for wrong in (leaving, token[:-2] + "AA", "A" * 100, ""):
        assert (await client.post(f"/s/{wrong}")).status_code == 404
    assert (await client.post(f"/u/{token}", data={"List-Unsubscribe": "One-Click"})).status_code == 404
    clock.advance(hours=49)
    late = await client.post(f"/s/{token}")
    assert late.status_code == 404
    assert await stands(running) == ["PENDING"]
    assert {entry["rsn"] for entry in await entries(running, "confirmByLink")} == {"LINK_INVALID", "LINK_EXPIRED"}


@pytest.mark.obligation("EM-05")
async def test_a_no_before_the_confirmation_is_stronger_than_it(client, running, ask):
    member_id, token = await pending(running, ask)
    await client.post(f"/u/{link(running, member_id)}", data={"List-Unsubscribe": "One-Click"})
    assert (await client.post(f"/s/{token}")).status_code == 404
    assert "SUBSCRIBED" not in await stands(running)

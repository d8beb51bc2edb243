"""What decideSends answers, through the operation, on both databases."""

from tests.service.gate import made


async def test_whoever_said_yes_and_subscribed_is_allowed(running) -> None:
    member_id = await made.subscriber(running)
    found = await made.one(running, await made.campaign(running), member_id)
    assert (found.allowed, made.why(found)) == (True, [])

"""No adapter hands over a message without a live decision for exactly that member, those words, that channel, that send (MK-01)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from policies.marketing import Vendor
from policies.terms import Catalogue
from service.senders.adapter import Adapter
from service.senders.model import Fate, Message, NoLiveDecision
from tests.conftest import START, StillClock
from tests.service.senders import made
from tests.service.senders.conftest import SENDERS
from tests.service.senders.vendors import vendor

Make = Callable[..., Adapter]


def moved(message: Message, catalogue: Catalogue, **change: Any) -> Message:
    """The same message under a leave that was given for another one."""
    leave = made.cleared(catalogue, change.pop("body", message.cleared.template.body), **change)
    return replace(message, cleared=leave)


def another_words(message: Message, catalogue: Catalogue) -> Message:
    return moved(message, catalogue, body=replace(message.cleared.template.body, text="另一段文字"))


WRONG: dict[str, Callable[[Message, Catalogue], Message]] = {
    "another member": lambda message, catalogue: moved(message, catalogue, member_id=made.OTHER),
    "another send": lambda message, catalogue: moved(message, catalogue, send_id=made.OTHER_SEND),
    "other words": another_words,
    "another channel": lambda message, _: replace(message, channel="wecom"),
    "a leave from before": lambda message, _: replace(message, cleared_at=START - timedelta(minutes=5)),
    "a leave from the future": lambda message, _: replace(message, cleared_at=START + timedelta(seconds=1)),
    "a sender that nobody registered": lambda message, _: replace(message, sender=replace(message.sender, identity="【别家】")),
}


@pytest.mark.obligation("MK-01", "SMS-05")
@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("of", Vendor)
async def test_every_adapter_refuses_what_its_leave_is_not_for(
    of: Vendor, wrong: str, adapter: Make, catalogue: Catalogue
) -> None:
    async with vendor(lambda _: (200, {})) as listening:
        found = adapter(of, listening.url)
        message = WRONG[wrong](made.a_message(catalogue, SENDERS[of]), catalogue)
        with pytest.raises(NoLiveDecision):
            await found.deliver(message, key=message.send_id)
        assert listening.requests == []


@pytest.mark.obligation("MK-01")
@pytest.mark.parametrize("of", Vendor)
async def test_a_leave_ends_after_five_minutes(of: Vendor, adapter: Make, catalogue: Catalogue, clock: StillClock) -> None:
    message = made.a_message(catalogue, SENDERS[of])
    clock.advance(minutes=4, seconds=59)
    last = await adapter(of).deliver(message, key=message.send_id)
    assert last.fate in {Fate.NOT_OUT, Fate.SENT}, last
    clock.advance(seconds=1)
    with pytest.raises(NoLiveDecision):
        await adapter(of).deliver(message, key=message.send_id)


@pytest.mark.obligation("MK-01")
@pytest.mark.parametrize("of", Vendor)
async def test_the_key_is_the_sends_own(of: Vendor, adapter: Make, catalogue: Catalogue) -> None:
    with pytest.raises(NoLiveDecision):
        await adapter(of).deliver(made.a_message(catalogue, SENDERS[of]), key=made.OTHER_SEND)


def test_a_message_shows_nothing_of_the_member(catalogue: Catalogue) -> None:
    message = made.a_message(catalogue, "living_email")
    assert message.to not in repr(message)
    assert made.TOKEN not in repr(message)
    assert "会员日" not in repr(message)


def test_every_vendor_of_the_policy_has_a_sender_to_be_tried_with() -> None:
    assert set(SENDERS) == set(Vendor)

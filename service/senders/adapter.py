"""What every adapter is: a registered sender that admits a message before it hands it over (MK-01), and never otherwise."""

from abc import ABC, abstractmethod
from datetime import timedelta

from policies.marketing import Sender as RegisteredSender
from service.senders.model import Delivery, Fate, Message, Unfit, admit
from service.values import Clock

SIGNATURE_MISSING = "SIGNATURE_MISSING"


class Adapter(ABC):
    """The base of the adapters; each of them only says how to hand over."""

    def __init__(self, registered: RegisteredSender, *, clock: Clock, life: timedelta) -> None:
        self.registered = registered
        self.clock = clock
        self.life = life

    async def deliver(self, message: Message, *, key: str) -> Delivery:
        """Hand the message over once. Raises NoLiveDecision where the leave is not for exactly this, or is too old."""
        admit(message, self.registered, key=key, now=self.clock(), life=self.life)
        try:
            return await self.hand_over(message)
        except Unfit as problem:
            return Delivery(Fate.REFUSED, problem.code)

    @abstractmethod
    async def hand_over(self, message: Message) -> Delivery:
        """Speak the vendor's protocol. Only `deliver` calls this. Raises Unfit for what the vendor could not take."""


def signature_of(registered: RegisteredSender) -> str:
    """The registered 【brand】 without its brackets, as SMS vendors take it. Raises Unfit where it has none (SMS-05)."""
    identity = registered.identity
    if not (identity.startswith("【") and identity.endswith("】") and len(identity) > 2):
        raise Unfit(SIGNATURE_MISSING)
    return identity[1:-1]


def reference(text: object) -> str:
    """A vendor's own id of a message, as far as it has the form of one: what comes from outside is kept in no other form."""
    said = str(text) if isinstance(text, str | int) else ""
    return said if 0 < len(said) <= 80 and said.isascii() and said.isprintable() and " " not in said else ""

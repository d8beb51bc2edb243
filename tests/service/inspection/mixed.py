"""Entries of all kinds, always the same: who, what, why, when and whom are drawn from small sets, so that every filter finds some."""

import random
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from service.audit.entry import Draft, Entry
from service.audit.index.terms import BLOCK
from service.audit.lanes import Scribe
from service.values import Actor, ActorKind, Call

SIZE = 2 * BLOCK + 300
START = datetime(2026, 9, 28, tzinfo=UTC)
STEP = timedelta(minutes=20)

PEOPLE = tuple("p1:" + urlsafe_b64encode(bytes([number] * 16))[:22].decode() for number in range(1, 30))
FIELDS = ("name", "phone", "email", "address", "birthday")
ROLES = ("customer_service_agent", "store_clerk", "order_service")
ACCOUNTS = ("clerk-1", "clerk-2", "orders")
PURPOSES = ("customer_service", "order_fulfilment", "")
BASES = {"customer_service": "CONTRACT", "order_fulfilment": "CONTRACT", "": ""}
OPERATIONS = ("member", "members", "updateMember")
REASONS = ("CONSENT_REQUIRED", "FIELD_NOT_IN_PURPOSE")
CAMPAIGNS = ("018f0000-0000-7000-8000-000000000001", "")


@dataclass
class Lottery:
    """A chance that is the same in every run."""

    dice: random.Random

    def __call__(self, count: int) -> bytes:
        return self.dice.randbytes(count)


@cache
def mixed() -> tuple[Entry, ...]:
    """All of them, in one lane."""
    dice = random.Random(7136019)
    scribe = Scribe(policy="5f" * 32, chance=Lottery(dice), address_mac=lambda address, month: address.encode().hex() + month[:4])
    lane = scribe.lane("read")
    made = scribe.opening(lane, START)
    while len(made) < SIZE:
        made.append(scribe.write(lane, len(made), _draft(dice), _call(dice), now=START + len(made) * STEP))
    return tuple(made)


def _draft(dice: random.Random) -> Draft:
    purpose, campaign = dice.choice(PURPOSES), dice.choice(CAMPAIGNS)
    draft = Draft(
        typ=dice.choice(("access", "change", "export")),
        operation=dice.choice(OPERATIONS),
        purpose=purpose,
        basis=BASES[purpose],
        subjects=dice.sample(PEOPLE, dice.randrange(4)),
        fields=tuple(dice.sample(FIELDS, dice.randrange(4))),
        withheld=tuple(dice.sample(FIELDS, dice.randrange(2))),
        count=1,
        extra={"campaign": campaign} if campaign else {},
    )
    if dice.randrange(20) == 0:
        draft.deny(dice.choice(REASONS))
    return draft


def _call(dice: random.Random) -> Call:
    at = dice.randrange(3)
    kind = ActorKind.SERVICE if at == 2 else ActorKind.STAFF
    if dice.randrange(10) == 0:
        return Call(Actor(ActorKind.MEMBER, "member", frozenset({"member"})), f"r-{dice.randrange(40)}", "192.0.2.9")
    return Call(Actor(kind, ACCOUNTS[at], frozenset({ROLES[at]})), f"r-{dice.randrange(40)}", f"192.0.2.{dice.randrange(3)}")

"""What stands at the door: counts whom people are told of, and sees what nobody asked it to look for.

Looking costs no statement. Machines are counted in memory, each instance for itself: they are never refused, and what they usually read is
stated for one instance (roles.toml, usual_per_day).
"""

from collections import defaultdict, deque
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Final

from policies.bulk import BulkClass
from policies.terms import Catalogue
from service.alarms.commands import raise_alarm
from service.alarms.model import AlarmKind, Rules
from service.approvals.exports import UNREGISTERED
from service.approvals.model import account_of
from service.audit.entry import Draft
from service.tally import commands
from service.tally.model import Recent, classes_of
from service.unit import Raising, Unit
from service.values import ActorKind, Call

_TELLING: Final = frozenset({"access", "audit", "export"})
"""The types of entries that somebody was told something under. What is changed is not told."""

_TOO_MUCH: Final = frozenset({commands.REASON, UNREGISTERED})
"""Why too much at once is refused: nobody else has allowed it, or nobody is registered who gets it."""

_MOST_ACCOUNTS: Final = 10_000


class Guard:
    """See `service.unit.Watch`. One a process."""

    def __init__(self, catalogue: Catalogue, rules: Rules) -> None:
        self._catalogue = catalogue
        self._rules = rules
        self._planted: frozenset[str] = frozenset()
        self._recent: dict[tuple[str, BulkClass], Recent] = {}
        self._classes: dict[tuple[str, ...], frozenset[BulkClass]] = {}
        self._refused: defaultdict[str, deque[datetime]] = defaultdict(deque)

    def know(self, planted: frozenset[str]) -> None:
        """From now on these are the planted members' names."""
        self._planted = planted

    def counts(self, call: Call, draft: Draft) -> bool:
        """Whether a person is about to be told of members."""
        return call.actor.kind is ActorKind.STAFF and _tells(draft)

    async def admit(self, unit: Unit) -> None:
        """See `commands.admit`."""
        await commands.admit(unit)

    def owed(self, call: Call, draft: Draft, now: datetime) -> Sequence[Raising]:
        """What has to be raised for this entry, before it is answered."""
        raising: list[Raising] = []
        actor = call.actor
        # One account, however it is spelt: else each spelling has refusals and a silence of its own, or thousands of alarms hide one.
        account = f"{actor.kind.value}:{account_of(actor.name)}" if actor.kind is not ActorKind.MEMBER else actor.kind.value
        if self._planted and not self._planted.isdisjoint(draft.subjects):
            raising.append(partial(raise_alarm, kind=AlarmKind.HONEY_MEMBER, about=account, codes=_codes(draft)))
        if draft.decision == "deny":
            raising += self._denied(call, draft, account, now)
        elif actor.kind is ActorKind.SERVICE and _tells(draft):
            raising += self._served(call, draft, account, now)
        return raising

    def _denied(self, call: Call, draft: Draft, account: str, now: datetime) -> list[Raising]:
        """Too many members for a person; too many refusals for anybody who has an account. A member's would be a member's name."""
        raising: list[Raising] = []
        bulk = draft.extra.get("bulk")
        if draft.reason in _TOO_MUCH and isinstance(bulk, str):
            codes = _codes(draft) | {"bulk": bulk}
            raising.append(partial(raise_alarm, kind=AlarmKind.BULK_READING, about=f"{account} {bulk}", codes=codes))
        if call.actor.kind in {ActorKind.STAFF, ActorKind.SERVICE} and self._streak(account, now):
            raising.append(partial(raise_alarm, kind=AlarmKind.DENIED_STREAK, about=account, codes=_codes(draft)))
        return raising

    def _streak(self, account: str, now: datetime) -> bool:
        if len(self._refused) >= _MOST_ACCOUNTS:
            self._refused.clear()
        times = self._refused[account]
        times.append(now)
        while times and times[0] <= now - self._rules.within:
            times.popleft()
        if len(times) < self._rules.refusals:
            return False
        times.clear()
        return True

    def _served(self, call: Call, draft: Draft, account: str, now: datetime) -> list[Raising]:
        raising: list[Raising] = []
        for bulk in self._classes_of(draft.fields):
            recent = self._recent.get((account, bulk))
            if recent is None:
                recent = self._recent[account, bulk] = Recent(self._usual(call, bulk))
            if recent.add((*draft.subjects, *draft.shown), now):
                codes = _codes(draft) | {"bulk": bulk.value}
                raising.append(partial(raise_alarm, kind=AlarmKind.BULK_READING, about=f"{account} {bulk.value}", codes=codes))
        return raising

    def _classes_of(self, fields: tuple[str, ...]) -> frozenset[BulkClass]:
        found = self._classes.get(fields)
        if found is None:
            found = self._classes[fields] = classes_of(self._catalogue, fields)
        return found

    def _usual(self, call: Call, bulk: BulkClass) -> int:
        """What the most usual of its roles reads; never less than the policy's count."""
        roles = (self._catalogue.roles.get(role) for role in call.actor.roles)
        return max((self._catalogue.bulk[bulk], *(role.usual_per_day for role in roles if role is not None)))


def _codes(draft: Draft) -> dict[str, str | int]:
    """What the alarm's entry says of the one that it was raised for."""
    found = {"op_seen": draft.operation, "pur_seen": draft.purpose}
    return {key: value for key, value in found.items() if value}


def _tells(draft: Draft) -> bool:
    """Whether anything of a member leaves: where all that was asked for is withheld, nothing does."""
    told = draft.decision == "allow" and draft.typ in _TELLING and bool(draft.subjects or draft.shown)
    return told and (bool(draft.fields) or not draft.withheld)

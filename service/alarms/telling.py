"""Tells people of alarms until somebody sees to them: claimed by one instance at a time, tried again when it fails, repeated after a pause.

Not a lane of jobs: a job is a member's and leaves with them, and an alarm is nobody's.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

import orjson
import structlog

from service.alarms import store, words
from service.alarms.mail import TOLD
from service.alarms.model import WATCH, Alarm, Rules
from service.audit.entry import Draft
from service.background import rest
from service.errors import LogBroken, RecordUnavailable
from service.unit import Unit, Units
from service.values import Call, Clock, utc_text

Carrier = Callable[[Alarm, datetime], Awaitable[str]]
"""Takes an alarm to somebody: TOLD, or a code for what went wrong. It raises nothing that the network does."""

LEASE: Final = timedelta(seconds=90)
_PAUSE: Final = timedelta(seconds=30)
_LONGEST: Final = timedelta(minutes=30)
_POLL_SECONDS: Final = 2.0
_log = structlog.get_logger("menshen.alarms")


class Bell:
    """Rings for what is open and due, over every carrier that there is."""

    def __init__(self, *, units: Units, carriers: Sequence[Carrier], rules: Rules, clock: Clock) -> None:
        self._own = units.database.own()
        self._units = units
        self._carriers = tuple(carriers)
        self._rules = rules
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Ring until `stop` is set."""
        while not stop.is_set():
            try:
                rung = await self.once()
            except Exception as problem:  # noqa: BLE001 - whatever it is, the next round may go better, and its message is nobody's
                _log.error("alarms_not_told", type=type(problem).__name__)
                rung = 0
            if not rung:
                await rest(stop, _POLL_SECONDS)

    async def once(self) -> int:
        """Tell of everything that is due now; how many alarms that were. Without a carrier nothing is claimed: it waits for one."""
        if not self._carriers:
            return 0
        async with self._own.single() as session:
            due = await store.claim(session, now=self._clock(), lease=LEASE)
        for alarm in due:
            await self._tell(alarm)
        return len(due)

    async def close(self) -> None:
        """Give the connection back."""
        await self._own.close()

    async def _tell(self, alarm: Alarm) -> None:
        """One who is told is enough; where nobody is, it is tried again soon."""
        codes = await asyncio.gather(*(carry(alarm, self._clock()) for carry in self._carriers))
        told = TOLD in codes
        if not told:
            _log.error("alarm_not_told", key=alarm.kind.value, code=codes[0], attempt=alarm.tries)

        async def work(unit: Unit) -> None:
            pause = self._rules.repeat if told else min(_PAUSE * 2 ** min(alarm.tries - 1, 10), _LONGEST)
            outcome = TOLD if told else codes[0]
            at = unit.now if told else alarm.told_at
            tries = 0 if told else alarm.tries
            unit.draft.extra |= {"alarm": alarm.alarm_id, "kind": alarm.kind.value, "outcome": outcome}
            if not await store.settle(unit.session, alarm, due_at=unit.now + pause, tries=tries, outcome=outcome, told_at=at):
                unit.draft.deny("ALARM_HANDLED")

        try:
            await self._units.change(Call(WATCH, alarm.alarm_id), Draft(typ="result", operation="tellAlarm"), work)
        except (LogBroken, RecordUnavailable):
            # What is told may be that the log is broken: then it takes no entry, and nobody shall get a mail every minute.
            again = self._clock() + self._rules.repeat
            async with self._own.single() as session:
                await store.settle(
                    session, alarm, due_at=again, tries=0, outcome=TOLD if told else codes[0], told_at=alarm.told_at
                )


def body(alarm: Alarm) -> bytes:
    """An alarm as JSON, for a webhook."""
    said = {
        "event": "alarm",
        "id": alarm.alarm_id,
        "kind": alarm.kind.value,
        "about": alarm.about,
        "count": alarm.count,
        "first_at": utc_text(alarm.first_at),
        "last_at": utc_text(alarm.last_at),
        "text": words.text(alarm),
    }
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS)

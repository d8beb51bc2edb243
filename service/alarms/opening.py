"""Makes what rings and what goes round, out of the deployment's settings and what the composition root has."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from service.alarms.mail import TOLD, Mailing
from service.alarms.model import Alarm
from service.alarms.settings import Settings
from service.alarms.telling import Bell, Carrier, body
from service.alarms.watch import Watchman
from service.background import beside

_GRACE_SECONDS = 15.0

Post = Callable[[bytes, str, datetime], Awaitable[bool]]
"""Posts a signed body under an id; whether the other side has confirmed it."""


def carriers(settings: Settings, post: Post | None) -> Sequence[Carrier]:
    """Every way in which somebody is told."""
    found: list[Carrier] = [] if settings.mail is None else [Mailing(settings.mail)]
    if post is not None:
        found.append(_posted(post))
    return found


def _posted(post: Post) -> Carrier:
    async def carry(alarm: Alarm, now: datetime) -> str:
        return TOLD if await post(body(alarm), alarm.alarm_id, now) else "POST_FAILED"

    return carry


@asynccontextmanager
async def going_round(watchman: Watchman, bell: Bell) -> AsyncIterator[None]:
    """Both in the background; what they have begun is ended before this ends."""
    try:
        async with beside(watchman.run, bell.run, grace=_GRACE_SECONDS):
            yield
    finally:
        await bell.close()
        await watchman.close()

"""Days as the law counts them, in China's time: working days, ages, and on which day a moment falls.

Working days (工作日) are Monday to Friday without the State Council's holidays, and with the make-up days (调休) that
it sets. They come from the `chinesecalendar` package. In a year that it does not know, every weekday counts as a working
day: no holiday puts a deadline off, so it comes out early rather than late (only an unknown make-up Saturday could make it
late, by that day). Such an answer says so (`assumed`), so that somebody raises the alarm and updates the package.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone

import chinese_calendar
from chinese_calendar import constants

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
"""China has kept UTC+8 without summer time since 1991, so no time zone database is needed, and none can be missing."""

_KNOWN_YEARS = range(min(constants.holidays).year, max(constants.holidays).year + 1)
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class WorkingDay:
    """A working day found by counting. `assumed`: some day on the way was of a year whose holidays are not known."""

    day: date
    assumed: bool


def known_until() -> date:
    """The last day whose working days are known."""
    return date(_KNOWN_YEARS[-1], 12, 31)


def is_working_day(day: date) -> bool:
    """Is this a working day? In a year that is not known, every weekday is."""
    if day.year in _KNOWN_YEARS:
        return bool(chinese_calendar.is_workday(day))
    return day.weekday() < 5


def next_working_day(day: date) -> WorkingDay:
    """The first working day after `day`, which itself does not count."""
    return add_working_days(day, 1)


def add_working_days(start: date, count: int) -> WorkingDay:
    """The last of `count` working days after `start`. The day of receipt does not count (民法典 201): a request of
    Monday that has one working day is due on Tuesday. Raises ValueError unless `count` is 1 or more.
    """
    if count < 1:
        raise ValueError("count at least one working day")
    day, assumed = start, False
    while count:
        day += _ONE_DAY
        assumed = assumed or day.year not in _KNOWN_YEARS
        count -= is_working_day(day)
    return WorkingDay(day, assumed)


def age_on(birthday: date, day: date) -> int:
    """Full years (周岁) on `day`, reached with the birthday itself. Who was born on 29 February reaches them on 1 March
    of a common year: the later day, so that no minor loses protection early. Negative before birth.
    """
    return day.year - birthday.year - ((day.month, day.day) < (birthday.month, birthday.day))


def day_in_shanghai(moment: datetime) -> date:
    """The day that a clock in Shanghai shows at `moment`, wherever this runs. Raises ValueError without an offset."""
    if moment.tzinfo is None:
        raise ValueError("a time without its offset is no moment")
    return moment.astimezone(SHANGHAI).date()


def start_of_day(day: date) -> datetime:
    """The moment, in UTC, at which `day` begins in Shanghai."""
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).astimezone(UTC)


def months_later(day: date, months: int) -> date:
    """The day of the same number so many months on, or the last of that month where it has no such day (民法典 202)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def consent_ends(given: datetime, months: int) -> datetime | None:
    """When a consent given at `given` for so many months (`Purpose.consent_months`) is over: at the end of the last day, in
    Shanghai. None for 0 months: it holds until it is withdrawn. The first moment at which it no longer holds is the one returned.
    """
    if not months:
        return None
    return start_of_day(months_later(day_in_shanghai(given), months) + _ONE_DAY)

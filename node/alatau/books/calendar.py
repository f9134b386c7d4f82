"""Days and months of a time zone, as books and limits count them: pure, over a zone that the host hands in.

A day begins when its zone's clocks show midnight; if they show it twice, at the first, if never, when they jump over
it. So days have 23, 24 or 25 hours where clocks are moved, follow one another without gaps, and a day that a zone left
out (Samoa's 30 December 2011) is empty. The day number is that of the calendar date, days since 1 January 1970.

``DayBook.post_day_root`` takes a day number and compares it with days of UTC: ``day < block.timestamp // 86400``. East
of Greenwich a zone's day ends before UTC's day of the same number: a hub waits until that has ended, in Almaty until
5:00. West of it the contract would take a day that is not over: a hub waits for its own midnight. :func:`postable_at`
is the later.
"""

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

from alatau.books.entries import Moment

SECONDS_PER_DAY: Final = 86_400
DAY_MAX: Final = date(9998, 12, 31).toordinal() - date(1970, 1, 1).toordinal()
"""The last day that has a next one in the calendar of Python."""

_EPOCH: Final = date(1970, 1, 1)
_START: Final = datetime(1970, 1, 1, tzinfo=UTC)


def moment(zone: tzinfo, time: int) -> Moment:
    """The day and the second of an entry that is booked at ``time``, seconds since 1970."""
    return Moment(day_number(zone, time), time)


def day_number(zone: tzinfo, time: int) -> int:
    """The day of the zone that ``time``, seconds since 1970, lies in.

    Raises:
        ValueError: before 2 January 1970, or beyond the calendar.
    """
    if not SECONDS_PER_DAY <= time < DAY_MAX * SECONDS_PER_DAY:
        raise ValueError(f"{time} s since 1970 is out of range")
    day = (datetime.fromtimestamp(time, zone).date() - _EPOCH).days
    # Clocks that are turned back over midnight show the date of the day before again, which has ended.
    return day + 1 if time >= day_start(zone, day + 1) else day


def day_start(zone: tzinfo, day: int) -> int:
    """The first second of a day, seconds since 1970."""
    midnight = datetime.combine(day_date(day), datetime.min.time(), zone)
    return int((midnight - _START).total_seconds())


def day_date(day: int) -> date:
    """The calendar date of a day number. Raises ``ValueError`` for one out of range."""
    if not 0 <= day <= DAY_MAX:
        raise ValueError(f"day {day} is out of range")
    return _EPOCH + timedelta(days=day)


def next_day_at(zone: tzinfo, time: int) -> int:
    """When the day of ``time`` ends, seconds since 1970: a limit per day is free again."""
    return day_start(zone, day_number(zone, time) + 1)


def month_of(zone: tzinfo, time: int) -> tuple[int, int]:
    """Year and month, 1 to 12, of the day that ``time`` lies in."""
    day = day_date(day_number(zone, time))
    return day.year, day.month


def next_month_at(zone: tzinfo, time: int) -> int:
    """When the month of ``time`` ends, seconds since 1970: a limit per month is free again."""
    year, month = month_of(zone, time)
    first = date(year + month // 12, month % 12 + 1, 1)
    return day_start(zone, (first - _EPOCH).days)


def postable_at(zone: tzinfo, day: int) -> int:
    """From when on a hub may post the day's root, seconds since 1970: zone's and UTC's day of that number are over."""
    return max(day_start(zone, day + 1), (day + 1) * SECONDS_PER_DAY)

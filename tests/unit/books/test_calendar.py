"""Days of a zone: without gaps or overlaps whatever its clocks do, and months of them."""

from datetime import UTC, date, datetime, tzinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alatau.books.calendar import (
    DAY_MAX,
    SECONDS_PER_DAY,
    day_date,
    day_number,
    day_start,
    moment,
    month_of,
    next_day_at,
    next_month_at,
    postable_at,
)
from alatau.books.entries import Moment
from alatau.zones import zone_of

ALMATY = zone_of("Asia/Almaty")
ODD = (
    "Europe/Berlin",  # clocks are moved at 2:00 and 3:00
    "America/New_York",
    "America/St_Johns",  # until 2011 turned back at 0:01, so that a date comes again
    "America/Havana",  # until 2025 turned back at 1:00 to 0:00: midnight twice
    "Asia/Beirut",  # moved forward at 0:00: no midnight
    "Pacific/Apia",  # left out 30 December 2011
    "Pacific/Kwajalein",  # left out 21 August 1993
    "Australia/Lord_Howe",  # half an hour
    "Africa/Casablanca",  # winter in Ramadan
    "Asia/Almaty",  # an hour less for good on 1 March 2024
)
zones = st.sampled_from(ODD).map(zone_of)
days = st.integers(3, date(2040, 1, 1).toordinal() - date(1970, 1, 1).toordinal())


def at(text: str) -> int:
    """Seconds of a time in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def number(text: str) -> int:
    """The day number of a date."""
    return (date.fromisoformat(text) - date(1970, 1, 1)).days


@given(zones, days)
def test_days_follow_one_another_without_gap_or_overlap(zone: tzinfo, day: int) -> None:
    """A day's first second is its own and the one before is not; only a day that was left out is empty."""
    start, end = day_start(zone, day), day_start(zone, day + 1)
    if start == end:
        assert day_date(day).isoformat() in {"2011-12-30", "1993-08-21"}
    else:
        assert 22 * 3_600 < end - start < 26 * 3_600
        assert day_number(zone, start) == day_number(zone, end - 1) == day
    assert day_number(zone, start - 1) < day


@given(zones, days.flatmap(lambda day: st.integers(day * SECONDS_PER_DAY, (day + 1) * SECONDS_PER_DAY)))
def test_every_second_has_one_day(zone: tzinfo, time: int) -> None:
    """Between its start and the next day's."""
    time += SECONDS_PER_DAY
    day = day_number(zone, time)
    assert day_start(zone, day) <= time < next_day_at(zone, time) == day_start(zone, day + 1)
    assert moment(zone, time) == Moment(day, time)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("Asia/Almaty", "2024-02-29", 25),
        ("Asia/Almaty", "2026-10-25", 24),
        ("Asia/Beirut", "2026-03-29", 23),
        ("America/Havana", "2024-11-03", 25),
        ("Pacific/Apia", "2011-12-30", 0),
    ],
)
def test_days_are_as_long_as_clocks_make_them(zone: str, day: str, hours: int) -> None:
    """Known days on which clocks were moved."""
    found = day_start(zone_of(zone), number(day) + 1) - day_start(zone_of(zone), number(day))
    assert found == hours * 3_600


def test_a_date_that_comes_again_is_over() -> None:
    """In St John's clocks showed 7 November 2010 for a minute, then the 6th again: the 7th had begun."""
    zone = zone_of("America/St_Johns")
    assert day_start(zone, number("2010-11-07")) == at("2010-11-07 02:30")
    assert datetime.fromtimestamp(at("2010-11-07 02:40"), zone).date().isoformat() == "2010-11-06"
    assert day_number(zone, at("2010-11-07 02:40")) == number("2010-11-07")


def test_almaty_has_five_hours_since_2024_whatever_the_machine_thinks() -> None:
    """Rules come from the package that the lock pins."""
    assert day_start(ALMATY, number("2024-01-01")) == at("2023-12-31 18:00")
    assert day_start(ALMATY, number("2026-01-01")) == at("2025-12-31 19:00")
    assert day_number(ALMATY, at("2025-12-31 18:59:59")) == number("2025-12-31")


@pytest.mark.parametrize(
    ("time", "month", "ends"),
    [
        ("2026-11-30 18:59:59", (2026, 11), "2026-11-30 19:00"),
        ("2026-11-30 19:00:00", (2026, 12), "2026-12-31 19:00"),
        ("2028-02-10 00:00:00", (2028, 2), "2028-02-29 19:00"),
    ],
)
def test_months_end_at_the_zones_midnight(time: str, month: tuple[int, int], ends: str) -> None:
    """Over a year's end and in February, too."""
    assert month_of(ALMATY, at(time)) == month
    assert next_month_at(ALMATY, at(time)) == at(ends)


@given(zones, days)
def test_a_root_is_posted_when_both_days_are_over(zone: tzinfo, day: int) -> None:
    """The contract's check passes then and the zone's day is over; a second before, one of them is not."""
    time = postable_at(zone, day)
    assert day < time // SECONDS_PER_DAY
    assert time >= day_start(zone, day + 1)
    assert min((time - 1) // SECONDS_PER_DAY, day_number(zone, time - 1)) <= day


def test_roots_wait_for_utc_in_the_east_and_for_midnight_in_the_west() -> None:
    """In Almaty until five in the morning."""
    day = number("2026-11-27")
    assert postable_at(ALMATY, day) == at("2026-11-28 00:00") == day_start(ALMATY, day + 1) + 5 * 3_600
    assert postable_at(zone_of("America/New_York"), day) == at("2026-11-28 05:00")


@pytest.mark.parametrize("time", [-1, 0, SECONDS_PER_DAY - 1, DAY_MAX * SECONDS_PER_DAY, 2**63])
def test_times_beyond_the_calendar_are_refused(time: int) -> None:
    """With the time that is wrong."""
    with pytest.raises(ValueError, match=f"{time} s"):
        day_number(ALMATY, time)


@pytest.mark.parametrize("day", [-1, DAY_MAX + 1])
def test_days_beyond_the_calendar_are_refused(day: int) -> None:
    """With the day that is wrong."""
    with pytest.raises(ValueError, match=f"day {day} "):
        day_start(ALMATY, day)

"""Time zones by their IANA names, from the package ``tzdata``, whose release the lock pins.

The machine's own zone files are not asked: two machines that close or audit the same day must agree where it begins,
and files of before 2024 have Almaty an hour off since 1 March 2024.
"""

from functools import cache
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

from alatau.books.errors import ZoneError

DEFAULT_ZONE: Final = "Asia/Almaty"
"""Where the city is."""


def zone_of(name: str) -> ZoneInfo:
    """The zone of that name.

    Raises:
        ZoneError: there is none; the message names some that are near.
    """
    if name not in _names():
        city = name.rpartition("/")[2].lower()
        near = sorted(known for known in _names() if city and city in known.lower())[:3]
        raise ZoneError(f"no time zone {name!r}; " + (f"perhaps {', '.join(near)}" if near else f"as {DEFAULT_ZONE}"))
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as data:
        return ZoneInfo.from_file(data, key=name)


@cache
def _names() -> frozenset[str]:
    return frozenset(files("tzdata").joinpath("zones").read_text("utf-8").split())

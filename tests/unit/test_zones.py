"""Time zones by name: from the package, not from the machine, and nothing else than zones."""

import sys
from pathlib import Path

import pytest

from alatau.books.errors import ZoneError
from alatau.zones import DEFAULT_ZONE, zone_of


def test_zones_need_no_files_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of ``/usr/share/zoneinfo`` is opened."""
    opened: list[str] = []
    sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
    assert zone_of(DEFAULT_ZONE).key == "Asia/Almaty"
    used = [path for path in opened if path.endswith("Almaty")]
    assert len(used) == 1
    assert Path(used[0]).parts[-4:] == ("tzdata", "zoneinfo", "Asia", "Almaty")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Almaty", "Asia/Almaty"),
        ("asia/almaty", "Asia/Almaty"),
        ("", "Asia/Almaty"),
        ("Mars/Olympus", "Asia/Almaty"),
        ("../zones", "Asia/Almaty"),
        ("Asia", "Asia/"),
        ("zone.tab", "Asia/Almaty"),
    ],
)
def test_other_names_are_refused_with_a_hint(name: str, hint: str) -> None:
    """Also those of files that are no zones."""
    with pytest.raises(ZoneError, match=hint) as caught:
        zone_of(name)
    assert repr(name) in str(caught.value)

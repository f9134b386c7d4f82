"""An alarm is said once when it begins and once when it is over."""

import pytest
from structlog.testing import capture_logs

from alatau.tower.alarms import SUBJECTS, Alarms


def test_each_begins_and_ends_once() -> None:
    """However often it is said; the words follow what is wrong now."""
    alarms = Alarms()
    with capture_logs() as entries:
        alarms.say("lag", None)
        alarms.say("lag", "30 blocks behind")
        alarms.say("lag", "31 blocks behind")
        alarms.say("permission", "none")
        assert alarms.words() == ("lag: 31 blocks behind", "permission: none")
        alarms.say("lag", None)
        alarms.say("lag", None)
    assert [(entry["event"], entry["subject"]) for entry in entries] == [
        ("tower.alarm", "lag"),
        ("tower.alarm", "permission"),
        ("tower.alarm_over", "lag"),
    ]
    assert dict(alarms.on) == {"permission": "none"}


def test_subjects_are_known() -> None:
    """What nobody looks for is no alarm."""
    assert list(SUBJECTS) == sorted(set(SUBJECTS))
    with pytest.raises(AssertionError):
        Alarms().say("weather", "rain")

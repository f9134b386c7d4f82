"""What would keep the tower from contesting, by subject: said once when it begins and once when it ends."""

from collections.abc import Mapping
from typing import Final

import structlog

_LOG = structlog.get_logger(__name__)

SUBJECTS: Final = (
    "canary",
    "clock",
    "connection",
    "contests",
    "disk",
    "funds",
    "lag",
    "permission",
)
"""Of alarms: what a metric's label says, and the page for operators explains."""


class Alarms:
    """Those that are on."""

    def __init__(self) -> None:
        self._on: dict[str, str] = {}

    def say(self, subject: str, trouble: str | None) -> None:
        """What is wrong with a subject, in words; None where nothing is."""
        assert subject in SUBJECTS, "an alarm has a subject that operators know"
        before = self._on.get(subject)
        if trouble is None:
            if before is not None:
                del self._on[subject]
                _LOG.info("tower.alarm_over", subject=subject, was=before)
            return
        self._on[subject] = trouble
        if before is None:
            _LOG.error("tower.alarm", subject=subject, trouble=trouble)

    @property
    def on(self) -> Mapping[str, str]:
        """Subject -> what is wrong."""
        return self._on

    def words(self) -> tuple[str, ...]:
        """All that are on, for people, in the order of the alphabet."""
        return tuple(f"{subject}: {trouble}" for subject, trouble in sorted(self._on.items()))

"""How far long work has come, for a progress bar."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """A step of long work. ``done`` may pass ``total`` a little where the total is an estimate."""

    phase: str
    """What is being done, in words."""
    done: int
    total: int

"""Runs Trio functions as a node does: as a guest on asyncio."""

import pytest

from tests.support.guest import Drive, as_guest


@pytest.fixture
def drive() -> Drive:
    """Runs a Trio function, with a limit of time."""
    return as_guest

"""Both ways to have asyncio beside Trio."""

import pytest
import trio

from tests.support.guest import Drive, Main, as_guest, in_time


def _plain(main: Main) -> None:
    trio.run(in_time(main))


@pytest.fixture(params=[as_guest, _plain], ids=["guest", "thread"])
def drive(request: pytest.FixtureRequest) -> Drive:
    """Runs a Trio function as a guest on asyncio, and under plain ``trio.run`` with asyncio in a thread."""
    kind: Drive = request.param
    return kind

"""Waiting for what has no event of its own."""

from collections.abc import Callable

import pytest
import trio

_POLL_S = 0.005


async def eventually(condition: Callable[[], object], what: str = "", within_s: float = 10.0) -> None:
    """Wait until ``condition`` holds; the test fails, naming ``what``, where it does not within a generous limit."""
    with trio.move_on_after(within_s):
        while not condition():  # noqa: ASYNC110  what is waited for has no event
            await trio.sleep(_POLL_S)
        return
    pytest.fail(f"did not happen within {within_s} s: {what or condition}")

"""What is kept for whom."""

import pytest

from alatau.transport.errors import RpcError
from alatau.transport.web.holdings import HELD_BYTES_EACH_MAX, HELD_BYTES_MAX, Holdings


def test_what_is_given_back_may_be_taken_again() -> None:
    """One address has its half, others the rest, and nothing is counted when nothing is kept."""
    holdings = Holdings()
    holdings.take("a", HELD_BYTES_EACH_MAX)
    with pytest.raises(RpcError, match="on their way"):
        holdings.take("a", 1)
    holdings.take("b", HELD_BYTES_MAX - HELD_BYTES_EACH_MAX)
    with pytest.raises(RpcError):
        holdings.take("c", 1)
    holdings.give_back("a", HELD_BYTES_EACH_MAX)
    holdings.take("a", 1)
    assert holdings.total == HELD_BYTES_MAX - HELD_BYTES_EACH_MAX + 1

"""How many files the process may open, and what is kept from connections."""

import resource

import pytest

from alatau.transport.descriptors import (
    DESCRIPTORS_MIN,
    PER_CONNECTION,
    PER_WEB_CONNECTION,
    RESERVED,
    DescriptorLimitError,
    connections_affordable,
    raise_descriptor_limit,
)


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The process's soft and hard limit, as a list that a test changes."""
    now = [1_024, 4_096]
    monkeypatch.setattr(resource, "getrlimit", lambda _which: tuple(now))
    monkeypatch.setattr(resource, "setrlimit", lambda _which, wanted: now.__setitem__(slice(None), wanted))
    return now


def test_the_soft_limit_goes_up_to_the_hard_one(limit: list[int]) -> None:
    """Nobody has to be root for it."""
    assert raise_descriptor_limit() == 4_096
    assert limit == [4_096, 4_096]


def test_too_few_are_refused_with_what_to_do(limit: list[int]) -> None:
    """Before a port is open or a file is touched."""
    limit[:] = [100, DESCRIPTORS_MIN - 1]
    with pytest.raises(DescriptorLimitError, match="LimitNOFILE"):
        raise_descriptor_limit()


def test_connections_of_both_servers_leave_the_reserve_alone(limit: list[int]) -> None:
    """At every limit that a node starts with."""
    for soft in (DESCRIPTORS_MIN, 4_096, 20_000):
        limit[:] = [soft, soft]
        assert (2 * PER_CONNECTION + PER_WEB_CONNECTION) * connections_affordable() + RESERVED <= soft
        assert connections_affordable() > 64

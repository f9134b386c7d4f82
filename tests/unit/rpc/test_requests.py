"""Checking requests at the edge."""

import pytest

from alatau.rpc.requests import Checks, page_size
from alatau.transport.errors import RpcError


def test_nothing_wrong_raises_nothing() -> None:
    """Values pass through as they are."""
    checks = Checks()
    assert checks.address("a", b"\x01" * 20) == b"\x01" * 20
    assert checks.optional_address("b", b"") is None
    assert checks.hash("c", b"\x02" * 32) == b"\x02" * 32
    assert checks.amount("d", b"\x01\x00") == 256
    assert checks.hashes("e", [b"\x03" * 32], 0, 1) == (b"\x03" * 32,)
    checks.finish()


def test_everything_wrong_is_named_at_once() -> None:
    """Each violation has its path; the message lists them all."""
    checks = Checks()
    checks.optional_address("a", b"\x01")
    checks.amount("b", b"\x01" + bytes(32))
    checks.amount("c", bytes(65))
    checks.hashes("d", [b"", b"\x01" * 32, b""], 1, 2)
    checks.at_most("e", 5, 4)
    page_size(checks, -1, 10, 20)
    with pytest.raises(RpcError) as caught:
        checks.finish()
    fields = [violation.field for violation in caught.value.field_violations]
    assert fields == ["a", "b", "c", "d", "d[0]", "e", "page_size"]
    assert "e is 5, more than 4" in caught.value.message


def test_a_page_has_a_default_and_a_most() -> None:
    """AIP-158."""
    checks = Checks()
    assert [page_size(checks, requested, 10, 20) for requested in (0, 5, 100)] == [10, 5, 20]
    checks.finish()


def test_many_violations_are_counted_not_listed() -> None:
    """The first are named, the rest are a number: the error must fit into the trailers of an answer."""
    checks = Checks()
    checks.hashes("slots", [b""] * 5_000, 1, 1_024)
    with pytest.raises(RpcError) as caught:
        checks.finish()
    error = caught.value
    assert [v.field for v in error.field_violations] == ["slots", *(f"slots[{i}]" for i in range(15))]
    assert error.message.endswith("; and 1009 more")
    assert error.metadata == {"more_violations": "1009"}

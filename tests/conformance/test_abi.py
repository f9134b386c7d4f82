"""ABITests of ethereum/tests, on the library by which the node reads its system contracts."""

from typing import Any

import pytest
from eth_abi.abi import decode, encode

from tests.conformance.published import documents

_TESTS: dict[str, Any] = {
    name: test for _, tests in documents("ethereum_tests", "ethereum_tests/ABITests/") for name, test in tests.items()
}


def _argument(kind: str, value: Any) -> Any:
    """The value that the file means: bytes are given as text, addresses as hex."""
    if kind.endswith("]"):
        return tuple(_argument(kind[: kind.rindex("[")], child) for child in value)
    if kind.startswith("bytes"):
        return value.encode()
    return value


@pytest.mark.parametrize("name", _TESTS)
def test_arguments(name: str) -> None:
    """Arguments encode to the published bytes and decode from them."""
    test = _TESTS[name]
    arguments = [_argument(kind, value) for kind, value in zip(test["types"], test["args"], strict=True)]
    data = bytes.fromhex(test["result"])
    assert encode(test["types"], arguments) == data
    decoded = decode(test["types"], data)
    assert [v.rstrip(b"\x00") if isinstance(v, bytes) else v for v in decoded] == arguments

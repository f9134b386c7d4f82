"""Learning a key from an endpoint of the registry, which anybody's operator may have written."""

import pytest

from alatau.transport.errors import RpcError
from alatau.transport.key_discovery import discover_public_key


@pytest.mark.trio
@pytest.mark.parametrize(
    "endpoint", ["no-port", "", ":7001", "host:", "host:99999", "host:seven", "a..b:1", "x" * 70 + ":1"]
)
async def test_what_is_no_endpoint_is_unreachable(endpoint: str) -> None:
    """As a node that is down is: the dialer tries again later, and nothing else is disturbed."""
    with pytest.raises(RpcError, match="is no endpoint") as caught:
        await discover_public_key(endpoint, bytes(32))
    assert caught.value.reason == "UNREACHABLE"

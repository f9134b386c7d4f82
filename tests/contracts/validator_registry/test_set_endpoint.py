"""ValidatorRegistry.set_endpoint: an operator moves its node."""

import boa
import pytest
from eth_abi.abi import encode

from alatau.crypto.keccak import keccak256
from tests.contracts.world import World, operators, stranger


def test_operator_moves_its_own_endpoint(world: World) -> None:
    """At once: who answers there is proven by the TLS key."""
    world.validators.set_endpoint("10.0.0.9:7001", sender=operators[1].address)
    assert world.validators.validators()[1].endpoint == "10.0.0.9:7001"


def test_others_move_nothing(world: World) -> None:
    """A stranger has no endpoint, and nobody an empty one."""
    with boa.reverts("validators: not an operator"):
        world.validators.set_endpoint("10.0.0.9:7001", sender=stranger.address)
    with boa.reverts("validators: no endpoint"):
        world.validators.set_endpoint("", sender=operators[1].address)


def set_endpoint(world: World, endpoint: bytes) -> bool:
    """Send bytes that no ABI library would encode as a string; whether the contract takes them."""
    data = keccak256(b"set_endpoint(string)")[:4] + encode(["bytes"], [endpoint])
    outcome = boa.env.execute_code(to_address=world.validators.address, data=data, sender=operators[0].address)
    return not outcome.is_error


@pytest.mark.parametrize(
    "endpoint", [b"10.0.0.9:1", b"[2001:db8::1]:65535", b"a-b.example:07001", b"h" * 122 + b":65535"]
)
def test_host_and_port_are_taken(world: World, endpoint: bytes) -> None:
    """Names and addresses, with any port there is."""
    assert set_endpoint(world, endpoint)
    assert world.validators.validators()[0].endpoint.encode() == endpoint


@pytest.mark.parametrize(
    "endpoint",
    [
        b"\xff\xfe:7001",
        b"\x80",
        b"no-port",
        b":7001",
        b"host:",
        b"host:0",
        b"host:00000",
        b"host:65536",
        b"host:000080",
        b"host:70a1",
        b"host:7001:",
        b"ho st:7001",
        b"host:7001\n",
        b"host\x00:7001",
        b"host\x7f:7001",
        "\u0445\u043e\u0441\u0442:7001".encode(),
        b"h" * 124 + b":7001",
    ],
)
def test_what_no_node_can_dial_is_refused(world: World, endpoint: bytes) -> None:
    """Every node reads it back after the block is decided, when it is too late."""
    before = world.validators.set_version()
    assert not set_endpoint(world, endpoint)
    assert world.validators.set_version() == before

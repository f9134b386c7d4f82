"""ValidatorRegistry.set_endpoint: an operator moves its node."""

import boa

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

"""SettlementToken.permit: an allowance by signature (EIP-2612)."""

import boa

from tests.contracts.settlement_token.permits import permit
from tests.contracts.world import ZERO, World, hub, now, resident, stranger, wait


def test_permit_allows_once(world: World) -> None:
    """Anyone carries it; its nonce is used up."""
    given = permit(world)
    world.token.permit(*given, sender=stranger.address)
    assert world.token.allowance(resident.address, hub.address) == 70
    with boa.reverts("permit: bad signature"):
        world.token.permit(*given)


def test_permit_counts_to_its_last_second(world: World) -> None:
    """And not a second longer."""
    given = permit(world)
    wait(100)
    with boa.env.anchor():
        world.token.permit(*given)
    wait(1)
    with boa.reverts("permit: expired"):
        world.token.permit(*given)


def test_permit_of_another_chain_nonce_or_owner_is_void(world: World) -> None:
    """A signature is for one chain, one nonce, one owner."""
    for given in (permit(world, chain_id=5), permit(world, nonce=1), permit(world, owner=stranger)):
        with boa.reverts("permit: bad signature"):
            world.token.permit(*given)


def test_broken_signature_permits_nothing(world: World) -> None:
    """In particular not in the name of the zero address, which recovery of rubbish gives."""
    *head, v, r, s = permit(world)
    for broken in ((0, r, s), (29, r, s), (v, bytes(32), s), (v, r, bytes(32)), (v, r, b"\xff" * 32)):
        with boa.reverts("permit: bad signature"):
            world.token.permit(*head, *broken)
    with boa.reverts("permit: bad signature"):
        world.token.permit(ZERO, hub.address, 70, now() + 9, 29, r, s)

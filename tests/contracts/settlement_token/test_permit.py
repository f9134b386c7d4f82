"""SettlementToken.permit: an allowance by signature (EIP-2612)."""

from typing import Any

import boa
from eth_account import Account

from alatau.artifacts import addresses
from tests.contracts.actors import Actor
from tests.contracts.world import ZERO, World, hub, now, resident, stranger, wait


def permit(
    world: World,
    *,
    owner: Actor = resident,
    nonce: int | None = None,
    deadline: int | None = None,
    chain_id: int | None = None,
) -> tuple[Any, ...]:
    """A permit of 70 to the hub, signed by eth-account as a wallet would."""
    end = now() + 100 if deadline is None else deadline
    message = {
        "owner": owner.address,
        "spender": hub.address,
        "value": 70,
        "nonce": world.token.nonces(owner.address) if nonce is None else nonce,
        "deadline": end,
    }
    types = {"Permit": [{"name": n, "type": "address" if n in ("owner", "spender") else "uint256"} for n in message]}
    domain = {
        "name": "Digital Tenge",
        "version": "1",
        "chainId": boa.env.evm.patch.chain_id if chain_id is None else chain_id,
        "verifyingContract": "0x" + addresses.SETTLEMENT_TOKEN.hex(),
    }
    signed = Account.sign_typed_data(owner.key.secret, domain, types, message)
    return (
        resident.address,
        hub.address,
        70,
        end,
        signed.v,
        signed.r.to_bytes(32, "big"),
        signed.s.to_bytes(32, "big"),
    )


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

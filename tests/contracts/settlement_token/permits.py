"""Permits (EIP-2612), signed as wallets sign them."""

from typing import Any

import boa
from eth_account import Account

from alatau.artifacts import addresses
from tests.contracts.actors import Actor
from tests.contracts.world import World, hub, now, resident


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

"""Signs of life of council members, as wallets make them."""

import boa
from eth_account.messages import encode_typed_data

from alatau.crypto.keccak import keccak256
from tests.contracts.actors import Actor
from tests.contracts.world import (
    World,
)


def sign_of_life(world: World, member: Actor, time: int) -> bytes:
    """A signed `CheckIn`, as a wallet makes it."""
    types = {"CheckIn": [{"name": "member", "type": "address"}, {"name": "time", "type": "uint256"}]}
    domain = {
        "name": "Fund council",
        "version": "1",
        "chainId": boa.env.evm.patch.chain_id,
        "verifyingContract": world.fund_council.address,
    }
    signable = encode_typed_data(domain, types, {"member": member.address, "time": time})
    return member.sign(keccak256(b"\x19\x01" + signable.header + signable.body))

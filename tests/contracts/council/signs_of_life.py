"""Signs of life of council members, as wallets make them."""

from typing import Any

import boa
from eth_account.messages import encode_typed_data

from alatau.crypto.keccak import keccak256
from tests.contracts.actors import Party


def sign_of_life(council: Any, member: Party, time: int, *, named: Party | None = None) -> bytes:
    """A signed `CheckIn`, as a wallet makes it; of another member, where one is named."""
    types = {"CheckIn": [{"name": "member", "type": "address"}, {"name": "time", "type": "uint256"}]}
    domain = {
        "name": "Fund council",
        "version": "1",
        "chainId": boa.env.evm.patch.chain_id,
        "verifyingContract": council.address,
    }
    signable = encode_typed_data(domain, types, {"member": (named or member).address, "time": time})
    return member.sign(keccak256(b"\x19\x01" + signable.header + signable.body))

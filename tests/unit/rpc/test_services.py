"""All services of a node over TLS, as a client meets them."""

import pytest

from tests.support.solo_node import MERCHANT, RESIDENT, SoloNode, running


@pytest.mark.trio
async def test_a_transfer_becomes_final(node: SoloNode) -> None:
    """A client sends ether over TLS and gets the receipt once the transfer is final."""
    async with running(node, produce=True) as served, served.connect() as client:
        wallet = await client.wallet(RESIDENT)
        receipt = await client.transfer(wallet, MERCHANT.address, 5)
        assert receipt.succeeded
        assert receipt.position.height == 1
        assert await client.balance(MERCHANT.address) == 10**18 + 5

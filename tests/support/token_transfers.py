"""Blocks of transfers of tokens, for whoever looks for logs."""

from tests.support.solo_node import MERCHANT, RESIDENT, TOKEN, SoloNode, payment

TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
"""keccak256("Transfer(address,address,uint256)")."""
SEND = bytes.fromhex("a9059cbb") + bytes(12) + MERCHANT.address
"""The beginning of a call of ``transfer``."""


async def transfers(node: SoloNode, blocks: int, each: int = 1) -> None:
    """Commit ``blocks`` blocks with ``each`` transfers of the resident to the merchant, of its nonce plus 1 tokens."""
    nonce = node.next_nonce(RESIDENT.address)
    for _ in range(blocks):
        sent = []
        for _ in range(each):
            data = SEND + (nonce + 1).to_bytes(32, "big")
            sent.append(payment(nonce, to=TOKEN, value=0, data=data, gas_limit=100_000).encoded)
            nonce += 1
        assert await node.submit(sent) == [None] * each
        node.commit_block()

"""txpool_*: what waits, ready and behind a gap."""

import pytest

from tests.support.jsonrpc_rig import json_node
from tests.support.solo_node import MERCHANT, RESIDENT, SoloNode, payment

RESIDENT_NAME = f"0x{RESIDENT.address.hex()}"


@pytest.mark.trio
async def test_what_waits_is_shown_by_sender_and_nonce(node: SoloNode) -> None:
    """Two are ready, one waits for a nonce that is missing."""
    assert await node.submit([payment(number).encoded for number in (0, 1, 3)]) == [None] * 3
    async with json_node(node) as asked:
        assert await asked.ask("txpool_status") == {"pending": "0x2", "queued": "0x1"}
        body = {"jsonrpc": "2.0", "id": 1, "method": "txpool_content", "params": []}
        content = (await asked.post(body))[1]["result"]  # the published schema has no "null" for what waits
        assert {
            kind: {sender: list(by_nonce) for sender, by_nonce in found.items()} for kind, found in content.items()
        } == {
            "pending": {RESIDENT_NAME: ["0", "1"]},
            "queued": {RESIDENT_NAME: ["3"]},
        }
        assert content["pending"][RESIDENT_NAME]["1"]["hash"] == f"0x{payment(1).hash.hex()}"
        own = (await asked.post(body | {"method": "txpool_contentFrom", "params": [RESIDENT_NAME]}))[1]["result"]
        assert (list(own["pending"]), list(own["queued"])) == (["0", "1"], ["3"])
        inspected = await asked.ask("txpool_inspect")
        assert inspected["queued"][RESIDENT_NAME]["3"] == f"0x{MERCHANT.address.hex()}: 1 wei + 30000 gas x 0 wei"
        node.commit_block()
        assert await asked.ask("txpool_status") == {"pending": "0x0", "queued": "0x1"}

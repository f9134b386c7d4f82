"""What tools match in the errors of eth_sendRawTransaction."""

import pytest

from alatau.crypto.secp256k1 import PrivateKey
from alatau.jsonrpc.errors import JsonRpcError
from alatau.rpc.access import Role, RoleMap
from tests.support.jsonrpc_rig import JsonNode, json_node
from tests.support.solo_node import MERCHANT, SoloNode, payment
from tests.support.transactions import signed

POOR = PrivateKey(b"\x55" * 32)


async def _refusal(asked: JsonNode, encoded: bytes) -> str:
    with pytest.raises(JsonRpcError) as caught:
        await asked.ask("eth_sendRawTransaction", f"0x{encoded.hex()}")
    assert caught.value.code == -32000
    return caught.value.message


@pytest.mark.trio
async def test_a_transaction_is_taken_once(node: SoloNode) -> None:
    """Its hash comes back; the same again is "already known", waiting or final."""
    async with json_node(node) as asked:
        assert await asked.ask("eth_sendRawTransaction", f"0x{payment().encoded.hex()}") == f"0x{payment().hash.hex()}"
        assert await _refusal(asked, payment().encoded) == "already known"
        node.commit_block()
        assert await _refusal(asked, payment().encoded) == "already known"


@pytest.mark.trio
async def test_refusals_have_the_words_that_tools_look_for(node: SoloNode) -> None:
    """geth's, with the pool's behind them."""
    async with json_node(node) as asked:
        await asked.ask("eth_sendRawTransaction", f"0x{payment().encoded.hex()}")
        assert "replacement transaction underpriced" in await _refusal(asked, payment(value=2).encoded)
        node.commit_block()
        assert await _refusal(asked, payment(value=2).encoded) == "nonce too low: next nonce 1, tx nonce 0"
        assert "nonce too high" in await _refusal(asked, payment(10_000).encoded)
        assert "exceeds block gas limit" in await _refusal(asked, payment(1, gas_limit=2**40).encoded)
        assert "intrinsic gas too low" in await _refusal(asked, payment(1, gas_limit=20_000).encoded)
        assert "insufficient funds for gas * price + value" in await _refusal(asked, payment(1, value=10**40).encoded)
        assert "invalid chain id for signer" in await _refusal(asked, payment(1, chain_id=1).encoded)
        assert "no transaction" in await _refusal(asked, b"\x02\xc0")
        assert "oversized data" in await _refusal(asked, bytes(140_000))
        assert "insufficient funds" in await _refusal(asked, signed(POOR, to=MERCHANT.address).encoded)


@pytest.mark.trio
async def test_who_may_only_read_submits_nothing(node: SoloNode) -> None:
    """The same roles as over gRPC."""
    async with json_node(node, roles=RoleMap(public=frozenset({Role.READER}))) as asked:
        assert await asked.ask("eth_chainId") == "0x1e5d"
        assert "needs the role submitter" in await _refusal(asked, payment().encoded)

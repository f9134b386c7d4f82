"""StateService over TLS."""

import pytest

from alatau.client import RpcError
from alatau.trie.proof import verify
from alatau.types.account import EMPTY_ACCOUNT
from alatau.types.header import decode_header
from alatau.types.validator import checked_validator_set
from tests.support.solo_node import (
    ETHER,
    MERCHANT,
    RESIDENT,
    STRANGER,
    TOKEN,
    SoloNode,
    balance_slot,
    payment,
    running,
    token_artifacts,
)


@pytest.mark.trio
async def test_an_account_now_and_then(node: SoloNode) -> None:
    """GetAccount reads the tip or an earlier block; the next nonce counts what waits in the pool."""
    async with running(node) as served, served.connect() as client:
        await client.submit(payment())
        node.commit_block()
        await client.submit(payment(1))
        view = await client.account(RESIDENT.address)
        assert (view.account.nonce, view.height, view.next_nonce) == (1, 1, 2)
        assert await client.balance(MERCHANT.address) == ETHER + 1
        assert await client.balance(MERCHANT.address, height=0) == ETHER
        assert (await client.account(STRANGER.address)).account == EMPTY_ACCOUNT


@pytest.mark.trio
async def test_storage_and_code(node: SoloNode) -> None:
    """Slots come in the order asked for; an account without code has none."""
    async with running(node) as served, served.connect() as client:
        slots = [balance_slot(STRANGER.address), 1, balance_slot(RESIDENT.address)]
        assert await client.storage(TOKEN, slots) == (0, 1_000_000, 1_000_000)
        assert len(await client.code(TOKEN)) > 100
        assert await client.code(RESIDENT.address) == b""


@pytest.mark.trio
@pytest.mark.parametrize("height", [0, 1, 2])
async def test_proofs_verify_at_the_tip_and_before(node: SoloNode, height: int) -> None:
    """A proof of an account, of slots and of their absence follows from the header's state root."""
    async with running(node) as served, served.connect() as client:
        data = client.contract(token_artifacts()["abi"], TOKEN).encode("transfer", MERCHANT.address, 5)
        await client.submit(payment(0, to=TOKEN, value=0, data=data, gas_limit=90_000))
        node.commit_block()
        await client.submit(payment(1, to=TOKEN, value=0, data=data, gas_limit=90_000))
        node.commit_block()
        slots = [balance_slot(MERCHANT.address), balance_slot(STRANGER.address)]
        answer = await client.proof(TOKEN, slots, height)
        header = decode_header(answer.header)
        assert header.number == height
        verify(header.state_root, answer.proof)
        assert [entry.value for entry in answer.proof.slots] == [5 * height, 0]
        absent = await client.proof(STRANGER.address, height=height)
        verify(header.state_root, absent.proof)
        assert absent.proof.account is None
        assert bool(answer.commit) is (height > 0)
        told = checked_validator_set(answer.validators)
        assert told == node.founders
        if height:
            assert told.hash == header.extra_data


@pytest.mark.trio
async def test_violations_name_every_field(node: SoloNode) -> None:
    """All that is wrong with a request is said at once."""
    async with running(node) as served, served.connect() as client:
        with pytest.raises(RpcError) as caught:
            await client.storage(b"\x01" * 19, [])
        assert [(v.field, v.description) for v in caught.value.field_violations] == [
            ("address", "has 19 bytes, expected 20"),
            ("slots", "has 0 entries, expected 1 to 1024"),
        ]

"""The light client: against a real node, against one that lies, and across changes of the validator set."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alatau.client import Client, NodeUntrustworthyError, RpcError
from alatau.client.exchange import Plan
from alatau.client.light import LightClient
from alatau.codec import rlp
from alatau.crypto.secp256k1 import PrivateKey
from alatau.pb.api.v1 import block_service_pb2, node_service_pb2
from alatau.types.header import ZERO_HASH, Header, encode_header, header_hash
from alatau.types.validator import Validator, ValidatorSet, validator_set
from alatau.types.vote import Commit, CommitSignature, VoteKind, commit_item, consensus_domain, vote_digest
from alatau.wire.block import write_header
from alatau.wire.status import write_validator
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
    solo_node,
)
from tests.support.transactions import CHAIN_ID

# --- against a node


async def anchored(client: Client, node: SoloNode) -> LightClient:
    """A light client that trusts nothing but the genesis hash."""
    assert node.store.genesis_hash is not None
    return await client.run(LightClient.anchored(CHAIN_ID, node.store.genesis_hash))


@pytest.mark.trio
async def test_accounts_and_slots_follow_from_the_genesis_hash(node: SoloNode) -> None:
    """Present and absent ones, after blocks that the light client saw only the tip of."""
    async with running(node) as served, served.connect() as client:
        light = await anchored(client, node)
        for nonce in range(5):
            await client.submit(payment(nonce))
            node.commit_block()
        account = await client.run(light.account(MERCHANT.address))
        assert account is not None
        assert account.balance == ETHER + 5
        assert light.trusted.header.number == 5
        assert await client.run(light.account(STRANGER.address)) is None
        slots = [balance_slot(RESIDENT.address), balance_slot(STRANGER.address)]
        assert await client.run(light.storage(TOKEN, slots)) == (1_000_000, 0)


@pytest.mark.trio
async def test_a_block_is_checked_against_its_header(node: SoloNode) -> None:
    """Its transactions and the commit of its parent follow from the header that was decided."""
    async with running(node) as served, served.connect() as client:
        light = await anchored(client, node)
        node.commit_block()
        await client.submit(payment())
        executed = node.commit_block()
        assert await client.run(light.block(2)) == executed.block


@pytest.mark.trio
async def test_trust_does_not_go_back(node: SoloNode) -> None:
    """A height below the trusted one is a programmer's error: its header says nothing about newer ones."""
    async with running(node) as served, served.connect() as client:
        light = await anchored(client, node)
        node.commit_block()
        await client.run(light.advance())
        with pytest.raises(ValueError, match="below 1"):
            await client.run(light.advance(0))


@pytest.mark.trio
async def test_another_network_is_recognised(node: SoloNode) -> None:
    """A node with another genesis is not talked to any further."""
    async with running(node) as served, served.connect() as client:
        with pytest.raises(NodeUntrustworthyError, match="is trusted"):
            await client.run(LightClient.anchored(CHAIN_ID, b"\x01" * 32))


@pytest.mark.trio
async def test_a_node_that_lags_is_no_liar(node: SoloNode, tmp_path: Path) -> None:
    """Having believed a newer header, the client is told that another node is not there yet."""
    lagging = solo_node(tmp_path / "lagging")
    assert lagging.store.genesis_hash == node.store.genesis_hash
    async with running(node) as served, served.connect() as client:
        light = await anchored(client, node)
        node.commit_block()
        await client.run(light.advance())
    async with running(lagging) as served, served.connect() as client:
        with pytest.raises(RpcError, match="HEIGHT_NOT_REACHED"):
            await client.run(light.account(MERCHANT.address))
    lagging.store.close()


async def lied_to(client: Client, plan: Plan[Any], lie: Callable[[Any], None]) -> Any:
    """Run ``plan`` against the node, changing what it answers."""
    answer = None
    try:
        while True:
            asked = plan.send(answer)
            answer = await client._channel.unary(asked.method, asked.request)
            lie(answer)
    except StopIteration as stop:
        return stop.value


def _other_balance(response: Any) -> None:
    if hasattr(response, "proof"):
        response.proof.account.balance = b"\xff"


def _other_state_root(response: Any) -> None:
    if hasattr(response, "proof"):
        header = rlp.decode_list(response.proof.header)
        header[3] = b"\x01" * 32
        response.proof.header = rlp.encode(header)


def _missing_node(response: Any) -> None:
    if hasattr(response, "proof"):
        del response.proof.account_nodes[-1]


def _other_address(response: Any) -> None:
    if hasattr(response, "proof"):
        response.proof.address = STRANGER.address


def _forged_commit(response: Any) -> None:
    if hasattr(response, "block") and response.block.header.number:
        commit = rlp.decode_list(response.block.raw.commit)
        commit[3][0][1] = b"\x01" * 65
        response.block.raw.commit = rlp.encode(commit)


def _no_commit(response: Any) -> None:
    if hasattr(response, "block"):
        response.block.raw.commit = b""


def _garbage_commit(response: Any) -> None:
    if hasattr(response, "block"):
        response.block.raw.commit = b"\x01\x02"


def _garbage_header(response: Any) -> None:
    if hasattr(response, "block"):
        response.block.raw.header = b"\xc0"


def _no_encodings(response: Any) -> None:
    if hasattr(response, "block"):
        response.block.ClearField("raw")


@pytest.mark.trio
@pytest.mark.parametrize(
    ("lie", "found_out"),
    [
        (_other_balance, "another account"),
        (_other_state_root, "another block"),
        (_missing_node, "proof is wrong"),
        (_other_address, "not of what was asked"),
        (_forged_commit, "is not decided"),
        (_no_commit, "no commit"),
        (_garbage_commit, "cannot be read"),
        (_garbage_header, "cannot be read"),
        (_no_encodings, "without its encodings"),
    ],
)
async def test_a_lie_is_found_out(node: SoloNode, lie: Callable[[Any], None], found_out: str) -> None:
    """Whatever a node changes in its answers, the light client does not believe it."""
    async with running(node) as served, served.connect() as client:
        light = await anchored(client, node)
        await client.submit(payment())
        node.commit_block()
        with pytest.raises(NodeUntrustworthyError, match=found_out):
            await lied_to(client, light.account(MERCHANT.address), lie)
        assert light.trusted.header.number <= 1


@pytest.mark.trio
async def test_a_swapped_transaction_is_found_out(node: SoloNode) -> None:
    """A block with the right header and other transactions is refused."""

    def swap(response: Any) -> None:
        if hasattr(response, "block") and response.block.raw.block:
            block = rlp.decode_list(response.block.raw.block)
            block[1] = [payment(value=9).encoded]
            response.block.raw.block = rlp.encode(block)

    async with running(node) as served, served.connect() as client:
        light = await anchored(client, node)
        await client.submit(payment())
        node.commit_block()
        with pytest.raises(NodeUntrustworthyError, match="not those of its header"):
            await lied_to(client, light.block(1), swap)


# --- across changes of the validator set, on a chain of headers only

KEYS = [PrivateKey(bytes([n]) * 32) for n in range(1, 13)]


def members(keys: Sequence[PrivateKey]) -> ValidatorSet:
    """A set in which each key has the same power."""
    return validator_set(Validator(key.address, 1, bytes(32), "127.0.0.1:1", "") for key in keys)


class PaperChain:
    """Headers and commits of a chain whose validators change with height; answers a light client's plans."""

    def __init__(self, template: Header, keys_at: Callable[[int], Sequence[PrivateKey]], length: int) -> None:
        self.keys_at = keys_at
        self.headers: list[Header] = []
        self.asked: list[int] = []
        parent = ZERO_HASH
        for number in range(length + 1):
            extra = members(keys_at(max(1, number))).hash
            self.headers.append(replace(template, number=number, parent_hash=parent, extra_data=extra))
            parent = header_hash(self.headers[-1])
        self.genesis_hash = header_hash(self.headers[0])
        self.domain = consensus_domain(CHAIN_ID, self.genesis_hash)

    def commit(self, height: int, keys: Sequence[PrivateKey] | None = None) -> Commit:
        """The commit of a height, by its validators or by ``keys``."""
        block_hash = header_hash(self.headers[height])
        digest = vote_digest(self.domain, VoteKind.PRECOMMIT, height, 0, block_hash)
        signers = sorted(self.keys_at(height) if keys is None else keys, key=lambda key: key.address)
        return Commit(height, 0, block_hash, tuple(CommitSignature(k.address, k.sign(digest)) for k in signers))

    def run(self, plan: Plan[Any], signers: Sequence[PrivateKey] | None = None) -> Any:
        """Carry out a plan."""
        answer = None
        try:
            while True:
                answer = self._answer(plan.send(answer).request, signers)
        except StopIteration as stop:
            return stop.value

    def _answer(self, request: Any, signers: Sequence[PrivateKey] | None) -> Any:
        if isinstance(request, node_service_pb2.ListValidatorsRequest):
            validators = members(self.keys_at(request.height))
            return node_service_pb2.ListValidatorsResponse(
                validators=[write_validator(v) for v in validators.validators], height=request.height
            )
        height = request.height
        self.asked.append(height)
        response = block_service_pb2.GetBlockResponse()
        response.block.header.CopyFrom(write_header(self.headers[height]))
        response.block.raw.header = encode_header(self.headers[height])
        if height:
            response.block.raw.commit = rlp.encode(commit_item(self.commit(height, signers)))
        return response


@pytest.fixture
def template(node: SoloNode) -> Header:
    """Any header."""
    header = node.store.header(0)
    assert header is not None
    return header


def test_a_far_header_is_one_step_where_enough_validators_stayed(template: Header) -> None:
    """More than a third of the trusted power in the commit is enough, however far it is."""
    chain = PaperChain(template, lambda height: KEYS[:4] if height < 50 else KEYS[2:6], 100)
    light = chain.run(LightClient.anchored(CHAIN_ID, chain.genesis_hash))
    chain.asked.clear()
    assert chain.run(light.advance(100)).number == 100
    assert chain.asked == [100]
    assert light.trusted.validators == members(KEYS[2:6])


def test_a_set_that_changed_wholly_is_followed_in_smaller_steps(template: Header) -> None:
    """Each step needs more than a third of the power that was trusted before it."""
    chain = PaperChain(template, lambda height: KEYS[height // 10 : height // 10 + 4], 80)
    light = chain.run(LightClient.anchored(CHAIN_ID, chain.genesis_hash))
    chain.asked.clear()
    assert chain.run(light.advance(80)).number == 80
    assert 2 < len(chain.asked) < 20


def test_strangers_cannot_take_over(template: Header) -> None:
    """A set that shares too little with the one before it is not believed, even at the next height."""
    chain = PaperChain(template, lambda height: KEYS[:4] if height < 5 else KEYS[6:10], 10)
    light = chain.run(LightClient.anchored(CHAIN_ID, chain.genesis_hash))
    with pytest.raises(NodeUntrustworthyError, match="strangers"):
        chain.run(light.advance(10))
    assert light.trusted.header.number == 4


def test_two_of_four_decide_nothing(template: Header) -> None:
    """A commit without a quorum of its own height's set is refused."""
    chain = PaperChain(template, lambda _: KEYS[:4], 3)
    light = chain.run(LightClient.anchored(CHAIN_ID, chain.genesis_hash))
    with pytest.raises(NodeUntrustworthyError, match="is not decided"):
        chain.run(light.advance(3), KEYS[:2])


def test_trust_may_begin_at_any_known_hash(template: Header) -> None:
    """A hash from a trusted source anchors the client there; the set it names must match."""
    chain = PaperChain(template, lambda height: KEYS[:4] if height < 5 else KEYS[6:10], 10)
    start = header_hash(chain.headers[7])
    light = chain.run(LightClient.anchored(CHAIN_ID, chain.genesis_hash, 7, start))
    assert chain.run(light.advance(10)).number == 10
    with pytest.raises(NodeUntrustworthyError, match="is trusted"):
        chain.run(LightClient.anchored(CHAIN_ID, chain.genesis_hash, 8, start))

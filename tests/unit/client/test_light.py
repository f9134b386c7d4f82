"""The light client: against a real node, against one that lies, and across changes of the validator set."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alatau.client import Client, NodeUntrustworthyError, RpcError
from alatau.client.errors import TrustExpiredError
from alatau.client.exchange import METHODS, Plan
from alatau.client.light import LightClient
from alatau.codec import rlp
from alatau.pb.api.v1 import transaction_service_pb2
from alatau.types.header import Header, encode_header, header_hash
from tests.support.paper_chain import KEYS, PaperChain, members, paper_client
from tests.support.solo_node import (
    ETHER,
    MERCHANT,
    RESIDENT,
    STRANGER,
    TOKEN,
    VALIDATOR,
    SoloNode,
    balance_slot,
    payment,
    running,
    solo_node,
    token_artifacts,
)
from tests.support.transactions import CHAIN_ID

# --- against a node


async def anchored(client: Client, node: SoloNode) -> LightClient:
    """A light client that trusts nothing but the genesis hash."""
    assert node.store.genesis_hash is not None
    light = await client.run(LightClient.anchored(CHAIN_ID, node.store.genesis_hash))
    light.clock = lambda: float(node.store.tip.timestamp)
    return light


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


def _spare_node(response: Any) -> None:
    if hasattr(response, "proof"):
        response.proof.account_nodes.append(b"\xc0")


def _endless_amount(response: Any) -> None:
    if hasattr(response, "proof"):
        response.proof.account.balance = b"\xff" * 33


def _account_that_is_none(response: Any) -> None:
    if hasattr(response, "proof"):
        response.proof.ClearField("account")


def _garbage_header_of_proof(response: Any) -> None:
    if hasattr(response, "proof"):
        response.proof.header = b"\xc0"


def _forged_commit(response: Any) -> None:
    if hasattr(response, "commit"):
        response.commit.signatures[0].signature = b"\x01" * 65


def _commit_of_a_stranger(response: Any) -> None:
    if hasattr(response, "commit"):
        response.commit.signatures[0].validator = STRANGER.address


def _no_commit(response: Any) -> None:
    if hasattr(response, "commit"):
        response.commit.Clear()


def _no_signatures(response: Any) -> None:
    if hasattr(response, "commit"):
        del response.commit.signatures[:]


def _commit_of_another_height(response: Any) -> None:
    if hasattr(response, "commit"):
        response.commit.height += 1


def _commit_of_another_round(response: Any) -> None:
    if hasattr(response, "commit"):
        response.commit.round += 1


def _commit_of_another_block(response: Any) -> None:
    if hasattr(response, "commit"):
        response.commit.block_hash = b"\x07" * 32


def _header_of_another_height(response: Any) -> None:
    if hasattr(response, "block"):
        response.block.header.height += 1


def _other_parent(response: Any) -> None:
    if hasattr(response, "block"):
        response.block.header.parent_hash = b"\x07" * 32


def _older_than_its_parent(response: Any) -> None:
    if hasattr(response, "block"):
        response.block.header.timestamp_s = 1


def _garbage_header(response: Any) -> None:
    if hasattr(response, "block"):
        response.block.header.state_root = b"\x01" * 50


def _endless_base_fee(response: Any) -> None:
    if hasattr(response, "block"):
        response.block.header.base_fee_per_gas = b"\x01" * 50


@pytest.mark.trio
@pytest.mark.parametrize(
    ("lie", "found_out"),
    [
        (_other_balance, "another account"),
        (_other_state_root, "another block"),
        (_missing_node, "proof is wrong"),
        (_other_address, "not of what was asked"),
        (_spare_node, "proof is wrong"),
        (_endless_amount, "cannot be read"),
        (_account_that_is_none, "another account"),
        (_garbage_header_of_proof, "cannot be read"),
        (_forged_commit, "is not decided"),
        (_commit_of_a_stranger, "is not decided"),
        (_no_commit, "is not decided"),
        (_no_signatures, "is not decided"),
        (_commit_of_another_height, "is not decided"),
        (_commit_of_another_round, "is not decided"),
        (_commit_of_another_block, "is not decided"),
        (_header_of_another_height, "sent block 2 where 1"),
        (_other_parent, "does not follow"),
        (_older_than_its_parent, "not of the time"),
        (_garbage_header, "is not decided"),
        (_endless_base_fee, "cannot be read"),
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


@pytest.mark.trio
@pytest.mark.parametrize(
    ("members", "found_out"),
    [
        ([], "at least one member"),
        ([(STRANGER.address, 10)], "other validators of block 0 than its header"),
        ([(VALIDATOR.address, 11)], "other validators of block 0 than its header"),
        ([(VALIDATOR.address, 10), (VALIDATOR.address, 10)], "each once"),
        ([(VALIDATOR.address, 0)], "no power"),
    ],
)
async def test_a_set_that_the_header_does_not_name_is_found_out(
    node: SoloNode, members: list[tuple[bytes, int]], found_out: str
) -> None:
    """Another validator, another power, one twice, one without power, none at all."""

    def lie(response: Any) -> None:
        if hasattr(response, "validators"):
            del response.validators[:]
            for address, power in members:
                response.validators.add(address=address, power=power, tls_key_hash=bytes(32), endpoint="", name="")

    async with running(node) as served, served.connect() as client:
        assert node.store.genesis_hash is not None
        with pytest.raises(NodeUntrustworthyError, match=found_out):
            await lied_to(client, LightClient.anchored(CHAIN_ID, node.store.genesis_hash), lie)


@pytest.mark.trio
async def test_a_list_of_validators_without_an_end_is_given_up(node: SoloNode) -> None:
    """A node that always promises another page is not listened to for ever."""

    async def endless(client: Client, plan: Plan[Any]) -> None:
        answer = None
        for _ in range(20):
            asked: Any = plan.send(answer)
            if hasattr(asked.request, "page_token"):
                asked.request.page_token = ""
            answer = await client._channel.unary(asked.method, asked.request)
            if hasattr(answer, "validators"):
                answer.validators.extend([answer.validators[0]] * 1_000)
                answer.next_page_token = "more"

    async with running(node) as served, served.connect() as client:
        assert node.store.genesis_hash is not None
        with pytest.raises(NodeUntrustworthyError, match="does not end"):
            await endless(client, LightClient.anchored(CHAIN_ID, node.store.genesis_hash))


# --- receipts


@pytest.mark.trio
async def test_receipts_of_all_heights_are_proved(node: SoloNode) -> None:
    """Of blocks above and below what is trusted, every transaction of a block of several."""
    async with running(node) as served, served.connect() as client:
        light = await anchored(client, node)
        sent = [(await client.submit(payment(nonce))).hash for nonce in range(3)]
        node.commit_block()
        data = client.contract(token_artifacts()["abi"], TOKEN).encode("transfer", MERCHANT.address, 5)
        sent.append((await client.submit(payment(3, to=TOKEN, value=0, data=data, gas_limit=90_000))).hash)
        node.commit_block()
        node.commit_block()
        proved = await client.run(light.receipt(sent[3]))
        assert (proved.header.number, proved.index, len(proved.receipt.logs)) == (2, 0, 1)
        await client.run(light.advance())
        for index, transaction_hash in enumerate(sent[:3]):
            proved = await client.run(light.receipt(transaction_hash))
            known = await client.receipt(transaction_hash)
            assert (proved.transaction.hash, proved.index, proved.sender) == (transaction_hash, index, known.sender)
            assert proved.receipt.cumulative_gas_used == known.cumulative_gas_used
            assert (proved.header.number, proved.block_hash) == (1, known.position.block_hash)
        assert light.trusted.header.number == 3


@pytest.mark.trio
async def test_a_transaction_that_is_not_final_has_no_proof(node: SoloNode) -> None:
    """Pooled, or never heard of."""
    async with running(node) as served, served.connect() as client:
        light = await anchored(client, node)
        pooled = await client.submit(payment())
        with pytest.raises(RpcError, match="TRANSACTION_NOT_FINAL"):
            await client.run(light.receipt(pooled.hash))
        with pytest.raises(RpcError, match="TRANSACTION_NOT_FOUND"):
            await client.run(light.receipt(b"\x01" * 32))


def _receipt_of_another(proof: Any, other: Any) -> None:
    proof.receipt, proof.receipt_nodes[:] = other.receipt, other.receipt_nodes


def _transaction_of_another(proof: Any, other: Any) -> None:
    proof.transaction, proof.transaction_nodes[:] = other.transaction, other.transaction_nodes


def _all_of_another(proof: Any, other: Any) -> None:
    proof.CopyFrom(other)


def _other_transaction_of_the_trie(proof: Any, other: Any) -> None:
    proof.transaction_nodes[:] = other.transaction_nodes
    proof.receipt_nodes[:] = other.receipt_nodes
    proof.index = other.index


def _other_outcome(proof: Any, _other: Any) -> None:
    proof.receipt = proof.receipt[:-1] + b"\x01"


def _other_index(proof: Any, other: Any) -> None:
    proof.index = other.index


def _truncated_receipt(proof: Any, _other: Any) -> None:
    del proof.receipt_nodes[-1]


def _truncated_transaction(proof: Any, _other: Any) -> None:
    del proof.transaction_nodes[-1]


def _made_up_header(proof: Any, _other: Any) -> None:
    header = rlp.decode_list(proof.header)
    header[5] = b"\x01" * 32
    proof.header = rlp.encode(header)


@pytest.mark.trio
@pytest.mark.parametrize(
    ("lie", "found_out"),
    [
        (_receipt_of_another, "proof is wrong"),
        (_transaction_of_another, "another transaction than was asked"),
        (_all_of_another, "another transaction than was asked"),
        (_other_transaction_of_the_trie, "another transaction at"),
        (_other_outcome, "another receipt at"),
        (_other_index, "proof is wrong"),
        (_truncated_receipt, "proof is wrong"),
        (_truncated_transaction, "proof is wrong"),
        (_made_up_header, "another block 1 than the one decided"),
    ],
)
async def test_a_lie_about_a_receipt_is_found_out(
    node: SoloNode, lie: Callable[[Any, Any], None], found_out: str
) -> None:
    """Parts of the proof of another transaction of the same block, changed parts, missing nodes, another header."""
    async with running(node) as served, served.connect() as client:
        light = await anchored(client, node)
        sent = [(await client.submit(payment(nonce))).hash for nonce in range(3)]
        node.commit_block()
        ask_for = transaction_service_pb2.GetReceiptProofRequest(hash=sent[2])
        other = (await client._channel.unary(METHODS["GetReceiptProof"], ask_for)).proof

        def tamper(response: Any) -> None:
            if hasattr(response, "proof"):
                lie(response.proof, other)

        with pytest.raises(NodeUntrustworthyError, match=found_out):
            await lied_to(client, light.receipt(sent[0]), tamper)


@pytest.mark.trio
async def test_a_receipt_of_another_block_is_found_out(node: SoloNode) -> None:
    """The right transaction under the header of another decided block."""
    async with running(node) as served, served.connect() as client:
        light = await anchored(client, node)
        sent = [(await client.submit(payment(nonce))).hash for nonce in range(2)]
        node.commit_block()
        elsewhere = encode_header(node.commit_block().block.header)

        def tamper(response: Any) -> None:
            if hasattr(response, "proof"):
                response.proof.header = elsewhere

        with pytest.raises(NodeUntrustworthyError, match="proof is wrong"):
            await lied_to(client, light.receipt(sent[0]), tamper)


# --- age, and trust from any hash


@pytest.mark.trio
async def test_trust_expires(node: SoloNode) -> None:
    """Beyond the trusting period nothing is believed, unless every header is verified."""
    async with running(node) as served, served.connect() as client:
        light = await anchored(client, node)
        node.commit_block()
        began = light.trusted.header.timestamp
        light.trusting_period_s = 100
        light.clock = lambda: began + 101.0
        with pytest.raises(TrustExpiredError, match="trusted block 0"):
            await client.run(light.advance())
        light.sequential = True
        assert (await client.run(light.advance())).number == 1
        light.sequential, light.clock = False, lambda: began + 100.0
        node.commit_block()
        assert (await client.run(light.advance())).number == 2


@pytest.mark.trio
async def test_trust_begins_at_a_later_hash_alone(node: SoloNode) -> None:
    """The network and its genesis come from the node, and the block's own commit proves them."""

    def other_genesis(response: Any) -> None:
        if hasattr(response, "genesis_hash"):
            response.genesis_hash = b"\x07" * 32

    def other_chain(response: Any) -> None:
        if hasattr(response, "chain_id"):
            response.chain_id += 1

    def other_block(response: Any) -> None:
        if hasattr(response, "block"):
            response.block.header.timestamp_s += 1

    async with running(node) as served, served.connect() as client:
        trusted = node.commit_block().block.hash
        node.commit_block()
        light = await client.run(LightClient.anchored_at(trusted))
        light.clock = lambda: float(node.store.tip.timestamp)
        assert light.genesis_hash == node.store.genesis_hash
        assert (await client.run(light.advance())).number == 2
        for lie, found_out in (
            (other_genesis, "not decided"),
            (other_chain, "not decided"),
            (other_block, "another block"),
        ):
            with pytest.raises(NodeUntrustworthyError, match=found_out):
                await lied_to(client, LightClient.anchored_at(trusted), lie)


# --- across changes of the validator set, on a chain of headers only


@pytest.fixture
def template(node: SoloNode) -> Header:
    """Any header."""
    header = node.store.header(0)
    assert header is not None
    return header


def test_a_far_header_is_one_step_where_enough_validators_stayed(template: Header) -> None:
    """More than a third of the trusted power in the commit is enough, however far it is."""
    chain = PaperChain(template, lambda height: KEYS[:4] if height < 50 else KEYS[2:6], 100)
    light = paper_client(chain)
    chain.asked.clear()
    assert chain.run(light.advance(100)).number == 100
    assert chain.asked == [100]
    assert light.trusted.validators == members(KEYS[2:6])


def test_a_set_that_changed_wholly_is_followed_in_smaller_steps(template: Header) -> None:
    """Each step needs more than a third of the power that was trusted before it."""
    chain = PaperChain(template, lambda height: KEYS[height // 10 : height // 10 + 4], 80)
    light = paper_client(chain)
    chain.asked.clear()
    assert chain.run(light.advance(80)).number == 80
    assert 2 < len(chain.asked) < 20


def test_every_header_is_verified_one_by_one_where_that_is_asked_for(template: Header) -> None:
    """Sequentially no header is passed over, and each is told of."""
    chain = PaperChain(template, lambda height: KEYS[height // 10 : height // 10 + 4], 30)
    light = paper_client(chain)
    light.sequential = True
    steps: list[tuple[int, int]] = []
    light.on_step = lambda at, goal: steps.append((at.header.number, goal))
    chain.asked.clear()
    chain.run(light.advance(30))
    assert chain.asked == list(range(1, 31))
    assert steps == [(height, 30) for height in range(1, 31)]


def test_older_headers_follow_from_newer_ones(template: Header) -> None:
    """In one step where the sets share enough, by the parents' hashes in the end; trust stays where it was."""
    chain = PaperChain(template, lambda height: KEYS[height // 10 : height // 10 + 4], 80)
    light = paper_client(chain)
    chain.run(light.advance(80))
    for height in (79, 75, 20, 0):
        assert chain.run(light.header_at(height)).hash == header_hash(chain.headers[height])
    assert light.trusted.header.number == 80


def test_an_older_block_that_was_never_decided_is_found_out(template: Header) -> None:
    """Without its own commit, and without being the parent of what is trusted."""
    chain = PaperChain(template, lambda _: KEYS[:4], 10)
    light = paper_client(chain)
    chain.run(light.advance(10))
    for height, found_out in ((9, "from which block 10 follows"), (0, "from which block 1 follows")):
        kept = chain.headers[height]
        chain.headers[height] = replace(kept, gas_used=1)
        with pytest.raises(NodeUntrustworthyError, match=found_out):
            chain.run(light.header_at(height))
        chain.headers[height] = kept
    with pytest.raises(NodeUntrustworthyError, match="is not decided"):
        chain.run(light.header_at(5), KEYS[:2])


def test_strangers_cannot_take_over(template: Header) -> None:
    """A set that shares too little with the one before it is not believed, even at the next height."""
    chain = PaperChain(template, lambda height: KEYS[:4] if height < 5 else KEYS[6:10], 10)
    light = paper_client(chain)
    with pytest.raises(NodeUntrustworthyError, match="strangers"):
        chain.run(light.advance(10))
    assert light.trusted.header.number == 4


def test_two_of_four_decide_nothing(template: Header) -> None:
    """A commit without a quorum of its own height's set is refused."""
    chain = PaperChain(template, lambda _: KEYS[:4], 3)
    light = paper_client(chain)
    with pytest.raises(NodeUntrustworthyError, match="is not decided"):
        chain.run(light.advance(3), KEYS[:2])


def test_trust_may_begin_at_any_known_hash(template: Header) -> None:
    """A hash from a trusted source anchors the client there; the set it names must match."""
    chain = PaperChain(template, lambda height: KEYS[:4] if height < 5 else KEYS[6:10], 10)
    start = header_hash(chain.headers[7])
    light = chain.run(LightClient.anchored(CHAIN_ID, chain.genesis_hash, 7, start))
    light.clock = lambda: float(template.timestamp)
    assert chain.run(light.advance(10)).number == 10
    with pytest.raises(NodeUntrustworthyError, match="is trusted"):
        chain.run(LightClient.anchored(CHAIN_ID, chain.genesis_hash, 8, start))

"""Building and checking blocks."""

from dataclasses import replace
from pathlib import Path

import pytest

from alatau.chain.errors import InvalidBlockError
from alatau.chain.execution import HEAVY, LIGHT_GAS, build_block, check_permission, execute_block
from alatau.chain.permission import ParticipantKind, status_word
from alatau.chain.transaction import InvalidTransactionError
from alatau.types.block import Block
from alatau.types.header import EMPTY_ROOT, Header
from alatau.types.transaction import Transaction, TransactionType
from tests.support.generators import finish
from tests.support.small_network import (
    PAYEE,
    PAYER,
    START,
    VALIDATORS,
    build,
    executed_hashes,
    payment,
    small_network,
    stored_network,
    template,
    tip_after,
)


def test_a_built_block_executes_to_the_same_header() -> None:
    """What the builder seals is what another validator computes, to the last root."""
    network = small_network()
    built = build(network, [payment(n) for n in range(5)])
    block = built.executed.block
    again = finish(execute_block(network.tip, network.config, block, [PAYER.address] * 5, network.validators))
    assert again.block.header == block.header
    assert again.receipts == built.executed.receipts
    assert [r.cumulative_gas_used for r in again.receipts] == [21_000 * n for n in range(1, 6)]
    assert again.diff.accounts[PAYEE.address].balance == 5


def test_an_empty_block_changes_only_the_system_contracts() -> None:
    """A heartbeat stores the parent's hashes (EIP-2935, EIP-4788) and nothing else."""
    network = small_network()
    built = build(network)
    assert built.executed.block.header.transactions_root == EMPTY_ROOT
    assert built.executed.block.header.gas_used == 0
    assert PAYER.address not in built.executed.diff.accounts
    assert built.executed.diff.storage.keys() == built.executed.diff.accounts.keys()


def _loop(nonce: int, gas_limit: int) -> Transaction:
    """A creation that burns all of its gas."""
    return payment(nonce, to=None, data=bytes.fromhex("5b600056"), gas_limit=gas_limit)


def test_a_step_that_may_take_long_is_announced_and_gives_the_same(tmp_path: Path) -> None:
    """The host learns of it before; what it reads of a state of its own makes the same block."""
    network, store = stored_network(tmp_path / "data")
    transactions = [_loop(0, LIGHT_GAS), payment(1), _loop(2, LIGHT_GAS + 1), payment(3)]
    alone = build(replace(network, tip=replace(network.tip, open_apart=None)), transactions).executed
    work = build_block(network.tip, network.config, template(network), [(tx, PAYER.address) for tx in transactions])
    said = [next(work) for _ in range(5)]
    assert finish(work).executed.block == alone.block
    assert said == [LIGHT_GAS, 21_000, HEAVY, LIGHT_GAS + 1, 21_000]
    store.close()


def test_a_candidate_that_the_state_refuses_is_left_out_and_named() -> None:
    """A gap in the nonces refuses what follows it; the block goes on without."""
    network = small_network()
    good, gapped = payment(0), payment(2)
    built = build(network, [good, gapped])
    assert executed_hashes(built.executed) == [good.hash]
    assert built.refused == ((gapped.hash, "nonce_too_high"),)


def test_the_host_closes_a_block_when_its_time_is_up() -> None:
    """Sending True ends the block after the candidate in hand."""
    network = small_network()
    work = build_block(network.tip, network.config, template(network), [(payment(n), PAYER.address) for n in range(10)])
    next(work)
    next(work)
    work.send(True)  # Two candidates are in; now it seals.
    assert len(finish(work).executed.block.transactions) == 2


def test_a_block_ends_where_the_gas_does() -> None:
    """A candidate whose gas limit does not fit stays for the next block."""
    network = small_network(block_gas_limit=50_000)
    built = build(network, [payment(n) for n in range(3)])
    assert len(built.executed.block.transactions) == 2
    assert built.refused == ()


def test_a_block_ends_where_its_size_does() -> None:
    """The encoded block stays below the configured size."""
    network = small_network(block_size_bytes_max=64 * 1024 + 300)
    built = build(network, [payment(n) for n in range(10)])
    assert len(built.executed.block.transactions) == 2


def test_blocks_chain_before_they_are_committed() -> None:
    """The next block builds on the post-state of one that is still being voted on."""
    network = small_network()
    first = build(network, [payment(0, value=7)])
    tip = tip_after(network.tip, first.executed)
    assert tip.state.account(PAYEE.address).balance == 7
    assert tip.block_hash(1) == first.executed.block.hash
    assert tip.block_hash(0) == network.tip.hash
    second = finish(build_block(tip, network.config, template(network), [(payment(1), PAYER.address)]))
    assert second.executed.block.header.parent_hash == first.executed.block.hash
    assert second.executed.diff.accounts[PAYEE.address].balance == 8


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("state_root", {"state_root": bytes(32)}),
        ("receipts_root", {"receipts_root": bytes(32)}),
        ("transactions_root", {"transactions_root": bytes(32)}),
        ("gas_used", {"gas_used": 1}),
        ("logs_bloom", {"logs_bloom": b"\x01" * 256}),
    ],
)
def test_a_header_that_lies_about_execution_is_refused(rule: str, change: dict[str, object]) -> None:
    """Each field that execution yields is compared, and the first difference named."""
    network = small_network()
    block = build(network, [payment(0)]).executed.block
    lie = Block(replace(block.header, **change), block.transactions, None)
    with pytest.raises(InvalidBlockError) as caught:
        finish(execute_block(network.tip, network.config, lie, [PAYER.address], network.validators))
    assert caught.value.rule == rule


def test_a_block_with_a_transaction_that_cannot_be_included_is_refused() -> None:
    """Replaying a payment makes the block invalid."""
    network = small_network()
    block = build(network, [payment(0)]).executed.block
    twice = Block(block.header, (payment(0), payment(0)), None)
    with pytest.raises(InvalidBlockError, match="nonce"):
        finish(execute_block(network.tip, network.config, twice, [PAYER.address] * 2, network.validators))


def test_the_builder_moves_time_forward_only() -> None:
    """A clock behind the parent's still gives a valid timestamp."""
    network = small_network()
    late = replace(template(network), timestamp=START - 100)
    header: Header = finish(build_block(network.tip, network.config, late, [])).executed.block.header
    assert header.timestamp == START
    assert header.beneficiary == VALIDATORS[0].address


def test_permission_is_a_rule_of_validity() -> None:
    """A stranger may not transact; a resident may, but not deploy; a developer may."""
    resident = status_word(ParticipantKind.RESIDENT, tier=1)
    developer = status_word(ParticipantKind.INSTITUTION, deploys=True)
    transfer, creation = payment(0), payment(0, to=None, gas_limit=100_000)
    check_permission(resident, transfer, PAYER.address, START)
    check_permission(developer, creation, PAYER.address, START)
    for word, tx in ((0, transfer), (resident, creation)):
        with pytest.raises(InvalidTransactionError) as caught:
            check_permission(word, tx, PAYER.address, START)
        assert caught.value.reason == "sender_not_permitted"


@pytest.mark.parametrize(
    ("reason", "terms"),
    [
        (
            "blob_transaction",
            {"type": TransactionType.BLOB, "max_fee_per_blob_gas": 1, "blob_versioned_hashes": (b"\x01" * 32,)},
        ),
        ("wrong_chain", {"type": TransactionType.LEGACY, "chain_id": None}),
    ],
)
def test_some_kinds_of_transactions_are_valid_in_no_block(reason: str, terms: dict[str, object]) -> None:
    """Blobs, and signatures for any chain, are refused in validity, not only on admission."""
    network = small_network()
    tx = payment(**terms)
    assert build(network, [tx]).refused == ((tx.hash, reason),)
    block = Block(build(network).executed.block.header, (tx,), None)
    with pytest.raises(InvalidBlockError, match="transaction"):
        finish(execute_block(network.tip, network.config, block, [PAYER.address], network.validators))

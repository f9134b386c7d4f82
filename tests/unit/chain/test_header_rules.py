"""The header rules that need no execution."""

from dataclasses import replace

import pytest

from alatau.chain.errors import InvalidBlockError
from alatau.chain.header_rules import check_header
from alatau.types.block import Block
from alatau.types.vote import Commit
from tests.support.small_network import PAYER, START, build, commit_for, small_network


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("number", {"number": 2}),
        ("parent_hash", {"parent_hash": bytes(32)}),
        ("ommers_hash", {"ommers_hash": bytes(32)}),
        ("difficulty", {"difficulty": 1}),
        ("nonce", {"nonce": b"\x01" * 8}),
        ("mix_hash", {"mix_hash": bytes(32)}),
        ("gas_limit", {"gas_limit": 1}),
        ("base_fee_per_gas", {"base_fee_per_gas": 7}),
        ("extra_data", {"extra_data": bytes(32)}),
        ("withdrawals_root", {"withdrawals_root": bytes(32)}),
        ("blob_gas_used", {"blob_gas_used": 131_072}),
        ("excess_blob_gas", {"excess_blob_gas": 1}),
        ("requests_hash", {"requests_hash": bytes(32)}),
        ("parent_beacon_block_root", {"parent_beacon_block_root": b"\x01" * 32}),
        ("timestamp", {"timestamp": START - 1}),
        ("beneficiary", {"beneficiary": PAYER.address}),
    ],
)
def test_each_field_has_one_right_value(rule: str, change: dict[str, object]) -> None:
    """A field that differs from what the parent and the configuration make it is refused by its name."""
    network = small_network()
    block = build(network).executed.block
    tip = network.tip
    check_header(block, tip.header, tip.hash, network.config, network.validators)
    changed = Block(replace(block.header, **change), (), None)
    with pytest.raises(InvalidBlockError) as caught:
        check_header(changed, tip.header, tip.hash, network.config, network.validators)
    assert caught.value.rule == rule


def test_only_the_first_block_carries_no_commit() -> None:
    """The second block without the commit of the first is refused, and so is a first block with one."""
    network = small_network()
    first = build(network).executed.block
    commit: Commit = commit_for(network, first)
    tip = network.tip
    with_commit = build(network, last_commit=commit).executed.block
    with pytest.raises(InvalidBlockError, match="last_commit"):
        check_header(with_commit, tip.header, tip.hash, network.config, network.validators)

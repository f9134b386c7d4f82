"""Block 0."""

import pytest

from alatau.chain.errors import GenesisError
from alatau.chain.executed import Tip
from alatau.chain.genesis import make_genesis
from alatau.chain.registry_reader import genesis_is_bound, read_observers, read_validators
from alatau.chain.system import BEACON_ROOTS_ADDRESS, HISTORY_ADDRESS
from alatau.state.diff import OverlayState
from alatau.types.chain_config import SystemContracts
from alatau.types.genesis import Genesis, GenesisContract, genesis_validator_set
from alatau_devnet.plan import DevnetOptions, devnet_plan
from tests.support.small_network import PAYER, EmptyState, small_genesis, small_network

ADDRESS = bytes.fromhex("00" * 19 + "aa")
STORES_42 = bytes.fromhex("602a5f55600160005360016000f3")
"""Stores 42 in slot 0 and deploys one byte of code."""
REVERTS = bytes.fromhex("5f5ffd")


def test_genesis_is_a_function_of_its_file() -> None:
    """Every founder computes the same hash, and another balance gives another."""
    genesis = small_genesis()
    assert make_genesis(genesis).block.hash == make_genesis(small_genesis()).block.hash
    genesis.alloc[PAYER.address] += 1
    assert make_genesis(genesis).block.hash != make_genesis(small_genesis()).block.hash


def test_genesis_makes_no_empty_account() -> None:
    """An allocation of nothing leaves no account behind, so no network has empty ones (EIP-7523)."""
    genesis = small_genesis()
    genesis.alloc[ADDRESS] = 0
    assert ADDRESS not in make_genesis(genesis).diff.accounts
    assert make_genesis(genesis).block.hash == make_genesis(small_genesis()).block.hash


def test_constructors_run_at_their_addresses() -> None:
    """A contract's code and storage come from running its constructor."""
    made = make_genesis(small_genesis(GenesisContract("Answer", ADDRESS, STORES_42)))
    assert made.diff.storage[ADDRESS] == {0: 42}
    assert made.diff.codes[made.diff.accounts[ADDRESS].code_hash] == b"\x01"


def test_the_system_contracts_are_there() -> None:
    """Blocks store the parent's commit hash and block hash where EIP-4788 and EIP-2935 say."""
    network = small_network()
    for address in (BEACON_ROOTS_ADDRESS, HISTORY_ADDRESS):
        account = network.tip.state.account(address)
        assert account is not None
        assert len(network.tip.state.code(account.code_hash)) > 60


def test_a_constructor_that_fails_is_named() -> None:
    """The founders learn which contract cannot be deployed."""
    with pytest.raises(GenesisError, match=r"the constructor of Bad .* reverts"):
        make_genesis(small_genesis(GenesisContract("Bad", ADDRESS, REVERTS)))


def test_two_contracts_cannot_share_an_address() -> None:
    """The second is refused."""
    twice = GenesisContract("Answer", ADDRESS, STORES_42)
    with pytest.raises(GenesisError, match="address is taken"):
        make_genesis(small_genesis(twice, twice))


def test_the_registry_must_answer() -> None:
    """A configured registry that is no registry stops the ceremony, not block 3."""
    system = SystemContracts(validator_registry=ADDRESS)
    with pytest.raises(GenesisError, match="answer"):
        make_genesis(small_genesis(GenesisContract("Answer", ADDRESS, STORES_42), system=system))


def test_the_registry_holds_the_founders(devnet_genesis: Genesis) -> None:
    """The real contracts of a development network name its validators, no observers, and no genesis hash yet."""
    made = make_genesis(devnet_genesis)
    state = OverlayState(EmptyState(), made.diff)
    tip = Tip(made.block.header, made.block.hash, state, made.trie.trie, lambda _: made.block.hash)
    assert read_validators(tip, devnet_genesis.config) == genesis_validator_set(devnet_genesis)
    assert read_observers(tip, devnet_genesis.config) == ()
    assert not genesis_is_bound(tip, devnet_genesis.config)
    assert devnet_plan(DevnetOptions(), 0).config.chain_id == devnet_genesis.config.chain_id

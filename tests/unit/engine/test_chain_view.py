"""What committed blocks say about the next height, before and after a restart."""

from dataclasses import replace
from pathlib import Path

import pytest
from eth_abi.abi import encode

from alatau.chain.executed import ExecutedBlock
from alatau.chain.genesis import make_genesis
from alatau.chain.validator_registry import VALIDATOR_ABI, RegistryAnswerError
from alatau.consensus.proposer import blocks_looked_at
from alatau.engine import chain_view as chain_view_module
from alatau.engine.chain_view import ChainView, open_chain_view
from alatau.storage import schema
from alatau.storage.errors import CorruptionError
from alatau.storage.store import PreparedCommit, Store
from alatau.types.chain_config import ChainConfig, ConsensusParameters, SystemContracts
from alatau.types.genesis import Genesis, GenesisContract, genesis_validator_set
from alatau.types.validator import ValidatorSet, encode_validator_set, validator_set
from alatau.types.vote import consensus_domain
from tests.support.generators import finish
from tests.support.grown_chain import grow
from tests.support.small_network import VALIDATORS, SmallNetwork, build, commit_for, payment, small_genesis
from tests.support.transactions import CHAIN_ID

ABSENT_COMMITS = 4


@pytest.fixture
def opened(tmp_path: Path) -> tuple[Genesis, Store]:
    """A chain at genesis; absence is judged by four commits."""
    genesis = small_genesis(consensus=ConsensusParameters(absent_commits=ABSENT_COMMITS))
    made = make_genesis(genesis)
    store = Store.open(tmp_path / "data")
    store.init_genesis(ExecutedBlock(made.block, (), (), made.diff, made.trie))
    return genesis, store


def test_who_is_passed_over_is_the_same_after_a_restart(opened: tuple[Genesis, Store]) -> None:
    """The running node and one that reads its blocks again name the same validators, at every height."""
    genesis, store = opened
    founders = genesis_validator_set(genesis)
    running = open_chain_view(genesis.config, store, founders)
    absent, failing = VALIDATORS[3].address, {VALIDATORS[1].address, VALIDATORS[2].address}
    needed = blocks_looked_at(founders, ABSENT_COMMITS)
    for height in range(1, needed + 2):
        grow(genesis, running, 1)
        now = running.context(transactions_waiting=False)
        again = open_chain_view(genesis.config, store, founders).context(transactions_waiting=False)
        assert (now.absent, now.failing) == (again.absent, again.failing)
        assert now.absent == ({absent} if height > ABSENT_COMMITS else set())
        assert now.failing == (failing if height >= needed else set())
    store.close()


def test_a_set_that_grows_looks_further_back(opened: tuple[Genesis, Store]) -> None:
    """What a larger set needs is read from the store: a node that never restarted looks at as much as one that did."""
    genesis, store = opened
    view = open_chain_view(genesis.config, store, genesis_validator_set(genesis))
    grow(genesis, view, 20)
    view.past.clear()
    for count in (1, 5, 20, 40):
        found = view._past_blocks(count)
        assert [block.height for block in found] == list(range(max(1, 21 - count), 21))
    assert replace(found[-1], last_commit=None).builder == VALIDATORS[0].address
    store.close()


def test_validator_sets_outlive_the_state_that_names_them(opened: tuple[Genesis, Store]) -> None:
    """Kept by hash when the view is opened: a light client may begin at a block whose state is pruned."""
    genesis, store = opened
    founders = genesis_validator_set(genesis)
    assert store.validators_of(founders.hash) is None
    view = open_chain_view(genesis.config, store, founders)
    grow(genesis, view, 1)
    header = store.header(1)
    assert header is not None
    assert store.validators_of(header.extra_data) == founders
    assert store.validators_of(bytes(32)) is None
    store._db._db.put(schema.VALIDATORS + founders.hash, encode_validator_set(validator_set(founders.validators[1:])))
    with pytest.raises(CorruptionError, match="lies another"):
        store.validators_of(founders.hash)
    store._db._db.put(schema.VALIDATORS + founders.hash, b"\xc0")
    with pytest.raises(CorruptionError, match="cannot be read"):
        store.validators_of(founders.hash)
    store.close()


REGISTRY = b"\xaa" * 20


def moody_registry() -> GenesisContract:
    """A registry that answers with the founders until a call without data makes it revert, and again after another."""
    rows = [
        (v.operator, v.voting_address, v.tls_key_hash, v.endpoint.encode(), v.power, v.name.encode())
        for v in small_genesis().validators
    ]
    answer = encode([f"{VALIDATOR_ABI}[]"], [rows])
    length = len(answer).to_bytes(2, "big")
    # calldatasize, jumpi read; sstore(0, iszero(sload(0))), stop
    toggle = bytes.fromhex("36600d5760005415600055") + bytes(2)
    # read: if sload(0) jump bad; codecopy(0, offset, length); return(0, length); bad: revert(0, 0)
    read = bytes.fromhex("5b60005460225761") + length + bytes.fromhex("602860003961")
    read += length + bytes.fromhex("6000f3")
    code = (toggle + read).ljust(0x22, b"\x00") + bytes.fromhex("5b60006000fd")
    code = code.ljust(0x28, b"\x00") + answer
    size = len(code).to_bytes(2, "big")
    return GenesisContract("Registry", REGISTRY, b"\x61" + size + b"\x80\x60\x0b\x5f\x39\x5f\xf3\x00" + code)


def test_a_registry_that_cannot_be_read_stops_no_node(tmp_path: Path) -> None:
    """The set that was known last goes on deciding, in the node that ran and in the one that starts again."""
    system = SystemContracts(validator_registry=REGISTRY)
    genesis = small_genesis(moody_registry(), system=system)
    made = make_genesis(genesis)
    store = Store.open(tmp_path / "data")
    store.init_genesis(made)
    founders = genesis_validator_set(genesis)
    view = open_chain_view(genesis.config, store, founders)
    domain = consensus_domain(CHAIN_ID, made.block.hash)
    # spoiled, left alone for two blocks, mended, spoiled again
    nonce = 0
    for written, faults in ((True, 1), (False, 1), (False, 1), (True, 1), (True, 2)):
        network = SmallNetwork(genesis, view.tip, view.validators[view.height + 1], domain)
        toggled = [payment(nonce, value=0, gas_limit=100_000, to=REGISTRY)] if written else []
        nonce += len(toggled)
        executed = build(network, toggled, view.tip_commit).executed
        assert [receipt.succeeded for receipt in executed.receipts] == [True] * len(toggled)
        prepared = finish(store.prepare_commit(executed, commit_for(network, executed.block)))
        store.write_commit(prepared)
        assert view.finish(prepared) == written
        assert view.registry_faults == faults
        again = open_chain_view(genesis.config, store, founders)
        assert again.validators == view.validators
        assert set(view.validators.values()) == {founders}
    store.close()


def test_each_height_has_its_set(opened: tuple[Genesis, Store], monkeypatch: pytest.MonkeyPatch) -> None:
    """The next height's, the one after it for messages that come early; whoever decided its last height leaves."""
    genesis, store = opened
    founders = genesis_validator_set(genesis)
    view = open_chain_view(genesis.config, store, founders)
    second, third = validator_set(founders.validators[1:]), validator_set(founders.validators[:3])
    grow(genesis, view, 1)
    view.validators |= {2: founders, 3: second}
    context = view.context(transactions_waiting=False)
    assert (context.validators, context.next_validators) == (founders, second)
    moved, finish = list[bool](), ChainView.finish

    def finishing(self: ChainView, prepared: PreparedCommit) -> bool:
        moved.append(finish(self, prepared))
        return moved[-1]

    monkeypatch.setattr(ChainView, "finish", finishing)
    grow(genesis, view, 1)
    assert view.validators == {2: founders, 3: second, 4: second}
    assert moved == [False]
    view.validators |= {2: third, 3: founders}
    grow(genesis, view, 1)
    assert moved == [False, True], "who decided height 2 and not 3 has left"
    store.close()


def test_a_set_that_cannot_be_read_is_that_of_the_next_height(tmp_path: Path) -> None:
    """While a node runs; at genesis, where there is none before it, nothing begins."""
    genesis = small_genesis()
    silent = replace(genesis.config, system=SystemContracts(validator_registry=REGISTRY))
    store = Store.open(tmp_path / "data")
    store.init_genesis(make_genesis(genesis))
    founders = genesis_validator_set(genesis)
    with pytest.raises(RegistryAnswerError):
        open_chain_view(silent, store, founders)
    view = open_chain_view(genesis.config, store, founders)
    view.config = silent
    sets = [validator_set(founders.validators[:n]) for n in (1, 2, 3)]
    view.validators = dict(enumerate(sets))
    assert view._registered_set() is sets[1]
    assert view.registry_faults == 1
    store.close()


def test_a_set_holds_two_blocks_after_its_decision(
    opened: tuple[Genesis, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also for a node that starts: it reads the states of the two blocks below the tip, and of the tip."""
    genesis, store = opened
    founders = genesis_validator_set(genesis)
    grow(genesis, open_chain_view(genesis.config, store, founders), 5)
    asked: list[int] = []
    read = chain_view_module.registered_set

    def reading(config: ChainConfig, kept: Store, first: ValidatorSet, decided: int) -> ValidatorSet:
        asked.append(decided)
        return read(config, kept, first, decided)

    monkeypatch.setattr(chain_view_module, "registered_set", reading)
    assert set(open_chain_view(genesis.config, store, founders).validators) == {5, 6, 7}
    assert asked == [3, 4, 5]
    store.close()

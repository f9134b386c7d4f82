"""A network of four validators without contracts, in memory: for tests of blocks."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from alatau.chain.executed import ExecutedBlock, Tip
from alatau.chain.execution import BlockTemplate, BuiltBlock, build_block
from alatau.chain.genesis import make_genesis
from alatau.crypto.secp256k1 import PrivateKey
from alatau.engine.chain_view import tip_of
from alatau.state.diff import OverlayState
from alatau.storage.store import Store
from alatau.types.account import Account
from alatau.types.block import Block
from alatau.types.chain_config import ChainConfig
from alatau.types.genesis import Genesis, GenesisContract, GenesisValidator, genesis_validator_set
from alatau.types.transaction import Transaction
from alatau.types.validator import ValidatorSet
from alatau.types.vote import Commit, CommitSignature, VoteKind, consensus_domain, vote_digest
from tests.support.generators import finish
from tests.support.transactions import CHAIN_ID, signed

VALIDATORS = tuple(sorted((PrivateKey(bytes([n]) * 32) for n in range(1, 5)), key=lambda key: key.address))
PAYER = PrivateKey(b"\x21" * 32)
PAYEE = PrivateKey(b"\x22" * 32)
START = 1_700_000_000


class EmptyState:
    """The state before genesis."""

    def account(self, address: bytes) -> Account | None:
        """None."""
        return None

    def storage(self, address: bytes, slot: int) -> int:
        """0."""
        return 0

    def code(self, code_hash: bytes) -> bytes:
        """There is none."""
        raise KeyError(code_hash)


def small_genesis(*contracts: GenesisContract, **config: Any) -> Genesis:
    """Four validators of power 1; the payer has 100 ether."""
    return Genesis(
        config=ChainConfig(chain_id=CHAIN_ID, name="small", **config),
        timestamp=START,
        alloc={PAYER.address: 100 * 10**18},
        validators=tuple(
            GenesisValidator(
                name=f"Ministry {n}",
                operator=key.address,
                voting_public_key=key.public_key,
                voting_address=key.address,
                tls_public_key=b"",
                tls_key_hash=bytes([n]) * 32,
                endpoint="127.0.0.1:7001",
                power=1,
            )
            for n, key in enumerate(VALIDATORS)
        ),
        contracts=contracts,
    )


@dataclass(frozen=True, slots=True)
class SmallNetwork:
    """Genesis and what follows from it."""

    genesis: Genesis
    tip: Tip
    validators: ValidatorSet
    domain: bytes

    @property
    def config(self) -> ChainConfig:
        """The rules."""
        return self.genesis.config


def small_network(*contracts: GenesisContract, **config: Any) -> SmallNetwork:
    """A network at genesis."""
    genesis = small_genesis(*contracts, **config)
    made = make_genesis(genesis)
    block = made.block
    tip = Tip(block.header, block.hash, OverlayState(EmptyState(), made.diff), made.trie.trie, lambda _: block.hash)
    domain = consensus_domain(CHAIN_ID, block.hash)
    return SmallNetwork(genesis, tip, genesis_validator_set(genesis), domain)


def stored_network(folder: Path) -> tuple[SmallNetwork, Store]:
    """A network at genesis whose state is in a database in ``folder``."""
    network = small_network()
    made = make_genesis(network.genesis)
    store = Store.open(folder)
    store.init_genesis(ExecutedBlock(made.block, (), (), made.diff, made.trie))
    return replace(network, tip=tip_of(store)), store


def payment(nonce: int = 0, **changes: object) -> Transaction:
    """The payer pays the payee 1 wei, or does what ``changes`` say."""
    return signed(PAYER, **{"nonce": nonce, "to": PAYEE.address} | changes)


def template(network: SmallNetwork, last_commit: Commit | None = None, timestamp: int = START + 1) -> BlockTemplate:
    """The first validator builds."""
    return BlockTemplate(timestamp, VALIDATORS[0].address, network.validators, last_commit)


def build(
    network: SmallNetwork, transactions: Iterable[Transaction] = (), last_commit: Commit | None = None
) -> BuiltBlock:
    """A block on the network's tip."""
    candidates = [(tx, PAYER.address) for tx in transactions]
    return finish(build_block(network.tip, network.config, template(network, last_commit), candidates))


def commit_for(network: SmallNetwork, block: Block, signers: Iterable[PrivateKey] = VALIDATORS[:3]) -> Commit:
    """Precommits of ``signers`` for a block, in round 0."""
    height = block.header.number
    digest = vote_digest(network.domain, VoteKind.PRECOMMIT, height, 0, block.hash)
    signatures = tuple(CommitSignature(key.address, key.sign(digest)) for key in signers)
    return Commit(height, 0, block.hash, signatures)


def executed_hashes(executed: ExecutedBlock) -> list[bytes]:
    """Hashes of a block's transactions."""
    return [tx.hash for tx in executed.block.transactions]


def tip_after(parent: Tip, executed: ExecutedBlock) -> Tip:
    """The tip that an executed block makes before it is committed, so that the next one can be built on it."""
    block = executed.block
    state = OverlayState(parent.state, executed.diff)

    def block_hash(height: int) -> bytes:
        return block.hash if height == block.header.number else parent.block_hash(height)

    return Tip(block.header, block.hash, state, executed.trie.trie, block_hash)

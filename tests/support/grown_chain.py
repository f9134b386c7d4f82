"""A store of the small network's blocks, grown as a node does it."""

from collections.abc import Iterable

from alatau.chain.genesis import make_genesis
from alatau.crypto.secp256k1 import PrivateKey
from alatau.engine.chain_view import ChainView
from alatau.types.genesis import Genesis
from alatau.types.vote import consensus_domain
from tests.support.generators import finish
from tests.support.small_network import VALIDATORS, SmallNetwork, build, commit_for
from tests.support.transactions import CHAIN_ID


def grow(genesis: Genesis, view: ChainView, blocks: int, signers: Iterable[PrivateKey] = VALIDATORS[:3]) -> None:
    """Blocks that the first validator builds and these sign, in round 0."""
    domain = consensus_domain(CHAIN_ID, make_genesis(genesis).block.hash)
    signing = tuple(signers)
    for _ in range(blocks):
        network = SmallNetwork(genesis, view.tip, view.validators[view.height + 1], domain)
        executed = build(network, (), view.tip_commit).executed
        prepared = finish(view.store.prepare_commit(executed, commit_for(network, executed.block, signing)))
        view.store.write_commit(prepared)
        view.finish(prepared)

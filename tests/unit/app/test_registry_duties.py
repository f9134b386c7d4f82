"""A validator's duties towards the real registry contract, on a chain that executes them."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trio
import trio.testing

from alatau.app.genesis.file import read_genesis
from alatau.app.home import Home
from alatau.app.registry_duties import RegistryDuties
from alatau.chain.executed import ExecutedBlock, Tip
from alatau.chain.execution import BlockTemplate, build_block
from alatau.chain.genesis import make_genesis
from alatau.chain.registry_reader import genesis_is_bound, key_answers, read_validators
from alatau.chain.validator_registry import equivocation_call
from alatau.client.keystore import read_keystore
from alatau.crypto.secp256k1 import PrivateKey
from alatau.engine import chain_view
from alatau.engine.chain_view import ChainView, open_chain_view, registered_set
from alatau.engine.verdict import Outcome
from alatau.mempool.limits import MempoolLimits
from alatau.mempool.pool import Mempool
from alatau.storage.store import Store
from alatau.types.chain_config import ChainConfig
from alatau.types.genesis import genesis_validator_set
from alatau.types.transaction import Transaction, decode_transaction
from alatau.types.validator import ValidatorSet, validator_set
from alatau.types.vote import (
    Commit,
    CommitSignature,
    Proposal,
    Vote,
    VoteKind,
    consensus_domain,
    proposal_digest,
    vote_digest,
)
from alatau_devnet.network import create_network
from alatau_devnet.plan import DevnetOptions
from tests.support.generators import finish


@dataclass(slots=True)
class Chain:
    """A chain of one process that decides whatever its validators sign."""

    view: ChainView
    keys: dict[bytes, PrivateKey]
    domain: bytes
    waiting: list[Transaction]
    members_changed: bool = False

    async def submit(self, encoded: list[bytes]) -> list[Outcome]:
        """Keep for the next block."""
        await trio.lowlevel.checkpoint()
        self.waiting += [decode_transaction(raw) for raw in encoded]
        return [None] * len(encoded)

    def decide(self, sender: PrivateKey) -> ExecutedBlock:
        """Put what waits, all of ``sender``, into a block and commit it; notes whether members changed."""
        view = self.view
        validators = view.validators[view.height + 1]
        beneficiary = validators.validators[0].address
        template = BlockTemplate(view.tip.header.timestamp + 1, beneficiary, validators, view.tip_commit)
        candidates = [(tx, sender.address) for tx in self.waiting]
        self.waiting.clear()
        executed = finish(build_block(view.tip, view.config, template, candidates)).executed
        height, hash_ = executed.block.header.number, executed.block.hash
        digest = vote_digest(self.domain, VoteKind.PRECOMMIT, height, 0, hash_)
        signatures = tuple(CommitSignature(v.address, self.keys[v.address].sign(digest)) for v in validators.validators)
        prepared = finish(view.store.prepare_commit(executed, Commit(height, 0, hash_, signatures)))
        view.store.write_commit(prepared)
        self.members_changed = view.finish(prepared)
        return executed


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Chain]:
    """A network of four with the real contracts, at genesis."""
    network = create_network(tmp_path / "network", DevnetOptions(4, residents=2))
    keys = {}
    for node in network.nodes:
        home = Home(node.home)
        key = read_keystore(home.voting_key, (home.keys / "password").read_text().strip())
        keys[key.address] = key
    genesis = read_genesis(network.nodes[0].home / "genesis.json")
    made = make_genesis(genesis)
    store = Store.open(tmp_path / "data")
    store.init_genesis(made)
    view = open_chain_view(genesis.config, store, genesis_validator_set(genesis))
    yield Chain(view, keys, consensus_domain(genesis.config.chain_id, made.block.hash), [])
    store.close()


@asynccontextmanager
async def on_duty(chain: Chain, key: PrivateKey) -> AsyncIterator[RegistryDuties]:
    """A validator's duties, running."""
    async with trio.open_nursery() as nursery:
        duties = RegistryDuties(chain.view, key, chain.submit, Mempool(MempoolLimits(), 0))
        nursery.start_soon(duties.run)
        yield duties
        nursery.cancel_scope.cancel()


async def bind(chain: Chain) -> PrivateKey:
    """Let the validators tell the registry the genesis hash; the one whose turn it was."""
    for key in chain.keys.values():
        duties = RegistryDuties(chain.view, key, chain.submit, Mempool(MempoolLimits(), 0))
        assert await duties.bind_genesis()
        if chain.waiting:
            chain.decide(key)
            assert not await duties.bind_genesis()
            return key
    raise AssertionError("it was nobody's turn")


@pytest.mark.trio
async def test_one_validator_binds_the_genesis_hash(chain: Chain) -> None:
    """In turns, so that one transaction is sent, and afterwards none."""
    chain.decide(next(iter(chain.keys.values())))  # BLOCKHASH of genesis is there from block 1 on.
    assert not genesis_is_bound(chain.view.tip, chain.view.config)
    await bind(chain)
    assert genesis_is_bound(chain.view.tip, chain.view.config)


@pytest.mark.trio
@pytest.mark.parametrize("what", ["votes", "proposals"])
async def test_proof_of_equivocation_suspends_the_validator(chain: Chain, what: str) -> None:
    """Two signatures that contradict each other take a validator out of the set two heights later."""
    honest, culprit, *_ = chain.keys.values()
    chain.decide(honest)
    await bind(chain)
    pair = contradiction(chain, culprit, what)
    async with on_duty(chain, honest) as duties:
        duties.report(*pair)
        await until_sent(chain, duties, honest)
        waiting = chain.waiting
        chain.waiting = []  # Lost: no proposer ever saw it. It is sent again.
        await until_sent(chain, duties, honest)
        assert chain.waiting[-1].data == waiting[-1].data
        executed = chain.decide(honest)
        height = chain.view.height
        duties.new_block()
        await trio.testing.wait_all_tasks_blocked()
        assert duties.evidence.due(1_000, chain.view.validators[height + 1]) == [], "settled"
    assert executed.receipts[-1].succeeded
    assert culprit.address in chain.view.validators[height + 1].by_address
    assert culprit.address not in chain.view.validators[height + 2].by_address
    assert read_validators(chain.view.tip, chain.view.config) == chain.view.validators[height + 2]
    assert chain.members_changed
    chain.decide(honest)
    assert not chain.members_changed
    chain.decide(honest)
    assert chain.members_changed, "the culprit has decided its last height: its connections end now"
    assert len(chain.view.validators[chain.view.height].validators) == 3


@pytest.mark.trio
async def test_set_is_read_again_when_it_changed_only(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other writes to the registry leave the set alone; running and starting nodes know the same after each block."""
    reads = []

    def counted(tip: Tip, config: ChainConfig) -> ValidatorSet:
        reads.append(tip.header.number)
        return read_validators(tip, config)

    def same_after_restart() -> bool:
        view = chain.view
        found = {n: registered_set(view.config, view.store, founders, n - 2) for n in view.validators}
        return found == view.validators

    founders = chain.view.validators[0]
    honest, culprit, *_ = chain.keys.values()
    chain.decide(honest)
    before = chain.view.tip.state
    with monkeypatch.context() as patched:
        patched.setattr(chain_view, "read_validators", counted)
        await bind(chain)
    registry = chain.view.config.system.validator_registry
    assert registry is not None
    assert before.account(registry) != chain.view.tip.state.account(registry), "the binding was written"
    assert not chain.members_changed
    assert reads == []
    assert same_after_restart()
    call = equivocation_call(*contradiction(chain, culprit, "votes"))  # type: ignore[arg-type]
    await RegistryDuties(chain.view, honest, chain.submit, Mempool(MempoolLimits(), 0))._send(call, "evidence")
    with monkeypatch.context() as patched:
        patched.setattr(chain_view, "read_validators", counted)
        chain.decide(honest)
    assert chain.members_changed
    assert reads == [chain.view.height]
    assert len(chain.view.validators[chain.view.height + 2].validators) == 3
    assert same_after_restart()


@pytest.mark.trio
async def test_proof_against_a_key_out_of_use_is_sent(chain: Chain) -> None:
    """A culprit that left the set before anybody reported answers nevertheless; a key that nobody had does not."""
    honest, culprit, *_ = chain.keys.values()
    chain.decide(honest)
    await bind(chain)
    rest = validator_set(v for v in chain.view.validators[chain.view.height].validators if v.address != culprit.address)
    chain.view.validators = dict.fromkeys(chain.view.validators, rest)
    async with on_duty(chain, honest) as duties:
        duties.report(*contradiction(chain, culprit, "votes"))
        await until_sent(chain, duties, honest)
        assert key_answers(chain.view.tip, chain.view.config, culprit.address)
        assert chain.decide(honest).receipts[-1].succeeded
        assert not key_answers(chain.view.tip, chain.view.config, culprit.address)
        duties.report(*contradiction(chain, PrivateKey(b"\x07" * 32), "votes"))
        await trio.testing.wait_all_tasks_blocked()
        assert duties.evidence.settle(lambda _: False) == [], "both are settled: judged, and no validator's"


async def until_sent(chain: Chain, duties: RegistryDuties, key: PrivateKey) -> None:
    """Let blocks pass until it is our turn and the transaction is out."""
    for _ in range(20):
        await trio.testing.wait_all_tasks_blocked()
        if chain.waiting:
            return
        chain.decide(key)
        duties.new_block()
    raise AssertionError("it was never our turn")


def contradiction(chain: Chain, culprit: PrivateKey, what: str) -> tuple[Vote, Vote] | tuple[Proposal, Proposal]:
    """Two votes, or proposals, of one height and round for different blocks."""
    hashes = (b"\x01" * 32, b"\x02" * 32)
    if what == "votes":
        first, second = (
            Vote(
                VoteKind.PREVOTE,
                7,
                1,
                hash_,
                culprit.address,
                culprit.sign(vote_digest(chain.domain, VoteKind.PREVOTE, 7, 1, hash_)),
            )
            for hash_ in hashes
        )
        return first, second
    one, two = (
        Proposal(7, 1, hash_, -1, 99, culprit.address, culprit.sign(proposal_digest(chain.domain, 7, 1, hash_, -1, 99)))
        for hash_ in hashes
    )
    return one, two

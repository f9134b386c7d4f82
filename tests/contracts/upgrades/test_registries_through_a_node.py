"""Both registries are handed over on a chain: the node follows them in the running process and after a restart."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alatau.artifacts import addresses
from alatau.artifacts.artifact import load
from alatau.artifacts.genesis import (
    SYSTEM_CONTRACTS,
    CouncilMembers,
    NetworkContracts,
    genesis_contracts,
    institution_word,
)
from alatau.chain.execution import BlockTemplate, BuiltBlock, build_block
from alatau.chain.genesis import make_genesis
from alatau.client.abi import Abi, load_abi
from alatau.crypto.secp256k1 import PrivateKey
from alatau.engine.chain_view import ChainView, open_chain_view
from alatau.storage.store import Store
from alatau.types.genesis import Genesis, GenesisContract, genesis_validator_set
from alatau.types.vote import consensus_domain
from tests.support.generators import finish
from tests.support.small_network import PAYEE, PAYER, START, VALIDATORS, SmallNetwork, commit_for, small_genesis
from tests.support.transactions import CHAIN_ID, signed

NEW_VALIDATORS, NEW_PARTICIPANTS = (bytes.fromhex("a1a7b0") + bytes(16) + bytes((n,)) for n in (1, 2))
GUARDIAN = PrivateKey(b"\x23" * 32)
DELAY_S = 2
COUNCIL = load_abi(load("Council").abi)
REGISTRY = load_abi(load("ValidatorRegistry").abi)
PARTICIPANTS = load_abi(load("ParticipantRegistry").abi)


def genesis() -> Genesis:
    """The contracts of a network whose only council member is the payer, and a successor of each registry."""
    founders = tuple(
        replace(founder, tls_key_hash=bytes([number]) * 32)
        for number, founder in enumerate(small_genesis().validators, start=1)
    )
    council = CouncilMembers("Council", (PAYER.address,), 1, GUARDIAN.address)
    contracts = genesis_contracts(
        NetworkContracts(
            validators=founders,
            fund_council=council,
            reserve_council=council,
            delay_s=DELAY_S,
            participants={key.address: institution_word() for key in (PAYER, PAYEE)},
        )
    )
    as_tuples = [(v.operator, v.voting_address, v.tls_key_hash, v.endpoint, v.power, v.name) for v in founders]
    validators = load("ValidatorRegistry").creation(addresses.FUND_COUNCIL, DELAY_S, as_tuples, [])
    known = [(PAYER.address, institution_word())]
    participants = load("ParticipantRegistry").creation(addresses.FUND_COUNCIL, DELAY_S, [], [], [], known)
    made = small_genesis(
        *contracts,
        GenesisContract("NewValidatorRegistry", NEW_VALIDATORS, validators),
        GenesisContract("NewParticipantRegistry", NEW_PARTICIPANTS, participants),
        system=SYSTEM_CONTRACTS,
    )
    return replace(made, validators=founders)


class Chain:
    """A chain that grows by a block a second."""

    def __init__(self, folder: Path) -> None:
        self.genesis = genesis()
        made = make_genesis(self.genesis)
        self.store = Store.open(folder)
        self.store.init_genesis(made)
        self.domain = consensus_domain(CHAIN_ID, made.block.hash)
        self.founders = genesis_validator_set(self.genesis)
        self.view: ChainView = open_chain_view(self.genesis.config, self.store, self.founders)
        self.time = START
        self.nonces: dict[bytes, int] = {}

    def block(self, *calls: tuple[PrivateKey, bytes, bytes], seconds: int = 1) -> tuple[BuiltBlock, bool]:
        """A block with a transaction each; and whether the node saw that members may have changed."""
        self.time += seconds
        candidates = []
        for key, to, data in calls:
            nonce = self.nonces.get(key.address, 0)
            candidates.append((signed(key, nonce=nonce, to=to, value=0, gas_limit=1_000_000, data=data), key.address))
        validators = self.view.validators[self.view.height + 1]
        template = BlockTemplate(self.time, VALIDATORS[0].address, validators, self.view.tip_commit)
        built = finish(build_block(self.view.tip, self.genesis.config, template, candidates))
        for sender in built.executed.senders:
            self.nonces[sender] = self.nonces.get(sender, 0) + 1
        assert [r.succeeded for r in built.executed.receipts] == [True] * len(built.executed.receipts)
        network = SmallNetwork(self.genesis, self.view.tip, validators, self.domain)
        prepared = finish(self.store.prepare_commit(built.executed, commit_for(network, built.executed.block)))
        self.store.write_commit(prepared)
        return built, self.view.finish(prepared)

    def terms(self, nonce: int) -> tuple[int, int, int, int]:
        """Of a decision under the council's first policy."""
        return (1, nonce, 0, self.time + 1_000)

    def decided(self, contract: bytes, abi: Abi, propose: str, *arguments: Any) -> bytes:
        """Propose and approve, in a block each; gives the id. The delay is the caller's to wait for."""
        executed = self.block((PAYER, contract, abi.encode_call(propose, arguments)))[0].executed
        identity = executed.receipts[0].logs[0].topics[1]
        confirm = COUNCIL.encode_call("confirm", (identity,))
        approve = abi.encode_call("approve_decision", (identity, [(PAYER.address, b"")]))
        self.block((PAYER, addresses.FUND_COUNCIL, confirm))
        self.block((PAYER, contract, approve))
        return identity

    def restarted(self) -> ChainView:
        """What a node that starts now reads."""
        return open_chain_view(self.genesis.config, self.store, self.founders)


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Chain]:
    """At genesis."""
    made = Chain(tmp_path / "data")
    yield made
    made.store.close()


def test_the_node_follows_the_validator_registry(chain: Chain) -> None:
    """The handover changes nobody; then a change in the new registry decides from two blocks on, as ever."""
    arguments = (NEW_VALIDATORS, chain.terms(1))
    chain.decided(addresses.VALIDATOR_REGISTRY, REGISTRY, "propose_handover", *arguments)
    raised = (4, (VALIDATORS[0].address, bytes(20), bytes(32), "", 2, ""), chain.terms(2))
    identity = chain.decided(NEW_VALIDATORS, REGISTRY, "propose_change", raised)
    execute = (PAYER, NEW_VALIDATORS, REGISTRY.encode_call("execute_change", (identity,)))

    hand_over = (PAYER, addresses.VALIDATOR_REGISTRY, REGISTRY.encode_call("hand_over", arguments))
    _, seen = chain.block(hand_over, seconds=3 * DELAY_S)
    assert seen
    assert set(chain.view.validators.values()) == {chain.founders}
    _, seen = chain.block(execute)
    assert seen
    height = chain.view.height
    assert chain.view.validators[height + 1] == chain.founders
    assert chain.view.validators[height + 2].by_address[VALIDATORS[0].address].power == 2
    assert chain.view.registry_faults == 0
    assert chain.restarted().validators == chain.view.validators
    _, seen = chain.block()
    assert not seen
    assert chain.restarted().validators == chain.view.validators


def test_who_may_transact_is_asked_of_the_new_registry_at_once(chain: Chain) -> None:
    """The payee, whom the new one does not know, is refused in the same block, after the handover and not before."""
    arguments = (NEW_PARTICIPANTS, chain.terms(1))
    chain.decided(addresses.PARTICIPANT_REGISTRY, PARTICIPANTS, "propose_handover", *arguments)
    payment = (PAYEE, PAYER.address, b"")
    hand_over = (PAYER, addresses.PARTICIPANT_REGISTRY, PARTICIPANTS.encode_call("hand_over", arguments))
    built, _ = chain.block(payment, hand_over, (PAYEE, addresses.FUND_COUNCIL, b""), seconds=3 * DELAY_S)
    assert list(built.executed.senders) == [PAYEE.address, PAYER.address]
    assert [reason for _, reason in built.refused] == ["sender_not_permitted"]
    built, _ = chain.block((PAYER, PAYEE.address, b""), payment)
    assert list(built.executed.senders) == [PAYER.address]

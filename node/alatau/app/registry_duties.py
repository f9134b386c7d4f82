"""What a validator owes the validator registry: the genesis hash, once, and evidence whenever there is some.

Both are ordinary transactions, signed with the voting key. They may be lost or come twice without harm: the
contract takes the genesis hash once and judges a key once. The validators take turns, so that one sends,
and the next one where that was in vain (``engine.evidence``).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

import structlog
import trio

from alatau.chain.registries import registry_in_office
from alatau.chain.registry_reader import genesis_is_bound, key_answers
from alatau.chain.validator_registry import (
    BIND_GENESIS_CALL,
    RegistryAnswerError,
    double_proposal_call,
    equivocation_call,
)
from alatau.crypto.secp256k1 import PrivateKey
from alatau.engine.admission import next_nonce
from alatau.engine.chain_view import ChainView
from alatau.engine.evidence import EvidencePool
from alatau.engine.verdict import Outcome
from alatau.mempool.pool import Mempool
from alatau.types.transaction import UnsignedTransaction, sign_transaction
from alatau.types.vote import Proposal, Vote

_LOG = structlog.get_logger(__name__)

_GAS_LIMIT: Final = 1_000_000
"""Checking two signatures and rewriting the set costs below 300,000."""

_LAST_BINDING_HEIGHT: Final = 8_000
"""Up to about here the contract can read the genesis hash from the chain itself (EIP-2935: 8,191 blocks)."""


@dataclass(slots=True)
class RegistryDuties:
    """Sends the registry what it is owed."""

    view: ChainView
    key: PrivateKey
    submit: Callable[[list[bytes]], Awaitable[list[Outcome]]]
    mempool: Mempool
    evidence: EvidencePool = field(init=False)
    _wake: trio.Event = field(init=False)
    _sent: dict[bytes, bytes] = field(default_factory=dict)
    """Culprit -> hash of the transaction that we sent last."""

    def __post_init__(self) -> None:
        """Begin without evidence."""
        self.evidence = EvidencePool(self.key.address)
        self._wake = trio.Event()

    def report(self, first: Vote | Proposal, second: Vote | Proposal) -> None:
        """Take the proof of an equivocation; never waits."""
        signer = first.validator if isinstance(first, Vote) else first.proposer
        _LOG.error("consensus.equivocation", validator=signer.hex(), height=first.height, round=first.round)
        if isinstance(first, Vote) and isinstance(second, Vote):
            call = equivocation_call(first, second)
        else:
            assert isinstance(first, Proposal), "evidence is of two votes, or of two proposals"
            assert isinstance(second, Proposal), "evidence is of two votes, or of two proposals"
            call = double_proposal_call(first, second)
        if self.evidence.add(signer, call):
            self._wake.set()

    def new_block(self) -> None:
        """The tip moved: it may be our turn now."""
        self._wake.set()

    async def run(self) -> None:
        """Send evidence when it is our turn, until nobody hears it any more."""
        while True:
            await self._wake.wait()
            self._wake = trio.Event()
            await self._send_evidence()

    async def _send_evidence(self) -> None:
        view = self.view
        height = view.height
        for culprit in self.evidence.settle(self._answers):
            self._sent.pop(culprit, None)
            _LOG.warning("evidence.settled", validator=culprit.hex())
        for proof in self.evidence.due(height, view.validators[height + 1]):
            waiting = self._sent.get(proof.culprit)
            if waiting is None or waiting not in self.mempool:
                self._sent[proof.culprit] = await self._send(proof.call, "evidence")

    def _answers(self, voting_key: bytes) -> bool:
        """Whether the registry hears evidence against a key: a rotation or a removal ends that only after 21 days."""
        view = self.view
        try:
            return key_answers(view.tip, view.config, voting_key)
        except RegistryAnswerError as error:
            # A registry that does not say so takes reports about whom it has in its set.
            _LOG.error("registry.unreadable", height=view.height, consequence="the set decides", reason=str(error))
            return voting_key in view.validators[view.height + 2].by_address

    async def bind_genesis(self) -> bool:
        """Tell the registry the genesis hash if nobody has; whether to call again after the next block.

        The validators take turns by height, so that one transaction is sent, not one by each.
        """
        view = self.view
        if view.height > _LAST_BINDING_HEIGHT:
            return False
        try:
            if genesis_is_bound(view.tip, view.config):
                return False
        except RegistryAnswerError as error:
            _LOG.error("registry.unreadable", height=view.height, consequence="genesis is not bound", reason=str(error))
            return True
        validators = view.validators[view.height + 1].validators
        if validators[view.height % len(validators)].address == self.key.address:
            await self._send(BIND_GENESIS_CALL, "bind_genesis")
        return True

    async def _send(self, data: bytes, what: str) -> bytes:
        """Send a call to the registry; gives the transaction's hash, taken or not."""
        config = self.view.config
        registry = config.system.validator_registry
        assert registry is not None, "duties are owed where the network has a registry"
        unsigned = UnsignedTransaction(
            chain_id=config.chain_id,
            nonce=next_nonce(self.mempool, self.view.tip.state, self.key.address),
            gas_limit=_GAS_LIMIT,
            to=registry_in_office(self.view.tip.state, registry),
            data=data,
            max_fee_per_gas=config.base_fee_per_gas,
        )
        tx = sign_transaction(unsigned, self.key.sign)
        (outcome,) = await self.submit([tx.encoded])
        if outcome is None:
            _LOG.info("registry.sent", what=what)
        else:
            _LOG.warning("registry.refused", what=what, reason=outcome.reason, message=outcome.message)
        return tx.hash

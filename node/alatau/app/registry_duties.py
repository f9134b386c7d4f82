"""What a validator owes the validator registry: the genesis hash, once, and evidence whenever there is some.

Both are ordinary transactions, signed with the voting key. They may be lost or come twice without harm: the
contract takes the genesis hash once and suspends a validator once.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

import structlog
import trio

from alatau.chain.registry_reader import genesis_is_bound
from alatau.chain.validator_registry import BIND_GENESIS_CALL, double_proposal_call, equivocation_call
from alatau.crypto.secp256k1 import PrivateKey
from alatau.engine.admission import next_nonce
from alatau.engine.chain_view import ChainView
from alatau.engine.verdict import Outcome
from alatau.mempool.pool import Mempool
from alatau.types.transaction import UnsignedTransaction, sign_transaction
from alatau.types.vote import Proposal, Vote

_LOG = structlog.get_logger(__name__)

_GAS_LIMIT: Final = 1_000_000
"""Checking two signatures and rewriting the set costs below 300,000."""

_EVIDENCE_MAX: Final = 64
"""Proofs that wait to be sent; one a validator and height is enough to suspend it."""

_LAST_BINDING_HEIGHT: Final = 8_000
"""Up to about here the contract can read the genesis hash from the chain itself (EIP-2935: 8,191 blocks)."""


@dataclass(slots=True)
class RegistryDuties:
    """Sends the registry what it is owed."""

    view: ChainView
    key: PrivateKey
    submit: Callable[[list[bytes]], Awaitable[list[Outcome]]]
    mempool: Mempool
    _evidence: trio.MemorySendChannel[bytes] = field(init=False)
    _waiting: trio.MemoryReceiveChannel[bytes] = field(init=False)

    def __post_init__(self) -> None:
        """Open the queue of evidence."""
        self._evidence, self._waiting = trio.open_memory_channel[bytes](_EVIDENCE_MAX)

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
        try:
            self._evidence.send_nowait(call)
        except trio.WouldBlock:
            _LOG.warning("evidence.dropped", waiting=_EVIDENCE_MAX)

    async def run(self) -> None:
        """Send evidence as it comes."""
        async for call in self._waiting:
            await self._send(call, "evidence")

    async def bind_genesis(self) -> bool:
        """Tell the registry the genesis hash if nobody has; whether to call again after the next block.

        The validators take turns by height, so that one transaction is sent, not one by each.
        """
        view = self.view
        if view.height > _LAST_BINDING_HEIGHT or genesis_is_bound(view.tip, view.config):
            return False
        validators = view.validators[view.height + 1].validators
        if validators[view.height % len(validators)].address == self.key.address:
            await self._send(BIND_GENESIS_CALL, "bind_genesis")
        return True

    async def _send(self, data: bytes, what: str) -> None:
        config = self.view.config
        unsigned = UnsignedTransaction(
            chain_id=config.chain_id,
            nonce=next_nonce(self.mempool, self.view.tip.state, self.key.address),
            gas_limit=_GAS_LIMIT,
            to=config.system.validator_registry,
            data=data,
            max_fee_per_gas=config.base_fee_per_gas,
        )
        (outcome,) = await self.submit([sign_transaction(unsigned, self.key.sign).encoded])
        if outcome is None:
            _LOG.info("registry.sent", what=what)
        else:
            _LOG.warning("registry.refused", what=what, reason=outcome.reason, message=outcome.message)

"""The way of a transaction into the pool: bytes, form, sender, state, pool, peers.

Clients and peers hand over bytes in whatever portions they arrive; one task takes all that wait at once, so
that signatures are recovered in batches and each check is paid for once for many. The cheap checks come
first: a transaction that waits already costs one hash.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import trio

from alatau.chain.execution import check_kind, check_permission
from alatau.chain.permission import slot_of
from alatau.chain.transaction import InvalidTransactionError, check_terms
from alatau.crypto.keccak import keccak256
from alatau.engine.signatures import recover_senders
from alatau.evm.environment import BlockEnvironment
from alatau.mempool.outcome import Reason, Rejected
from alatau.mempool.pool import Mempool
from alatau.state.parent import ParentState
from alatau.types.chain_config import ChainConfig
from alatau.types.transaction import Transaction, TransactionError, decode_transaction

_SENDERS_MAX: Final = 32_768
"""Recovered senders remembered: twice the pool, so that a block's transactions are never recovered twice.
About 6 MB."""

_BATCH_MAX: Final = 256
"""Transactions admitted between two looks at the other tasks: about 5 ms of work on the loop."""

_WAITING_MAX: Final = 256
"""Portions that wait to be admitted; clients wait for room, what peers gossip beyond it is dropped."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A transaction that is not in the pool now."""

    reason: str
    """Stable; a name of the error catalogue (docs/errors.md)."""
    message: str


Outcome = Refused | None
"""None: the pool has it."""


@dataclass(frozen=True, slots=True)
class AdmissionView:
    """What a transaction is judged by at the door."""

    state: ParentState
    """The committed state."""
    environment: BlockEnvironment
    """Terms of the block to come: fork, gas limit, base fee, a timestamp not after its own."""


@dataclass(slots=True)
class _Portion:
    """Transactions that arrived together."""

    encoded: Sequence[bytes]
    outcomes: list[Outcome] = field(default_factory=list)
    done: trio.Event | None = None
    peer: bytes | None = None
    """Id of the peer that passed them on; None where a client brought them."""


class Admission:
    """Takes transactions into a mempool."""

    def __init__(
        self,
        mempool: Mempool,
        config: ChainConfig,
        tip: Callable[[], AdmissionView],
        now_ms: Callable[[], int],
        gossip: Callable[[list[bytes]], None],
    ) -> None:
        """Wire it up.

        Args:
            mempool: what it fills; shared with the engine, which runs in the same thread.
            config: the network's rules.
            tip: the state and terms of the moment.
            now_ms: a clock that only grows.
            gossip: passes new transactions on to peers.
        """
        self._mempool = mempool
        self._config = config
        self._tip = tip
        self._now_ms = now_ms
        self._gossip = gossip
        self._senders: OrderedDict[bytes, bytes] = OrderedDict()
        self._send, self._receive = trio.open_memory_channel[_Portion](_WAITING_MAX)
        self.refused_total: dict[str, int] = {}
        """Refusals so far, by reason; read by the metrics."""

    async def submit(self, encoded: Sequence[bytes]) -> list[Outcome]:
        """Take a client's transactions; returns when each is pooled or refused."""
        portion = _Portion(encoded, done=trio.Event())
        await self._send.send(portion)
        assert portion.done is not None
        await portion.done.wait()
        return portion.outcomes

    def offer(self, encoded: Sequence[bytes], peer: bytes) -> None:
        """Take what a peer passed on; dropped when more wait than can be admitted (other peers have it too)."""
        try:
            self._send.send_nowait(_Portion(encoded, peer=peer))
        except trio.WouldBlock:
            self._count("OVERLOADED", len(encoded))

    def sender_of(self, transaction_hash: bytes) -> bytes | None:
        """The sender of a transaction that was seen lately."""
        return self._senders.get(transaction_hash)

    async def senders_of(self, transactions: Sequence[Transaction]) -> list[bytes | TransactionError]:
        """The sender of each transaction of a block; only those never seen here cost a recovery."""
        found: list[bytes | TransactionError | None] = [self._senders.get(tx.hash) for tx in transactions]
        missing = [tx for tx, sender in zip(transactions, found, strict=True) if sender is None]
        if missing:
            recovered = iter(await recover_senders(missing))
            found = [next(recovered) if sender is None else sender for sender in found]
        return [sender for sender in found if sender is not None]

    async def run(self, available: Callable[[], None]) -> None:
        """Admit for ever; ``available`` is told when a block could take something new."""
        async for portion in self._receive:
            portions = [portion]
            size = len(portion.encoded)
            while size < _BATCH_MAX:
                try:
                    following = self._receive.receive_nowait()
                except trio.WouldBlock:
                    break
                portions.append(following)
                size += len(following.encoded)
            if await self._admit_all(portions):
                available()

    async def _admit_all(self, portions: list[_Portion]) -> bool:
        """Admit portions in their order; whether anything new is in the pool."""
        decoded: list[list[Transaction | Outcome]] = [
            [self._decode(encoded) for encoded in portion.encoded] for portion in portions
        ]
        fresh = [tx for row in decoded for tx in row if isinstance(tx, Transaction) and tx.hash not in self._senders]
        for tx, sender in zip(fresh, await recover_senders(fresh), strict=True):
            if isinstance(sender, bytes):
                self._remember(tx.hash, sender)
        ready = False
        for portion, row in zip(portions, decoded, strict=True):
            new: list[bytes] = []
            for entry in row:
                outcome = self._admit(entry, new) if isinstance(entry, Transaction) else entry
                portion.outcomes.append(outcome)
                if outcome is not None:
                    self._count(outcome.reason, 1)
            if new:
                ready = True
                self._gossip(new)
            if portion.done is not None:
                portion.done.set()
        return ready

    def _decode(self, encoded: bytes) -> Transaction | Outcome:
        digest = keccak256(encoded)
        if digest in self._mempool:
            return None
        try:
            tx = decode_transaction(encoded)
        except TransactionError as error:
            return Refused(error.reason, str(error))
        try:
            check_kind(tx)
            check_terms(self._tip().environment, tx)
        except InvalidTransactionError as error:
            return _refused(error)
        return tx

    def _admit(self, tx: Transaction, new: list[bytes]) -> Outcome:
        sender = self._senders.get(tx.hash)
        if sender is None:
            return Refused("SIGNATURE_INVALID", "the signature recovers no key; sign the transaction again")
        view = self._tip()
        registry = self._config.system.participant_registry
        if registry is not None:
            try:
                word = view.state.storage(registry, slot_of(sender))
                check_permission(word, tx, sender, view.environment.timestamp)
            except InvalidTransactionError as error:
                return _refused(error)
        account = None if self._mempool.knows_sender(sender) else view.state.account(sender)
        outcome = self._mempool.admit(tx, sender, account, self._now_ms())
        if isinstance(outcome, Rejected):
            return None if outcome.reason is Reason.ALREADY_KNOWN else Refused(outcome.reason, outcome.message)
        new.append(tx.encoded)
        return None

    def _remember(self, transaction_hash: bytes, sender: bytes) -> None:
        self._senders[transaction_hash] = sender
        if len(self._senders) > _SENDERS_MAX:
            self._senders.popitem(last=False)

    def _count(self, reason: str, count: int) -> None:
        self.refused_total[reason] = self.refused_total.get(reason, 0) + count


def next_nonce(mempool: Mempool, state: ParentState, address: bytes) -> int:
    """The account's nonce, past its transactions that wait in the pool without a gap."""
    waiting = mempool.next_nonce(address)
    if waiting is not None:
        return waiting
    account = state.account(address)
    return 0 if account is None else account.nonce


_CATALOGUE: Final = {
    "blob_transaction": "TRANSACTION_TYPE_UNSUPPORTED",
    "wrong_chain": "WRONG_CHAIN",
    "gas_limit_above_block": "GAS_LIMIT_TOO_HIGH",
    "gas_limit_above_cap": "GAS_LIMIT_TOO_HIGH",
    "fee_cap_below_base_fee": "UNDERPRICED",
    "initcode_too_large": "TRANSACTION_TOO_LARGE",
    "intrinsic_gas": "INTRINSIC_GAS_TOO_LOW",
    "nonce_too_low": "NONCE_TOO_LOW",
    "insufficient_funds": "INSUFFICIENT_FUNDS",
    "sender_has_code": "SENDER_NOT_EXTERNALLY_OWNED",
    "sender_not_permitted": "SENDER_NOT_PERMITTED",
}
"""Rules of the chain by their names in the error catalogue; the rest are ``TRANSACTION_INVALID``."""


def _refused(error: InvalidTransactionError) -> Refused:
    return Refused(_CATALOGUE.get(error.reason, "TRANSACTION_INVALID"), str(error))

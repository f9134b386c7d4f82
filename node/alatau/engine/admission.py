"""The way of a transaction into the pool: bytes, form, sender, state, pool, peers.

Clients and peers hand over bytes in whatever portions they arrive. They wait in a queue for each source, served in
turn (``alatau.mempool.fair_queue``), and one task takes as many as make a portion, so that signatures are recovered
in batches. The cheap checks come first: size, then the hash (known to wait, or known to be bad), form, chain, gas;
only what passes them costs a recovery, and only what has a sender is looked up in the state.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Final

import trio

from alatau.chain.execution import check_kind, check_permission
from alatau.chain.permission import Licence, ParticipantKind, kind_of, licences_of, may_deploy, slot_of
from alatau.chain.registries import registry_in_office
from alatau.chain.transaction import InvalidTransactionError, check_terms
from alatau.crypto.keccak import keccak256
from alatau.engine.signatures import recover_senders, recover_senders_beside
from alatau.engine.verdict import Blame, Outcome, Refused, not_permitted, not_pooled, wrong_form
from alatau.evm.environment import BlockEnvironment
from alatau.mempool.fair_queue import FairQueue, History, QueueLimits
from alatau.mempool.outcome import Admitted, Reason
from alatau.mempool.pool import Mempool
from alatau.mempool.shares import SenderClass
from alatau.state.parent import ParentState
from alatau.types.chain_config import ChainConfig
from alatau.types.transaction import Transaction, TransactionError, decode_transaction

_SENDERS_PER_PLACE: Final = 2
"""Recovered senders remembered, for each place in the pool: so that a block's transactions are never recovered twice.
About 6 MB for a pool of the usual size."""

_BATCH_UNITS: Final = 256
"""Transactions (of 2 KiB each) admitted between two looks at the other tasks: about 5 ms of work on the loop."""

_BAD_MAX: Final = 8_192
"""Hashes of transactions that no state makes right: the same bytes again cost one hash. About 3 MB."""

_RATE_SHARE: Final = 0.1
"""How much the last portion counts in the measured time of one admission."""

OWN: Final = "this node"
"""The source of what the node itself submits: registry duties, what its pool held before a restart."""


@dataclass(frozen=True, slots=True)
class AdmissionView:
    """What a transaction is judged by when it is admitted."""

    state: ParentState
    """The committed state."""
    environment: BlockEnvironment
    """Terms of the block to come: fork, gas limit, base fee, a timestamp not after its own."""


@dataclass(slots=True)
class _Portion:
    """Transactions that arrived together."""

    outcomes: list[Outcome]
    missing: int
    done: trio.Event | None = None

    def answer(self, index: int, outcome: Outcome) -> None:
        """What became of the transaction at ``index``."""
        self.outcomes[index] = outcome
        self.missing -= 1
        if self.missing == 0 and self.done is not None:
            self.done.set()


@dataclass(frozen=True, slots=True)
class _Waiting:
    """One transaction of a portion."""

    encoded: bytes
    portion: _Portion
    index: int


class Admission:
    """Takes transactions into a mempool."""

    def __init__(
        self,
        mempool: Mempool,
        config: ChainConfig,
        tip: Callable[[], AdmissionView],
        now_ms: Callable[[], int],
        gossip: Callable[[list[bytes]], None],
        blame: Callable[[bytes, Blame, int], None] = lambda _peer, _blame, _count: None,
        keep: Callable[[Sequence[bytes], Sequence[bytes]], trio.Event | None] = lambda _new, _replaced: None,
        queue_limits: QueueLimits | None = None,
    ) -> None:
        """Wire it up.

        Args:
            mempool: what it fills; shared with the engine, which runs in the same thread.
            config: the network's rules.
            tip: the state and terms of the moment.
            now_ms: a clock that only grows.
            gossip: passes new transactions on to peers.
            blame: told of a peer's refused transactions, by whose fault (FORM or STRANGER) and how many.
            keep: writes down what is new in the pool and the hashes of what it replaced, before anybody is answered;
                gives what to wait for first, if it is not written yet.
            queue_limits: bounds of what waits to be admitted.
        """
        self._mempool = mempool
        self._config = config
        self._tip = tip
        self._now_ms = now_ms
        self._gossip = gossip
        self._blame = blame
        self._keep = keep
        self._senders: OrderedDict[bytes, bytes] = OrderedDict()
        self._senders_max: Final = _SENDERS_PER_PLACE * mempool.limits.count_max
        self._bad: OrderedDict[bytes, Refused] = OrderedDict()
        limits = queue_limits or QueueLimits()
        self._history = History(limits.remembered)
        self._queue: FairQueue[_Waiting] = FairQueue(limits, self._history)
        self._arrived = trio.Event()
        self._admission_s = 0.000_5
        """Measured time of one admission."""
        self.refused_total: dict[str, int] = {}
        """Refusals so far, by reason; read by the metrics."""

    async def submit(self, encoded: Sequence[bytes], client: Hashable = OWN) -> list[Outcome]:
        """Take the transactions of a client; returns when each is pooled or refused.

        ``client`` is who shares a queue and a reputation: the key of a certificate, or an address.
        """
        portion = _Portion([None] * len(encoded), len(encoded), trio.Event())
        if not encoded:
            return portion.outcomes
        if not self._enqueue(("client", client), encoded, portion):
            return [self._queue_full(("client", client))] * len(encoded)
        assert portion.done is not None
        await portion.done.wait()
        return portion.outcomes

    def offer(self, encoded: Sequence[bytes], peer: bytes) -> None:
        """Take what a peer passed on; dropped when more of it wait than may (other peers have it too)."""
        if not self._enqueue(("peer", peer), encoded, _Portion([None] * len(encoded), len(encoded))):
            self._count("OVERLOADED", len(encoded))

    def _enqueue(self, source: tuple[str, Hashable], encoded: Sequence[bytes], portion: _Portion) -> bool:
        items = [(_Waiting(data, portion, index), len(data)) for index, data in enumerate(encoded)]
        waits, dropped = self._queue.put(source, items)
        for left in dropped:
            self._count("SUBMISSION_QUEUE_FULL", 1)
            left.portion.answer(left.index, self._queue_full(None))
        self._arrived.set()
        return waits

    def _queue_full(self, source: tuple[str, Hashable] | None) -> Refused:
        waiting = self._queue.waiting_of(source) if source else len(self._queue)
        wait_s = max(0.05, waiting * self._admission_s)
        message = f"{waiting} transactions of yours wait to be checked" if source else "too many wait to be checked"
        return Refused("SUBMISSION_QUEUE_FULL", f"{message}; send again in {wait_s:.2f} s", Blame.NOBODY, wait_s)

    async def senders_of(self, transactions: Sequence[Transaction]) -> list[bytes | TransactionError]:
        """The sender of each transaction of a block; only those never seen here cost a recovery."""
        found: list[bytes | TransactionError | None] = [self._senders.get(tx.hash) for tx in transactions]
        missing = [tx for tx, sender in zip(transactions, found, strict=True) if sender is None]
        if missing:
            recovered = iter(await recover_senders(missing))
            found = [next(recovered) if sender is None else sender for sender in found]
        return [sender for sender in found if sender is not None]

    async def recover_ahead(self, transactions: Sequence[Transaction]) -> None:
        """Recover the senders of a block that comes next, while another executes; bad ones are found again then."""
        missing = [tx for tx in transactions if tx.hash not in self._senders]
        for tx, sender in zip(missing, await recover_senders_beside(missing), strict=True):
            if isinstance(sender, bytes):
                self._remember(tx.hash, sender)

    async def run(self, available: Callable[[], None]) -> None:
        """Admit for ever; ``available`` is told when a block could take something new."""
        while True:
            batch = self._queue.take(_BATCH_UNITS)
            if not batch:
                self._arrived = trio.Event()
                await self._arrived.wait()
                continue
            started = trio.current_time()
            if await self._admit_all(batch):
                available()
            each = (trio.current_time() - started) / len(batch)
            self._admission_s += _RATE_SHARE * (each - self._admission_s)
            await trio.lowlevel.checkpoint()

    async def _admit_all(self, batch: list[tuple[Hashable, _Waiting]]) -> bool:
        """Admit a portion in its order; whether anything new is in the pool."""
        environment = self._tip().environment
        decoded = [self._decode(waiting.encoded, environment) for _, waiting in batch]
        fresh = [entry for entry in decoded if isinstance(entry, Transaction) and entry.hash not in self._senders]
        for tx, sender in zip(fresh, await recover_senders(fresh), strict=True):
            if isinstance(sender, bytes):
                self._remember(tx.hash, sender)
        new: list[bytes] = []
        replaced: list[bytes] = []
        outcomes: list[Outcome] = []
        good: dict[Hashable, int] = {}
        """Source -> how many of its transactions are new in the pool: nobody gains a name by repeating others'."""
        view = self._tip()  # Asked again: blocks may have been committed while senders were recovered.
        for (source, _), entry in zip(batch, decoded, strict=True):
            before = len(new)
            outcomes.append(self._admit(entry, view, new, replaced) if isinstance(entry, Transaction) else entry)
            if len(new) > before:
                good[source] = good.get(source, 0) + 1
        written = None
        if new:
            written = self._keep(new, replaced)
            self._gossip(new)
        self._judge(batch, outcomes, good)
        if written is not None and any(waiting.portion.done is not None for _, waiting in batch):
            await written.wait()
        for (_, waiting), outcome in zip(batch, outcomes, strict=True):
            waiting.portion.answer(waiting.index, outcome)
        return bool(new)

    def _judge(
        self, batch: list[tuple[Hashable, _Waiting]], outcomes: list[Outcome], good: dict[Hashable, int]
    ) -> None:
        """Note for each source how much of its own was pooled and how much nobody should have sent."""
        faults: dict[tuple[Hashable, Blame], int] = {}
        for (source, _), outcome in zip(batch, outcomes, strict=True):
            if outcome is None:
                continue
            self._count(outcome.reason, 1)
            if outcome.blame in _FAULTS:
                faults[source, outcome.blame] = faults.get((source, outcome.blame), 0) + 1
        for source, count in good.items():
            self._history.note(source, count, 0)
        for (source, blame), count in faults.items():
            self._history.note(source, 0, count)
            match source:
                case ("peer", bytes(peer)):
                    self._blame(peer, blame, count)

    def _decode(self, encoded: bytes, environment: BlockEnvironment) -> Transaction | Outcome:
        if len(encoded) > self._mempool.limits.transaction_size_bytes_max:
            most = self._mempool.limits.transaction_size_bytes_max
            return Refused("TRANSACTION_TOO_LARGE", f"{len(encoded)} bytes, at most {most}", Blame.FORM)
        digest = keccak256(encoded)
        if digest in self._mempool:
            return None
        known = self._bad.get(digest)
        if known is not None:
            return known
        try:
            tx = decode_transaction(encoded)
            check_kind(tx)
            check_terms(environment, tx)
        except TransactionError as error:
            return self._remember_bad(digest, Refused(error.reason, str(error), Blame.FORM))
        except InvalidTransactionError as error:
            return wrong_form(error, self._config.chain_id)
        return tx

    def _admit(self, tx: Transaction, view: AdmissionView, new: list[bytes], replaced: list[bytes]) -> Outcome:
        sender = self._senders.get(tx.hash)
        if sender is None:
            message = "the signature recovers no key; sign the transaction again"
            return self._remember_bad(tx.hash, Refused("SIGNATURE_INVALID", message, Blame.FORM))
        registry = self._config.system.participant_registry
        sender_class = SenderClass.INSTITUTION
        if registry is not None:
            word = view.state.storage(registry_in_office(view.state, registry), slot_of(sender))
            try:
                check_permission(word, tx, sender, view.environment.timestamp)
            except InvalidTransactionError as error:
                stranger = kind_of(word) is None
                return not_permitted(error, sender, self._config.chain_id, stranger=stranger)
            sender_class = sender_class_of(word, view.environment.timestamp)
        account = None if self._mempool.knows_sender(sender) else view.state.account(sender)
        outcome = self._mempool.admit(tx, sender, account, self._now_ms(), sender_class)
        if not isinstance(outcome, Admitted):
            if outcome.reason is Reason.ALREADY_KNOWN:
                return None
            stranger = account is None and outcome.reason is Reason.INSUFFICIENT_FUNDS
            known = self._mempool.knows_sender(sender)
            blame = Blame.STRANGER if stranger and not known else Blame.STATE
            return not_pooled(outcome, sender, blame)
        new.append(tx.encoded)
        replaced += [dropped.hash for dropped in outcome.dropped if dropped.reason is Reason.REPLACED]
        return None

    def _remember(self, transaction_hash: bytes, sender: bytes) -> None:
        self._senders[transaction_hash] = sender
        if len(self._senders) > self._senders_max:
            self._senders.popitem(last=False)

    def _remember_bad(self, digest: bytes, why: Refused) -> Refused:
        self._bad[digest] = why
        if len(self._bad) > _BAD_MAX:
            self._bad.popitem(last=False)
        return why

    def _count(self, reason: str, count: int) -> None:
        self.refused_total[reason] = self.refused_total.get(reason, 0) + count


def next_nonce(mempool: Mempool, state: ParentState, address: bytes) -> int:
    """The account's nonce, past its transactions that wait in the pool without a gap."""
    waiting = mempool.next_nonce(address)
    if waiting is not None:
        return waiting
    account = state.account(address)
    return 0 if account is None else account.nonce


_FAULTS: Final = (Blame.FORM, Blame.STRANGER)
"""What counts against a source."""


def sender_class_of(word: int, timestamp: int) -> SenderClass:
    """The class of a sender with the registry's status ``word`` in a block of ``timestamp`` (seconds).

    The right to deploy comes first, whoever has it: a ministry or a platform that may create contracts runs code that
    nobody has measured, and pays from another account.
    """
    if may_deploy(word, timestamp):
        return SenderClass.DEVELOPER
    if licences_of(word, timestamp) is not Licence.NONE:
        return SenderClass.LICENSED
    match kind_of(word):
        case ParticipantKind.INSTITUTION:
            return SenderClass.INSTITUTION
        case ParticipantKind.MERCHANT:
            return SenderClass.MERCHANT
        case _:
            return SenderClass.RESIDENT

"""The pool itself: admit, select, update.

Each sender has a *queue*: its transactions by nonce. Those that follow one another from the account's nonce on
are **ready**; what lies behind a missing nonce is **queued** and cannot be in a block. A heap holds the first
ready transaction of each sender, best tip first, then oldest first. Entries of the heap are never searched for:
one whose transaction has left, or is no longer first, is stale and skipped when met.

Three rules that a network without fees needs beside the usual ones:

* *Replacement.* A transaction replaces the one with its nonce if it raises tip and fee cap by a tenth and at
  least 1 wei. Where neither pays (base fee 0 and no tip) there is nothing to raise; then a replacement is
  taken once the old one has waited ``replacement_wait_ms``, so that a wrong payment that no block takes can
  be corrected, but not a thousand times a second at everybody's cost.
* *Eviction.* A full pool makes room by dropping what is queued, then what pays less than the newcomer, then
  the last transaction of the sender that holds most, if the newcomer's sender holds less than half as much.
  One sender can therefore fill the pool only while nobody else wants it.
* *Funds.* All that waits of a sender must be payable together from its balance.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush, nlargest

from alatau.mempool.limits import MempoolLimits
from alatau.mempool.outcome import Admitted, Dropped, Reason, Rejected
from alatau.types.account import EMPTY_ACCOUNT, Account
from alatau.types.transaction import Transaction

_HEAVY_BATCH = 64
"""Largest senders found by one scan of all (2 ms), and how many arrivals at a full pool share a scan."""

_STALE_SLACK = 1_024
"""Stale heap entries tolerated beyond as many as live ones before the heap is rebuilt."""


@dataclass(slots=True)
class PooledTransaction:
    """A transaction that waits. Never changed; not frozen because that would cost a fifth of an admission."""

    tx: Transaction
    sender: bytes
    tip: int
    """Wei per gas above the base fee."""
    cost: int
    """Wei: gas limit times fee cap plus value."""
    added_ms: int
    order: int
    """Counts admissions: the older of two equal tips goes first."""


@dataclass(slots=True)
class _Queue:
    """What waits of one sender."""

    nonce: int
    """The account's next nonce."""
    balance: int
    by_nonce: dict[int, PooledTransaction] = field(default_factory=dict)
    ready: int = 0
    """How many follow one another from ``nonce`` on."""
    cost: int = 0
    """Sum of the costs of all."""


class Mempool:
    """The transactions that wait for a block on this node."""

    def __init__(self, limits: MempoolLimits, base_fee_per_gas: int) -> None:
        self._limits = limits
        self._base_fee = base_fee_per_gas
        self._by_hash: dict[bytes, PooledTransaction] = {}
        self._queues: dict[bytes, _Queue] = {}
        self._heads: list[tuple[int, int, PooledTransaction]] = []
        self._cheapest: list[tuple[int, int, PooledTransaction]] = []
        self._heavy: list[bytes] = []
        self._heavy_found_at = -_HEAVY_BATCH
        self._gapped: dict[bytes, None] = {}
        """Senders of whom something is queued, in no particular order but the same on every run."""
        self._size_bytes = 0
        self._ready_count = 0
        self._order = 0

    def __len__(self) -> int:
        """How many wait, ready or queued."""
        return len(self._by_hash)

    @property
    def limits(self) -> MempoolLimits:
        """Its bounds."""
        return self._limits

    @property
    def ready_count(self) -> int:
        """How many a block could take."""
        return self._ready_count

    @property
    def size_bytes(self) -> int:
        """Sum of the encoded sizes."""
        return self._size_bytes

    def get(self, transaction_hash: bytes) -> Transaction | None:
        """The pooled transaction with this hash."""
        pooled = self._by_hash.get(transaction_hash)
        return pooled.tx if pooled else None

    def pooled(self, transaction_hash: bytes) -> PooledTransaction | None:
        """The same with its sender."""
        return self._by_hash.get(transaction_hash)

    def encoded(self) -> list[bytes]:
        """Everything that waits, oldest first: for a peer that has just come."""
        return [pooled.tx.encoded for pooled in self._by_hash.values()]

    def __contains__(self, transaction_hash: bytes) -> bool:
        """Whether a transaction waits: asked first, since it saves recovering a sender."""
        return transaction_hash in self._by_hash

    def knows_sender(self, sender: bytes) -> bool:
        """Whether something of ``sender`` waits, so that ``admit`` needs no account from the state."""
        return sender in self._queues

    def next_nonce(self, sender: bytes) -> int | None:
        """The nonce after the sender's last ready transaction; None for a sender of whom nothing waits."""
        queue = self._queues.get(sender)
        return queue.nonce + queue.ready if queue else None

    # ---------------------------------------------------------------- admit

    def admit(self, tx: Transaction, sender: bytes, account: Account | None, now_ms: int) -> Admitted | Rejected:
        """Take a transaction whose signature, chain and intrinsic gas are right, or say why not.

        Args:
            tx: the transaction.
            sender: its recovered address.
            account: the sender's account in the state of the tip, None where it has none. Ignored while
                something of the sender waits: the pool's own copy is as new as the last ``update``.
            now_ms: any clock that only grows.
        """
        if tx.hash in self._by_hash:
            return Rejected(Reason.ALREADY_KNOWN, "the transaction waits already")
        limits = self._limits
        if len(tx.encoded) > limits.transaction_size_bytes_max:
            most = limits.transaction_size_bytes_max
            return Rejected(Reason.TRANSACTION_TOO_LARGE, f"{len(tx.encoded)} bytes, at most {most}")
        if tx.gas_limit > limits.gas_limit_max:
            return Rejected(Reason.GAS_LIMIT_TOO_HIGH, f"gas limit {tx.gas_limit}, at most {limits.gas_limit_max}")
        tip = min(tx.max_priority_fee_per_gas, tx.max_fee_per_gas - self._base_fee)
        if tip < 0:
            return Rejected(Reason.UNDERPRICED, f"fee cap {tx.max_fee_per_gas} below base fee {self._base_fee}")
        known = self._queues.get(sender)
        queue = known or _new_queue(account)
        cost = tx.gas_limit * tx.max_fee_per_gas + tx.value
        self._order += 1
        pooled = PooledTransaction(tx, sender, tip, cost, now_ms, self._order)
        old = queue.by_nonce.get(tx.nonce)
        refusal = self._refuse_nonce(queue, tx.nonce) if old is None else self._refuse_replacement(old, pooled)
        if refusal:
            return refusal
        total = queue.cost + cost - (old.cost if old else 0)
        if total > queue.balance:
            return Rejected(Reason.INSUFFICIENT_FUNDS, f"{total} wei needed together, balance is {queue.balance}")
        if old is not None:
            if self._size_bytes + len(tx.encoded) - len(old.tx.encoded) > limits.size_bytes_max:
                return Rejected(Reason.POOL_FULL, "no room for a replacement larger than what it replaces")
            self._swap(queue, old, pooled)
            return Admitted(tx.nonce < queue.nonce + queue.ready, (Dropped(old.tx.hash, Reason.REPLACED),))
        room = self._make_room(pooled, queue)
        if isinstance(room, Rejected):
            return room
        if known is None:
            self._queues[sender] = queue
        self._insert(queue, pooled)
        return Admitted(tx.nonce < queue.nonce + queue.ready, room)

    def _refuse_nonce(self, queue: _Queue, nonce: int) -> Rejected | None:
        if nonce < queue.nonce:
            return Rejected(Reason.NONCE_TOO_LOW, f"nonce {nonce} is used up, the account's next is {queue.nonce}")
        missing = queue.nonce + queue.ready
        if nonce > missing + self._limits.gap_max:
            return Rejected(
                Reason.NONCE_GAP_TOO_LARGE,
                f"nonce {nonce} is more than {self._limits.gap_max} beyond {missing}, which is missing",
            )
        if len(queue.by_nonce) >= self._limits.per_sender_max:
            return Rejected(Reason.POOL_FULL, f"{self._limits.per_sender_max} transactions of this sender wait")
        return None

    def _refuse_replacement(self, old: PooledTransaction, new: PooledTransaction) -> Rejected | None:
        if old.tip == 0 and new.tip == 0:
            waited = new.added_ms - old.added_ms
            if waited >= self._limits.replacement_wait_ms:
                return None
            wait = self._limits.replacement_wait_ms - waited
            return Rejected(Reason.UNDERPRICED, f"raise the tip, or replace without one in {wait} ms")
        tip, cap = _raised(old.tip), _raised(old.tx.max_fee_per_gas)
        if new.tip >= tip and new.tx.max_fee_per_gas >= cap:
            return None
        return Rejected(Reason.UNDERPRICED, f"replacing needs a tip of {tip} and a fee cap of {cap} wei per gas")

    def _swap(self, queue: _Queue, old: PooledTransaction, new: PooledTransaction) -> None:
        """Put ``new`` where ``old`` was: same sender, same nonce, as ready as it."""
        del self._by_hash[old.tx.hash]
        self._by_hash[new.tx.hash] = new
        self._size_bytes += len(new.tx.encoded) - len(old.tx.encoded)
        queue.by_nonce[new.tx.nonce] = new
        queue.cost += new.cost - old.cost
        self._index(queue, new)

    def _insert(self, queue: _Queue, pooled: PooledTransaction) -> None:
        self._by_hash[pooled.tx.hash] = pooled
        self._size_bytes += len(pooled.tx.encoded)
        queue.by_nonce[pooled.tx.nonce] = pooled
        queue.cost += pooled.cost
        if pooled.tx.nonce == queue.nonce + queue.ready:
            self._extend_ready(queue)
        self._note_gap(pooled.sender, queue)
        self._index(queue, pooled)

    def _note_gap(self, sender: bytes, queue: _Queue) -> None:
        if len(queue.by_nonce) > queue.ready:
            self._gapped[sender] = None
        else:
            self._gapped.pop(sender, None)

    def _index(self, queue: _Queue, pooled: PooledTransaction) -> None:
        """Enter a transaction in the heaps."""
        heappush(self._cheapest, (pooled.tip, -pooled.order, pooled))
        if pooled.tx.nonce == queue.nonce:
            heappush(self._heads, (-pooled.tip, pooled.order, pooled))
        if len(self._cheapest) > 2 * len(self._by_hash) + _STALE_SLACK:
            self._rebuild_heaps()

    def _rebuild_heaps(self) -> None:
        self._cheapest = [(p.tip, -p.order, p) for p in self._by_hash.values()]
        heapify(self._cheapest)
        first = [q.by_nonce[q.nonce] for q in self._queues.values() if q.ready]
        self._heads = [(-p.tip, p.order, p) for p in first]
        heapify(self._heads)

    def _extend_ready(self, queue: _Queue) -> None:
        before = queue.ready
        following = queue.nonce + before
        while following in queue.by_nonce:
            following += 1
        queue.ready = following - queue.nonce
        self._ready_count += queue.ready - before

    # ---------------------------------------------------------------- room

    def _make_room(self, pooled: PooledTransaction, queue: _Queue) -> tuple[Dropped, ...] | Rejected:
        """Drop what ``pooled`` outranks until it fits; reject it where even that is not enough."""
        limits = self._limits
        size = len(pooled.tx.encoded)
        ready = pooled.tx.nonce == queue.nonce + queue.ready
        if not ready and len(self._by_hash) - self._ready_count >= limits.queued_max:
            return Rejected(Reason.POOL_FULL, f"{limits.queued_max} transactions wait behind a missing nonce")
        if len(self._by_hash) < limits.count_max and self._size_bytes + size <= limits.size_bytes_max:
            return ()
        dropped: list[Dropped] = []
        while len(self._by_hash) >= limits.count_max or self._size_bytes + size > limits.size_bytes_max:
            victim = self._victim(pooled, len(queue.by_nonce), ready=ready)
            if victim is None:
                full = f"{len(self)} transactions of {self._size_bytes} bytes wait"
                return Rejected(Reason.POOL_FULL, full, tuple(dropped))
            dropped += self._drop_from(victim, Reason.POOL_FULL)
        return tuple(dropped)

    def _victim(self, newcomer: PooledTransaction, held: int, *, ready: bool) -> PooledTransaction | None:
        """What has to go for ``newcomer``, whose sender holds ``held`` already."""
        if ready and len(self._by_hash) > self._ready_count:
            queued = self._last_queued(newcomer.sender)
            if queued is not None:
                return queued
        while self._cheapest:
            tip, _, pooled = self._cheapest[0]
            if self._by_hash.get(pooled.tx.hash) is not pooled:
                heappop(self._cheapest)
                continue
            if pooled.sender != newcomer.sender and newcomer.tip >= _raised(tip):
                return pooled
            break
        return self._tail_of_heaviest(newcomer.sender, held)

    def _last_queued(self, spared: bytes) -> PooledTransaction | None:
        sender = next((s for s in reversed(self._gapped) if s != spared), None)
        if sender is None:
            return None
        queue = self._queues[sender]
        return queue.by_nonce[max(queue.by_nonce)]

    def _tail_of_heaviest(self, spared: bytes, held: int) -> PooledTransaction | None:
        if not self._heavy and self._order - self._heavy_found_at >= _HEAVY_BATCH:
            self._heavy_found_at = self._order
            self._heavy = nlargest(_HEAVY_BATCH, self._queues, key=lambda s: len(self._queues[s].by_nonce))
            self._heavy.reverse()
        while self._heavy:
            sender = self._heavy.pop()
            queue = self._queues.get(sender)
            if queue and sender != spared and len(queue.by_nonce) > 2 * (held + 1):
                return queue.by_nonce[max(queue.by_nonce)]
        return None

    def _drop_from(self, pooled: PooledTransaction, reason: Reason) -> list[Dropped]:
        """Drop a transaction and, since they could only wait behind the hole, those of its sender after it."""
        queue = self._queues[pooled.sender]
        nonces = [nonce for nonce in queue.by_nonce if nonce >= pooled.tx.nonce]
        return [self._remove(queue, nonce, reason) for nonce in nonces]

    def _remove(self, queue: _Queue, nonce: int, reason: Reason) -> Dropped:
        pooled = queue.by_nonce.pop(nonce)
        del self._by_hash[pooled.tx.hash]
        self._size_bytes -= len(pooled.tx.encoded)
        queue.cost -= pooled.cost
        if nonce < queue.nonce + queue.ready:
            keep = max(0, nonce - queue.nonce)
            self._ready_count -= queue.ready - keep
            queue.ready = keep
        self._note_gap(pooled.sender, queue)
        if not queue.by_nonce:
            del self._queues[pooled.sender]
        return Dropped(pooled.tx.hash, reason)

    # ---------------------------------------------------------------- select

    def select(self, gas_limit: int, size_bytes_max: int) -> Iterator[PooledTransaction]:
        """Give ready transactions for a block, best tip first, then oldest first, nonces in order.

        Lazy: the builder takes as many as its time and gas allow. The pool may change meanwhile; what leaves it
        is not given any more. A transaction that asks for more gas than ``gas_limit``, or no longer fits in
        ``size_bytes_max`` together with those given, holds back its sender's later ones.
        """
        heap = self._heads.copy()  # Pointers only: 16,384 of them copy in about 40 us.
        room = size_bytes_max
        while heap:
            pooled = heappop(heap)[2]
            tx = pooled.tx
            if self._by_hash.get(tx.hash) is not pooled:
                continue
            queue = self._queues[pooled.sender]
            size = len(tx.encoded)
            if tx.gas_limit > gas_limit or size > room:
                continue
            room -= size
            following = queue.by_nonce.get(tx.nonce + 1)
            if following is not None:
                heappush(heap, (-following.tip, following.order, following))
            yield pooled

    # ---------------------------------------------------------------- update

    def update(
        self, included: Collection[bytes], accounts: Mapping[bytes, Account | None], now_ms: int
    ) -> tuple[Dropped, ...]:
        """Follow a committed block.

        Args:
            included: hashes of its transactions.
            accounts: every account that it changed, None where it deleted one: the block's diff.
            now_ms: the clock of ``admit``.

        Returns:
            What left without being in the block: its nonce was taken by another, its sender can no longer pay
            for it, or it waited too long.
        """
        changed = accounts if len(accounts) < len(self._queues) else self._queues.keys() & accounts.keys()
        return (*self._follow(changed, accounts, included), *self._expire(now_ms))

    def _follow(
        self,
        senders: Collection[bytes],
        accounts: Mapping[bytes, Account | None],
        included: Collection[bytes],
    ) -> list[Dropped]:
        dropped: list[Dropped] = []
        gone = included if isinstance(included, (set, frozenset)) else frozenset(included)
        for sender in list(senders):
            queue = self._queues.get(sender)
            if queue is None:
                continue
            now = accounts.get(sender) or EMPTY_ACCOUNT
            if now.nonce > queue.nonce:
                behind = self._advance(sender, queue, now.nonce)
                dropped += [Dropped(p.tx.hash, Reason.NONCE_TOO_LOW) for p in behind if p.tx.hash not in gone]
            queue.balance = now.balance
            if queue.cost > now.balance:
                dropped += self._drop_unpayable(queue)
        while self._heads and self._by_hash.get(self._heads[0][2].tx.hash) is not self._heads[0][2]:
            heappop(self._heads)
        return dropped

    def _advance(self, sender: bytes, queue: _Queue, nonce: int) -> list[PooledTransaction]:
        """Move the queue's start to the account's ``nonce``, which is higher; give what that leaves behind."""
        by_nonce = queue.by_nonce
        if nonce - queue.nonce > len(by_nonce):
            behind = [n for n in by_nonce if n < nonce]
        else:
            behind = [n for n in range(queue.nonce, nonce) if n in by_nonce]
        left = [by_nonce.pop(n) for n in behind]
        for pooled in left:
            del self._by_hash[pooled.tx.hash]
            self._size_bytes -= len(pooled.tx.encoded)
            queue.cost -= pooled.cost
        kept = max(0, queue.nonce + queue.ready - nonce)
        self._ready_count -= queue.ready - kept
        queue.nonce, queue.ready = nonce, kept
        if not by_nonce:
            del self._queues[sender]
        elif not kept:
            self._extend_ready(queue)
        if sender in self._gapped:
            self._note_gap(sender, queue)
        first = by_nonce.get(nonce)
        if first is not None:
            heappush(self._heads, (-first.tip, first.order, first))
        return left

    def _drop_unpayable(self, queue: _Queue) -> list[Dropped]:
        """Drop the last nonces until the balance pays for the rest."""
        dropped = []
        for nonce in sorted(queue.by_nonce, reverse=True):
            if queue.cost <= queue.balance:
                break
            dropped.append(self._remove(queue, nonce, Reason.INSUFFICIENT_FUNDS))
        return dropped

    def _expire(self, now_ms: int) -> list[Dropped]:
        """Drop what waited too long. Insertion order is age, so the scan ends at the first that stays."""
        expired = []
        for pooled in self._by_hash.values():
            if pooled.added_ms + self._limits.lifetime_ms > now_ms:
                break
            expired.append(pooled)
        dropped: list[Dropped] = []
        for pooled in expired:
            if pooled.tx.hash in self._by_hash:
                dropped += self._drop_from(pooled, Reason.EXPIRED)
        for sender in list(self._gapped):
            dropped += self._expire_queued(self._queues[sender], now_ms)
        return dropped

    def _expire_queued(self, queue: _Queue, now_ms: int) -> list[Dropped]:
        end = queue.nonce + queue.ready
        latest = now_ms - self._limits.queued_lifetime_ms
        expired = [n for n, pooled in queue.by_nonce.items() if n >= end and pooled.added_ms <= latest]
        return [self._remove(queue, n, Reason.EXPIRED) for n in expired]

    def discard(self, transaction_hash: bytes, reason: Reason) -> tuple[Dropped, ...]:
        """Drop a transaction that the block builder found invalid, with those of its sender after it."""
        pooled = self._by_hash.get(transaction_hash)
        return () if pooled is None else tuple(self._drop_from(pooled, reason))


def _new_queue(account: Account | None) -> _Queue:
    known = account or EMPTY_ACCOUNT
    return _Queue(known.nonce, known.balance)


def _raised(price: int) -> int:
    """The least price that outbids ``price``: a tenth more, and at least 1 wei."""
    return price + max(1, -(-price // 10))

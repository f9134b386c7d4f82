"""The pool itself: admit, select, update.

Each sender has a *queue*: its transactions by nonce. Those that follow one another from the account's nonce on
are **ready**; what lies behind a missing nonce is **queued** and cannot be in a block. A heap holds the first
ready transaction of each sender, oldest first. Entries of the heap are never searched for: one whose transaction
has left, or is no longer first, is stale and skipped when met. What of the ready a block takes is decided by
shares (``alatau.mempool.shares``), then by age.

Three rules that a network without fees needs beside the usual ones:

* *Replacement.* A transaction replaces the one with its nonce if it raises tip and fee cap by a tenth and at
  least 1 wei. Where neither pays (base fee 0 and no tip) there is nothing to raise; then a replacement is
  taken once the old one has waited ``replacement_wait_ms``, so that a wrong payment that no block takes can
  be corrected, but not a thousand times a second at everybody's cost.
* *Eviction.* A full pool makes room by dropping what is queued, then the last transaction of the sender that
  holds most (by count or by gas), if the newcomer's sender holds less than half as much, then what pays less than
  the newcomer. One sender can therefore fill the pool only while nobody else wants it, whatever it pays.
* *Funds.* All that waits of a sender must be payable together from its balance.
"""

from collections import OrderedDict
from collections.abc import Collection, Mapping
from heapq import heapify, heappop, heappush, nlargest

from alatau.mempool.entry import PooledTransaction, SenderQueue
from alatau.mempool.limits import MempoolLimits
from alatau.mempool.outcome import Admitted, Dropped, Reason, Refused
from alatau.mempool.selection import Head, Selection
from alatau.mempool.shares import DEFAULT_ALLOWANCES, HEAVY_DELAY_MS, HEAVY_GAS, Allowance, SenderClass, Shares
from alatau.types.account import EMPTY_ACCOUNT, Account
from alatau.types.transaction import Transaction

_HEAVY_BATCH = 64
"""Largest senders found by one scan of all."""

_SENDERS_FOR_SCAN = 256
"""An arrival at a full pool pays for looking at so many senders (30 us): 64 share a scan of 16,384."""

_DEPARTED_MAX = 16_384
"""Transactions that left without a block whose end is remembered, for who asks later: a full pool's worth, 3 MB."""

_STALE_SLACK = 1_024
"""Stale heap entries tolerated beyond as many as live ones before the heap is rebuilt."""


class Mempool:
    """The transactions that wait for a block on this node."""

    def __init__(
        self,
        limits: MempoolLimits,
        base_fee_per_gas: int,
        allowances: Mapping[SenderClass, Allowance] = DEFAULT_ALLOWANCES,
    ) -> None:
        self._limits = limits
        self._shares = Shares(allowances)
        self._base_fee = base_fee_per_gas
        self._by_hash: dict[bytes, PooledTransaction] = {}
        self._queues: dict[bytes, SenderQueue] = {}
        self._heads: list[Head] = []
        self._cheapest: list[tuple[int, int, PooledTransaction]] = []
        self._heavy: list[bytes] = []
        self._heavy_found_at = 0
        self._gapped: dict[bytes, None] = {}
        """Senders of whom something is queued, in no particular order but the same on every run."""
        self._departed: OrderedDict[bytes, Reason] = OrderedDict()
        self._size_bytes = 0
        self._gas = 0
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
    def size_bytes(self) -> int:
        """Sum of the encoded sizes."""
        return self._size_bytes

    @property
    def gas(self) -> int:
        """Sum of the gas limits."""
        return self._gas

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

    def everything(self) -> list[PooledTransaction]:
        """All that waits, in the order of the nonces of each sender."""
        return [queue.by_nonce[nonce] for queue in self._queues.values() for nonce in sorted(queue.by_nonce)]

    def newer_than(self, order: int) -> list[PooledTransaction]:
        """What was admitted after the admission of that number and waits still, oldest first."""
        found = []
        for pooled in reversed(self._by_hash.values()):
            if pooled.order <= order:
                break
            found.append(pooled)
        return found[::-1]

    @property
    def admissions(self) -> int:
        """How many were tried so far: the ``order`` of the newest."""
        return self._order

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

    def missing_nonce(self, transaction_hash: bytes) -> int | None:
        """The nonce that its sender must send before a block can take a pooled transaction; None where it is ready."""
        pooled = self._by_hash.get(transaction_hash)
        if pooled is None:
            return None
        queue = self._queues[pooled.sender]
        missing = queue.nonce + queue.ready
        return missing if pooled.tx.nonce > missing else None

    def queued_nonces(self, sender: bytes) -> list[int]:
        """Nonces of the sender's transactions that wait behind a missing one, ascending."""
        queue = self._queues.get(sender)
        if queue is None or sender not in self._gapped:
            return []
        return sorted(nonce for nonce in queue.by_nonce if nonce >= queue.nonce + queue.ready)

    def departed(self, transaction_hash: bytes) -> Reason | None:
        """Why a transaction that waited here lately left without being in a block; None where that is not known."""
        return self._departed.get(transaction_hash)

    def _depart(self, transaction_hash: bytes, reason: Reason) -> Dropped:
        self._departed[transaction_hash] = reason
        if len(self._departed) > _DEPARTED_MAX:
            self._departed.popitem(last=False)
        return Dropped(transaction_hash, reason)

    # ---------------------------------------------------------------- admit

    def admit(
        self,
        tx: Transaction,
        sender: bytes,
        account: Account | None,
        now_ms: int,
        sender_class: SenderClass = SenderClass.INSTITUTION,
    ) -> Admitted | Refused:
        """Take a transaction whose signature, chain and intrinsic gas are right, or say why not.

        Args:
            tx: the transaction.
            sender: its recovered address.
            account: the sender's account in the state of the tip, None where it has none. Ignored while
                something of the sender waits: the pool's own copy is as new as the last ``update``.
            now_ms: any clock that only grows.
            sender_class: whose share of the blocks it uses.
        """
        if tx.hash in self._by_hash:
            return Refused(Reason.ALREADY_KNOWN, "the transaction waits already")
        limits = self._limits
        if len(tx.encoded) > limits.transaction_size_bytes_max:
            most = limits.transaction_size_bytes_max
            return Refused(Reason.TRANSACTION_TOO_LARGE, f"{len(tx.encoded)} bytes, at most {most}")
        if tx.gas_limit > limits.gas_limit_max:
            return Refused(
                Reason.GAS_LIMIT_TOO_HIGH,
                f"gas limit {tx.gas_limit}, at most {limits.gas_limit_max}",
                values={"gas_limit_max": limits.gas_limit_max},
            )
        tip = min(tx.max_priority_fee_per_gas, tx.max_fee_per_gas - self._base_fee)
        if tip < 0:
            return Refused(
                Reason.UNDERPRICED,
                f"fee cap {tx.max_fee_per_gas} below base fee {self._base_fee}",
                values={"max_fee_per_gas_needed": self._base_fee},
            )
        known = self._queues.get(sender)
        queue = known or _new_queue(account)
        cost = tx.gas_limit * tx.max_fee_per_gas + tx.value
        self._order += 1
        at_ms = now_ms + HEAVY_DELAY_MS if tx.gas_limit > HEAVY_GAS else now_ms
        pooled = PooledTransaction(tx, sender, tip, cost, now_ms, self._order, sender_class, at_ms)
        old = queue.by_nonce.get(tx.nonce)
        refusal = self._refuse_nonce(queue, tx.nonce) if old is None else self._refuse_replacement(old, pooled)
        refusal = refusal or self._refuse_gas(queue, tx.gas_limit - (old.tx.gas_limit if old else 0))
        if refusal:
            return refusal
        total = queue.cost + cost - (old.cost if old else 0)
        if total > queue.balance:
            return Refused(
                Reason.INSUFFICIENT_FUNDS,
                f"{total} wei needed together, balance is {queue.balance}",
                values={"needed": total, "balance": queue.balance},
            )
        if old is not None:
            size, gas = len(tx.encoded) - len(old.tx.encoded), tx.gas_limit - old.tx.gas_limit
            if not self._has_room(0, size, gas):
                return Refused(Reason.POOL_FULL, "no room for a replacement larger than what it replaces")
            self._swap(queue, old, pooled)
            return Admitted(tx.nonce < queue.nonce + queue.ready, (self._depart(old.tx.hash, Reason.REPLACED),))
        room = self._make_room(pooled, queue)
        if isinstance(room, Refused):
            return room
        if known is None:
            self._queues[sender] = queue
        self._insert(queue, pooled)
        return Admitted(tx.nonce < queue.nonce + queue.ready, room)

    def _refuse_nonce(self, queue: SenderQueue, nonce: int) -> Refused | None:
        if nonce < queue.nonce:
            message = f"nonce {nonce} is used up, the account's next is {queue.nonce}"
            return Refused(Reason.NONCE_TOO_LOW, message, next_nonce=queue.nonce + queue.ready)
        missing = queue.nonce + queue.ready
        if nonce > missing + self._limits.gap_max:
            return Refused(
                Reason.NONCE_GAP_TOO_LARGE,
                f"nonce {nonce} is more than {self._limits.gap_max} beyond {missing}, which is missing",
                next_nonce=missing,
                values={"gap_max": self._limits.gap_max},
            )
        if len(queue.by_nonce) >= self._limits.per_sender_max:
            return Refused(Reason.POOL_FULL, f"{self._limits.per_sender_max} transactions of this sender wait")
        return None

    def _refuse_gas(self, queue: SenderQueue, more: int) -> Refused | None:
        most = self._limits.per_sender_gas_max
        if not queue.gas or queue.gas + more <= most:
            return None
        waits = f"transactions with {queue.gas} gas of this sender wait"
        return Refused(Reason.POOL_FULL, f"{waits}, at most {most}; lower gas limits to what is used")

    def _refuse_replacement(self, old: PooledTransaction, new: PooledTransaction) -> Refused | None:
        if old.tip == 0 and new.tip == 0:
            waited = new.added_ms - old.added_ms
            if waited >= self._limits.replacement_wait_ms:
                return None
            wait = self._limits.replacement_wait_ms - waited
            return Refused(
                Reason.UNDERPRICED, f"raise the tip, or replace without one in {wait} ms", retry_after_ms=wait
            )
        tip, cap = _raised(old.tip), _raised(old.tx.max_fee_per_gas)
        if new.tip >= tip and new.tx.max_fee_per_gas >= cap:
            return None
        return Refused(
            Reason.UNDERPRICED,
            f"replacing needs a tip of {tip} and a fee cap of {cap} wei per gas",
            values={"max_priority_fee_per_gas_needed": tip, "max_fee_per_gas_needed": cap},
        )

    def _swap(self, queue: SenderQueue, old: PooledTransaction, new: PooledTransaction) -> None:
        """Put ``new`` where ``old`` was: same sender, same nonce, as ready as it."""
        del self._by_hash[old.tx.hash]
        self._by_hash[new.tx.hash] = new
        self._departed.pop(new.tx.hash, None)
        self._size_bytes += len(new.tx.encoded) - len(old.tx.encoded)
        self._gas += new.tx.gas_limit - old.tx.gas_limit
        queue.by_nonce[new.tx.nonce] = new
        queue.cost += new.cost - old.cost
        queue.gas += new.tx.gas_limit - old.tx.gas_limit
        self._index(queue, new)

    def _insert(self, queue: SenderQueue, pooled: PooledTransaction) -> None:
        self._by_hash[pooled.tx.hash] = pooled
        self._departed.pop(pooled.tx.hash, None)
        self._size_bytes += len(pooled.tx.encoded)
        self._gas += pooled.tx.gas_limit
        queue.by_nonce[pooled.tx.nonce] = pooled
        queue.cost += pooled.cost
        queue.gas += pooled.tx.gas_limit
        if pooled.tx.nonce == queue.nonce + queue.ready:
            self._extend_ready(queue)
        self._note_gap(pooled.sender, queue)
        self._index(queue, pooled)

    def _note_gap(self, sender: bytes, queue: SenderQueue) -> None:
        if len(queue.by_nonce) > queue.ready:
            self._gapped[sender] = None
        else:
            self._gapped.pop(sender, None)

    def _index(self, queue: SenderQueue, pooled: PooledTransaction) -> None:
        """Enter a transaction in the heaps."""
        heappush(self._cheapest, (pooled.tip, -pooled.order, pooled))
        if pooled.tx.nonce == queue.nonce:
            heappush(self._heads, (pooled.at_ms, pooled.order, pooled))
        if len(self._cheapest) > 2 * len(self._by_hash) + _STALE_SLACK:
            self._rebuild_heaps()

    def _rebuild_heaps(self) -> None:
        self._cheapest = [(p.tip, -p.order, p) for p in self._by_hash.values()]
        heapify(self._cheapest)
        first = [q.by_nonce[q.nonce] for q in self._queues.values() if q.ready]
        self._heads = [(p.at_ms, p.order, p) for p in first]
        heapify(self._heads)

    def _extend_ready(self, queue: SenderQueue) -> None:
        before = queue.ready
        following = queue.nonce + before
        while following in queue.by_nonce:
            following += 1
        queue.ready = following - queue.nonce
        self._ready_count += queue.ready - before

    # ---------------------------------------------------------------- room

    def _make_room(self, pooled: PooledTransaction, queue: SenderQueue) -> tuple[Dropped, ...] | Refused:
        """Drop what ``pooled`` outranks until it fits; refuse it where even that is not enough."""
        limits = self._limits
        ready = pooled.tx.nonce == queue.nonce + queue.ready
        if not ready and len(self._by_hash) - self._ready_count >= limits.queued_max:
            return Refused(Reason.POOL_FULL, f"{limits.queued_max} transactions wait behind a missing nonce")
        size, gas = len(pooled.tx.encoded), pooled.tx.gas_limit
        dropped: list[Dropped] = []
        while not self._has_room(1, size, gas):
            victim = self._victim(pooled, queue, ready=ready)
            if victim is None:
                full = f"{len(self)} transactions of {self._size_bytes} bytes and {self._gas} gas wait"
                return Refused(Reason.POOL_FULL, full, tuple(dropped))
            dropped += self._drop_from(victim, Reason.POOL_FULL)
        return tuple(dropped)

    def _has_room(self, count: int, size: int, gas: int) -> bool:
        limits = self._limits
        return (
            len(self._by_hash) + count <= limits.count_max
            and self._size_bytes + size <= limits.size_bytes_max
            and self._gas + gas <= limits.gas_max
        )

    def _victim(self, newcomer: PooledTransaction, queue: SenderQueue, *, ready: bool) -> PooledTransaction | None:
        """What has to go for ``newcomer``, of whose sender ``queue`` waits already."""
        if ready and len(self._by_hash) > self._ready_count:
            queued = self._last_queued(newcomer.sender)
            if queued is not None:
                return queued
        count, gas = len(queue.by_nonce) + 1, queue.gas + newcomer.tx.gas_limit
        heaviest = self._tail_of_heaviest(newcomer.sender, 2 * self._weight(count, gas))
        return heaviest or self._outbid(newcomer, self._weight(count, gas))

    def _outbid(self, newcomer: PooledTransaction, weight: float) -> PooledTransaction | None:
        """The cheapest transaction, if the newcomer pays at least a tenth more and its sender holds no more."""
        while self._cheapest:
            tip, _, pooled = self._cheapest[0]
            if self._by_hash.get(pooled.tx.hash) is not pooled:
                heappop(self._cheapest)
                continue
            if pooled.sender != newcomer.sender and newcomer.tip >= _raised(tip):
                return pooled if self._weight_of(pooled.sender) >= weight else None
            break
        return None

    def _weight(self, count: int, gas: int) -> float:
        """How much of the pool a sender holds, by count or by gas, whichever is more."""
        return max(count / self._limits.count_max, gas / self._limits.gas_max)

    def _weight_of(self, sender: bytes) -> float:
        queue = self._queues.get(sender)
        return self._weight(len(queue.by_nonce), queue.gas) if queue else 0.0

    def _last_queued(self, spared: bytes) -> PooledTransaction | None:
        sender = next((s for s in reversed(self._gapped) if s != spared), None)
        if sender is None:
            return None
        queue = self._queues[sender]
        return queue.by_nonce[max(queue.by_nonce)]

    def _tail_of_heaviest(self, spared: bytes, weight: float) -> PooledTransaction | None:
        """The last transaction of a sender that holds more than ``weight``; of the one that holds most, or nearly."""
        if not self._heavy and self._order - self._heavy_found_at >= len(self._queues) // _SENDERS_FOR_SCAN:
            self._heavy_found_at = self._order
            self._heavy = nlargest(_HEAVY_BATCH, self._queues, key=self._weight_of)
            self._heavy.reverse()
        while self._heavy:
            sender = self._heavy[-1]
            if sender != spared and self._weight_of(sender) > weight:
                queue = self._queues[sender]
                return queue.by_nonce[max(queue.by_nonce)]
            self._heavy.pop()
        return None

    def _drop_from(self, pooled: PooledTransaction, reason: Reason) -> list[Dropped]:
        """Drop a transaction and, since they could only wait behind the hole, those of its sender after it."""
        queue = self._queues[pooled.sender]
        nonces = [nonce for nonce in queue.by_nonce if nonce >= pooled.tx.nonce]
        return [self._remove(queue, nonce, reason) for nonce in nonces]

    def _remove(self, queue: SenderQueue, nonce: int, reason: Reason) -> Dropped:
        pooled = queue.by_nonce.pop(nonce)
        del self._by_hash[pooled.tx.hash]
        self._size_bytes -= len(pooled.tx.encoded)
        self._gas -= pooled.tx.gas_limit
        queue.cost -= pooled.cost
        queue.gas -= pooled.tx.gas_limit
        if nonce < queue.nonce + queue.ready:
            keep = max(0, nonce - queue.nonce)
            self._ready_count -= queue.ready - keep
            queue.ready = keep
        self._note_gap(pooled.sender, queue)
        if not queue.by_nonce:
            del self._queues[pooled.sender]
        return self._depart(pooled.tx.hash, reason)

    # ---------------------------------------------------------------- select

    def select(self, gas_limit: int, size_bytes_max: int, now_ms: int) -> Selection:
        """Ready transactions for a block, by shares and age, the nonces of a sender in order.

        Lazy: the builder takes as many as its time allows, and reports what each cost. A transaction that no longer
        fits in ``gas_limit`` or ``size_bytes_max`` holds back its sender's later ones, nobody else's.
        """
        return Selection(
            heads=self._heads.copy(),  # Pointers only: 16,384 of them copy in about 40 us.
            waiting=self._by_hash,
            queues=self._queues,
            shares=self._shares,
            gas_limit=gas_limit,
            gas_left=gas_limit,
            size_left=size_bytes_max,
            now_ms=now_ms,
        )

    def charge(
        self, tx: Transaction, sender: bytes, sender_class: SenderClass, gas: int, time_us: int, now_ms: int
    ) -> None:
        """Count against a sender what its transaction in another's block cost this node."""
        self._shares.charge(sender, sender_class, gas, time_us, now_ms, heavy=tx.gas_limit > HEAVY_GAS)

    def class_of(self, sender: bytes) -> SenderClass | None:
        """The class of a sender of whom something waits."""
        queue = self._queues.get(sender)
        return None if queue is None else next(iter(queue.by_nonce.values())).sender_class

    def takeable_in_ms(self, now_ms: int) -> int | None:
        """How long until a block may take something: 0 now, None where nothing is ready."""
        earliest: float | None = None
        for _, _, pooled in self._heads:
            if self._by_hash.get(pooled.tx.hash) is not pooled:
                continue
            heavy = pooled.tx.gas_limit > HEAVY_GAS
            at = self._shares.eligible_at_ms(pooled.sender, pooled.sender_class, heavy=heavy)
            if at <= now_ms:
                return 0
            earliest = at if earliest is None else min(earliest, at)
        return None if earliest is None else int(earliest - now_ms) + 1

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
        return (*self._follow(changed, accounts, included, now_ms), *self._expire(now_ms))

    def _follow(
        self,
        senders: Collection[bytes],
        accounts: Mapping[bytes, Account | None],
        included: Collection[bytes],
        now_ms: int,
    ) -> list[Dropped]:
        dropped: list[Dropped] = []
        gone = included if isinstance(included, (set, frozenset)) else frozenset(included)
        for sender in list(senders):
            queue = self._queues.get(sender)
            if queue is None:
                continue
            now = accounts.get(sender) or EMPTY_ACCOUNT
            if now.nonce > queue.nonce:
                behind = self._advance(sender, queue, now.nonce, now_ms)
                dropped += [self._depart(p.tx.hash, Reason.NONCE_TOO_LOW) for p in behind if p.tx.hash not in gone]
            queue.balance = now.balance
            if queue.cost > now.balance:
                dropped += self._drop_unpayable(queue)
        while self._heads and self._by_hash.get(self._heads[0][2].tx.hash) is not self._heads[0][2]:
            heappop(self._heads)
        return dropped

    def _advance(self, sender: bytes, queue: SenderQueue, nonce: int, now_ms: int) -> list[PooledTransaction]:
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
            self._gas -= pooled.tx.gas_limit
            queue.cost -= pooled.cost
            queue.gas -= pooled.tx.gas_limit
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
            turn_ms = self._shares.next_turn_ms(first.sender_class, now_ms, heavy=first.tx.gas_limit > HEAVY_GAS)
            first.at_ms = max(first.at_ms, turn_ms)
            heappush(self._heads, (first.at_ms, first.order, first))
        return left

    def _drop_unpayable(self, queue: SenderQueue) -> list[Dropped]:
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

    def _expire_queued(self, queue: SenderQueue, now_ms: int) -> list[Dropped]:
        end = queue.nonce + queue.ready
        latest = now_ms - self._limits.queued_lifetime_ms
        expired = [n for n, pooled in queue.by_nonce.items() if n >= end and pooled.added_ms <= latest]
        return [self._remove(queue, n, Reason.EXPIRED) for n in expired]

    def drop(self, transaction_hash: bytes, reason: Reason) -> tuple[Dropped, ...]:
        """Drop a transaction that the block builder found invalid, with those of its sender after it."""
        pooled = self._by_hash.get(transaction_hash)
        return () if pooled is None else tuple(self._drop_from(pooled, reason))


def _new_queue(account: Account | None) -> SenderQueue:
    known = account or EMPTY_ACCOUNT
    return SenderQueue(known.nonce, known.balance)


def _raised(price: int) -> int:
    """The least price that outbids ``price``: a tenth more, and at least 1 wei."""
    return price + max(1, -(-price // 10))

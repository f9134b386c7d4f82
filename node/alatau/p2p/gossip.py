"""Who has which transaction: sends each once to each peer that has not shown it.

A batch names its recipients, so that in a full mesh nobody passes on what its neighbour got from the same hand;
without that every transaction would cross every link in both directions.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from alatau.crypto.keccak import keccak256
from alatau.wire.gossip import TransactionBatch


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A batch for some peers."""

    peers: tuple[bytes, ...]
    transactions: tuple[bytes, ...]


def in_batches(transactions: Sequence[bytes], count_max: int, bytes_max: int) -> Iterator[Sequence[bytes]]:
    """Transactions in the order given, as many in a batch as fit; one that is too long by itself goes alone."""
    start = size = 0
    for at, transaction in enumerate(transactions):
        if at > start and (at - start >= count_max or size + len(transaction) > bytes_max):
            yield transactions[start:at]
            start, size = at, 0
        size += len(transaction)
    if start < len(transactions):
        yield transactions[start:]


class Gossip:
    """Which peers have which transaction, and what is to be sent. Bounded by forgetting the oldest."""

    def __init__(self, seen_max: int) -> None:
        self._seen_max = seen_max
        self._holders: dict[bytes, int] = {}
        """Hash -> bit mask of the peers that have the transaction, oldest first."""
        self._bits: dict[bytes, int] = {}
        """Peer id -> its bit. Ids come from the registry, so there are few."""
        self._waiting: dict[bytes, bytes] = {}
        """Hash -> transaction, to be sent with the next flush."""
        self._waiting_bytes = 0

    def set_peers(self, peers: Iterable[bytes]) -> None:
        """Who may be named as a recipient; ids that a batch makes up take no room."""
        self._mask(peers)

    @property
    def waiting(self) -> int:
        """Transactions for the next flush."""
        return len(self._waiting)

    @property
    def waiting_bytes(self) -> int:
        """Their bytes."""
        return self._waiting_bytes

    def receive(self, peer_id: bytes, batch: TransactionBatch) -> tuple[bytes, ...]:
        """Note what a peer has shown; gives the transactions that nobody had shown before."""
        mask = self._bit(peer_id)
        for recipient in batch.recipients:
            mask |= self._bits.get(recipient, 0)
        fresh = []
        for transaction in batch.transactions:
            hash_ = keccak256(transaction)
            holders = self._holders.get(hash_)
            if holders is None:
                fresh.append(transaction)
            self._remember(hash_, (holders or 0) | mask)
        return tuple(fresh)

    def offer(self, transactions: Iterable[bytes]) -> None:
        """Send these with the next flush to every peer that has not shown them."""
        for transaction in transactions:
            hash_ = keccak256(transaction)
            if hash_ not in self._waiting:
                self._waiting[hash_] = transaction
                self._waiting_bytes += len(transaction)

    def flush(self, peers: Sequence[bytes]) -> list[Outgoing]:
        """Take what waits, as one batch for each group of peers that lack the same; they count as holders then."""
        waiting, self._waiting, self._waiting_bytes = self._waiting, {}, 0
        lacking: dict[tuple[bytes, ...], list[bytes]] = {}
        masks = [(hash_, self._holders.get(hash_, 0)) for hash_ in waiting]
        for peer in peers:
            bit = self._bit(peer)
            hashes = tuple(hash_ for hash_, mask in masks if not mask & bit)
            if hashes:
                lacking.setdefault(hashes, []).append(peer)
        everyone = self._mask(peers)
        for hash_, mask in masks:
            self._remember(hash_, mask | everyone)
        return [Outgoing(tuple(group), tuple(waiting[hash_] for hash_ in hashes)) for hashes, group in lacking.items()]

    def _remember(self, hash_: bytes, mask: int) -> None:
        self._holders[hash_] = mask
        if len(self._holders) > self._seen_max:
            del self._holders[next(iter(self._holders))]

    def _mask(self, peers: Iterable[bytes]) -> int:
        mask = 0
        for peer in peers:
            mask |= self._bit(peer)
        return mask

    def _bit(self, peer: bytes) -> int:
        bit = self._bits.get(peer)
        if bit is None:
            bit = self._bits[peer] = 1 << len(self._bits)
        return bit

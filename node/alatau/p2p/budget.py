"""What a peer may make this node do: signatures to check, blocks and transactions to read.

Messages are no measure: one may carry a vote or five hundred. A budget is a member's, over all its sessions, so that
a new connection renews nothing. What exceeds it is not read on, and waits in the peer's own queues.
"""

from typing import Any, Final

from alatau.p2p.counters import Counters
from alatau.p2p.methods import Lane
from alatau.p2p.settings import Settings
from alatau.transport.rates import TokenBucket
from alatau.wire.consensus import votes_in

BURST_S: Final = 5.0
"""A peer that was quiet may send so many seconds' worth at once."""
_TRANSACTION_BYTES: Final = 1_024
"""Of a transaction that counts as one; a longer one counts as one more for each KiB begun."""
_VOTE_BYTES: Final = 4_096
"""What the check of a vote costs as much as: reading so many bytes of a block."""
_PROPOSALS_PER_BLOCK: Final = 10
"""A proposal costs at least a tenth of the longest block: its signature and its validation cost something too."""
_KEYS_PER_VOTE: Final = 8
_SESSIONS_PER_S: Final = 1.0
"""Who loses its connection again and again dials at most every 2.5 s in the long run, since its pauses double."""
_SESSIONS_BURST: Final = 64.0


class Budget:
    """Of one member."""

    def __init__(self, settings: Settings, counters: Counters) -> None:
        self._counters = counters
        block = settings.block_size_bytes_max
        self._block_part = block / _PROPOSALS_PER_BLOCK
        rates = {
            Lane.CONSENSUS: settings.votes_per_s,
            Lane.PROPOSALS: settings.blocks_per_s * block,
            Lane.TRANSACTIONS: settings.transactions_per_s,
        }
        self._buckets = {lane: TokenBucket(rate, max(rate * BURST_S, 1.0)) for lane, rate in rates.items()}
        self._most = {lane: max(rate * BURST_S, 1.0) for lane, rate in rates.items()}
        self.suspicions = TokenBucket(settings.suspicions_per_s, settings.suspicions_max)
        """The allowance for what a correct peer does now and then."""
        self.sessions = TokenBucket(_SESSIONS_PER_S, _SESSIONS_BURST)
        """The allowance for opening sessions."""

    def take(self, lane: Lane, message: Any) -> float:
        """Pay for a message that came in, as protobuf; gives for how many seconds to wait first, 0 where it is paid."""
        cost = min(self.cost(lane, message), self._most[lane])
        bucket = self._buckets[lane]
        if bucket.take(cost):
            return 0.0
        self._counters.throttled[lane] += 1
        return max(bucket.wait_s(cost), 0.001)

    def cost(self, lane: Lane, message: Any) -> float:
        """In votes, in bytes of a block, or in transactions."""
        match lane:
            case Lane.CONSENSUS:
                return max(1.0, votes_in(message), len(message.public_keys.keys) / _KEYS_PER_VOTE)
            case Lane.PROPOSALS:
                proposed = message.proposal
                return max(self._block_part, len(proposed.block) + _VOTE_BYTES * len(proposed.proof_of_lock))
            case Lane.TRANSACTIONS:
                transactions = message.batch.transactions
                return max(1.0, sum(1 + len(tx) // _TRANSACTION_BYTES for tx in transactions))

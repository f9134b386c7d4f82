"""How a node deals with its peers. Times in seconds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """Bounds and timings of the peer network."""

    host: str = "0.0.0.0"  # noqa: S104  peers are elsewhere; mutual TLS decides who gets in
    port: int = 0
    """0 takes a free one."""
    handshake_timeout_s: float = 5.0
    ping_interval_s: float = 5.0
    ping_timeout_s: float = 10.0
    """A peer that leaves a ping unanswered for this long is gone, whatever TCP thinks."""

    redial_s: float = 0.2
    """First pause before dialling again; doubles with every failure, with jitter."""
    redial_max_s: float = 5.0
    """Longest pause: a node that comes back is found again within this."""
    redial_refused_s: float = 30.0
    """Least pause after a refusal that will not pass by itself, such as another genesis."""
    introduce_s: float = 30.0
    """How often an observer that nobody lets in introduces itself: a member that restarts forgets its key."""
    fallback_dial_s: float = 2.0
    """How long the node whose turn it is not waits before it dials all the same."""
    ban_s: float = 30.0
    """How long a misbehaving peer is kept out for the first time; twice as long with every further time."""
    ban_max_s: float = 600.0
    """The longest ban. Bounded, since a validator with a bug is still needed for quorums."""
    ban_forgotten_s: float = 1_800.0
    """A peer that behaved for this long after a ban is kept out half as long the next time."""
    suspicions_max: float = 256.0
    """What a peer may do that a correct one does now and then, such as passing on a payment of somebody whose licence
    it saw a block earlier; above it, it is banned."""
    suspicions_per_s: float = 1.0
    """How fast that is forgiven."""
    goodbye_s: float = 1.0
    """How long a peer is given to take the reason for which its session ends."""

    consensus_queue_max: int = 4_096
    """Consensus messages that wait for a slow peer. The oldest is dropped: newer votes supersede it, and the
    core says its last votes again on a timer."""
    consensus_queue_bytes_max: int = 4 * 1024 * 1024
    proposals_queue_max: int = 4
    """Proposals that wait for a slow peer. The oldest is dropped: its round is most likely over."""
    transactions_queue_max: int = 256
    """Batches that wait for a slow peer. The newest is dropped: other peers bring it, or a proposal does."""
    transactions_queue_bytes_max: int = 4 * 1024 * 1024

    inbound_votes_max: int = 2_048
    """Votes of one peer that wait for the engine, 100 ms of checking; then its streams are not read on. Proposals
    count as half of it each: they hold a block."""
    inbound_transactions_max: int = 64
    """Batches from all peers that wait for the engine; a queue apart, so that they never stand before a vote."""
    votes_per_s: float = 500.0
    """From one peer; what is above waits. 25 ms of checking signatures in a second; a correct one sends two a round
    and, in rounds that last, those of a quorum."""
    blocks_per_s: float = 2.0
    """Proposals from one peer, in blocks of the greatest size; a smaller one counts as a tenth at least."""
    transactions_per_s: float = 4_096.0
    """From one peer, of up to 1 KiB; a longer one counts as one for each KiB begun."""

    gossip_interval_s: float = 0.02
    """How long a transaction waits for company before it goes out: a tenth of the shortest block interval."""
    gossip_transactions_max: int = 512
    gossip_bytes_max: int = 256 * 1024
    """A batch that reaches either goes out at once."""
    seen_max: int = 65_536
    """Transactions of which it is remembered which peers have them. About 200 bytes each."""

    sync_blocks_max: int = 256
    """Blocks in one answer."""
    sync_bytes_max: int = 8 * 1024 * 1024
    """Bytes after which an answer ends early."""
    sync_calls_per_peer_max: int = 2
    sync_timeout_s: float = 30.0
    """A fetch that takes longer is too slow to be of use."""
    sync_stall_s: float = 3.0
    """A peer that sends no block for this long during a fetch has stalled."""
    block_size_bytes_max: int = 4 * 1024 * 1024
    """As the chain's configuration says."""

"""What the services give to one caller and to all together. Every number has its reason; none is a setting."""

from dataclasses import dataclass, replace
from typing import Final

from alatau.types.chain_config import ChainConfig

_GAS_PER_BYTE: Final = 10
"""Least gas for a byte of call data (EIP-7623). Others cost more: those of an access list 58, of a payment 190."""

_GAS_PER_BYTE_BESIDE: Final = 32
"""Least gas for a byte that is said of a transaction beside its encoding: a payment makes 600, with its receipt."""

_BESIDE_THE_BLOCK_BYTES: Final = 160 * 1024
"""Of a message about a block: header, a commit of 1,000 validators, the places of the few transactions that fill it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the client API, on top of those of its listener (``transport.limits``)."""

    batch_transactions_max: int = 2_048
    """A batch is admitted in one go; this many cost about 0.1 s of one core to verify."""
    batch_bytes_max: int = 2 * 1024 * 1024
    """Half a message, so that the message limit never decides."""
    transaction_bytes_max: int = 131_072
    """128 KiB as geth's pool takes; twice the largest deployment (initcode of 49,152 bytes)."""
    message_bytes_max: int = 4 * 1024 * 1024
    """Of a message in either direction: what gRPC's clients take by default, in Go, Java, JavaScript, Rust. A network
    with larger blocks than the default gas limit allows has a listener that sends them (``message_bytes_for``)."""
    page_bytes_max: int = 3 * 1024 * 1024
    """Where a page of blocks or logs stops growing, leaving room for one more item below the message limit."""

    call_gas_max: int = 16_777_216
    """What a transaction may use at most (EIP-7825): a call that needs more could never be sent."""
    call_gas_least: int = 2_000_000
    """What a long call gets at least however many callers have long calls: about 0.15 s."""
    calls_waiting_max: int = 256
    """Calls that may wait for their turn in each lane, of all callers."""
    calls_waiting_each_max: int = 64
    """And of one caller: more would only wait longer than a client does."""
    call_wait_s_max: float = 5.0
    """Longest wait for a turn: half of what clients wait for an answer by default."""
    call_time_s_max: float = 2.0
    """Longest that a caller waits for a running call; its gas bounds the work itself."""
    reads_waiting_max: int = 2_048
    """Reads of older blocks that may wait for their turn: every stream and every call may have one."""
    reads_waiting_each_max: int = 1_024
    """And of one caller: all its streams, and as many calls."""

    wait_s_max: float = 300.0
    """Longest wait for a transaction; shorter where the caller's deadline is. Finality takes a second: who waits
    longer has lost its transaction, and learns it."""
    waits_max: int = 2_048
    """Calls that wait for finality, of all callers; each costs about 20 kB."""
    streams_max: int = 512
    """Open subscriptions and submit streams, of all callers. Each costs about 20 kB."""
    waiting_transactions_max: int = 20_000
    """Transactions that callers wait for at the same time."""
    progress_s: float = 12.0
    """A subscription says at least so often how far it is complete, whatever the blocks do: load balancers cut what is
    silent for 60 s, mobile networks sooner."""
    recent_blocks: int = 8
    """Decided blocks kept in memory for subscribers; older ones come from the store."""

    calls_max: int = 8_192
    """Calls under way on the listener, of all callers, about 20 kB each. More than all that may last together (streams,
    waits, turns, and transactions that wait to be checked), so that there is always room for a status or a payment."""
    calls_each_max: int = 4_096
    """And of one caller: more than it can have lasting ones (``with_streams`` keeps it so)."""

    transactions_per_s: float = 5_000.0
    """Submitted transactions a second of one caller: about what one core can verify."""
    transactions_burst: float = 20_000.0
    """At once, of a caller that has been quiet."""
    callers_max: int = 4_096
    """Callers whose rate is remembered; the one seen longest ago is forgotten first."""


_BRIEF_CALLS: Final = 1_536
"""Calls that one caller may have under way beside all its lasting ones."""


def with_streams(streams_max: int, message_bytes_max: int) -> Limits:
    """Limits for a number of streams: one caller may have all, and all waits, and still gets a status; others too."""
    default = Limits()
    each = max(default.calls_each_max, streams_max + default.waits_max + _BRIEF_CALLS)
    return replace(
        default,
        streams_max=streams_max,
        message_bytes_max=message_bytes_max,
        calls_each_max=each,
        calls_max=max(default.calls_max, each + default.calls_each_max),
    )


def message_bytes_for(config: ChainConfig) -> int:
    """Largest message that a network's blocks can make, in bytes; at least what clients take anyway.

    Of a block too large for an answer call data and logs are left out (``rpc.final_block``); what remains is its
    encoding, bounded by the size of blocks, and what is said beside it. Both together are bounded by gas.
    """
    beside = config.block_gas_limit // _GAS_PER_BYTE_BESIDE
    block = min(config.block_gas_limit // _GAS_PER_BYTE, config.block_size_bytes_max + beside)
    return max(Limits().message_bytes_max, block + _BESIDE_THE_BLOCK_BYTES)

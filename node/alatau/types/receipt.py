"""Receipts, logs and their bloom filter (Yellow Paper, section 4.4.1; EIP-658, EIP-2718)."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from alatau.codec import rlp
from alatau.crypto.keccak import keccak256
from alatau.types.header import BLOOM_SIZE

_ADDRESS_HEADER: Final = b"\x94"
_HASH_HEADER: Final = b"\xa0"
_BLOOM_HEADER: Final = b"\xb9\x01\x00"
"""RLP's headers of strings of 20, 32 and 256 bytes."""

_ROOT_SIZE: Final = 32

_BLOOM_CACHE: Final = 8_192
"""Values whose bits are kept, in 4 MB: contracts, event names and busy accounts come again in every block."""


@dataclass(frozen=True, slots=True)
class Log:
    """What LOG0..LOG4 emitted."""

    address: bytes
    topics: tuple[bytes, ...]
    """At most four, 32 bytes each."""
    data: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """The outcome of one transaction."""

    transaction_type: int
    succeeded: bool
    cumulative_gas_used: int
    """Gas used in the block up to and including this transaction."""
    logs: tuple[Log, ...]
    bloom: bytes
    """256 bytes, over the logs."""


def log_item(log: Log) -> rlp.Item:
    """The RLP item of a log."""
    return (log.address, log.topics, log.data)


def encode_receipt(receipt: Receipt) -> bytes:
    """The bytes that the receipts trie holds: the type's byte (but for legacy), then RLP.

    Put together by hand, because all widths but two are fixed: every payment encodes one.
    """
    body = rlp.wrap_list(
        (b"\x01" if receipt.succeeded else b"\x80")
        + rlp.encode(receipt.cumulative_gas_used)
        + _BLOOM_HEADER
        + receipt.bloom
        + rlp.wrap_list(b"".join([_encode_log(log) for log in receipt.logs]))
    )
    return body if receipt.transaction_type == 0 else bytes((receipt.transaction_type,)) + body


def _encode_log(log: Log) -> bytes:
    """RLP of :func:`log_item`."""
    topics = b"".join([_HASH_HEADER + topic for topic in log.topics])
    return rlp.wrap_list(_ADDRESS_HEADER + log.address + rlp.wrap_list(topics) + rlp.encode(log.data))


def decode_receipt(data: bytes) -> Receipt:
    """Read a receipt of Byzantium or later (EIP-658).

    Older ones, which hold the state root after the transaction where the status is now, are out of scope: no network
    of this node's had them.

    Raises:
        RlpError: no canonical receipt, or one from before Byzantium.
    """
    kind, body = (data[0], data[1:]) if b"\x00" < data[:1] < b"\x80" else (0, data)
    f = rlp.to_list(rlp.decode(body), 4)
    if isinstance(f[0], bytes) and len(f[0]) == _ROOT_SIZE:
        raise rlp.RlpError("a receipt from before Byzantium: a state root where EIP-658 has a status")
    status = rlp.to_uint(f[0], 8)
    if status > 1:
        raise rlp.RlpError(f"receipt's status is {status}, expected 0 or 1")
    logs = tuple(_log_from_item(item) for item in rlp.to_list(f[3]))
    return Receipt(kind, bool(status), rlp.to_uint(f[1], 64), logs, rlp.to_bytes(f[2], BLOOM_SIZE))


@lru_cache(maxsize=_BLOOM_CACHE)
def bloom_bits(value: bytes) -> int:
    """The three bits that ``value`` sets in a 2048-bit filter, as an integer (Yellow Paper, eq. 29-31)."""
    digest = keccak256(value)
    return (
        1 << (int.from_bytes(digest[0:2], "big") & 2047)
        | 1 << (int.from_bytes(digest[2:4], "big") & 2047)
        | 1 << (int.from_bytes(digest[4:6], "big") & 2047)
    )


def logs_bloom(logs: Iterable[Log]) -> bytes:
    """The 256-byte filter over the addresses and topics of ``logs``."""
    bits = 0
    for log in logs:
        bits |= bloom_bits(log.address)
        for topic in log.topics:
            bits |= bloom_bits(topic)
    return bits.to_bytes(BLOOM_SIZE, "big")


def _log_from_item(item: rlp.Decoded) -> Log:
    f = rlp.to_list(item, 3)
    topics = tuple(rlp.to_bytes(topic, 32) for topic in rlp.to_list(f[1]))
    return Log(rlp.to_bytes(f[0], 20), topics, rlp.to_bytes(f[2]))

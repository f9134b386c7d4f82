"""The block header: bit for bit an Ethereum header of the Prague and Osaka forks.

Fields in the order in which they are hashed (Yellow Paper, section 4.4; EIP-1559, 4895, 4844, 4788, 7685).
``docs/chain.md`` says what differs in meaning from a public chain.
"""

from dataclasses import dataclass
from typing import Final

from alatau.codec import rlp
from alatau.crypto.keccak import keccak256

ZERO_HASH: Final = bytes(32)
EMPTY_OMMERS_HASH: Final = keccak256(rlp.encode([]))
EMPTY_ROOT: Final = keccak256(rlp.encode(b""))
"""Root of an empty Merkle Patricia trie."""

EMPTY_REQUESTS_HASH: Final = bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
"""sha256 of no bytes: a block without execution requests (EIP-7685)."""

BLOOM_SIZE: Final = 256
NONCE: Final = bytes(8)
_FIELD_COUNT: Final = 21


@dataclass(frozen=True, slots=True)
class Header:
    """A block header. Hashes are 32 bytes, addresses 20."""

    parent_hash: bytes
    ommers_hash: bytes
    beneficiary: bytes
    """Address of the validator that built the block; unchanged when another proposes it again."""
    state_root: bytes
    transactions_root: bytes
    receipts_root: bytes
    logs_bloom: bytes
    """256 bytes."""
    difficulty: int
    number: int
    """The height."""
    gas_limit: int
    gas_used: int
    timestamp: int
    """Seconds since 1970, never below the parent's."""
    extra_data: bytes
    """Hash of the validator set that decides this height."""
    mix_hash: bytes
    """keccak256(parent hash, height as 32 bytes); not random."""
    nonce: bytes
    base_fee_per_gas: int
    withdrawals_root: bytes
    blob_gas_used: int
    excess_blob_gas: int
    parent_beacon_block_root: bytes
    """Hash of the commit of the parent block; zero in the first block after genesis."""
    requests_hash: bytes


def encode_header(header: Header) -> bytes:
    """RLP of the 21 fields."""
    return rlp.encode(
        (
            header.parent_hash,
            header.ommers_hash,
            header.beneficiary,
            header.state_root,
            header.transactions_root,
            header.receipts_root,
            header.logs_bloom,
            header.difficulty,
            header.number,
            header.gas_limit,
            header.gas_used,
            header.timestamp,
            header.extra_data,
            header.mix_hash,
            header.nonce,
            header.base_fee_per_gas,
            header.withdrawals_root,
            header.blob_gas_used,
            header.excess_blob_gas,
            header.parent_beacon_block_root,
            header.requests_hash,
        )
    )


def decode_header(data: bytes) -> Header:
    """Read a header; raises ``RlpError`` when a field has the wrong width."""
    return header_from_item(rlp.decode(data))


def header_from_item(item: rlp.Decoded) -> Header:
    """Read a header from a decoded list."""
    f = rlp.to_list(item, _FIELD_COUNT)
    return Header(
        parent_hash=rlp.to_bytes(f[0], 32),
        ommers_hash=rlp.to_bytes(f[1], 32),
        beneficiary=rlp.to_bytes(f[2], 20),
        state_root=rlp.to_bytes(f[3], 32),
        transactions_root=rlp.to_bytes(f[4], 32),
        receipts_root=rlp.to_bytes(f[5], 32),
        logs_bloom=rlp.to_bytes(f[6], BLOOM_SIZE),
        difficulty=rlp.to_uint(f[7]),
        number=rlp.to_uint(f[8], 64),
        gas_limit=rlp.to_uint(f[9], 64),
        gas_used=rlp.to_uint(f[10], 64),
        timestamp=rlp.to_uint(f[11], 64),
        extra_data=rlp.to_bytes(f[12], 32),
        mix_hash=rlp.to_bytes(f[13], 32),
        nonce=rlp.to_bytes(f[14], 8),
        base_fee_per_gas=rlp.to_uint(f[15]),
        withdrawals_root=rlp.to_bytes(f[16], 32),
        blob_gas_used=rlp.to_uint(f[17], 64),
        excess_blob_gas=rlp.to_uint(f[18], 64),
        parent_beacon_block_root=rlp.to_bytes(f[19], 32),
        requests_hash=rlp.to_bytes(f[20], 32),
    )


def header_hash(header: Header) -> bytes:
    """The block hash: keccak256 of the header's RLP."""
    return keccak256(encode_header(header))


def mix_hash_of(parent_hash: bytes, number: int) -> bytes:
    """The value that stands in for PREVRANDAO: predictable by design, so documented as not random."""
    return keccak256(parent_hash + number.to_bytes(32, "big"))

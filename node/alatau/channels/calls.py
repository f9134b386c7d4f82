"""Messages as the contracts take them: arguments of CityChannels and OfflineBonds, in the order of their ABI."""

from collections.abc import Sequence
from typing import Final, TypeAlias

from alatau.channels.messages import Lock, Parties, SignedVoucher, Voucher

NO_SIGNATURE: Final = b""
"""The contract's place for a signature that is not needed."""

PartiesArgument: TypeAlias = tuple[bytes, bytes, bytes]
LocksArgument: TypeAlias = list[tuple[bytes, int, int]]
ClaimArgument: TypeAlias = tuple[bytes, int, int, LocksArgument, bytes, bytes]
RequestArgument: TypeAlias = tuple[bytes, int, bytes]


def compact_signature(signature: bytes) -> bytes:
    """A 65-byte signature as the contracts take it: 64 bytes, the parity in the top bit of s (EIP-2098)."""
    assert len(signature) == 65, "a signature has 65 bytes"
    s = int.from_bytes(signature[32:64], "big") | signature[64] << 255
    return signature[:32] + s.to_bytes(32, "big")


def parties_argument(parties: Parties) -> PartiesArgument:
    """``Parties`` of the contracts."""
    return (parties.a, parties.b, parties.salt)


def locks_argument(locks: Sequence[Lock]) -> LocksArgument:
    """A list of locks, as ``settle`` takes it."""
    return [(lock.secret_hash, lock.amount, lock.expiry_block) for lock in locks]


def claim_argument(signed: SignedVoucher, receipt: bytes | None = None) -> ClaimArgument:
    """A voucher for ``close``, ``submit`` and their batches; its payee needs no receipt (65 bytes)."""
    voucher: Voucher = signed.voucher
    return (
        voucher.payer,
        voucher.nonce,
        voucher.transferred,
        locks_argument(voucher.locks),
        compact_signature(signed.signature),
        NO_SIGNATURE if receipt is None else compact_signature(receipt),
    )


NO_CLAIM: Final[ClaimArgument] = (bytes(20), 0, 0, [], NO_SIGNATURE, NO_SIGNATURE)
"""For ``close`` without a voucher."""


def own_request(party: bytes) -> RequestArgument:
    """A party that calls ``close`` itself signs no request."""
    return (party, 0, NO_SIGNATURE)


def request_argument(party: bytes, deadline: int, signature: bytes) -> RequestArgument:
    """A party's signed request to close, for whoever carries it."""
    return (party, deadline, compact_signature(signature))

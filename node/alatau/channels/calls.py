"""Messages as the contracts take them: arguments of CityChannels and OfflineBonds, in the order of their ABI."""

from collections.abc import Sequence
from typing import Final, TypeAlias

from alatau.channels.errors import ForgedMessageError
from alatau.channels.messages import Lock, Parties, SignedVoucher, Voucher
from alatau.crypto.secp256k1 import SIGNATURE_SIZE

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


def contract_signature(signature: bytes) -> bytes:
    """A signature of any scheme as the contracts take it: 65 bytes become 64, all others go as they are.

    Raises:
        ForgedMessageError: 65 bytes that are no signature of secp256k1. Nobody's: check it before it is carried.
    """
    if len(signature) != SIGNATURE_SIZE:
        return signature
    if signature[64] > 1 or signature[32] > 0x7F:
        raise ForgedMessageError("65 bytes whose parity is not 0 or 1, or whose s is above the order: no signature")
    return compact_signature(signature)


def parties_argument(parties: Parties) -> PartiesArgument:
    """``Parties`` of the contracts."""
    return (parties.a, parties.b, parties.salt)


def locks_argument(locks: Sequence[Lock]) -> LocksArgument:
    """A list of locks, as ``settle`` takes it."""
    return [(lock.secret_hash, lock.amount, lock.expiry_block) for lock in locks]


def claim_argument(signed: SignedVoucher, receipt: bytes | None = None) -> ClaimArgument:
    """A voucher for ``close``, ``submit`` and their batches; its payee needs no receipt."""
    voucher: Voucher = signed.voucher
    return (
        voucher.payer,
        voucher.nonce,
        voucher.transferred,
        locks_argument(voucher.locks),
        contract_signature(signed.signature),
        NO_SIGNATURE if receipt is None else contract_signature(receipt),
    )


NO_CLAIM: Final[ClaimArgument] = (bytes(20), 0, 0, [], NO_SIGNATURE, NO_SIGNATURE)
"""For ``close`` without a voucher."""


def own_request(party: bytes) -> RequestArgument:
    """A party that calls ``close`` itself signs no request."""
    return (party, 0, NO_SIGNATURE)


def request_argument(party: bytes, deadline: int, signature: bytes) -> RequestArgument:
    """A party's signed request to close, for whoever carries it."""
    return (party, deadline, contract_signature(signature))

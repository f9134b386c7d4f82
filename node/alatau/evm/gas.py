"""Prices that are not a single instruction's (Yellow Paper, appendix G, as changed by the EIPs named)."""

from typing import Final

COLD_ACCOUNT: Final = 2_600
"""First access to an account in a transaction (EIP-2929)."""
COLD_SLOT: Final = 2_100
"""First access to a slot in a transaction (EIP-2929)."""
WARM: Final = 100
"""Every further access (EIP-2929)."""

SLOT_SET: Final = 20_000
"""Writing a slot from zero (EIP-2200)."""
SLOT_RESET: Final = 5_000 - COLD_SLOT
"""Writing a slot that was not zero (EIP-2929)."""
SLOT_CLEAR_REFUND: Final = 4_800
"""Clearing a slot (EIP-3529)."""
STORE_SENTRY: Final = 2_300
"""SSTORE needs more gas than this: a call's stipend must not write (EIP-2200)."""

CALL_VALUE: Final = 9_000
CALL_STIPEND: Final = 2_300
NEW_ACCOUNT: Final = 25_000
CALL_DEPTH_MAX: Final = 1_024

MEMORY_WORD: Final = 3
COPY_WORD: Final = 3
KECCAK_WORD: Final = 6
INITCODE_WORD: Final = 2
"""EIP-3860."""
CODE_BYTE: Final = 200
"""Per byte of deployed code."""
CODE_SIZE_MAX: Final = 24_576
"""EIP-170."""
INITCODE_SIZE_MAX: Final = 2 * CODE_SIZE_MAX
"""EIP-3860."""

TRANSACTION: Final = 21_000
TRANSACTION_CREATE: Final = 32_000
TOKEN: Final = 4
"""Per token of calldata; a zero byte is one token, another byte four (EIP-2028, EIP-7623)."""
TOKEN_FLOOR: Final = 10
"""Per token, at least, in all (EIP-7623)."""
ACCESS_LIST_ADDRESS: Final = 2_400
ACCESS_LIST_SLOT: Final = 1_900
"""EIP-2930."""
AUTHORIZATION: Final = 25_000
AUTHORIZATION_REFUND: Final = 12_500
"""Given back where the authority existed (EIP-7702)."""
REFUND_QUOTIENT: Final = 5
"""At most this part of the gas used is refunded (EIP-3529)."""
BLOB: Final = 2**17
"""Blob gas per blob (EIP-4844)."""


def memory_gas(size: int) -> int:
    """What a memory of ``size`` bytes, a multiple of 32, costs in all (Yellow Paper, eq. 330)."""
    words = size >> 5
    return MEMORY_WORD * words + (words * words >> 9)

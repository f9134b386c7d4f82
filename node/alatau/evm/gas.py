"""All prices of the machine, in gas.

Names ``G_...`` and ``R_...`` are those of the Yellow Paper's fee schedule (appendix G), their values those that the
EIPs named gave them since. What came after the paper has the name that its EIP gives it. Only what is no number
stays with its precompile: the formula of MODEXP and the discounts of EIP-2537.
"""

from typing import Final

# Instructions.

G_ZERO: Final = 0
"""STOP, RETURN, REVERT; and instructions that are priced as they run."""
G_JUMPDEST: Final = 1
G_BASE: Final = 2
G_VERYLOW: Final = 3
G_LOW: Final = 5
G_MID: Final = 8
G_HIGH: Final = 10
G_BLOCKHASH: Final = 20
G_KECCAK256: Final = 30
G_KECCAK256WORD: Final = 6
"""Per started word that is hashed."""
G_COPY: Final = 3
"""Per started word that is copied."""
G_EXP: Final = 10
G_EXPBYTE: Final = 50
"""Per byte of the exponent (EIP-160)."""
G_LOG: Final = 375
G_LOGTOPIC: Final = 375
G_LOGDATA: Final = 8
"""Per byte of a log's data."""
G_MEMORY: Final = 3
"""Per word of memory; ``memory_gas`` adds the square."""
HASH_OPCODE_GAS: Final = 3
"""BLOBHASH (EIP-4844)."""

# State.

G_WARMACCESS: Final = 100
"""Access to an account or a slot that the transaction had accessed before (EIP-2929); TLOAD and TSTORE (EIP-1153)."""
G_COLDACCOUNTACCESS: Final = 2_600
"""First access to an account in a transaction (EIP-2929)."""
G_COLDSLOAD: Final = 2_100
"""First access to a slot in a transaction (EIP-2929)."""
G_SSET: Final = 20_000
"""Writing a slot from zero (EIP-2200)."""
G_SRESET: Final = 5_000 - G_COLDSLOAD
"""Writing a slot that was not zero (EIP-2929)."""
R_SCLEAR: Final = 4_800
"""Given back for clearing a slot (EIP-3529)."""
G_SELFDESTRUCT: Final = 5_000
G_NEWACCOUNT: Final = 25_000
"""Ether for an account that does not exist (EIP-161)."""

# Calls and creations.

G_CALLVALUE: Final = 9_000
G_CALLSTIPEND: Final = 2_300
"""Goes along with ether for free; SSTORE refuses to run on no more than it (EIP-2200)."""
G_CREATE: Final = 32_000
G_INITCODEWORD: Final = 2
"""Per started word of initcode (EIP-3860)."""
G_CODEDEPOSIT: Final = 200
"""Per byte of deployed code."""

# Transactions.

G_TRANSACTION: Final = 21_000
G_TXCREATE: Final = 32_000
G_ACCESSLISTADDRESS: Final = 2_400
"""EIP-2930."""
G_ACCESSLISTSTORAGE: Final = 1_900
"""EIP-2930."""
TOKENS_PER_NONZERO_BYTE: Final = 4
"""A zero byte of calldata is one token, another byte four (EIP-2028, EIP-7623)."""
STANDARD_TOKEN_COST: Final = 4
"""Per token of calldata (EIP-7623). The Yellow Paper's G_txdatazero; four of them are G_txdatanonzero."""
TOTAL_COST_FLOOR_PER_TOKEN: Final = 10
"""Per token, at least, in all (EIP-7623)."""
PER_EMPTY_ACCOUNT_COST: Final = 25_000
"""Per authorization (EIP-7702)."""
PER_AUTH_BASE_COST: Final = 12_500
"""What of it stays if the authority existed; the rest is given back (EIP-7702)."""
MAX_REFUND_QUOTIENT: Final = 5
"""At most this part of the gas used is refunded (EIP-3529)."""
GAS_PER_BLOB: Final = 2**17
"""Blob gas (EIP-4844)."""

# Precompiles (Yellow Paper, appendix E; the EIPs named).

GAS_ECRECOVER: Final = 3_000
GAS_SHA256: Final = 60
GAS_SHA256_WORD: Final = 12
GAS_RIPEMD160: Final = 600
GAS_RIPEMD160_WORD: Final = 120
GAS_IDENTITY: Final = 15
GAS_IDENTITY_WORD: Final = 3
GAS_MODEXP_MIN: Final = 200
"""EIP-2565."""
GAS_MODEXP_MIN_OSAKA: Final = 500
"""EIP-7883."""
GAS_ECADD: Final = 150
"""EIP-1108, as the next three."""
GAS_ECMUL: Final = 6_000
GAS_ECPAIRING: Final = 45_000
GAS_ECPAIRING_PAIR: Final = 34_000
GAS_BLAKE2F_ROUND: Final = 1
"""EIP-152."""
GAS_POINT_EVALUATION: Final = 50_000
"""EIP-4844."""
GAS_BLS12_G1ADD: Final = 375
"""EIP-2537, as the next seven."""
GAS_BLS12_G1MUL: Final = 12_000
GAS_BLS12_G2ADD: Final = 600
GAS_BLS12_G2MUL: Final = 22_500
GAS_BLS12_PAIRING: Final = 37_700
GAS_BLS12_PAIRING_PAIR: Final = 32_600
GAS_BLS12_MAP_FP_TO_G1: Final = 5_500
GAS_BLS12_MAP_FP2_TO_G2: Final = 23_800
GAS_P256VERIFY: Final = 6_900
"""EIP-7951."""


def words(size: int) -> int:
    """Started 32-byte words of ``size`` bytes."""
    return size + 31 >> 5


def memory_gas(size: int) -> int:
    """What a memory of ``size`` bytes, a multiple of 32, costs in all (Yellow Paper, eq. 330)."""
    count = size >> 5
    return G_MEMORY * count + (count * count >> 9)

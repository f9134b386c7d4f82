"""Limits of the machine that are no prices."""

from typing import Final

STACK_MAX: Final = 1_024
"""Words (Yellow Paper, section 9.1)."""
CALL_DEPTH_MAX: Final = 1_024
"""Calls within calls (Yellow Paper, section 8)."""
CODE_SIZE_MAX: Final = 24_576
"""Bytes of a contract (EIP-170)."""
INITCODE_SIZE_MAX: Final = 2 * CODE_SIZE_MAX
"""Bytes (EIP-3860)."""
NONCE_MAX: Final = 2**64 - 1
"""No account reaches it (EIP-2681)."""
BLOCK_HASHES: Final = 256
"""BLOCKHASH reaches back this many blocks (Yellow Paper, section 9.4)."""

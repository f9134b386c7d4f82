"""Set-code authorizations: an account points its code to a contract (EIP-7702)."""

from collections.abc import Sequence
from typing import Final

from alatau.crypto.keccak import EMPTY_HASH
from alatau.crypto.secp256k1 import HALF_ORDER, SignatureError, recover_address
from alatau.evm.bounds import NONCE_MAX
from alatau.evm.calls import DESIGNATION, delegate_of
from alatau.evm.environment import BlockEnvironment
from alatau.evm.gas import PER_AUTH_BASE_COST, PER_EMPTY_ACCOUNT_COST
from alatau.state.block_state import (
    BlockState,
    code_hash_of,
    code_with_hash,
    exists,
    nonce_of,
    set_code,
    set_nonce,
)
from alatau.types.transaction import Authorization, authorization_digest

_NULL_ADDRESS: Final = bytes(20)


def apply_authorizations(block: BlockEnvironment, state: BlockState, authorizations: Sequence[Authorization]) -> int:
    """Apply each authorization that is valid and pass over the others; give the gas to refund.

    They hold even if the transaction's execution fails.
    """
    return sum(_apply(block, state, authorization) for authorization in authorizations)


def authority_of(authorization: Authorization) -> bytes | None:
    """Who signed, or None where nobody did."""
    a = authorization
    if a.y_parity > 1 or a.s > HALF_ORDER or a.r >= 1 << 256:
        return None
    try:
        signature = a.r.to_bytes(32) + a.s.to_bytes(32) + bytes((a.y_parity,))
        return recover_address(authorization_digest(a.chain_id, a.address, a.nonce), signature)
    except SignatureError:
        return None


def _apply(block: BlockEnvironment, state: BlockState, authorization: Authorization) -> int:
    """EIP-7702, "Behavior", steps 1 to 9."""
    if authorization.chain_id not in (0, block.chain_id) or authorization.nonce >= NONCE_MAX:
        return 0
    authority = authority_of(authorization)
    if authority is None:
        return 0
    state.warm[authority] = None
    code = code_with_hash(state, code_hash_of(state, authority))
    if code and delegate_of(code) is None:
        return 0
    if nonce_of(state, authority) != authorization.nonce:
        return 0
    refund = PER_EMPTY_ACCOUNT_COST - PER_AUTH_BASE_COST if exists(state, authority) else 0
    if authorization.address == _NULL_ADDRESS:
        if code_hash_of(state, authority) != EMPTY_HASH:
            set_code(state, authority, b"")
    else:
        set_code(state, authority, DESIGNATION + authorization.address)
    set_nonce(state, authority, authorization.nonce + 1)
    return refund

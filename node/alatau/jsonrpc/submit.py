"""``eth_sendRawTransaction``, with geth's words for what is wrong: tools look for them."""

from typing import Any

from alatau.crypto.keccak import keccak256
from alatau.jsonrpc.asked import Asked
from alatau.jsonrpc.errors import SERVER_ERROR, JsonRpcError
from alatau.jsonrpc.values import data, read_data
from alatau.rpc.node import Refusal
from alatau.rpc.services import Parts
from alatau.types.transaction import TransactionError, decode_transaction
from alatau.wire.transaction import TransactionState


class SubmitMethods:
    """The way into the pool."""

    def __init__(self, parts: Parts) -> None:
        self._node = parts.node
        self._submission = parts.submission

    async def send_raw_transaction(self, asked: Asked) -> Any:
        """Offer a transaction; its hash, once the pool has it."""
        asked.most(1)
        encoded = asked.at(0, read_data)
        hash_ = keccak256(encoded)
        if self._node.mempool.pooled(hash_) is not None:
            raise JsonRpcError(SERVER_ERROR, "already known")
        ((state, refusal),) = await self._submission.offer([encoded], asked.call)
        if state is TransactionState.FINAL:
            raise JsonRpcError(SERVER_ERROR, "already known")
        if refusal is not None:
            known: dict[str, Any] = {"reason": refusal.reason, **refusal.values}
            if refusal.next_nonce is not None:
                known["next_nonce"] = str(refusal.next_nonce)
            raise JsonRpcError(SERVER_ERROR, _text(refusal, encoded), known)
        return data(hash_)


def _text(refusal: Refusal, encoded: bytes) -> str:
    """What geth says, and behind it what the pool says."""
    prefix = _PREFIXES.get(refusal.reason)
    if refusal.reason == "UNDERPRICED":
        is_below = (
            "max_fee_per_gas_needed" in refusal.values and "max_priority_fee_per_gas_needed" not in refusal.values
        )
        prefix = "max fee per gas less than block base fee" if is_below else "replacement transaction underpriced"
    if refusal.reason == "NONCE_TOO_LOW":
        return f"nonce too low: next nonce {refusal.next_nonce}, tx nonce {_nonce(encoded)}"
    return refusal.message if prefix is None else f"{prefix}: {refusal.message}"


def _nonce(encoded: bytes) -> int | str:
    try:
        return decode_transaction(encoded).nonce
    except TransactionError:
        return "unknown"


_PREFIXES = {
    "GAS_LIMIT_TOO_HIGH": "exceeds block gas limit",
    "INSUFFICIENT_FUNDS": "insufficient funds for gas * price + value",
    "INTRINSIC_GAS_TOO_LOW": "intrinsic gas too low",
    "NONCE_GAP_TOO_LARGE": "nonce too high",
    "POOL_FULL": "txpool is full",
    "SIGNATURE_INVALID": "invalid sender",
    "SUBMISSION_QUEUE_FULL": "txpool is full",
    "TRANSACTION_MALFORMED": "rlp: the bytes are no transaction",
    "TRANSACTION_TOO_LARGE": "oversized data",
    "TRANSACTION_TYPE_UNSUPPORTED": "transaction type not supported",
    "WRONG_CHAIN": "invalid chain id for signer",
}
"""geth's texts (core/txpool/errors.go, core/error.go) by our reasons."""

"""The catalogue of errors that clients see: for each stable reason its gRPC code, whose fault it is and what to do.

The names are those of ``alatau.api.v1.ErrorReason``; docs/errors.md is this table for people, and a test keeps the
three equal. Adding a reason is compatible; changing one is not.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from alatau.pb.api.v1 import error_reason_pb2

DOMAIN: Final = "alatau"
"""``ErrorInfo.domain`` of all errors."""

_PREFIX = "ERROR_REASON_"


class Fault(StrEnum):
    """Who can mend it."""

    CALLER = "caller"
    """The request or the transaction is wrong as it is."""
    MOMENT = "moment"
    """Right in itself, but not now: the same request may succeed later, or elsewhere."""
    NODE = "node"
    """The node is at fault."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a reason means."""

    reason: str
    code: str
    """Name of the gRPC status code."""
    fault: Fault
    meaning: str
    advice: str
    """What the caller does about it."""


def _entry(reason: str, code: str, fault: Fault, meaning: str, advice: str) -> tuple[str, Entry]:
    return reason, Entry(reason, code, fault, meaning, advice)


_CALLER, _MOMENT, _NODE = Fault.CALLER, Fault.MOMENT, Fault.NODE

CATALOGUE: Final[dict[str, Entry]] = dict(
    (
        _entry(
            "INVALID_REQUEST",
            "INVALID_ARGUMENT",
            _CALLER,
            "A field of the request breaks a documented rule.",
            "Mend the fields that BadRequest names.",
        ),
        _entry(
            "INVALID_PAGE_TOKEN",
            "INVALID_ARGUMENT",
            _CALLER,
            "The page token was not issued for this request, or is damaged.",
            "Begin again without a token; keep the other fields the same from page to page.",
        ),
        _entry(
            "INVALID_CURSOR",
            "INVALID_ARGUMENT",
            _CALLER,
            "The cursor was not issued by SubscribeLogs, or is damaged.",
            "Begin from a height.",
        ),
        _entry(
            "MALFORMED_MESSAGE",
            "INVALID_ARGUMENT",
            _CALLER,
            "The bytes are no message of the method's request type.",
            "Generate the client from this node's definitions; reflection gives them.",
        ),
        _entry(
            "TRANSACTION_MALFORMED",
            "INVALID_ARGUMENT",
            _CALLER,
            "The bytes are no transaction: wrong RLP, unknown type, missing fields.",
            "Build and sign it again; send the envelope's raw bytes, not hex.",
        ),
        _entry(
            "SIGNATURE_INVALID",
            "INVALID_ARGUMENT",
            _CALLER,
            "The signature is missing, out of range, malleable (high s) or recovers no key.",
            "Sign again; s must be in the lower half of the order (EIP-2).",
        ),
        _entry(
            "WRONG_CHAIN",
            "INVALID_ARGUMENT",
            _CALLER,
            "The transaction is signed for another chain, or for none.",
            "Sign with the chain id that GetStatus tells.",
        ),
        _entry(
            "TRANSACTION_TOO_LARGE",
            "INVALID_ARGUMENT",
            _CALLER,
            "The transaction is larger than one transaction may be.",
            "Split it, or store the data elsewhere and its hash on the chain.",
        ),
        _entry(
            "TRANSACTION_TYPE_UNSUPPORTED",
            "INVALID_ARGUMENT",
            _CALLER,
            "The network does not take this type of transaction (blob transactions).",
            "Use type 0, 1, 2 or 4.",
        ),
        _entry(
            "GAS_LIMIT_TOO_HIGH",
            "INVALID_ARGUMENT",
            _CALLER,
            "The gas limit is above what one transaction (16,777,216, EIP-7825) or one block may use.",
            "Lower it; EstimateGas tells what is needed.",
        ),
        _entry(
            "INTRINSIC_GAS_TOO_LOW",
            "INVALID_ARGUMENT",
            _CALLER,
            "The gas limit does not pay for the transaction's own bytes.",
            "Raise it; EstimateGas tells what is needed.",
        ),
        _entry(
            "UNDERPRICED",
            "FAILED_PRECONDITION",
            _CALLER,
            "The fee is below the base fee or the pool's floor, or too low to replace the pooled transaction.",
            "Raise the fee; a replacement must pay at least 10% more.",
        ),
        _entry(
            "NONCE_TOO_LOW",
            "FAILED_PRECONDITION",
            _CALLER,
            "Another transaction of the sender with this nonce is final.",
            "Take the next nonce from GetAccount and sign again.",
        ),
        _entry(
            "NONCE_GAP_TOO_LARGE",
            "FAILED_PRECONDITION",
            _CALLER,
            "The nonce is further ahead of the account's than the pool keeps.",
            "Send the transactions before it first.",
        ),
        _entry(
            "INSUFFICIENT_FUNDS",
            "FAILED_PRECONDITION",
            _CALLER,
            "The sender cannot pay gas limit times fee plus value.",
            "Fund the account, or lower gas limit, fee or value.",
        ),
        _entry(
            "SENDER_NOT_PERMITTED",
            "PERMISSION_DENIED",
            _CALLER,
            "The sender is not an active participant, or may not deploy contracts.",
            "Ask the registry's council to admit the account, or to license it to deploy.",
        ),
        _entry(
            "SENDER_NOT_EXTERNALLY_OWNED",
            "FAILED_PRECONDITION",
            _CALLER,
            "The sender's account holds a contract's code (EIP-3607).",
            "Send from another account.",
        ),
        _entry(
            "TRANSACTION_INVALID",
            "INVALID_ARGUMENT",
            _CALLER,
            "Another rule of the chain refuses the transaction.",
            "The message says which rule.",
        ),
        _entry(
            "POOL_FULL",
            "RESOURCE_EXHAUSTED",
            _MOMENT,
            "The pool is full, or holds as many transactions of this sender as it may.",
            "Send again when RetryInfo says, more slowly.",
        ),
        _entry(
            "SUBMISSION_QUEUE_FULL",
            "RESOURCE_EXHAUSTED",
            _MOMENT,
            "The caller has as many transactions waiting to be checked as one caller may.",
            "Wait as long as RetryInfo says, then send again; wait for answers before sending more.",
        ),
        _entry(
            "TRANSACTION_NOT_FOUND",
            "NOT_FOUND",
            _MOMENT,
            "No transaction with this hash is pooled here or final.",
            "If it was sent, send it again: that cannot make it happen twice.",
        ),
        _entry(
            "TRANSACTION_DROPPED",
            "NOT_FOUND",
            _MOMENT,
            "The transaction waited here and left the pool without being in a block.",
            "Metadata `dropped` says why; where it is `EXPIRED` or `POOL_FULL`, send it again. `TOO_SLOW` took longer "
            "than a block may: do less in one.",
        ),
        _entry(
            "TRANSACTION_NOT_FINAL",
            "FAILED_PRECONDITION",
            _MOMENT,
            "The transaction is pooled but not final yet.",
            "Ask again when RetryInfo says, or set `wait`.",
        ),
        _entry(
            "BLOCK_NOT_FOUND",
            "NOT_FOUND",
            _CALLER,
            "No decided block has this hash, or genesis was asked for its commit.",
            "Check the hash and the network.",
        ),
        _entry(
            "HEIGHT_NOT_REACHED",
            "NOT_FOUND",
            _MOMENT,
            "The height is above the tip.",
            "Wait with SubscribeBlocks; metadata `height` is the tip, RetryInfo is there where it is near.",
        ),
        _entry(
            "STATE_PRUNED",
            "FAILED_PRECONDITION",
            _CALLER,
            "The state of this height is pruned: a node keeps that of the last 1,024 blocks.",
            "Ask a nearer height, or an archive.",
        ),
        _entry(
            "EXECUTION_REVERTED",
            "FAILED_PRECONDITION",
            _CALLER,
            "The call reverted.",
            "Metadata `revert_reason` is what the contract says, `revert_data` its bytes as 0x hex.",
        ),
        _entry(
            "EXECUTION_HALTED",
            "FAILED_PRECONDITION",
            _CALLER,
            "The call ran out of gas or broke another rule of the EVM.",
            "Raise the gas limit if it was out of gas; metadata `gas_used` tells what it had.",
        ),
        _entry(
            "CALL_GAS_TOO_HIGH",
            "INVALID_ARGUMENT",
            _CALLER,
            "The call asks for more gas than the node gives to a call.",
            "Ask for at most metadata `gas_max`.",
        ),
        _entry(
            "CALL_TOO_SLOW",
            "RESOURCE_EXHAUSTED",
            _MOMENT,
            "The call took longer than the node gives to a call.",
            "Split it into smaller calls.",
        ),
        _entry(
            "RATE_LIMITED",
            "RESOURCE_EXHAUSTED",
            _MOMENT,
            "The caller spends more than its rate.",
            "Wait for metadata `retry_in_ms`.",
        ),
        _entry(
            "SERVER_BUSY",
            "RESOURCE_EXHAUSTED",
            _MOMENT,
            "All places of this kind are in use; one that was this caller's may have gone to another who has fewer.",
            "Come back when RetryInfo says, or ask another node; what was submitted is not affected.",
        ),
        _entry(
            "TOO_MANY_CALLS",
            "RESOURCE_EXHAUSTED",
            _CALLER,
            "The caller has as many calls or streams of one kind open as one caller may.",
            "Finish some first, at most metadata `limit`; submit in batches. RetryInfo says when to try again.",
        ),
        _entry(
            "ROLE_REQUIRED",
            "PERMISSION_DENIED",
            _CALLER,
            "The caller's certificate has no role that may do this. The operator's file `rpc.client_roles` gives "
            "roles to keys.",
            "Use a certificate with the role in metadata `role`.",
        ),
        _entry(
            "KEY_NOT_TRUSTED",
            "PERMISSION_DENIED",
            _CALLER,
            "The TLS key of the caller is not, or no longer, trusted.",
            "Ask the operator to admit the key.",
        ),
        _entry(
            "ACCOUNT_INDEX_OFF",
            "FAILED_PRECONDITION",
            _CALLER,
            "The node keeps no index of accounts.",
            "Ask a node with `account_index` in `[storage]`, or by hash.",
        ),
        _entry(
            "NODE_SYNCING",
            "UNAVAILABLE",
            _MOMENT,
            "The node has no chain yet, or is still catching up.",
            "Ask another node, or again when RetryInfo says: GetStatus then says SYNCED, or not yet.",
        ),
        _entry(
            "NODE_STOPPING",
            "UNAVAILABLE",
            _MOMENT,
            "The node is stopping.",
            "Ask another node; submitting again is safe.",
        ),
        _entry(
            "NODE_CUT_OFF",
            "UNAVAILABLE",
            _MOMENT,
            "The node reaches no validator, because it has no peer or because they have banned it.",
            "Ask another node; nothing was taken here.",
        ),
        _entry(
            "NOT_FINAL_IN_TIME",
            "DEADLINE_EXCEEDED",
            _MOMENT,
            "The deadline passed before the transaction was final.",
            "Ask GetReceipt for it: it may still become final; where metadata `pooled` is `false`, send it again.",
        ),
        _entry(
            "INTERNAL",
            "INTERNAL",
            _NODE,
            "A fault of the node.",
            "Tell the node's operator when it happened: the node's log says why.",
        ),
    )
)


def reason_number(reason: str) -> "error_reason_pb2.ErrorReason.ValueType":
    """The value of ``ErrorReason`` for a name of the catalogue."""
    return error_reason_pb2.ErrorReason.Value(_PREFIX + reason)


def reason_name(number: int) -> str:
    """The name of an ``ErrorReason``; a number newer than this software reads as ``INTERNAL``."""
    known = error_reason_pb2.ErrorReason.values()
    return error_reason_pb2.ErrorReason.Name(number).removeprefix(_PREFIX) if number in known else "INTERNAL"  # type: ignore[arg-type]

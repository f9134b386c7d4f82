"""Plans that submit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from alatau.client.exchange import Pause, Plan, ask
from alatau.crypto.keccak import keccak256
from alatau.pb.api.v1 import transaction_service_pb2
from alatau.transport.errors import Code, RpcError
from alatau.types.transaction import Transaction
from alatau.wire.reasons import CATALOGUE, reason_name
from alatau.wire.receipt import TransactionReceipt, read_receipt
from alatau.wire.transaction import TransactionState

BATCH_COUNT_MAX = 1_024
"""Transactions in one message: at this number the cost of the call itself is below 1% of the whole."""
BATCH_BYTES_MAX = 1024 * 1024
"""Half of what a node takes."""
SUBMIT_TIMEOUT_S = 20.0
PATIENCE_S = 30.0
"""How long a transaction waits for room while none is taken: many intervals of blocks."""

_ROOM_PAUSE_S: Final = 0.25
"""Between two offers to a full pool: about a block."""
_PROBE_COUNT: Final = 64
"""Transactions that ask whether there is room: a refused one costs the node the recovery of its sender, 0.1 ms."""
_NO_ROOM: Final = frozenset({"RATE_LIMITED", "SERVER_BUSY", "TOO_MANY_CALLS"})
"""Refusals of a whole batch that pass with time."""
_GAP: Final = "NONCE_GAP_TOO_LARGE"


@dataclass(frozen=True, slots=True)
class Submitted:
    """The node has the transaction."""

    hash: bytes
    state: TransactionState
    missing_nonce: int | None = None
    """Where it waits behind a gap: the nonce that its sender must send first."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The node did not take the transaction."""

    hash: bytes
    reason: str
    """Of the catalogue (docs/errors.md)."""
    message: str
    next_nonce: int | None = None
    """Where the nonce is what is wrong: the one to send next."""


SubmitOutcome = Submitted | Refused


def submit(transaction: Transaction | bytes) -> Plan[Submitted]:
    """Offer one transaction. A refusal is an ``RpcError`` with its reason."""
    request = transaction_service_pb2.SubmitTransactionRequest(transaction=raw_bytes(transaction))
    return ask(
        "SubmitTransaction",
        request,
        lambda r: Submitted(
            bytes(r.hash), TransactionState(r.state), r.missing_nonce if r.HasField("missing_nonce") else None
        ),
        SUBMIT_TIMEOUT_S,
    )


def submit_and_wait(transaction: Transaction | bytes, timeout_s: float) -> Plan[TransactionReceipt]:
    """Offer one transaction and wait until it is final."""
    request = transaction_service_pb2.SubmitAndWaitRequest(transaction=raw_bytes(transaction))
    return ask("SubmitAndWait", request, lambda r: read_receipt(r.receipt), timeout_s)


def submit_many(
    transactions: Sequence[Transaction | bytes], patience_s: float = PATIENCE_S
) -> Plan[list[SubmitOutcome]]:
    """Offer many, in batches, in order; one outcome for each.

    What finds no room is offered again. Order within a sender is kept by the node's own answers: where an earlier one
    found no room, those behind it are refused for their nonce, and both wait here for the next round.
    """
    raw = [raw_bytes(transaction) for transaction in transactions]
    outcomes: dict[int, SubmitOutcome] = {}
    waiting = list(range(len(raw)))
    size, waited_s, offered_anew = BATCH_COUNT_MAX, 0.0, False
    while waiting:
        batch = _batch(raw, waiting, size)
        try:
            answers = yield from _offer([raw[index] for index in batch])
        except RpcError as error:
            if error.reason not in _NO_ROOM or (waited_s >= patience_s and not outcomes):
                raise
            if waited_s >= patience_s:
                outcomes |= {n: Refused(keccak256(raw[n]), error.reason, error.message) for n in waiting}
                break
            pause_s = min(max(error.retry_after_s or 0.0, _ROOM_PAUSE_S), patience_s)
            size, waited_s = max(_PROBE_COUNT, size // 2), waited_s + pause_s
            yield Pause(pause_s)
            continue
        outcomes |= zip(batch, answers, strict=True)
        held = [index for index in batch if _may_find_room(outcomes[index])]
        rest = waiting[len(batch) :]
        waiting = held + rest
        taken = len(batch) - len(held)
        size = min(BATCH_COUNT_MAX, max(_PROBE_COUNT, 2 * taken))
        if taken:
            waited_s = 0.0
        if not held:
            continue
        if not taken and all(_reason(outcomes[index]) == _GAP for index in held):
            # Nothing before them waits for room. Either a nonce never came, or another node took over from one that
            # died with some of them: it learns those now, and answers for what it knows as before.
            renew = not offered_anew and len(batch) < len(raw)
            waiting, offered_anew = (list(range(len(raw))), True) if renew else (rest, offered_anew)
        elif waited_s >= patience_s:
            waiting, size = rest, BATCH_COUNT_MAX
        else:
            waited_s += _ROOM_PAUSE_S
            yield Pause(_ROOM_PAUSE_S)
    return [outcomes[index] for index in range(len(raw))]


def _offer(batch: list[bytes]) -> Plan[list[SubmitOutcome]]:
    request = transaction_service_pb2.BatchSubmitTransactionsRequest(transactions=batch)
    return ask("BatchSubmitTransactions", request, lambda r: read_results(r.results), SUBMIT_TIMEOUT_S)


def _batch(raw: Sequence[bytes], waiting: Sequence[int], count: int) -> list[int]:
    """The first of those that wait, as many as a message takes."""
    batch: list[int] = []
    room = BATCH_BYTES_MAX
    for index in waiting[:count]:
        room -= len(raw[index])
        if room < 0 and batch:
            break
        batch.append(index)
    return batch


def _may_find_room(outcome: SubmitOutcome) -> bool:
    return _reason(outcome) in ("POOL_FULL", "SUBMISSION_QUEUE_FULL", _GAP)


def _reason(outcome: SubmitOutcome) -> str | None:
    return outcome.reason if isinstance(outcome, Refused) else None


def read_answer(response: transaction_service_pb2.SubmitTransactionsResponse) -> tuple[int, list[SubmitOutcome]]:
    """The number of a stream's batch and its outcomes; raises ``RpcError`` where it was refused as a whole."""
    if not response.results and (refusal := refusal_of(response)) is not None:
        raise refusal
    return response.sequence, read_results(response.results)


def refusal_of(response: transaction_service_pb2.SubmitTransactionsResponse) -> RpcError | None:
    """Why a stream's batch was refused as a whole; None where it was not."""
    if not response.HasField("rejection"):
        return None
    rejection = response.rejection
    reason = reason_name(rejection.reason)
    return RpcError(
        Code[CATALOGUE[reason].code] if reason in CATALOGUE else Code.UNKNOWN,
        rejection.message,
        reason=reason,
        metadata={"sequence": str(response.sequence)},
        retry_after_s=rejection.retry_in_ms / 1_000 if rejection.HasField("retry_in_ms") else None,
    )


def read_results(results: Iterable[transaction_service_pb2.SubmitResult]) -> list[SubmitOutcome]:
    """The outcomes of a batch."""
    return [
        Refused(
            result.hash,
            reason_name(result.rejection.reason),
            result.rejection.message,
            result.rejection.next_nonce if result.rejection.HasField("next_nonce") else None,
        )
        if result.HasField("rejection")
        else Submitted(
            result.hash,
            TransactionState(result.state),
            result.missing_nonce if result.HasField("missing_nonce") else None,
        )
        for result in results
    ]


def raw_bytes(transaction: Transaction | bytes) -> bytes:
    """A transaction as it is sent."""
    return transaction if isinstance(transaction, bytes) else transaction.encoded

"""Plans that submit."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from alatau.client.exchange import Plan, ask
from alatau.pb.api.v1 import transaction_service_pb2
from alatau.types.transaction import Transaction
from alatau.wire.reasons import reason_name
from alatau.wire.receipt import TransactionReceipt, read_receipt
from alatau.wire.transaction import TransactionState

BATCH_COUNT_MAX = 1_024
"""Transactions in one message: at this number the cost of the call itself is below 1% of the whole."""
BATCH_BYTES_MAX = 1024 * 1024
"""Half of what a node takes."""
SUBMIT_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class Submitted:
    """The node has the transaction."""

    hash: bytes
    state: TransactionState


@dataclass(frozen=True, slots=True)
class Refused:
    """The node did not take the transaction."""

    hash: bytes
    reason: str
    """Of the catalogue (docs/errors.md)."""
    message: str


SubmitOutcome = Submitted | Refused


def submit(transaction: Transaction | bytes) -> Plan[Submitted]:
    """Offer one transaction. A refusal is an ``RpcError`` with its reason."""
    request = transaction_service_pb2.SubmitTransactionRequest(transaction=_raw(transaction))
    return ask(
        "SubmitTransaction",
        request,
        lambda r: Submitted(bytes(r.hash), TransactionState(r.state)),
        SUBMIT_TIMEOUT_S,
    )


def submit_and_wait(transaction: Transaction | bytes, timeout_s: float) -> Plan[TransactionReceipt]:
    """Offer one transaction and wait until it is final."""
    request = transaction_service_pb2.SubmitAndWaitRequest(transaction=_raw(transaction))
    return ask("SubmitAndWait", request, lambda r: read_receipt(r.receipt), timeout_s)


def submit_many(transactions: Sequence[Transaction | bytes]) -> Plan[list[SubmitOutcome]]:
    """Offer many, in batches, in order; one outcome for each."""
    outcomes: list[SubmitOutcome] = []
    for batch in batches(_raw(transaction) for transaction in transactions):
        request = transaction_service_pb2.BatchSubmitTransactionsRequest(transactions=batch)
        outcomes += yield from ask(
            "BatchSubmitTransactions", request, lambda r: read_results(r.results), SUBMIT_TIMEOUT_S
        )
    return outcomes


def read_results(results: Iterable[transaction_service_pb2.SubmitResult]) -> list[SubmitOutcome]:
    """The outcomes of a batch."""
    return [
        Refused(result.hash, reason_name(result.rejection.reason), result.rejection.message)
        if result.HasField("rejection")
        else Submitted(result.hash, TransactionState(result.state))
        for result in results
    ]


def batches(transactions: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Cut into batches that a node takes."""
    batch: list[bytes] = []
    size = 0
    for transaction in transactions:
        if batch and (len(batch) == BATCH_COUNT_MAX or size + len(transaction) > BATCH_BYTES_MAX):
            yield batch
            batch, size = [], 0
        batch.append(transaction)
        size += len(transaction)
    if batch:
        yield batch


def _raw(transaction: Transaction | bytes) -> bytes:
    return transaction if isinstance(transaction, bytes) else transaction.encoded

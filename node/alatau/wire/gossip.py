"""Batches of transactions on their way between nodes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from alatau.pb.p2p.v1 import peer_service_pb2 as p2p_pb2
from alatau.wire.errors import WireError

TRANSACTIONS_MAX: Final = 4_096
"""Transactions in a batch. One of 110 bytes, the smallest real one, takes about 400 KiB with that many others."""

TRANSACTION_BYTES_MAX: Final = 128 * 1024
"""Longest transaction passed on; the pool's own limit, which every Ethereum client shares."""

RECIPIENTS_MAX: Final = 1_024
_ID_SIZES: Final = (20, 32)


@dataclass(frozen=True, slots=True)
class TransactionBatch:
    """Encoded transactions, with the ids of the peers that get the same batch."""

    transactions: tuple[bytes, ...]
    recipients: tuple[bytes, ...] = ()


def write_batch(transactions: Sequence[bytes], recipients: Sequence[bytes]) -> p2p_pb2.TransactionsRequest:
    """For the Transactions stream, in either direction."""
    return p2p_pb2.TransactionsRequest(batch=p2p_pb2.TransactionBatch(transactions=transactions, recipients=recipients))


def read_batch(envelope: p2p_pb2.TransactionsRequest | p2p_pb2.TransactionsResponse) -> TransactionBatch:
    """From the Transactions stream. Transactions are not looked into; raises ``WireError``."""
    batch = envelope.batch
    if len(batch.transactions) > TRANSACTIONS_MAX:
        raise WireError(f"batch has {len(batch.transactions)} transactions, more than {TRANSACTIONS_MAX}")
    if len(batch.recipients) > RECIPIENTS_MAX:
        raise WireError(f"batch names {len(batch.recipients)} recipients, more than {RECIPIENTS_MAX}")
    transactions, recipients = tuple(batch.transactions), tuple(batch.recipients)
    if any(not 0 < len(tx) <= TRANSACTION_BYTES_MAX for tx in transactions):
        raise WireError(f"batch has a transaction that is empty or over {TRANSACTION_BYTES_MAX} bytes")
    if any(len(id_) not in _ID_SIZES for id_ in recipients):
        raise WireError("batch names a recipient that is no peer id")
    return TransactionBatch(transactions, recipients)

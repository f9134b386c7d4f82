"""Batches of transactions on their way between nodes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from alatau.pb.p2p.v1 import peer_service_pb2 as p2p_pb2
from alatau.wire.bounds import WireError

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
    """From the Transactions stream, within its bounds. Transactions are not looked into; raises ``WireError``."""
    batch = envelope.batch
    transactions, recipients = tuple(batch.transactions), tuple(batch.recipients)
    if not all(transactions):
        raise WireError("batch has an empty transaction")
    if any(len(id_) not in _ID_SIZES for id_ in recipients):
        raise WireError("batch names a recipient that is no peer id")
    return TransactionBatch(transactions, recipients)

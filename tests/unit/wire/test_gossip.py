"""Batches of transactions on the wire."""

import pytest

from alatau.wire.bounds import WireError
from alatau.wire.gossip import TransactionBatch, read_batch, write_batch


def test_what_is_written_is_read() -> None:
    """Transactions as bytes, recipients of both kinds."""
    batch = TransactionBatch((b"t1", b"t2" * 500), (b"v" * 20, b"o" * 32))
    assert read_batch(write_batch(batch.transactions, batch.recipients)) == batch


@pytest.mark.parametrize(
    ("transactions", "recipients"),
    [([b""], []), ([b"x"], [bytes(21)])],
    ids=["empty", "no id"],
)
def test_what_no_node_sends_is_refused(transactions: list[bytes], recipients: list[bytes]) -> None:
    """Beyond what the bounds have refused already."""
    with pytest.raises(WireError):
        read_batch(write_batch(transactions, recipients))

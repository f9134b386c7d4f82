"""Batches of transactions on the wire."""

import pytest

from alatau.wire.errors import WireError
from alatau.wire.gossip import TransactionBatch, read_batch, write_batch


def test_what_is_written_is_read() -> None:
    """Transactions as bytes, recipients of both kinds."""
    batch = TransactionBatch((b"t1", b"t2" * 500), (b"v" * 20, b"o" * 32))
    assert read_batch(write_batch(batch.transactions, batch.recipients)) == batch


@pytest.mark.parametrize(
    ("transactions", "recipients"),
    [([b""], []), ([bytes(131_073)], []), ([b"x"] * 4_097, []), ([b"x"], [bytes(21)]), ([b"x"], [bytes(20)] * 1_025)],
    ids=["empty", "too long", "too many", "no id", "too many ids"],
)
def test_what_is_out_of_bounds_is_refused(transactions: list[bytes], recipients: list[bytes]) -> None:
    """By number and by size."""
    with pytest.raises(WireError):
        read_batch(write_batch(transactions, recipients))

"""Recovering the senders of many transactions beside the event loop.

libsecp256k1 runs without the interpreter lock, so a worker thread recovers while the loop goes on. One hop to
the thread serves a whole batch: the hop costs as much as two recoveries.
"""

import sys
from collections.abc import Sequence
from typing import Final

import trio

from alatau.types.transaction import Transaction, TransactionError, recover_sender

_THREAD_BATCH_MIN = 3
"""Fewer are recovered in place: 40 us each, against about 100 us for the way to a thread and back."""

_CHUNK = 256
"""Signatures for one visit to the thread: about 10 ms, so that a shutdown need not wait long."""

_LIMITER = trio.CapacityLimiter(1)
"""One thread recovers at a time: more would only contend for the interpreter lock between two calls."""


async def recover_senders(transactions: Sequence[Transaction]) -> list[bytes | TransactionError]:
    """The sender of each transaction, or what is wrong with its signature."""
    if len(transactions) < _THREAD_BATCH_MIN:
        return _recover(transactions)
    senders: list[bytes | TransactionError] = []
    for start in range(0, len(transactions), _CHUNK):
        chunk = transactions[start : start + _CHUNK]
        senders += await trio.to_thread.run_sync(_recover, chunk, limiter=_LIMITER)
    return senders


_SWITCH_INTERVAL_S: Final = 0.000_05
"""While senders are recovered beside a busy loop, the thread gets the interpreter back within this time. A recovery
asks for it four times, once after each call of the library: at the node's usual 0.5 ms it would wait 2 ms for each."""


async def recover_senders_beside(transactions: Sequence[Transaction]) -> list[bytes | TransactionError]:
    """The same where the caller's other tasks compute meanwhile: what a node does that catches up."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    try:
        return await recover_senders(transactions)
    finally:
        sys.setswitchinterval(usual)


def _recover(transactions: Sequence[Transaction]) -> list[bytes | TransactionError]:
    return [_recover_one(tx) for tx in transactions]


def _recover_one(tx: Transaction) -> bytes | TransactionError:
    try:
        return recover_sender(tx)
    except TransactionError as error:
        return error

"""Keeps what waits in the pool over the end of the process, orderly or not.

What a client is told to be in the pool is in the pool's log by then (``storage.pool_log``), so that kill -9 of every
node of the network loses nothing that was acknowledged, and a power failure what came in the last second at most.

The log is written to the page cache, which takes less than handing it to a thread, so the loop does that itself. A disk
that falls behind makes such a write wait, though (the kernel holds whoever dirties pages back), and consensus with it.
So as soon as a write or a flush was slow, a thread writes instead, whatever gathered meanwhile in one go, and the
answers to clients wait for it; nothing else does. Once a flush is quick again the loop writes as before.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import structlog
import trio

from alatau.crypto.keccak import keccak256
from alatau.engine.admission import Admission
from alatau.mempool.outcome import Reason
from alatau.mempool.pool import Mempool
from alatau.storage.disk import Disk
from alatau.storage.pool_log import PoolLog, read_pool_log
from alatau.storage.store import Store

_LOG = structlog.get_logger(__name__)

_SYNC_S: Final = 1.0
"""Between two flushes to the disk: what a power failure may take. A flush costs the loop nothing, it is a thread's."""
_WRITE_SLOW_S: Final = 0.01
"""A write that took longer met a disk that falls behind: the page cache takes one in a hundredth of it."""
_SYNC_SLOW_S: Final = 0.5
"""The same of a flush."""
_RESUMED_AT_ONCE: Final = 256
"""Transactions offered again between two looks at everything else."""


class PoolFile:
    """The pool's log with its upkeep. A disk that refuses is reported and holds up nobody."""

    def __init__(
        self,
        folder: Path,
        mempool: Mempool,
        disk: Disk | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin a segment in ``folder``. Raises ``OSError``."""
        self._folder = folder
        self._mempool = mempool
        self._log = PoolLog(folder, disk)
        self._clock = clock
        self._failing = False
        self._resumed = False
        self._slow = False
        self._waiting: list[tuple[Sequence[bytes], Sequence[bytes]]] = []
        """What a thread is to write next, or, after the end, nobody has written."""
        self._written = trio.Event()
        """Set once what waits now is written."""
        self._come = trio.Event()
        self._in_thread = trio.Lock()

    def append(self, transactions: Sequence[bytes], replaced: Sequence[bytes]) -> trio.Event | None:
        """Write down what came into the pool, and the hashes of what it replaced; never raises.

        Gives what to wait for before anybody is told that it is kept; nothing where it is written already.
        """
        if self._slow:
            self._waiting.append((transactions, replaced))
            self._come.set()
            return self._written
        started = self._clock()
        self._write([(transactions, replaced)])
        self._slow = self._clock() - started > _WRITE_SLOW_S
        return None

    def _write(self, portions: Sequence[tuple[Sequence[bytes], Sequence[bytes]]]) -> None:
        try:
            for transactions, replaced in portions:
                self._log.append(transactions, replaced)
        except OSError as error:
            self._report(error)
        else:
            self._failing = False

    async def _write_in_thread(self) -> None:
        """Write what waits while the disk is slow, until cancelled."""
        while True:
            await self._come.wait()
            self._come = trio.Event()
            async with self._in_thread:
                portions, self._waiting = self._waiting, []
                written, self._written = self._written, trio.Event()
                await trio.to_thread.run_sync(self._write, portions)
                written.set()

    async def resume(self, admission: Admission, store: Store) -> None:
        """Offer again what waited when the process ended, but for what is final."""
        kept = await trio.to_thread.run_sync(read_pool_log, self._folder)
        waiting: list[bytes] = []
        for chunk in _chunks(kept):
            waiting += [tx for tx in chunk if not _is_final(store, tx)]
            await trio.lowlevel.checkpoint()
        left, before = waiting, len(waiting) + 1
        # A replacement was logged later than the nonces that follow it: then these come too early at first.
        while left and len(left) < before:
            before = len(left)
            left = [tx for chunk in _chunks(left) for tx in await _too_early(admission, chunk)]
        self._resumed = True
        if kept:
            _LOG.info("pool.resumed", kept=len(kept), final=len(kept) - len(waiting), pooled=len(self._mempool))

    async def run(self) -> None:
        """Flush and shorten the log, until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._write_in_thread)
            while True:
                await trio.sleep(_SYNC_S)
                await self._flush()

    async def _flush(self) -> None:
        try:
            started = self._clock()
            await trio.to_thread.run_sync(self._log.sync)
            async with self._in_thread:  # only now nothing is being written elsewhere
                self._slow = self._clock() - started > _SYNC_SLOW_S or bool(self._waiting)
                # Until all is offered again the older segments are all that holds it.
                turned = self._log.turn() if self._log.full and self._resumed else None
                waiting = self._mempool.encoded() if turned is not None else []
            if turned is not None:
                await trio.to_thread.run_sync(self._log.keep, turned, waiting)
        except OSError as error:
            self._report(error)

    def close(self) -> None:
        """At an orderly stop: leave what waits, and nothing else."""
        self._write(self._waiting)
        self._waiting = []
        try:
            if self._resumed:
                self._log.keep(self._log.turn(), self._mempool.encoded())
            self._log.sync()
        except OSError as error:
            self._report(error)
        self._log.close()

    def _report(self, error: OSError) -> None:
        if not self._failing:
            _LOG.error("pool.not_kept", waiting=len(self._mempool), error=str(error))
        self._failing = True


async def _too_early(admission: Admission, chunk: list[bytes]) -> list[bytes]:
    """Offer some again; gives those for which nonces before them are missing."""
    outcomes = await admission.submit(chunk)
    pairs = zip(chunk, outcomes, strict=True)
    return [tx for tx, outcome in pairs if outcome is not None and outcome.reason == Reason.NONCE_GAP_TOO_LARGE]


def _chunks(transactions: list[bytes]) -> list[list[bytes]]:
    starts = range(0, len(transactions), _RESUMED_AT_ONCE)
    return [transactions[start : start + _RESUMED_AT_ONCE] for start in starts]


def _is_final(store: Store, encoded: bytes) -> bool:
    return store.find_transaction(keccak256(encoded)) is not None

"""Keeps what waits in the pool over the end of the process, orderly or not.

What a client is told to be in the pool is in the pool's log by then (``storage.pool_log``), so that kill -9 of every
node of the network loses nothing that was acknowledged, and a power failure what came in the last second at most.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import structlog
import trio

from alatau.crypto.keccak import keccak256
from alatau.engine.admission import Admission
from alatau.mempool.outcome import Reason
from alatau.mempool.pool import Mempool
from alatau.storage.pool_log import PoolLog, read_pool_log
from alatau.storage.store import Store

_LOG = structlog.get_logger(__name__)

_SYNC_S: Final = 1.0
"""Between two flushes to the disk: what a power failure may take. A flush costs the loop nothing, it is a thread's."""
_RESUMED_AT_ONCE: Final = 256
"""Transactions offered again between two looks at everything else."""


class PoolFile:
    """The pool's log with its upkeep. A disk that refuses is reported and holds up nobody."""

    def __init__(self, folder: Path, mempool: Mempool) -> None:
        """Begin a segment in ``folder``. Raises ``OSError``."""
        self._folder = folder
        self._mempool = mempool
        self._log = PoolLog(folder)
        self._failing = False
        self._resumed = False

    def append(self, transactions: Sequence[bytes], replaced: Sequence[bytes]) -> None:
        """Write down what came into the pool, and the hashes of what it replaced; never raises."""
        try:
            self._log.append(transactions, replaced)
        except OSError as error:
            self._report(error)
        else:
            self._failing = False

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
        while True:
            await trio.sleep(_SYNC_S)
            try:
                await trio.to_thread.run_sync(self._log.sync)
                # Until all is offered again the older segments are all that holds it.
                if self._log.full and self._resumed:
                    number, waiting = self._log.turn(), self._mempool.encoded()
                    await trio.to_thread.run_sync(self._log.keep, number, waiting)
            except OSError as error:
                self._report(error)

    def close(self) -> None:
        """At an orderly stop: leave what waits, and nothing else."""
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

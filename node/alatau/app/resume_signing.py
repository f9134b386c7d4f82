"""Let a validator whose sign state is lost, or older than its chain, sign again: the operator's decision.

A validator must not sign twice at one step, and without its sign state it does not know what it has signed. But
nothing that it ever signed is of a height far above the network's present one, unless another process signs with
its key. So a new sign state is written that stands ``MARGIN`` heights above all that is known: below it the node
follows in silence (``consensus_log_lost``), above it there is nothing that it could contradict.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alatau.app.home import Home
from alatau.consensus.records import SignState, SignStep
from alatau.storage.disk import Disk
from alatau.storage.errors import SignStateError
from alatau.storage.sign_state import SignStateFile
from alatau.storage.store import Store

MARGIN: Final = 64
"""Heights: what a busy network decides in the minute between the operator's look at its height and this, at the
default interval of a second, and the one that is being decided."""


class ResumeSigningError(ValueError):
    """The height given cannot be right. The message says why."""


@dataclass(frozen=True, slots=True)
class Resumption:
    """What is going to be written."""

    path: Path
    """The sign state."""
    chain_height: int
    """Of this home's own chain; 0 where there is none."""
    silent_through: int
    """Last height at which the validator keeps silent."""


def plan_resumption(home: Home, network_height: int) -> Resumption:
    """Look at the home, whose lock is held, and find the height.

    Raises:
        ResumeSigningError: this home's own chain is higher than the height given.
        StorageError: the database cannot be opened.
    """
    tip = 0
    if home.database.exists():
        store = Store.open(home.database)
        try:
            tip = store.tip.number if store.tip else 0
        finally:
            store.close()
    if network_height < tip:
        raise ResumeSigningError(
            f"this home's own chain is at height {tip}, above {network_height}: give the network's height of now, as"
            " alatau status shows it at another validator"
        )
    return Resumption(home.sign_state, tip, max(network_height, _signed_height(home)) + MARGIN)


def resume_signing(planned: Resumption) -> Path | None:
    """Write the new sign state; gives where the old file was put, if there was one.

    Raises:
        StorageError: the disk refuses; the old file is where it was, or beside it under its new name.
    """
    aside = None
    if planned.path.exists():
        aside = planned.path.with_name(f"{planned.path.name}.{time.time_ns()}")
        planned.path.rename(aside)
    state = SignState(planned.silent_through, 0, SignStep.PRECOMMIT, bytes(32))
    SignStateFile(planned.path, None, Disk()).record(state)
    return aside


def _signed_height(home: Home) -> int:
    """What the old file knows, if it can be read: never below it."""
    try:
        last = SignStateFile.open(home.sign_state).last
    except SignStateError:
        return 0
    return 0 if last is None else last.height

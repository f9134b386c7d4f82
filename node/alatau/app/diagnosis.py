"""What may be wrong with a node, looked at from its home and through its client API, each with what to do about it.

Every check is a function from what was found to a verdict, so that its rules can be tested without a node.
"""

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from alatau.app.config_file import Problem
from alatau.app.home import Home
from alatau.app.provision import load_tls_identity
from alatau.storage.errors import SignStateError
from alatau.storage.sign_state import SignStateFile
from alatau.transport.certificates import CertificateError
from alatau.wire.status import ConsensusState, Status, SyncState

SIGNING: Final = "signing"
"""The check that must not be overlooked: a validator that does not sign looks healthy otherwise."""

_GIB: Final = 1 << 30
_DISK_LOW_BYTES: Final = 10 * _GIB
_DISK_OUT_BYTES: Final = _GIB
"""The node stops cleanly on a full disk; below this that is near."""
_CERTIFICATE_LOW_DAYS: Final = 14
"""A running node renews a month before the end: one with fewer days left cannot, or is not running."""
_SKEW_WARN_S: Final = 2.0
_SKEW_FAIL_S: Final = 4.0
"""Proposals more than 5 s from a validator's clock get no vote (``clock_drift_ms_max``)."""
_BEHIND_BLOCKS: Final = 5


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of a check."""

    check: str
    level: Level
    found: str
    advice: str = ""
    """What to do; empty where nothing is to be done."""


def gravest_first(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Failures before warnings before what is well, and first of all why a validator does not sign."""
    severity = {Level.FAILURE: 0, Level.WARNING: 1, Level.OK: 2}
    return sorted(verdicts, key=lambda v: (severity[v.level], v.check != SIGNING))


def of_home(problems: Sequence[Problem]) -> Verdict:
    """Configuration, genesis, keys."""
    if not problems:
        return Verdict("home", Level.OK, "configuration, genesis and keys are as they should be")
    return Verdict("home", Level.FAILURE, "; ".join(map(str, problems)), "mend what alatau config check names")


def of_certificate(home: Home, now: datetime | None = None) -> Verdict:
    """Days left."""
    try:
        left = load_tls_identity(home).not_after - (now or datetime.now(UTC))
    except (CertificateError, OSError) as error:
        return Verdict("certificate", Level.FAILURE, str(error), "alatau keys rotate")
    days = left.total_seconds() / 86_400
    if days < 0:
        return Verdict("certificate", Level.FAILURE, f"ended {-days:.0f} days ago", "alatau keys rotate")
    if days < _CERTIFICATE_LOW_DAYS:
        return Verdict("certificate", Level.WARNING, f"{days:.0f} days left", "alatau keys rotate")
    return Verdict("certificate", Level.OK, f"{days:.0f} days left")


def of_disk(home: Home) -> Verdict:
    """Room where the home lies."""
    return of_room(shutil.disk_usage(home.folder).free)


def of_room(free_bytes: int) -> Verdict:
    """Judge free bytes on the home's disk."""
    found = f"{free_bytes / _GIB:.1f} GiB free"
    if free_bytes < _DISK_OUT_BYTES:
        return Verdict("disk", Level.FAILURE, found, "free some room: a full disk stops the node")
    if free_bytes < _DISK_LOW_BYTES:
        return Verdict("disk", Level.WARNING, found, "plan for more room; alatau db compact gives some back")
    return Verdict("disk", Level.OK, found)


def of_sign_state(home: Home) -> Verdict:
    """Whether the memory against signing twice is there and whole."""
    if not home.voting_key.exists():
        return Verdict("sign state", Level.OK, "an observer signs nothing")
    try:
        last = SignStateFile.open(home.sign_state).last
    except SignStateError as error:
        return Verdict("sign state", Level.FAILURE, str(error), "never restore it from a backup; see the message")
    if last is None and home.database.exists():
        advice = "if this validator has signed before, see what alatau status says of it"
        return Verdict("sign state", Level.WARNING, "there is none: nothing signed yet, or the file is lost", advice)
    if last is None:
        return Verdict("sign state", Level.OK, "nothing signed yet")
    return Verdict("sign state", Level.OK, f"last signed at height {last.height}, round {last.round}")


def of_signing(status: Status) -> Verdict:
    """Whether a validator signs, and what else its operator must know at once."""
    if status.warnings:
        advice = "see there: the network counts on this validator" if status.silence else "see there"
        return Verdict(SIGNING, Level.FAILURE, " ".join(status.warnings), advice)
    if status.validator_address is None:
        return Verdict(SIGNING, Level.OK, "an observer signs nothing")
    return Verdict(SIGNING, Level.OK, "nothing keeps this validator from signing")


def of_sync(status: Status) -> Verdict:
    """Whether the node is at the tip."""
    found = f"height {status.height}, peers are at {status.highest_peer_height}"
    behind = status.highest_peer_height - status.height
    if status.sync_state is SyncState.SYNCED and behind <= _BEHIND_BLOCKS:
        return Verdict("sync", Level.OK, found)
    return Verdict("sync", Level.WARNING, found, "wait until it has caught up; look at alatau peers if it does not")


def of_storage(status: Status) -> Verdict:
    """What the background scrub of the running node has found."""
    if status.damage:
        advice = "stop the node, alatau db check, then restore a backup or let it sync again; look at the disk first"
        return Verdict("database", Level.FAILURE, "; ".join(status.damage), advice)
    passes = f"read {status.scrub_passes} times" if status.scrub_passes else "being read for the first time"
    return Verdict("database", Level.OK, f"no damage found; {passes} since the start")


def of_consensus(state: ConsensusState) -> Verdict:
    """Whether blocks come."""
    said = " ".join(state.explanation)
    if state.stalled:
        return Verdict("consensus", Level.FAILURE, said, "get the validators named back; nothing is lost meanwhile")
    return Verdict("consensus", Level.OK, said)


def of_validators(state: ConsensusState) -> Verdict:
    """Who is connected, and how many more may be lost before blocks stop."""
    powers = [v.validator.power for v in state.votes if v.connected]
    absent = [v.validator for v in state.votes if not v.connected]
    spare = may_lose(powers, state.total_power)
    if spare is None:
        names = ", ".join(v.name for v in absent)
        return Verdict("validators", Level.FAILURE, f"no quorum without {names}", "get them back: no block without")
    found = f"{len(powers)} of {len(state.votes)} connected; you may lose {spare} more"
    if not absent:
        return Verdict("validators", Level.OK, found)
    missing = ", ".join(f"{v.name} at {v.endpoint}" for v in absent)
    return Verdict("validators", Level.WARNING, f"{found}; missing: {missing}", "call their operators")


def may_lose(powers: Iterable[int], total: int) -> int | None:
    """How many of the present validators, the strongest first, may go before no quorum is left; None if it is gone."""
    left = sorted(powers)
    if sum(left) * 3 <= total * 2:
        return None
    lost = 0
    while left and (sum(left) - left[-1]) * 3 > total * 2:
        left.pop()
        lost += 1
    return lost


def of_clock(skew_s: float | None) -> Verdict:
    """The difference between this machine's clock and the time in a block that just came; None where none came."""
    if skew_s is None:
        return Verdict("clock", Level.WARNING, "no block came to compare with", "see consensus above")
    found = f"{abs(skew_s):.1f} s {'ahead of' if skew_s > 0 else 'behind'} the proposers'"
    if abs(skew_s) > _SKEW_FAIL_S:
        return Verdict("clock", Level.FAILURE, found, "set the clock and keep it by NTP: votes and blocks are refused")
    if abs(skew_s) > _SKEW_WARN_S:
        return Verdict("clock", Level.WARNING, found, "keep the clock by NTP")
    return Verdict("clock", Level.OK, f"within {max(abs(skew_s), 1.0):.0f} s of the proposers'")

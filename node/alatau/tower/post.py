"""What the tasks of a tower share: its key, its disk, its docket, its alarms, how far it has followed the chain."""

from collections.abc import Callable
from dataclasses import dataclass, field

from alatau.client.abi import Abi
from alatau.crypto.secp256k1 import PrivateKey
from alatau.storage.database import Database
from alatau.tower.alarms import Alarms
from alatau.tower.docket import Docket
from alatau.tower.group_commit import GroupCommit
from alatau.tower.store import Network


@dataclass(frozen=True, slots=True)
class Tip:
    """The chain's last block, as far as the node says."""

    height: int = 0
    time: int = 0
    """Seconds since 1970."""


@dataclass(slots=True, eq=False)
class Post:
    """Where a tower stands. Its tasks run on one thread and change it between two waits."""

    key: PrivateKey
    network: Network
    abi: Abi
    """Of CityChannels."""
    database: Database
    commits: GroupCommit
    docket: Docket
    now: Callable[[], float]
    """Seconds since 1970."""
    height: int = 0
    """Up to which the chain's events are in the database."""
    alarms: Alarms = field(default_factory=Alarms)
    tip: Tip = Tip()
    base_fee_per_gas: int = 0
    contests_won: int = 0
    """Vouchers brought to the contract since the start."""
    canary_failure: str | None = None
    """Why the tower's last trial of itself failed; None where it did not."""
    canary_account: bytes | None = None
    """Whose channels are trials: a contest of one is a sign that the tower works."""
    contests_by_others: int = 0
    """Vouchers that were due until somebody else brought them, since the start."""

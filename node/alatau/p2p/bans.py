"""Who is kept out, for how long, and why.

A peer that sent what no correct node sends is kept out for a while, twice as long with every time, up to a ceiling. A
ban is by key: a new connection does not end it. It has a ceiling, and its growth is forgotten, because a validator
with a bug is still a validator: its votes may be the ones that a quorum lacks. Meanwhile they arrive through others,
who repeat the votes of a quorum; and where more than a third have banned each other, bans that lapse let the network
come together again.
"""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ban:
    """One time of being kept out."""

    reason: str
    until: float
    """On the clock that ``Bans`` was given."""
    count: int
    """How many there were, older ones forgotten."""


class Bans:
    """The bans of members, by key hash; as many as there are members."""

    def __init__(self, first_s: float, longest_s: float, forgotten_s: float, now: Callable[[], float]) -> None:
        """Wire it up.

        Args:
            first_s: how long the first one lasts.
            longest_s: the ceiling.
            forgotten_s: how long after the end of a ban the next one is half as long again.
            now: a clock that only grows, in seconds.
        """
        self._first_s = first_s
        self._longest_s = longest_s
        self._forgotten_s = forgotten_s
        self._now = now
        self._bans: dict[bytes, Ban] = {}

    def add(self, key_hash: bytes, reason: str) -> float:
        """Keep a key out; gives for how many seconds. While it is out already, nothing is added."""
        if left := self.left_s(key_hash):
            return left
        count = self._remembered(key_hash) + 1
        seconds = min(self._first_s * 2.0 ** min(count - 1, 32), self._longest_s)
        self._bans[key_hash] = Ban(reason, self._now() + seconds, count)
        return seconds

    def left_s(self, key_hash: bytes) -> float:
        """Seconds for which a key is still kept out; 0 where it is not."""
        ban = self._bans.get(key_hash)
        return 0.0 if ban is None else max(0.0, ban.until - self._now())

    def reason(self, key_hash: bytes) -> str:
        """Why a key is kept out; empty where it is not."""
        ban = self._bans.get(key_hash)
        return ban.reason if ban is not None and self.left_s(key_hash) else ""

    def keep_only(self, key_hashes: set[bytes]) -> None:
        """Forget the keys of those who are no longer members."""
        self._bans = {key_hash: ban for key_hash, ban in self._bans.items() if key_hash in key_hashes}

    def _remembered(self, key_hash: bytes) -> int:
        """Bans that still count: one is forgotten for each ``forgotten_s`` since the last one's end."""
        ban = self._bans.get(key_hash)
        if ban is None:
            return 0
        return max(0, ban.count - int((self._now() - ban.until) / self._forgotten_s))

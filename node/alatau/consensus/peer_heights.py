"""Who claims to be ahead, whom to ask, and when a node without a past may begin to vote.

A claim costs its peer nothing, so it is only ever a reason to ask that peer for blocks, which prove themselves. A
peer that claims a huge height, or lowers it (CometBFT CVE-2025-24371), is asked once and then stands behind the
others until the next pause.

A node with empty disks does not know whether its network has a past. If a quorum of such nodes began at once, they
would decide a second first block (Besu 8307). So they wait until every other validator has said where it stands, or
for a pause that is over long after those that are up have answered.
"""

from collections.abc import Collection

_PEERS_MAX = 1_024
"""Claims remembered; more peers than any network of ministries has. Those that exceed it are not asked."""


class PeerHeights:
    """What peers say about their heights."""

    def __init__(self) -> None:
        self._claims: dict[bytes, int] = {}
        self._failed: set[bytes] = set()
        self._heard: set[bytes] = set()
        self.holding = False
        """True while this node keeps silent because it may be new to an old network."""
        self.paused_enough = False

    def claim(self, peer: bytes, height: int) -> None:
        """A peer says, or shows by a vote, that it decides ``height``."""
        if peer in self._claims or len(self._claims) < _PEERS_MAX:
            self._claims[peer] = height

    def introduced(self, peer: bytes) -> None:
        """A peer sent its status."""
        if len(self._heard) < _PEERS_MAX:
            self._heard.add(peer)

    def failed(self, peer: bytes) -> None:
        """A peer could not show what it claimed."""
        self._claims.pop(peer, None)
        if len(self._failed) < _PEERS_MAX:
            self._failed.add(peer)

    def gone(self, peer: bytes) -> None:
        """A peer disconnected."""
        self._claims.pop(peer, None)
        self._heard.discard(peer)
        self._failed.discard(peer)

    def forgive(self) -> None:
        """Ask those that failed again: the network may have been at fault."""
        self._failed.clear()

    def ahead(self, height: int) -> tuple[bytes, int] | None:
        """The peer to ask, and its claim: the lowest id among those that claim most above ``height``."""
        claims = [(-claimed, peer) for peer, claimed in self._claims.items() if claimed > height]
        trusted = [entry for entry in claims if entry[1] not in self._failed]
        if not trusted:
            return None
        claimed, peer = min(trusted)
        return peer, -claimed

    def may_release(self, height: int, others: Collection[bytes]) -> bool:
        """Whether a holding node may begin: nobody is ahead, and all have answered or long enough has passed."""
        return self.ahead(height) is None and (self.paused_enough or self._heard.issuperset(others))

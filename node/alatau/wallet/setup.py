"""What a wallet has to be told: whose it is, of which hub and chain, and where it keeps what it signs."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, tzinfo
from pathlib import Path

from alatau.channels.messages import Domain
from alatau.client.tower_feeding import TowerEndpoint
from alatau.crypto.secp256k1 import PrivateKey
from alatau.transport.credentials import ClientTls


@dataclass(frozen=True, slots=True)
class Setup:
    """All of it."""

    key: PrivateKey
    domain: Domain
    """CityChannels on its chain."""
    hub: bytes
    """20 bytes: the hub's account."""
    hub_endpoint: str
    """``host:port``."""
    hub_tls: ClientTls
    nodes: tuple[str, ...]
    """``host:port`` of nodes' client APIs: where one does not answer, the next is asked."""
    chain_tls: ClientTls
    database: Path
    """Folder of its LevelDB."""
    clock: Callable[[], float] = time.time
    """Seconds since 1970."""
    zone: tzinfo = UTC
    """The hub's, in which its days begin."""
    towers: tuple[TowerEndpoint, ...] = ()
    """Watchtowers that get the hub's vouchers."""
    close_by: int = 0
    """Seconds since 1970 until which they may close the channel in a mass exit; 0: they may not."""

    @property
    def address(self) -> bytes:
        """20 bytes."""
        return self.key.address

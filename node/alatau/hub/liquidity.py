"""What of the money in channels is the hub's own: with it merchants are paid until they pay or take out."""

from collections.abc import Iterable
from dataclasses import dataclass

from alatau.channels.state import ChannelState, Phase, available, side_of


@dataclass(frozen=True, slots=True)
class Liquidity:
    """Over all open channels, token units."""

    channels: int
    hubs: int
    """What the hub can still promise."""
    owners: int
    """What owners can still pay."""
    locked: int
    """What locks in both directions hold."""
    empty: int
    """Channels in which the hub can promise nothing."""


def liquidity(states: Iterable[ChannelState], hub: bytes) -> Liquidity:
    """Of these channels of ``hub``."""
    channels = hubs = owners = locked = empty = 0
    for state in states:
        if state.phase is Phase.OPEN:
            mine = available(state, hub)
            channels += 1
            hubs += mine
            owners += available(state, state.parties.a)
            locked += side_of(state, hub).locked + side_of(state, state.parties.a).locked
            empty += mine == 0
    return Liquidity(channels, hubs, owners, locked, empty)

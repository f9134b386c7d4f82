"""Channels as the contract tells them: one of an account with a hub, by counting salts."""

from dataclasses import dataclass
from typing import Any, Final

from alatau.channels.messages import Domain, Parties, channel_id
from alatau.channels.state import Phase, Side, Window
from alatau.client.contract import Contract

SALTS_MAX: Final = 10_000
"""Channels that one account may have had with one hub."""

_FIELDS: Final = (
    "used",
    "open",
    "closing",
    "deposit_a",
    "deposit_b",
    "withdrawn_a",
    "withdrawn_b",
    "settle_block",
    "settle_time",
    "nonce_ab",
    "nonce_ba",
)
"""The first members of ``ChannelView``, in its order."""


class TooManyChannelsError(ValueError):
    """An account has had ``SALTS_MAX`` channels with one hub: it has to use another account."""


@dataclass(frozen=True, slots=True)
class ChannelOnChain:
    """A channel, or a place for one that was never opened."""

    parties: Parties
    phase: Phase | None
    """None if it was never opened."""
    a: Side
    b: Side
    """Without vouchers."""
    window: Window | None


async def newest_channel(channels: Contract, domain: Domain, owner: bytes, hub: bytes) -> ChannelOnChain:
    """The newest channel of ``owner`` with ``hub`` that is not over, else the first that was never opened.

    Salts are counted from 0, so an account that has lost all but its key finds its channel.

    Raises:
        TooManyChannelsError: all that are counted were used.
        RpcError: the node does not answer.
    """
    for number in range(SALTS_MAX):
        parties = Parties(owner, hub, number.to_bytes(32, "big"))
        found = await channel_on_chain(channels, domain, parties)
        if found.phase is not Phase.SETTLED:
            return found
    raise TooManyChannelsError(f"this account has had {SALTS_MAX} channels with the hub; use another account")


async def channel_on_chain(
    channels: Contract, domain: Domain, parties: Parties, height: int | None = None
) -> ChannelOnChain:
    """A channel as it is now, or was at a height. Raises ``RpcError``."""
    view = _fields(await channels.read("channel", channel_id(domain, parties), height=height))
    phase = Phase.OPEN if view["open"] else Phase.CLOSING if view["closing"] else Phase.SETTLED
    return ChannelOnChain(
        parties,
        phase if view["used"] else None,
        Side(view["deposit_a"], view["withdrawn_a"], submitted_nonce=view["nonce_ab"]),
        Side(view["deposit_b"], view["withdrawn_b"], submitted_nonce=view["nonce_ba"]),
        Window(view["settle_block"], view["settle_time"]) if view["closing"] else None,
    )


def _fields(view: Any) -> dict[str, Any]:
    return dict(view) if isinstance(view, dict) else dict(zip(_FIELDS, view, strict=False))

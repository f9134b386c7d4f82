"""What one watchtower has yet to hear of its client's channels: the newest voucher a direction, oldest first. Pure.

A tower's receipt says up to which nonce it protects a channel. Whatever is newer waits here until such a receipt covers
it, however long the tower is away and however often its client is killed: the receipts are kept, and what lies between
them and the newest vouchers is offered again at the start. Many vouchers of one channel that come while the tower is
busy are one offer, since a tower holds the newest alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from alatau.channels.messages import Parties, SignedVoucher

BATCH_MAX: Final = 256
"""Vouchers in a call; towers take no more."""
REFUSED_S: Final = 10.0
"""What a tower refused is offered again after so long: it may not have seen the channel's opening yet."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A voucher that waits for a tower's receipt."""

    parties: Parties
    signed: SignedVoucher
    receipt: bytes | None
    """The payee's; None where the client is the payee and has yet to sign."""
    since: float
    """Seconds of the caller's clock since which something newer than the tower's receipt has been there."""
    not_before: float = 0.0
    """Seconds of that clock until which it rests, after a refusal."""

    @property
    def direction(self) -> bytes:
        """Of which it is the newest: channel id and payer, 52 bytes."""
        return direction_of(self.signed)

    @property
    def nonce(self) -> int:
        """Of the voucher."""
        return self.signed.voucher.nonce


class TowerFeed:
    """For one tower. Mutable, with one owner."""

    def __init__(self, held: Mapping[bytes, int]) -> None:
        """Go on from the receipts in ``held``: direction -> nonce."""
        self.held: dict[bytes, int] = dict(held)
        """What the tower has signed for."""
        self.refused = 0
        """Offers that it did not take, each time counted."""
        self._waiting: dict[bytes, Offer] = {}

    @property
    def waiting(self) -> int:
        """Directions of which the tower does not hold the newest voucher."""
        return len(self._waiting)

    def lag(self, now: float) -> float:
        """Seconds for which the oldest offer has waited; 0 if none does."""
        first = next(iter(self._waiting.values()), None)
        return 0.0 if first is None else max(now - first.since, 0.0)

    def offer(self, parties: Parties, signed: SignedVoucher, now: float, receipt: bytes | None = None) -> bool:
        """A voucher is on the client's disk. Whether the tower has yet to hear of it."""
        direction, nonce = direction_of(signed), signed.voucher.nonce
        if nonce <= self.held.get(direction, 0):
            return False
        known = self._waiting.get(direction)
        if known is None:
            self._waiting[direction] = Offer(parties, signed, receipt, now)
        elif nonce > known.nonce:
            self._waiting[direction] = replace(known, signed=signed, receipt=receipt)  # it keeps its place
        return True

    def batch(self, now: float, most: int = BATCH_MAX) -> tuple[Offer, ...]:
        """What to hand over next; it waits until :meth:`answered`."""
        return tuple(self._first(now, most))

    def next_at(self) -> float | None:
        """When there is something to hand over; None where nothing waits."""
        return min((offer.not_before for offer in self._waiting.values()), default=None)

    def answered(self, offers: Sequence[Offer], nonces: Sequence[int | None], now: float) -> dict[bytes, int]:
        """The tower's word for each offer, None for a refusal; gives the words that are new, to be kept.

        A word above the newest voucher that the client has is kept like any other: :meth:`ahead` says so.
        """
        news = {}
        for offer, nonce in zip(offers, nonces, strict=True):
            direction = offer.direction
            waiting = self._waiting.get(direction)
            if nonce is None:
                self.refused += 1
                if waiting is not None:
                    self._waiting[direction] = replace(waiting, not_before=now + REFUSED_S)
                continue
            if nonce > self.held.get(direction, 0):
                self.held[direction] = news[direction] = nonce
            if waiting is not None:
                del self._waiting[direction]
            if waiting is not None and waiting.nonce > nonce:
                self._waiting[direction] = replace(waiting, since=now)  # behind those that wait since before
        return news

    def forget(self, parties: Parties, channel: bytes) -> list[bytes]:
        """The channel is settled; gives its directions."""
        directions = [channel + payer for payer in (parties.a, parties.b)]
        for direction in directions:
            self.held.pop(direction, None)
            self._waiting.pop(direction, None)
        return directions

    def _first(self, now: float, most: int) -> Iterator[Offer]:
        count = 0
        for offer in self._waiting.values():
            if offer.not_before <= now:
                yield offer
                count += 1
                if count == most:
                    return


def direction_of(signed: SignedVoucher) -> bytes:
    """Channel id and payer, 52 bytes."""
    return signed.voucher.channel_id + signed.voucher.payer


def ahead(offers: Sequence[Offer], nonces: Sequence[int | None]) -> list[bytes]:
    """Channels of which the tower holds a newer voucher than the client has: the client's store is an older copy."""
    return [
        offer.signed.voucher.channel_id
        for offer, nonce in zip(offers, nonces, strict=True)
        if nonce is not None and nonce > offer.nonce
    ]


def newest(*vouchers: SignedVoucher | None) -> SignedVoucher | None:
    """Of one direction, the one that counts."""
    there = [one for one in vouchers if one is not None]
    return max(there, key=lambda one: one.voucher.nonce, default=None)

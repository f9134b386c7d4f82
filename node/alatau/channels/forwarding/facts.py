"""What a hub books: facts in the order in which they became final, written with what they rest on.

``alatau.books.hub_facts`` makes entries of a ledger of them. :func:`owed` is what a channel's owner has by the newest
vouchers; ``Member.booked`` is what the facts so far come to. The two are one after every batch: where they would part,
since a hub was restored or the chain judged otherwise than the hub, an ``ADJUSTMENT`` says by how much.
"""

from dataclasses import dataclass
from enum import IntEnum


class FactKind(IntEnum):
    """What happened. The values are on disks."""

    PAYMENT = 1
    """``channel`` paid ``other`` ``amount``, and the hub ``part``."""
    OFFLINE_PAYMENT = 2
    """The same, made without a network and brought later."""
    REFUND = 3
    """``channel`` paid ``amount`` back to ``other``."""
    DEPOSIT = 4
    """The owner of ``channel`` paid in."""
    HUB_DEPOSIT = 5
    """The hub paid into ``channel``."""
    WITHDRAWAL = 6
    """The owner of ``channel`` may take ``amount`` out: the hub has consented."""
    HUB_WITHDRAWAL = 7
    """The hub took ``amount`` out of ``channel``."""
    PAYOUT = 8
    """The contract settled ``channel``: ``amount`` to its owner, ``part`` to the hub."""
    ADJUSTMENT = 9
    """The owner of ``channel`` has ``amount`` more and ``part`` less than was booked."""
    CLAIM = 10
    """The contract paid ``amount`` of its credit out to the hub."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that is final."""

    kind: FactKind
    day: int
    """Days since 1970 in the hub's calendar: of a payment that on which it was taken."""
    time: int
    """Seconds since 1970, of that day."""
    reference: bytes
    """32 bytes; a kind has it once."""
    channel: bytes
    """32 bytes; nothing for a claim."""
    amount: int
    """Token units."""
    other: bytes = b""
    """32 bytes, or nothing."""
    part: int = 0
    """Token units."""
    invoice_hash: bytes = b""
    """32 bytes, or nothing."""

"""What each sender may take of the blocks that this node builds: gas and building time, by class.

Fees cannot do it: they may be zero, and a tip of a wei would buy everybody else's place. So every sender, and every
class of senders, has a rate of gas and of building time. What it takes beyond the rate is a *debt*, kept as the
time until the rate has paid it off: one number for each sender, which shrinks by itself as time passes (a virtual
scheduling clock, as the generic cell rate algorithm of ITU-T I.371 has it). What a transaction costs is known only
once it ran, so a sender may go into debt by one transaction, however dear, and pays before the next.

* A sender whose debt exceeds ``BURST_MS`` gets nothing into a block until it has paid down to that.
* Below it, debt decides who goes first: classes by their debt, in it senders by theirs, both in steps; then the
  older transaction, a sender's next one counting from when the one before was taken, so that senders take turns.
  Tips decide nothing here. Whoever has waited for ``PATIENCE_MS`` goes by age alone, so that nobody waits for ever
  behind newcomers without debts.
* A *heavy* transaction, one that asks for more than ``HEAVY_GAS``, besides waits for the *lane* of its class: heavy
  transactions of a class together keep to the class's share of time. So many accounts of one operator get no more
  of it than one, while payments of the same class, which are light, are not held up by the lane.

This is the builder's policy, not a rule of the chain: another's block is valid however it was filled. It counts
all the same, since what others' blocks took is charged here too, by this node's own measurement.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

BURST_MS: Final = 2_000
"""Debt that does not hold a sender back: what a quiet client may send at once, two seconds' worth."""
LANE_BURST_MS: Final = 500
"""The same of a lane: a few deployments of some ms each at once; one transaction that took a second closes it."""
STEP_MS: Final = 250
"""Debts that differ by less count as equal, and age decides: a block of a development network or a quarter of one."""
PATIENCE_MS: Final = 10_000
"""A transaction that waited so long goes by age: as long as a heartbeat, so that it is an exception."""
DEBT_MS_MAX: Final = 10 * 60 * 1_000
"""Largest debt: one transaction that took a minute must not shut its sender out for a day."""
HEAVY_GAS: Final = 2_000_000
"""A light transaction, with at most this limit, costs at most about 0.2 s (112 ms a million gas, ADR 0020). Payments
ask for a twentieth, ordinary calls for a half of it."""
HEAVY_DELAY_MS: Final = 2_000
"""A heavy transaction lets light ones that come up to so much later go first: they fill the block before it."""
_DEBTORS_MAX: Final = 32_768
"""Senders with debts that are remembered, about 4 MB: more than a block interval's worth of payments from as many."""
_LEVELS: Final = 16
"""More levels than a sender's debt has up to ``BURST_MS``."""


class SenderClass(StrEnum):
    """Kinds of senders that have a share of their own; from the participant registry's status word."""

    RESIDENT = "resident"
    MERCHANT = "merchant"
    DEVELOPER = "developer"
    """May create contracts, whatever else it is: runs code that nobody has measured yet."""
    LICENSED = "licensed"
    """Platforms, exchanges, custodians and payment hubs: many people's payments through one account."""
    INSTITUTION = "institution"
    """Ministries and the central bank, and everybody on a network without a participant registry."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a class and each of its senders may take."""

    block_gas_percent: int
    """Of a block's gas, for one sender; its first transaction in a block may exceed it."""
    gas_per_s: int
    """Gas per second of one sender."""
    time_percent: int
    """Of a node's time, for one sender's transactions."""
    class_time_percent: int
    """The same for the heavy transactions of the class; by it light ones are ordered between classes."""


DEFAULT_ALLOWANCES: Final[Mapping[SenderClass, Allowance]] = {
    # A person's wallet: 135 payments a second of 37,000 gas, more than any person makes.
    SenderClass.RESIDENT: Allowance(25, 5_000_000, 5, 50),
    # A shop with many tills.
    SenderClass.MERCHANT: Allowance(50, 10_000_000, 10, 50),
    # A deployment may need a whole block and costs some ms, or a hundred where new code is translated first; of what
    # costs a second one comes in half a minute, so that fewer than one payment in twenty meets it.
    SenderClass.DEVELOPER: Allowance(100, 10_000_000, 5, 4),
    # A platform that pays for a city: half of the network's 1,600 payments a second through one account.
    SenderClass.LICENSED: Allowance(75, 30_000_000, 30, 50),
    SenderClass.INSTITUTION: Allowance(75, 30_000_000, 30, 50),
}
"""For networks whose nodes carry some 1,600 payments a second (docs/performance.md)."""


@dataclass(slots=True)
class _ClassAccount:
    """A class's rates, as milliseconds of debt, and its debts."""

    ms_per_gas: float
    ms_per_us: float
    class_ms_per_us: float
    block_gas_percent: int
    paid_at_ms: float = 0.0
    """When everything is paid off."""
    lane_paid_at_ms: float = 0.0
    """The same of the heavy ones alone."""


class Shares:
    """The debts of senders and classes. Pure: time comes in as a number."""

    def __init__(self, allowances: Mapping[SenderClass, Allowance]) -> None:
        self._paid_at: dict[bytes, float] = {}
        """Sender -> when its debt is paid off, ms on the caller's clock."""
        self._classes = {
            sender_class: _ClassAccount(
                1_000 / a.gas_per_s, 1 / (10 * a.time_percent), 1 / (10 * a.class_time_percent), a.block_gas_percent
            )
            for sender_class, a in allowances.items()
        }

    def block_gas(self, sender_class: SenderClass, gas_limit: int) -> int:
        """Gas of one sender in a block of ``gas_limit``."""
        return gas_limit * self._classes[sender_class].block_gas_percent // 100

    def charge(
        self, sender: bytes, sender_class: SenderClass, gas: int, time_us: int, now_ms: int, *, heavy: bool
    ) -> None:
        """A transaction of ``sender`` used ``gas`` and took ``time_us`` of this node's time."""
        account = self._classes[sender_class]
        by_gas, by_time = gas * account.ms_per_gas, time_us * account.ms_per_us
        paid_at = self._paid_at.get(sender)
        since = now_ms if paid_at is None or paid_at < now_ms else paid_at
        self._paid_at[sender] = min(since + (max(by_time, by_gas)), now_ms + DEBT_MS_MAX)
        if paid_at is None and len(self._paid_at) > _DEBTORS_MAX:
            self._forget(now_ms)
        class_cost_ms, latest = time_us * account.class_ms_per_us, now_ms + DEBT_MS_MAX
        account.paid_at_ms = min(max(account.paid_at_ms, now_ms) + class_cost_ms, latest)
        if heavy:
            account.lane_paid_at_ms = min(max(account.lane_paid_at_ms, now_ms) + class_cost_ms, latest)

    def _forget(self, now_ms: int) -> None:
        """Drop what is paid off; where that is little, the smaller half of the debts too."""
        self._paid_at = {sender: at for sender, at in self._paid_at.items() if at > now_ms}
        if len(self._paid_at) > _DEBTORS_MAX // 2:
            kept = sorted(self._paid_at.items(), key=lambda item: item[1])[-_DEBTORS_MAX // 2 :]
            self._paid_at = dict(kept)

    def eligible_at_ms(self, sender: bytes, sender_class: SenderClass, *, heavy: bool) -> float:
        """From when on the sender's next transaction may be in a block; long ago for who has no debt."""
        at = self._paid_at.get(sender, 0.0) - BURST_MS
        return max(at, self._classes[sender_class].lane_paid_at_ms - LANE_BURST_MS) if heavy else at

    def next_turn_ms(self, sender_class: SenderClass, now_ms: int, *, heavy: bool) -> int:
        """From when on the next transaction of a sender counts as waiting, of which one was taken at ``now_ms``.

        A heavy one queues when the lane opens again, behind all that came while its predecessor kept it closed.
        """
        return max(now_ms, int(self._classes[sender_class].lane_paid_at_ms)) if heavy else now_ms

    def level(self, sender: bytes, sender_class: SenderClass, now_ms: int, *, heavy: bool) -> int | None:
        """Where in the order of debts the sender's next transaction stands; 0 goes first, None may not go at all."""
        account, paid_at = self._classes[sender_class], self._paid_at.get(sender, 0.0)
        if heavy and account.lane_paid_at_ms > now_ms + LANE_BURST_MS:
            return None
        of_class = account.paid_at_ms
        if paid_at <= now_ms and of_class <= now_ms:
            return 0
        own_ms = paid_at - now_ms
        if own_ms > BURST_MS:
            return None
        level = int(own_ms) // STEP_MS if own_ms > 0 else 0
        return level + _LEVELS * (int(of_class - now_ms) // STEP_MS) if of_class > now_ms else level

"""The state of a channel as one party, or its watchtower, knows it. Frozen; ``transition`` makes the next one."""

from dataclasses import dataclass
from enum import Enum, auto

from alatau.channels.messages import CooperativeClose, Domain, Lock, Parties, SignedVoucher, channel_id


class Phase(Enum):
    """Where the channel stands on chain."""

    OPEN = auto()
    CLOSING = auto()
    SETTLED = auto()


@dataclass(frozen=True, slots=True)
class Side:
    """One party's money and its claim-making: what it paid in, took out, and signed away."""

    deposited: int = 0
    """All that it ever paid in, in token units."""
    withdrawn: int = 0
    """All that it ever took out."""
    latest: SignedVoucher | None = None
    """Its newest voucher, as payer."""
    receipt: bytes | None = None
    """The payee's signature for ``latest``; None until it came back."""
    submitted_nonce: int = 0
    """Nonce of its voucher that the contract knows, while closing."""

    @property
    def nonce(self) -> int:
        """Nonce of the newest voucher, 0 for none."""
        return self.latest.voucher.nonce if self.latest else 0

    @property
    def transferred(self) -> int:
        """What it has paid for good."""
        return self.latest.voucher.transferred if self.latest else 0

    @property
    def locks(self) -> tuple[Lock, ...]:
        """What it has promised against secrets."""
        return self.latest.voucher.locks if self.latest else ()

    @property
    def locked(self) -> int:
        """Sum of the promises."""
        return sum(lock.amount for lock in self.locks)


@dataclass(frozen=True, slots=True)
class Window:
    """When a closing channel may be settled: both must be reached."""

    settle_block: int
    settle_time: int
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How both divide what the channel holds, as far as they have signed."""

    message: CooperativeClose
    signature_a: bytes | None = None
    """Of any scheme; None until a has signed."""
    signature_b: bytes | None = None


@dataclass(frozen=True, slots=True)
class ChannelState:
    """A channel."""

    domain: Domain
    parties: Parties
    id: bytes
    settle_blocks: int
    """The contract's: blocks between closing and settling, at least. No lock lives as long."""
    phase: Phase = Phase.OPEN
    a: Side = Side()
    b: Side = Side()
    window: Window | None = None
    """Set from closing on."""
    agreement: Agreement | None = None
    """While it is good for the contract, no voucher is signed beside it."""

    @property
    def total(self) -> int:
        """What the contract holds for the channel."""
        return self.a.deposited + self.b.deposited - self.a.withdrawn - self.b.withdrawn


def opened(domain: Domain, parties: Parties, deposit_a: int, *, settle_blocks: int) -> ChannelState:
    """The state of a channel that party a has just opened on chain; ``settle_blocks`` is the contract's."""
    return ChannelState(domain, parties, channel_id(domain, parties), settle_blocks, a=Side(deposited=deposit_a))


def side_of(state: ChannelState, party: bytes) -> Side:
    """A party's side; the caller has checked that it is one."""
    return state.a if party == state.parties.a else state.b


def other_party(state: ChannelState, party: bytes) -> bytes:
    """The one across."""
    return state.parties.b if party == state.parties.a else state.parties.a


def available(state: ChannelState, party: bytes) -> int:
    """What a party can still pay or take out: its own money, plus received, less sent and promised."""
    mine, theirs = side_of(state, party), side_of(state, other_party(state, party))
    return mine.deposited - mine.withdrawn + theirs.transferred - mine.transferred - mine.locked


def payouts(state: ChannelState, unlocked_ab: int = 0, unlocked_ba: int = 0) -> tuple[int, int]:
    """What a and b get if the channel settles by its newest vouchers: the contract's formula.

    ``unlocked_ab`` is what a's locks pay because their secrets were revealed in time; ``unlocked_ba`` b's.
    """
    sent_ab, sent_ba = state.a.transferred + unlocked_ab, state.b.transferred + unlocked_ba
    entitled = state.a.deposited - state.a.withdrawn + sent_ba - sent_ab
    payout_a = min(max(entitled, 0), state.total)
    return payout_a, state.total - payout_a

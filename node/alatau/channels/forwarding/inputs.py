"""What happens to the hub: what parties say and what the chain tells. Frozen, without logic."""

from dataclasses import dataclass
from typing import TypeAlias

from alatau.channels.invoice import SignedInvoice
from alatau.channels.messages import CooperativeClose, Parties, SignedVoucher, Withdraw
from alatau.channels.state import Window


@dataclass(frozen=True, slots=True)
class InputAttach:
    """A party has proved that the channel is its own and compares what each has of the other's."""

    channel_id: bytes
    own: SignedVoucher | None
    """Its newest as payer."""
    hubs: SignedVoucher | None
    """The newest of the hub's that it holds."""
    invoices: tuple[SignedInvoice, ...] = ()
    """Of its pending locks: a hub that was restored learns of payments that it has forgotten."""


@dataclass(frozen=True, slots=True)
class InputDetach:
    """The party's connection is gone."""

    channel_id: bytes


@dataclass(frozen=True, slots=True)
class InputPay:
    """A payer locks amount and fee for an invoice."""

    channel_id: bytes
    invoice: SignedInvoice
    voucher: SignedVoucher


@dataclass(frozen=True, slots=True)
class InputSecret:
    """A merchant gives the secret of a lock away: it is paid."""

    channel_id: bytes
    secret: bytes


@dataclass(frozen=True, slots=True)
class InputFail:
    """A merchant does not want a payment."""

    channel_id: bytes
    secret_hash: bytes
    expiry_block: int
    """Of the lock: an invoice may be tried again under the same hash."""


@dataclass(frozen=True, slots=True)
class InputReceipt:
    """A party signs that it has the hub's voucher of this nonce: a failed lock is gone for good."""

    channel_id: bytes
    nonce: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class InputFold:
    """A payer's voucher without a new lock: what was due is paid, what ran out is gone."""

    channel_id: bytes
    voucher: SignedVoucher


@dataclass(frozen=True, slots=True)
class InputRefund:
    """A merchant pays a part of a payment back."""

    channel_id: bytes
    invoice_hash: bytes
    voucher: SignedVoucher
    """Transfers the refunded amount to the hub, which gives it on."""


@dataclass(frozen=True, slots=True)
class InputAgree:
    """A party signs how to divide the channel."""

    channel_id: bytes
    message: CooperativeClose
    signature: bytes


@dataclass(frozen=True, slots=True)
class InputWithdraw:
    """A party wants the hub's consent to take money out."""

    channel_id: bytes
    message: Withdraw


@dataclass(frozen=True, slots=True)
class InputOpened:
    """The chain says that a channel with this hub was opened."""

    parties: Parties
    amount: int
    settle_blocks: int


@dataclass(frozen=True, slots=True)
class InputDeposited:
    """The chain says that a party paid ``amount`` more in."""

    channel_id: bytes
    party: bytes
    amount: int


@dataclass(frozen=True, slots=True)
class InputWithdrawn:
    """The chain says that a party took ``amount`` more out."""

    channel_id: bytes
    party: bytes
    amount: int


@dataclass(frozen=True, slots=True)
class InputClosing:
    """The chain says that a settlement has begun."""

    channel_id: bytes
    window: Window


@dataclass(frozen=True, slots=True)
class InputSubmitted:
    """The chain says that a voucher of ``payer`` was accepted."""

    channel_id: bytes
    payer: bytes
    nonce: int


@dataclass(frozen=True, slots=True)
class InputSettled:
    """The chain says that the channel has ended, and what each of the two gets."""

    channel_id: bytes
    to_owner: int
    to_hub: int


@dataclass(frozen=True, slots=True)
class InputClaimed:
    """The chain says that the hub was paid ``amount`` of its credit."""

    transaction: bytes
    """32 bytes: its hash, with the place of the event in it."""
    amount: int


@dataclass(frozen=True, slots=True)
class InputRevealed:
    """The chain knows a secret since ``block``."""

    secret: bytes
    block: int


@dataclass(frozen=True, slots=True)
class InputAccount:
    """The registry says what an account is."""

    account: bytes
    tier: int
    good: bool
    """Registered, and not suspended."""


@dataclass(frozen=True, slots=True)
class InputBlock:
    """All news of the chain up to the moment's block has been told."""


Request: TypeAlias = (
    InputAttach
    | InputPay
    | InputSecret
    | InputFail
    | InputReceipt
    | InputFold
    | InputRefund
    | InputAgree
    | InputWithdraw
)
"""What a party says. Only this is ever refused."""

Input: TypeAlias = (
    Request
    | InputDetach
    | InputOpened
    | InputDeposited
    | InputWithdrawn
    | InputClosing
    | InputSubmitted
    | InputSettled
    | InputClaimed
    | InputRevealed
    | InputAccount
    | InputBlock
)

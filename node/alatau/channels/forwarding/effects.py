"""What the hub's host has to do after a batch of inputs, in this order: store all, flush, and only then the rest."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from alatau.channels.forwarding.facts import Fact
from alatau.channels.forwarding.limits import Usage
from alatau.channels.forwarding.payment import Payment, Refund
from alatau.channels.forwarding.refusal import Reason
from alatau.channels.invoice import SignedInvoice
from alatau.channels.messages import CooperativeClose, Parties, SignedVoucher
from alatau.channels.state import ChannelState
from alatau.channels.transition import DoCloseCooperatively, DoSubmit


@dataclass(frozen=True, slots=True)
class SayAttached:
    """The two agree: these are the newest vouchers."""

    own: SignedVoucher | None
    """The party's, as the hub has it now."""
    hubs: SignedVoucher | None
    deposited: int
    """By the party, as the hub knows the chain."""
    hub_deposited: int
    released: tuple[bytes, ...]
    """Hashes of the party's locks that the hub lets go: the party may drop them at once."""


@dataclass(frozen=True, slots=True)
class SayVoucher:
    """The hub's newest voucher for the party."""

    signed: SignedVoucher
    invoices: tuple[SignedInvoice, ...] = ()
    """What its locks pay for."""
    refunds: tuple[Refund, ...] = ()
    """What was paid back to the party with it."""


@dataclass(frozen=True, slots=True)
class SaySecret:
    """The merchant is paid; the secret beside the invoice proves it. The payer folds the lock into what it has paid."""

    invoice_hash: bytes
    secret: bytes


@dataclass(frozen=True, slots=True)
class SayPending:
    """The payment that was asked for again is under way."""

    invoice_hash: bytes


@dataclass(frozen=True, slots=True)
class SayCancelled:
    """The payment came to nothing. The payer may drop its lock at once."""

    invoice_hash: bytes
    secret_hash: bytes


@dataclass(frozen=True, slots=True)
class SayAccepted:
    """The hub has a voucher without a new lock, and signs for it: an older one counts no more."""

    nonce: int
    receipt: bytes
    """65 bytes over ``receipt_digest``."""


@dataclass(frozen=True, slots=True)
class SayRefunded:
    """The refund was passed on; the hub's voucher for the payer is the proof."""

    refund: Refund
    proof: SignedVoucher


@dataclass(frozen=True, slots=True)
class SayAgreed:
    """The hub has signed too and carries the agreement to the chain."""

    message: CooperativeClose
    signature: bytes


@dataclass(frozen=True, slots=True)
class SayConsent:
    """The hub consents that the party takes money out."""

    total: int
    deadline: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class SayWanted:
    """The hub was restored and has lost secrets of payments that it has made. The merchant MUST send them again."""

    secret_hashes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class SayRefused:
    """What the party asked for last, or for this hash, is not done."""

    reason: Reason
    text: str
    subject: bytes = b""
    """Hash of the invoice or of the secret that it is about; empty otherwise."""
    details: Mapping[str, str] = field(default_factory=dict)


Message: TypeAlias = (
    SayAttached
    | SayVoucher
    | SaySecret
    | SayPending
    | SayCancelled
    | SayAccepted
    | SayRefunded
    | SayAgreed
    | SayConsent
    | SayWanted
    | SayRefused
)


@dataclass(frozen=True, slots=True)
class DoStoreChannel:
    """Write a channel's state."""

    state: ChannelState
    withdrawn_on_chain: tuple[int, int]
    agreed: bool
    """False from a restore until the party has attached."""


@dataclass(frozen=True, slots=True)
class DoForgetChannel:
    """A settled channel needs nothing any more; its payments stay."""

    parties: Parties
    channel_id: bytes


@dataclass(frozen=True, slots=True)
class DoStorePayment:
    """Write a payment under its key; at most once a batch."""

    payment: Payment


@dataclass(frozen=True, slots=True)
class DoStoreRefund:
    """Write a refund."""

    refund: Refund


@dataclass(frozen=True, slots=True)
class DoStoreUsage:
    """Write what an account has paid."""

    account: bytes
    usage: Usage


@dataclass(frozen=True, slots=True)
class DoStoreAccount:
    """Write an account's standing."""

    account: bytes
    tier: int
    good: bool


@dataclass(frozen=True, slots=True)
class DoStoreSecret:
    """Write a secret that the chain knows; kept for ``SECRET_BLOCKS`` blocks."""

    secret: bytes
    block: int


@dataclass(frozen=True, slots=True)
class DoBook:
    """Write a fact behind those that were written before."""

    fact: Fact


@dataclass(frozen=True, slots=True)
class DoForgetSecret:
    """No lock can wait for it any more."""

    secret: bytes
    block: int
    """Since which the chain knew it."""


@dataclass(frozen=True, slots=True)
class DoSend:
    """To the party of a channel, if it is connected; what it misses it is told when it attaches."""

    channel_id: bytes
    message: Message


@dataclass(frozen=True, slots=True)
class DoReveal:
    """The payer has not folded and its lock is about to expire: the secret MUST be on chain by ``by_block``."""

    secret: bytes
    by_block: int


@dataclass(frozen=True, slots=True)
class DoCarry:
    """A submission or an agreement MUST reach the contract; done again until the chain says that it has."""

    parties: Parties
    action: DoSubmit | DoCloseCooperatively


@dataclass(frozen=True, slots=True)
class DoAskLiquidity:
    """A payment was refused because the hub's side of this channel has ``missing`` too little."""

    channel_id: bytes
    missing: int


@dataclass(frozen=True, slots=True)
class DoAlarm:
    """The operator has to know."""

    text: str


Store: TypeAlias = (
    DoStoreChannel
    | DoForgetChannel
    | DoStorePayment
    | DoStoreRefund
    | DoStoreUsage
    | DoStoreAccount
    | DoStoreSecret
    | DoForgetSecret
    | DoBook
)
Act: TypeAlias = DoSend | DoReveal | DoCarry | DoAskLiquidity | DoAlarm

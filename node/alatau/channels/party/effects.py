"""What a wallet or a till has to do after a step, in order: store all, durably, and only then send."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from alatau.channels.forwarding.inputs import InputRefund, Request
from alatau.channels.forwarding.refusal import Reason
from alatau.channels.messages import SignedVoucher, Withdraw
from alatau.channels.party.records import Incoming, Outgoing
from alatau.channels.state import ChannelState
from alatau.channels.transition import DoCloseCooperatively, DoSubmit


@dataclass(frozen=True, slots=True)
class PutChannel:
    """Write the channel's state."""

    state: ChannelState


@dataclass(frozen=True, slots=True)
class PutOutgoing:
    """Write a payment."""

    outgoing: Outgoing


@dataclass(frozen=True, slots=True)
class PutIncoming:
    """Write an invoice."""

    incoming: Incoming


@dataclass(frozen=True, slots=True)
class PutRefund:
    """Write the refund that waits for the hub's answer; None when it has come."""

    request: InputRefund | None


@dataclass(frozen=True, slots=True)
class PutChain:
    """Write how far the chain is known: with the channel's state of that height, in one batch."""

    height: int
    withdrawn: tuple[int, int]
    """By a and by b, as the chain says."""


@dataclass(frozen=True, slots=True)
class Send:
    """To the hub, if connected; what is lost is made good when the two attach again."""

    request: Request


@dataclass(frozen=True, slots=True)
class TellPaid:
    """A payment of one's own is final."""

    outgoing: Outgoing


@dataclass(frozen=True, slots=True)
class TellFailed:
    """A payment of one's own came to nothing; its amount is free again."""

    outgoing: Outgoing
    reason: Reason | None = None
    """The hub's, if it refused."""
    details: Mapping[str, str] = field(default_factory=dict)
    """Values by name, of a limit for instance."""


@dataclass(frozen=True, slots=True)
class TellReceived:
    """An invoice of one's own is paid."""

    incoming: Incoming


@dataclass(frozen=True, slots=True)
class TellRefunded:
    """Money came back, or was given back."""

    amount: int
    invoice_hash: bytes
    proof: SignedVoucher


@dataclass(frozen=True, slots=True)
class TellConsent:
    """The hub lets money out: bring it to the contract before its deadline, or ask again for the same total."""

    message: Withdraw
    signature: bytes
    """The hub's, 65 bytes."""


@dataclass(frozen=True, slots=True)
class TellRefusal:
    """The hub does not do what was asked for last, and it was no payment and no refund."""

    reason: Reason
    text: str


@dataclass(frozen=True, slots=True)
class TellDispute:
    """The hub has sent a voucher that takes something away. Keep the old one; close with it."""

    text: str


@dataclass(frozen=True, slots=True)
class Reveal:
    """The hub has not paid for a secret that was given away: it MUST be on chain by ``by_block``, then it is due."""

    secret: bytes
    by_block: int


@dataclass(frozen=True, slots=True)
class Carry:
    """MUST reach the contract."""

    action: DoSubmit | DoCloseCooperatively


Put: TypeAlias = PutChannel | PutOutgoing | PutIncoming | PutRefund | PutChain
Tell: TypeAlias = TellPaid | TellFailed | TellReceived | TellRefunded | TellConsent | TellRefusal | TellDispute
Effect: TypeAlias = Put | Send | Tell | Carry | Reveal

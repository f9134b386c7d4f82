"""Why the hub does not do what a party asks. Nothing has changed; the party may ask again."""

from collections.abc import Mapping
from enum import Enum


class Reason(Enum):
    """Stable names; a text for people comes with them."""

    CHANNEL_UNKNOWN = 1
    """The hub knows no open channel of this id. Open one, or wait until its opening is final."""
    NOT_AGREED = 2
    """The two have not compared their vouchers since the connection began. Attach first."""
    CHANNEL_NOT_OPEN = 3
    """It is being closed."""
    INVOICE_INVALID = 4
    """Expired, of another hub, or out of range. The merchant makes another."""
    INVOICE_TAKEN = 5
    """Somebody else has paid it, or is about to."""
    MERCHANT_UNKNOWN = 6
    """The merchant has no channel here."""
    MERCHANT_AWAY = 7
    """The till is not connected. Nothing was locked."""
    MERCHANT_BUSY = 8
    """As many payments to the merchant are under way as a channel holds."""
    NO_LIQUIDITY = 9
    """The hub has too little in the merchant's channel. Nothing was locked; it is told to put more in."""
    LIMIT_EXCEEDED = 10
    """A limit of the payer's tier; the details say which, what is used and when it frees."""
    TOO_MANY_LOCKS = 11
    """As many payments of the payer are under way as it may have."""
    LOCK_WRONG = 12
    """The voucher's new lock is not amount and fee under the invoice's hash, or its life is out of bounds."""
    VOUCHER_INVALID = 13
    """It breaks a rule of the channel."""
    SIGNATURE_INVALID = 14
    """It is not its signer's."""
    SECRET_UNKNOWN = 15
    """No payment to this channel waits for this secret."""
    TOO_LATE = 16
    """The lock has expired."""
    PAYMENT_UNKNOWN = 17
    """Nothing to refund: the hub knows no such payment to this merchant."""
    REFUND_TOO_LARGE = 18
    """More than was paid and not yet refunded."""
    ACCOUNT_REFUSED = 19
    """The account is suspended."""


class Refusal(Exception):  # noqa: N818  (it is no fault of ours)
    """Raised by the core's handlers before anything changes; its caller tells the party."""

    def __init__(self, reason: Reason, text: str, details: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text
        self.details = dict(details or {})

"""The chart of accounts: who has a claim on the money that the channels contract holds.

For each channel the contract holds a sum, *escrow*. A part of it is the owner's, *channel*, a part is promised by locks
in flight, *suspense*; the rest is the hub's. What the hub earned is *fees*, what it brought in is *capital*. A balance
is what was credited less what was debited, so money that is owed is positive, money that is held negative, and all
balances of a hub add up to nothing.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from alatau.books.errors import BooksError

CHANNEL_ID_BYTES: Final = 32


class AccountKind(Enum):
    """What an account is for; the values stand in exports."""

    CHANNEL = "channel"
    """What a channel's owner has: a resident or a merchant."""
    SUSPENSE = "suspense"
    """What the owner's locks hold until they pay or run out."""
    ESCROW = "escrow"
    """What the contract holds for a channel; without a channel, the hub's credit in the contract."""
    FEES = "fees"
    """The hub's income."""
    CAPITAL = "capital"
    """The hub's own money in the contract."""


OF_A_CHANNEL: Final = frozenset({AccountKind.CHANNEL, AccountKind.SUSPENSE})
"""Kinds that always name a channel, and never fall below nothing."""
OF_THE_HUB: Final = frozenset({AccountKind.FEES, AccountKind.CAPITAL})
"""Kinds of which there is one."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account of a hub's ledger."""

    kind: AccountKind
    channel_id: bytes = b""
    """32 bytes, or nothing."""

    def __str__(self) -> str:
        """As exports write it: ``channel:0x..`` or ``fees``."""
        return f"{self.kind.value}:0x{self.channel_id.hex()}" if self.channel_id else self.kind.value


FEES: Final = Account(AccountKind.FEES)
CAPITAL: Final = Account(AccountKind.CAPITAL)
CREDIT: Final = Account(AccountKind.ESCROW)
"""The hub's credit in the contract: what it can claim, or fund channels with."""


def owner_account(channel_id: bytes) -> Account:
    """What the owner of a channel has."""
    return Account(AccountKind.CHANNEL, channel_id)


def suspense_account(channel_id: bytes) -> Account:
    """What locks of a channel's owner hold."""
    return Account(AccountKind.SUSPENSE, channel_id)


def escrow_account(channel_id: bytes) -> Account:
    """What the contract holds for a channel."""
    return Account(AccountKind.ESCROW, channel_id)


def read_account(text: str) -> Account:
    """The account that an export names. Raises ``BooksError``."""
    name, colon, digits = text.partition(":")
    try:
        kind = AccountKind(name)
    except ValueError:
        names = ", ".join(kind.value for kind in AccountKind)
        raise BooksError(f"an account is one of {names}, not {name!r}") from None
    channel_id = _channel_id(digits) if colon else b""
    if (kind in OF_A_CHANNEL and not channel_id) or (kind in OF_THE_HUB and colon):
        raise BooksError(f"{text!r}: {'a channel is missing' if not colon else 'this account is of no channel'}")
    return Account(kind, channel_id)


def _channel_id(text: str) -> bytes:
    digits = text.removeprefix("0x")
    if len(digits) != 2 * CHANNEL_ID_BYTES or digits == text or not set(digits) <= set("0123456789abcdef"):
        raise BooksError(f"a channel is 0x and {2 * CHANNEL_ID_BYTES} digits of 0-9 and a-f, not {text!r}")
    return bytes.fromhex(digits)

"""Who may transact and deploy, read from one storage slot of the ParticipantRegistry contract.

The word's bits, the same as in ``contracts/identity/ParticipantRegistry.vy``:

=========  ==========================================================================
bit 0      active: may transact
bit 1      may deploy contracts
bit 2      suspended: overrides active
8-15       kind: 1 resident, 2 merchant, 3 institution, 4 contract
16-23      tier of a resident or merchant
24-31      licences, a bit each: 1 platform, 2 exchange, 4 custody, 8 payment hub
32-39      capital class of the licences
64-127     the registration expires at this second, 0 never
128-191    the licences and the right to deploy expire at this second, 0 never
192-255    a court order freezes money until this second, 0 none; binds tokens, not the sender
=========  ==========================================================================
"""

from enum import IntEnum, IntFlag
from typing import Final

from alatau.crypto.keccak import keccak256

STATUS_SLOT: Final = 0
"""Slot of ``status``, the contract's first variable; frozen by a test of the compiled layout."""

ACTIVE: Final = 1 << 0
MAY_DEPLOY: Final = 1 << 1
SUSPENDED: Final = 1 << 2
_KIND_SHIFT: Final = 8
_TIER_SHIFT: Final = 16
_LICENCE_SHIFT: Final = 24
_CAPITAL_SHIFT: Final = 32
_EXPIRY_SHIFT: Final = 64
_LICENCE_EXPIRY_SHIFT: Final = 128
_FREEZE_SHIFT: Final = 192
_BYTE_MASK: Final = (1 << 8) - 1
_TIME_MASK: Final = (1 << 64) - 1
_STATUS_SLOT_WORD: Final = STATUS_SLOT.to_bytes(32, "big")
_ADDRESS_PADDING: Final = bytes(12)


class ParticipantKind(IntEnum):
    """What a participant is."""

    RESIDENT = 1
    MERCHANT = 2
    INSTITUTION = 3
    CONTRACT = 4


class Licence(IntFlag):
    """Licences of the central bank."""

    NONE = 0
    PLATFORM = 1
    EXCHANGE = 2
    CUSTODY = 4
    PAYMENT_HUB = 8


def slot_of(address: bytes) -> int:
    """Storage slot of an account's status word: keccak256(slot of the map ++ key), Vyper's order."""
    assert len(address) == 20, "an address has 20 bytes"
    return int.from_bytes(keccak256(_STATUS_SLOT_WORD + _ADDRESS_PADDING + address), "big")


def may_transact(word: int, timestamp: int) -> bool:
    """Whether an account with status ``word`` may send a transaction in a block of ``timestamp`` (seconds)."""
    if word & (ACTIVE | SUSPENDED) != ACTIVE:
        return False
    return not _expired(word >> _EXPIRY_SHIFT, timestamp)


def may_deploy(word: int, timestamp: int) -> bool:
    """Whether the account may besides create contracts by transaction."""
    if not word & MAY_DEPLOY or _expired(word >> _LICENCE_EXPIRY_SHIFT, timestamp):
        return False
    return may_transact(word, timestamp)


def kind_of(word: int) -> ParticipantKind | None:
    """What the participant is; None for an account that was never registered."""
    value = (word >> _KIND_SHIFT) & _BYTE_MASK
    return ParticipantKind(value) if value else None


def tier_of(word: int) -> int:
    """The tier, 0 for none."""
    return (word >> _TIER_SHIFT) & _BYTE_MASK


def licences_of(word: int, timestamp: int) -> Licence:
    """The licences in force at ``timestamp``."""
    if not may_transact(word, timestamp) or _expired(word >> _LICENCE_EXPIRY_SHIFT, timestamp):
        return Licence.NONE
    return Licence((word >> _LICENCE_SHIFT) & _BYTE_MASK)


def registered_until(word: int) -> int:
    """Second at which the registration ends, 0 for never."""
    return word >> _EXPIRY_SHIFT & _TIME_MASK


def frozen_until(word: int) -> int:
    """Second at which a court's freeze of money ends, 0 for none."""
    return word >> _FREEZE_SHIFT


def status_word(
    kind: ParticipantKind,
    *,
    tier: int = 0,
    deploys: bool = False,
    licences: Licence = Licence.NONE,
    capital_class: int = 0,
    expires: int = 0,
    licences_expire: int = 0,
) -> int:
    """The word of an active participant, for genesis. Times in seconds since 1970, 0 for never."""
    assert 0 <= tier <= _BYTE_MASK
    assert 0 <= capital_class <= _BYTE_MASK
    assert 0 <= expires <= _TIME_MASK
    assert 0 <= licences_expire <= _TIME_MASK
    return (
        ACTIVE
        | (MAY_DEPLOY if deploys else 0)
        | kind << _KIND_SHIFT
        | tier << _TIER_SHIFT
        | licences << _LICENCE_SHIFT
        | capital_class << _CAPITAL_SHIFT
        | expires << _EXPIRY_SHIFT
        | licences_expire << _LICENCE_EXPIRY_SHIFT
    )


def _expired(shifted: int, timestamp: int) -> bool:
    expires = shifted & _TIME_MASK
    return expires != 0 and timestamp >= expires

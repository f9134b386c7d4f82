"""What a watchtower is given, and what it signs in return: pure checks and digests, shared with hubs and wallets.

Anybody can carry a voucher with its payee's receipt to the contract, so a tower needs no trust and has no power: it can
only bring what both have signed. What it signs itself binds it by its word: ``TowerReceipt`` says up to which nonce a
direction is protected. ``Recover`` is how a party asks for its vouchers back, ``CloseRequest``
(:mod:`alatau.channels.messages`) how it asks to be brought out of the channel when its hub is silent.
"""

from dataclasses import dataclass

from alatau.channels.delegation import voucher_signed_by
from alatau.channels.errors import ForgedMessageError, InvalidVoucherError
from alatau.channels.messages import (
    AMOUNT_MAX,
    NONCE_MAX,
    CloseRequest,
    Domain,
    Lock,
    Parties,
    SignedVoucher,
    Voucher,
    address_word,
    channel_id,
    close_request_digest,
    receipt_digest,
    signed_by,
    uint_word,
)
from alatau.crypto.eip712 import struct_hash, type_hash, typed_digest

_TOWER_RECEIPT_TYPE = type_hash("TowerReceipt(bytes32 channelId,address payer,uint256 nonce)")
_RECOVER_TYPE = type_hash("Recover(bytes32 channelId,uint256 time)")

RECOVERY_SECONDS_MAX = 60
"""How far the clock of a party that asks for its vouchers may be from the tower's, in either direction."""


@dataclass(frozen=True, slots=True)
class Protection:
    """A voucher with its payee's receipt."""

    parties: Parties
    signed: SignedVoucher
    receipt: bytes
    """The payee's, of any scheme, over ``receipt_digest``."""

    @property
    def voucher(self) -> Voucher:
        """What both have signed."""
        return self.signed.voucher


@dataclass(frozen=True, slots=True)
class SignedCloseRequest:
    """A party's request to close, for a tower that carries it in a mass exit."""

    parties: Parties
    request: CloseRequest
    signature: bytes
    """The party's, of any scheme, over ``close_request_digest``."""


@dataclass(frozen=True, slots=True)
class TowerReceipt:
    """A tower's word: whatever is older than ``nonce`` in this direction of the channel, it contests."""

    channel_id: bytes
    payer: bytes
    nonce: int
    signature: bytes
    """65 bytes, the tower's over ``tower_receipt_digest``."""


def payee_of(parties: Parties, payer: bytes) -> bytes:
    """Whom ``payer`` pays; raises ``InvalidVoucherError`` for a stranger."""
    if payer == parties.a:
        return parties.b
    if payer == parties.b:
        return parties.a
    raise InvalidVoucherError("the payer is not a party of this channel")


def check_protection(domain: Domain, protection: Protection) -> None:
    """All that can be checked without the chain: ids, ranges, both signatures (100 us, some times that for P-256 keys).

    Raises:
        InvalidVoucherError: the voucher is of another channel, or the contract would not take it.
        ForgedMessageError: a signature is not its signer's.
    """
    parties, voucher = protection.parties, protection.voucher
    if channel_id(domain, parties) != voucher.channel_id:
        raise InvalidVoucherError("the voucher is not of the channel of these parties")
    payee = payee_of(parties, voucher.payer)
    if not 0 < voucher.nonce <= NONCE_MAX:
        raise InvalidVoucherError("a voucher's nonce is from 1 to 2^64 - 1")
    if not 0 <= voucher.transferred <= AMOUNT_MAX:
        raise InvalidVoucherError("the amount is out of range")
    for lock in voucher.locks:
        _check_lock(lock)
    if not voucher_signed_by(domain, voucher, protection.signed.signature):
        raise ForgedMessageError("the voucher is not signed by its payer")
    if not signed_by(receipt_digest(domain, voucher), protection.receipt, payee, domain.rp_id_hash):
        raise ForgedMessageError("the receipt is not signed by the payee, or is for another voucher")


def check_close_request(domain: Domain, signed: SignedCloseRequest) -> None:
    """Whether the contract would take a request, but for its deadline.

    Raises:
        InvalidVoucherError: it is of another channel, or of a stranger.
        ForgedMessageError: it is not signed by its party.
    """
    request = signed.request
    if channel_id(domain, signed.parties) != request.channel_id:
        raise InvalidVoucherError("the request is not of the channel of these parties")
    payee_of(signed.parties, request.party)
    digest = close_request_digest(domain, request)
    if not signed_by(digest, signed.signature, request.party, domain.rp_id_hash):
        raise ForgedMessageError("the request is not signed by its party")


def check_recovery(domain: Domain, parties: Parties, time: int, signature: bytes, now: int) -> None:
    """Whether a party of the channel asks for its vouchers now.

    Raises:
        ForgedMessageError: no party of the channel has signed this.
        InvalidVoucherError: it was signed at another time: whoever overheard it asks for nothing with it later.
    """
    if abs(now - time) > RECOVERY_SECONDS_MAX:
        raise InvalidVoucherError(f"the request is of {time}, here it is {now}: at most {RECOVERY_SECONDS_MAX} s apart")
    digest = recovery_digest(domain, channel_id(domain, parties), time)
    if not any(signed_by(digest, signature, party, domain.rp_id_hash) for party in (parties.a, parties.b)):
        raise ForgedMessageError("the request is not signed by a party of the channel")


def tower_receipt_digest(domain: Domain, channel: bytes, payer: bytes, nonce: int) -> bytes:
    """What a tower signs for what it holds."""
    return typed_digest(
        domain.separator, struct_hash(_TOWER_RECEIPT_TYPE, channel, address_word(payer), uint_word(nonce))
    )


def recovery_digest(domain: Domain, channel: bytes, time: int) -> bytes:
    """What a party signs that asks for the vouchers of its channel."""
    return typed_digest(domain.separator, struct_hash(_RECOVER_TYPE, channel, uint_word(time)))


def is_from_tower(domain: Domain, receipt: TowerReceipt, tower: bytes) -> bool:
    """Whether ``tower`` (20 bytes) has signed the receipt; False also for a malformed signature."""
    digest = tower_receipt_digest(domain, receipt.channel_id, receipt.payer, receipt.nonce)
    return signed_by(digest, receipt.signature, tower)


def _check_lock(lock: Lock) -> None:
    if len(lock.secret_hash) != 32:
        raise InvalidVoucherError("a hash has 32 bytes")
    if not 0 < lock.amount <= AMOUNT_MAX:
        raise InvalidVoucherError("a lock's amount is out of range")

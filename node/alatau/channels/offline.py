"""Paying without a network: what the hub certifies, what a payer signs for a merchant, and what proves a cheat.

Theory of operation (OfflineBonds.vy pays by the same rules):

1. The payer's bond stands behind its channel. The hub signs a certificate: until ``expires`` it honours vouchers above
   ``base`` and up to ``limit``. Meanwhile it takes no other vouchers of the payer.
2. At the till the payer hands over a signed voucher for the hub and an ``OfflinePayment``: the part of it, from
   ``transferred - amount`` to ``transferred``, that is the merchant's. :func:`check_payment` is the merchant's check.
3. When the network is back the merchant brings both to the hub, which pays it in its own channel.
4. An honest payer's vouchers form one line: a higher nonce never pays less. Who pays two merchants with the same money
   leaves it (:func:`conflicts`); the two vouchers are the evidence that pays the merchant from the bond.
"""

from dataclasses import dataclass
from typing import Final

from alatau.channels.delegation import voucher_signed_by
from alatau.channels.errors import ForgedMessageError, InvalidVoucherError
from alatau.channels.messages import (
    Domain,
    SignedVoucher,
    Voucher,
    address_word,
    domain_of,
    signed_by,
    uint_word,
    voucher_hash,
)
from alatau.crypto.eip712 import struct_hash, type_hash, typed_digest

DOMAIN_NAME: Final = "Alatau OfflineBonds"
CERTIFICATE_SECONDS_MAX: Final = 7 * 86_400
"""Life of a certificate (the contract's bound)."""

_CERTIFICATE_TYPE: Final = type_hash(
    "OfflineCertificate(bytes32 channelId,address payer,uint256 base,uint256 limit,uint256 expires)"
)
_BOND_RELEASE_TYPE: Final = type_hash("BondRelease(bytes32 channelId,address payer,uint256 deadline)")
_PAYMENT_TYPE: Final = type_hash(
    "OfflinePayment(bytes32 channelId,bytes32 voucherHash,address merchant,uint256 amount)"
)


@dataclass(frozen=True, slots=True)
class OfflineCertificate:
    """The hub's promise to honour vouchers of ``payer`` above ``base``, up to ``limit``, until ``expires``."""

    channel_id: bytes
    payer: bytes
    base: int
    """What the payer's newest voucher transferred when the hub signed."""
    limit: int
    """Largest ``transferred`` that the hub honours."""
    expires: int
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class BondRelease:
    """The payer wants its bond back, after the notice; anyone carries it."""

    channel_id: bytes
    payer: bytes
    deadline: int
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class OfflinePayment:
    """The last ``amount`` of a voucher is ``merchant``'s."""

    voucher: Voucher
    merchant: bytes
    """20 bytes."""
    amount: int


def bonds_domain(chain_id: int, contract: bytes, relying_party: str = "") -> Domain:
    """The domain of the OfflineBonds contract at ``contract``; ``relying_party`` as in ``channels_domain``."""
    return domain_of(DOMAIN_NAME, chain_id, contract, relying_party)


def certificate_digest(domain: Domain, certificate: OfflineCertificate) -> bytes:
    """What the hub signs; ``domain`` is that of :func:`bonds_domain`."""
    words = (
        certificate.channel_id,
        address_word(certificate.payer),
        uint_word(certificate.base),
        uint_word(certificate.limit),
        uint_word(certificate.expires),
    )
    return typed_digest(domain.separator, struct_hash(_CERTIFICATE_TYPE, *words))


def bond_release_digest(domain: Domain, message: BondRelease) -> bytes:
    """What the payer signs to have its bond back; ``domain`` is that of :func:`bonds_domain`."""
    words = (message.channel_id, address_word(message.payer), uint_word(message.deadline))
    return typed_digest(domain.separator, struct_hash(_BOND_RELEASE_TYPE, *words))


def payment_digest(domain: Domain, payment: OfflinePayment) -> bytes:
    """What the payer signs for the merchant; ``domain`` is that of :func:`bonds_domain`."""
    words = (
        payment.voucher.channel_id,
        voucher_hash(payment.voucher),
        address_word(payment.merchant),
        uint_word(payment.amount),
    )
    return typed_digest(domain.separator, struct_hash(_PAYMENT_TYPE, *words))


def check_payment(
    channels: Domain,
    bonds: Domain,
    hub: bytes,
    certificate: OfflineCertificate,
    certified: bytes,
    signed: SignedVoucher,
    payment: OfflinePayment,
    signature: bytes,
    now: int,
) -> None:
    """What a till without a network can know before goods change hands.

    Args:
        channels: domain of CityChannels.
        bonds: domain of OfflineBonds.
        hub: the hub that the merchant trusts to honour its certificates.
        certificate: what the payer's device shows.
        certified: the hub's signature of it.
        signed: the voucher for the hub.
        payment: whom it pays.
        signature: the payer's, of ``payment``.
        now: the till's clock, seconds since 1970.

    Raises:
        ForgedMessageError: a signature is not its signer's.
        InvalidVoucherError: the certificate does not cover the payment, at this time or at all.
    """
    voucher = signed.voucher
    if (voucher.channel_id, voucher.payer) != (certificate.channel_id, certificate.payer):
        raise InvalidVoucherError("the certificate is of another channel or payer")
    if not now <= certificate.expires <= now + CERTIFICATE_SECONDS_MAX:
        raise InvalidVoucherError("the certificate has expired, or lives longer than the bond's notice covers")
    if payment.voucher != voucher or payment.amount <= 0:
        raise InvalidVoucherError("the payment is not a part of this voucher")
    if not certificate.base <= voucher.transferred - payment.amount or voucher.transferred > certificate.limit:
        raise InvalidVoucherError("the certificate does not cover the payment")
    if not signed_by(certificate_digest(bonds, certificate), certified, hub, bonds.rp_id_hash):
        raise ForgedMessageError("the certificate is not signed by the hub")
    if not voucher_signed_by(channels, voucher, signed.signature):
        raise ForgedMessageError("the voucher is not signed by its payer")
    if not signed_by(payment_digest(bonds, payment), signature, voucher.payer, bonds.rp_id_hash):
        raise ForgedMessageError("the payment is not signed by its payer")


def conflicts(payment: OfflinePayment, other: Voucher) -> bool:
    """Whether ``other``, signed by the same payer in the same channel, cannot stand beside the payment's voucher."""
    mine = payment.voucher
    assert (mine.channel_id, mine.payer) == (other.channel_id, other.payer), "vouchers of one payer in one channel"
    if voucher_hash(mine) == voucher_hash(other):
        return False
    if other.nonce == mine.nonce:
        return True
    if other.nonce > mine.nonce:
        return other.transferred < mine.transferred
    return other.transferred > mine.transferred - payment.amount

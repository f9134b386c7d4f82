"""What the parties of a channel sign: EIP-712 typed data, one type per purpose, as CityChannels.vy checks it.

A message is bound to the chain and the contract by the domain, to the channel by its id, to the direction by
the payer, and to its purpose by its type: none can be replayed as another. Signatures are bytes of any scheme
(:mod:`alatau.crypto.signature_schemes`): 65 of secp256k1, which :mod:`alatau.channels.calls` makes compact for the
contract, or those of a P-256 account. Vouchers may also be signed by a device (:mod:`alatau.channels.delegation`). A
number that is no uint256 has no hash: ``OutOfRangeError``. What pays without a network is in
:mod:`alatau.channels.offline`.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from alatau.channels.errors import OutOfRangeError
from alatau.crypto.eip712 import struct_hash, type_hash, typed_digest
from alatau.crypto.keccak import keccak256
from alatau.crypto.secp256k1 import Signer
from alatau.crypto.signature_schemes import NO_PASSKEYS, account_signer

DOMAIN_NAME: Final = "Alatau CityChannels"
_DOMAIN_TYPE: Final = type_hash("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
_VOUCHER_TYPE: Final = type_hash(
    "Voucher(bytes32 channelId,address payer,uint256 nonce,uint256 transferred,bytes32 locksHash)"
)
_RECEIPT_TYPE: Final = type_hash("Receipt(bytes32 channelId,bytes32 voucherHash)")
_WITHDRAW_TYPE: Final = type_hash("Withdraw(bytes32 channelId,address participant,uint256 total,uint256 deadline)")
_COOPERATIVE_CLOSE_TYPE: Final = type_hash(
    "CooperativeClose(bytes32 channelId,uint256 payoutA,uint256 payoutB,uint256 deadline)"
)
_CLOSE_REQUEST_TYPE: Final = type_hash("CloseRequest(bytes32 channelId,address party,uint256 deadline)")
_CLAIM_ORDER_TYPE: Final = type_hash(
    "ClaimOrder(address account,address receiver,uint256 amount,uint256 nonce,uint256 deadline)"
)

LOCKS_MAX: Final = 8
"""Pending payments per direction: bounds the work of settling (the contract's bound)."""

AMOUNT_MAX: Final = 2**112 - 1
"""Largest amount that the contract packs into a channel's words."""

NONCE_MAX: Final = 2**64 - 1
NO_LOCKS: Final = bytes(32)
"""``locks_hash`` of a voucher without pending payments."""


@dataclass(frozen=True, slots=True)
class Parties:
    """The two ends of a channel; another salt is another channel."""

    a: bytes
    """20 bytes: who opened it, a resident or a merchant."""
    b: bytes
    """20 bytes: the licensed hub."""
    salt: bytes
    """32 bytes."""


@dataclass(frozen=True, slots=True)
class Domain:
    """The contract on its chain, and its EIP-712 separator."""

    chain_id: int
    contract: bytes
    """20 bytes."""
    separator: bytes
    rp_id_hash: bytes = NO_PASSKEYS
    """sha256 of the domain whose passkeys the network takes, 32 bytes: ``rp_id_hash`` of SignatureVerifier."""


@dataclass(frozen=True, slots=True)
class Lock:
    """A payment that counts if its secret is revealed on chain by ``expiry_block``.

    The contract takes it only if it expires before the channel may be settled.
    """

    secret_hash: bytes
    """keccak256 of the 32-byte secret."""
    amount: int
    expiry_block: int


@dataclass(frozen=True, slots=True)
class Voucher:
    """All that ``payer`` ever paid in a channel; the one with the higher nonce counts."""

    channel_id: bytes
    payer: bytes
    nonce: int
    """1, 2, ...; 0 means that there is no voucher."""
    transferred: int
    """Cumulative, in token units."""
    locks: tuple[Lock, ...] = ()


@dataclass(frozen=True, slots=True)
class SignedVoucher:
    """A voucher with its payer's signature."""

    voucher: Voucher
    signature: bytes
    """Of any scheme, over :func:`voucher_digest`."""


@dataclass(frozen=True, slots=True)
class Withdraw:
    """The other party's consent that ``participant`` has taken out ``total`` in all."""

    channel_id: bytes
    participant: bytes
    total: int
    deadline: int
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class CooperativeClose:
    """Both agree how to divide what the channel holds."""

    channel_id: bytes
    payout_a: int
    payout_b: int
    deadline: int
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class CloseRequest:
    """A party wants the settlement to begin; anyone carries it, also for a party that may not send transactions."""

    channel_id: bytes
    party: bytes
    deadline: int
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class ClaimOrder:
    """An account wants its credit paid to another account; anyone carries it."""

    account: bytes
    receiver: bytes
    amount: int
    nonce: int
    """0, 1, ...: the contract's ``claim_nonce`` of the account."""
    deadline: int
    """Seconds since 1970."""


def channels_domain(chain_id: int, contract: bytes, relying_party: str = "") -> Domain:
    """The domain of the CityChannels contract at ``contract``.

    ``relying_party`` is the domain whose passkeys the network takes, as SignatureVerifier tells it; empty for none.
    """
    return domain_of(DOMAIN_NAME, chain_id, contract, relying_party)


def domain_of(name: str, chain_id: int, contract: bytes, relying_party: str = "") -> Domain:
    """The EIP-712 domain of a contract with that ``name`` (version 1); ``relying_party`` as above."""
    separator = struct_hash(
        _DOMAIN_TYPE, keccak256(name.encode()), keccak256(b"1"), uint_word(chain_id), address_word(contract)
    )
    rp_id_hash = sha256(relying_party.encode()).digest() if relying_party else NO_PASSKEYS
    return Domain(chain_id, contract, separator, rp_id_hash)


def channel_id(domain: Domain, parties: Parties) -> bytes:
    """The id that the contract computes: keccak256(chain id, contract, a, b, salt)."""
    return keccak256(
        uint_word(domain.chain_id)
        + address_word(domain.contract)
        + address_word(parties.a)
        + address_word(parties.b)
        + parties.salt
    )


def locks_hash(locks: tuple[Lock, ...]) -> bytes:
    """keccak256 of the ABI encoding of the list; zero for an empty one. The order is part of it."""
    if not locks:
        return NO_LOCKS
    words = [uint_word(32), uint_word(len(locks))]
    for lock in locks:
        words += (lock.secret_hash, uint_word(lock.amount), uint_word(lock.expiry_block))
    return keccak256(b"".join(words))


def voucher_hash(voucher: Voucher) -> bytes:
    """The struct hash, which a receipt names."""
    return struct_hash(
        _VOUCHER_TYPE,
        voucher.channel_id,
        address_word(voucher.payer),
        uint_word(voucher.nonce),
        uint_word(voucher.transferred),
        locks_hash(voucher.locks),
    )


def voucher_digest(domain: Domain, voucher: Voucher) -> bytes:
    """What the payer signs."""
    return typed_digest(domain.separator, voucher_hash(voucher))


def receipt_digest(domain: Domain, voucher: Voucher) -> bytes:
    """What the payee signs to say that it has the voucher."""
    return typed_digest(domain.separator, struct_hash(_RECEIPT_TYPE, voucher.channel_id, voucher_hash(voucher)))


def withdraw_digest(domain: Domain, message: Withdraw) -> bytes:
    """What the other party signs to let ``participant`` take money out."""
    words = (
        message.channel_id,
        address_word(message.participant),
        uint_word(message.total),
        uint_word(message.deadline),
    )
    return typed_digest(domain.separator, struct_hash(_WITHDRAW_TYPE, *words))


def cooperative_close_digest(domain: Domain, message: CooperativeClose) -> bytes:
    """What both sign."""
    words = (message.channel_id, uint_word(message.payout_a), uint_word(message.payout_b), uint_word(message.deadline))
    return typed_digest(domain.separator, struct_hash(_COOPERATIVE_CLOSE_TYPE, *words))


def close_request_digest(domain: Domain, message: CloseRequest) -> bytes:
    """What the party signs that asks."""
    words = (message.channel_id, address_word(message.party), uint_word(message.deadline))
    return typed_digest(domain.separator, struct_hash(_CLOSE_REQUEST_TYPE, *words))


def claim_order_digest(domain: Domain, message: ClaimOrder) -> bytes:
    """What the account signs whose credit it is."""
    words = (
        address_word(message.account),
        address_word(message.receiver),
        uint_word(message.amount),
        uint_word(message.nonce),
        uint_word(message.deadline),
    )
    return typed_digest(domain.separator, struct_hash(_CLAIM_ORDER_TYPE, *words))


def sign_voucher(domain: Domain, voucher: Voucher, signer: Signer) -> SignedVoucher:
    """The voucher with its payer's signature."""
    return SignedVoucher(voucher, signer(voucher_digest(domain, voucher)))


def signed_by(digest: bytes, signature: bytes, signer: bytes, rp_id_hash: bytes = NO_PASSKEYS) -> bool:
    """Whether ``signer`` (20 bytes) signed ``digest``, in any scheme but a device's; False also if malformed.

    ``rp_id_hash`` is that of the message's :class:`Domain`. About 50 us, for a P-256 account three times that.
    """
    return account_signer(digest, signature, rp_id_hash) == signer


def uint_word(value: int) -> bytes:
    """A uint256 as a 32-byte word. Raises ``OutOfRangeError``: nothing is taken modulo 2^256."""
    if not 0 <= value < 1 << 256:
        raise OutOfRangeError(value)
    return value.to_bytes(32, "big")


def address_word(address: bytes) -> bytes:
    """A 20-byte address as a 32-byte word."""
    assert len(address) == 20, "an address has 20 bytes"
    return bytes(12) + address

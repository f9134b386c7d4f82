"""Money that an account signs away to a contract (EIP-3009): it opens, pays in and posts bonds without a transaction.

The receiver carries it, or whoever calls the receiver; the nonce says what for: a channel's id opens the channel
(``open_for``), :func:`deposit_nonce` pays into it (``deposit_for``) or posts a bond (``post_bond_for``).
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

from alatau.channels.calls import contract_signature
from alatau.channels.messages import Domain, address_word, uint_word
from alatau.crypto.eip712 import struct_hash, type_hash, typed_digest
from alatau.crypto.keccak import keccak256

_RECEIVE_TYPE: Final = type_hash(
    "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,"
    "bytes32 nonce)"
)

SignedMoneyArgument: TypeAlias = tuple[bytes, int, int, int, bytes]


@dataclass(frozen=True, slots=True)
class Authorization:
    """``receiver`` may take ``amount`` from ``sender``, once, after one second and before another."""

    sender: bytes
    receiver: bytes
    """20 bytes: CityChannels or OfflineBonds."""
    amount: int
    valid_after: int
    """Seconds since 1970, excluded."""
    valid_before: int
    """Seconds since 1970, excluded."""
    nonce: bytes
    """32 bytes, not used by the sender before."""


def deposit_nonce(channel_id: bytes, salt: bytes) -> bytes:
    """The nonce of a deposit or a bond; another 32-byte salt is another one."""
    return keccak256(channel_id + salt)


def authorization_digest(token: Domain, authorization: Authorization) -> bytes:
    """What the sender signs; ``token`` is the domain of the settlement token (``domain_of``, with the token's name)."""
    words = (
        address_word(authorization.sender),
        address_word(authorization.receiver),
        uint_word(authorization.amount),
        uint_word(authorization.valid_after),
        uint_word(authorization.valid_before),
        authorization.nonce,
    )
    return typed_digest(token.separator, struct_hash(_RECEIVE_TYPE, *words))


def signed_money_argument(authorization: Authorization, signature: bytes) -> SignedMoneyArgument:
    """``SignedMoney`` of the contracts; receiver and nonce follow from what is called."""
    return (
        authorization.sender,
        authorization.amount,
        authorization.valid_after,
        authorization.valid_before,
        contract_signature(signature),
    )

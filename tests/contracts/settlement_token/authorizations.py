"""Authorizations (EIP-3009) and permits (EIP-2612) as wallets sign them, in every scheme."""

from dataclasses import astuple, dataclass, replace
from typing import Any, Final

import boa
from eth_account.messages import encode_typed_data

from alatau.artifacts import addresses
from alatau.channels.calls import contract_signature
from alatau.crypto.keccak import keccak256
from tests.contracts.actors import Party
from tests.contracts.world import World, neighbour, now, resident

TRANSFER: Final = "TransferWithAuthorization"
RECEIVE: Final = "ReceiveWithAuthorization"
RECORDED: Final = "RecordedTransfer"
_PAYING: Final = (
    ("address", "from"),
    ("address", "to"),
    ("uint256", "value"),
    ("uint256", "validAfter"),
    ("uint256", "validBefore"),
    ("bytes32", "nonce"),
)
_TYPES: Final = {
    TRANSFER: _PAYING,
    RECEIVE: _PAYING,
    RECORDED: (*_PAYING, ("bytes32", "purpose"), ("bytes32", "recordHash")),
    "CancelAuthorization": (("address", "authorizer"), ("bytes32", "nonce")),
    "Permit": (
        ("address", "owner"),
        ("address", "spender"),
        ("uint256", "value"),
        ("uint256", "nonce"),
        ("uint256", "deadline"),
    ),
}


@dataclass(frozen=True, slots=True)
class Authorization:
    """As the contract takes it."""

    sender: str
    receiver: str
    amount: int
    valid_after: int
    valid_before: int
    nonce: bytes


def token_digest(
    kind: str, values: tuple[Any, ...], chain_id: int | None = None, contract: bytes | None = None
) -> bytes:
    """What is signed, as a library of wallets computes it."""
    domain = {
        "name": "Digital Tenge",
        "version": "1",
        "chainId": boa.env.evm.patch.chain_id if chain_id is None else chain_id,
        "verifyingContract": "0x" + (contract or addresses.SETTLEMENT_TOKEN).hex(),
    }
    members = [{"type": type_, "name": name} for type_, name in _TYPES[kind]]
    message = {name: value for (_, name), value in zip(_TYPES[kind], values, strict=True)}
    signable = encode_typed_data(domain, {kind: members}, message)
    return keccak256(b"\x19\x01" + signable.header + signable.body)


def paying(payer: Party = resident, **changes: Any) -> Authorization:
    """70 to the neighbour, within a minute."""
    made = Authorization(payer.address, neighbour.address, 70, now() - 1, now() + 60, b"\x31" * 32)
    return replace(made, **changes)


def signed(given: Authorization, by: Party, kind: str = TRANSFER, **domain: Any) -> tuple[Any, ...]:
    """Arguments of ``transfer_signed`` and ``receive_signed``."""
    return astuple(given), contract_signature(by.key.sign(token_digest(kind, astuple(given), **domain)))


def recorded(
    given: Authorization, by: Party, purpose: bytes = b"\x01" * 32, record: bytes = b"\x02" * 32, **domain: Any
) -> tuple[Any, ...]:
    """Arguments of ``transfer_signed_recorded``."""
    digest = token_digest(RECORDED, (*astuple(given), purpose, record), **domain)
    return astuple(given), purpose, record, contract_signature(by.key.sign(digest))


def parts(digest: bytes, by: Party) -> tuple[int, bytes, bytes]:
    """v, r, s of a secp256k1 signer."""
    signature = by.key.sign(digest)
    return 27 + signature[64], signature[:32], signature[32:64]


def in_parts(kind: str, given: Authorization, by: Party = resident) -> tuple[Any, ...]:
    """Arguments of ``transferWithAuthorization`` and ``receiveWithAuthorization``."""
    return *astuple(given), *parts(token_digest(kind, astuple(given)), by)


def cancelling_in_parts(authorizer: Party, nonce: bytes) -> tuple[Any, ...]:
    """Arguments of ``cancelAuthorization``."""
    return (
        authorizer.address,
        nonce,
        *parts(token_digest("CancelAuthorization", (authorizer.address, nonce)), authorizer),
    )


def cancelling(authorizer: Party, nonce: bytes, by: Party) -> tuple[Any, ...]:
    """Arguments of ``cancel_signed``."""
    digest = token_digest("CancelAuthorization", (authorizer.address, nonce))
    return authorizer.address, nonce, contract_signature(by.key.sign(digest))


def permitting(world: World, owner: Party, spender: Party, by: Party) -> tuple[Any, ...]:
    """Arguments of ``permit_signed``, for 70."""
    nonce, end = world.token.nonces(owner.address), now() + 60
    digest = token_digest("Permit", (owner.address, spender.address, 70, nonce, end))
    return owner.address, spender.address, 70, end, contract_signature(by.key.sign(digest))

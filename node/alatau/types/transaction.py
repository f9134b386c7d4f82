"""The five transaction types in the envelope of EIP-2718.

Legacy (EIP-155), access list (EIP-2930), fee market (EIP-1559), blob (EIP-4844), set code (EIP-7702).

One record serves all types: a field that a type lacks holds its neutral value. ``encoded`` keeps the bytes
as they arrived; since decoding is strict they are the only encoding there is, and hashing them gives the id.

Blob transactions decode, because conformance vectors hold them; a network admits none.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final, TypeAlias

from alatau.codec import rlp
from alatau.codec.rlp import RlpError
from alatau.crypto.keccak import keccak256
from alatau.crypto.secp256k1 import HALF_ORDER, ORDER, SignatureError, Signer, recover_address

AccessList: TypeAlias = tuple[tuple[bytes, tuple[int, ...]], ...]
"""(address, storage slots) pairs."""


class TransactionType(IntEnum):
    """The envelope's first byte; 0 for the bare legacy form."""

    LEGACY = 0
    ACCESS_LIST = 1
    FEE_MARKET = 2
    BLOB = 3
    SET_CODE = 4


class TransactionError(ValueError):
    """The sender's bytes are no transaction. Build and sign it again; the message says what is wrong."""

    reason: ClassVar[str] = "TRANSACTION_MALFORMED"
    """Name in the error catalogue (docs/errors.md)."""


class TransactionSignatureError(TransactionError):
    """The signature is out of range or recovers no key. Sign again."""

    reason: ClassVar[str] = "SIGNATURE_INVALID"


@dataclass(frozen=True, slots=True)
class Authorization:
    """A signed wish that an account's code be a pointer to ``address`` (EIP-7702)."""

    chain_id: int
    address: bytes
    nonce: int
    y_parity: int
    r: int
    s: int


@dataclass(frozen=True, slots=True)
class Transaction:
    """A signed transaction."""

    type: TransactionType
    chain_id: int | None
    """None for a legacy transaction that is not bound to a chain."""
    nonce: int
    max_priority_fee_per_gas: int
    """Wei; the gas price for types 0 and 1."""
    max_fee_per_gas: int
    """Wei; the gas price for types 0 and 1."""
    gas_limit: int
    to: bytes | None
    """None creates a contract."""
    value: int
    """Wei."""
    data: bytes
    access_list: AccessList
    authorizations: tuple[Authorization, ...]
    max_fee_per_blob_gas: int
    blob_versioned_hashes: tuple[bytes, ...]
    y_parity: int
    r: int
    s: int
    encoded: bytes
    """The canonical bytes."""
    hash: bytes
    """keccak256 of ``encoded``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsignedTransaction:
    """What a sender signs. The type decides which fields are used."""

    type: TransactionType = TransactionType.FEE_MARKET
    chain_id: int | None
    nonce: int
    gas_limit: int
    to: bytes | None
    value: int = 0
    data: bytes = b""
    max_fee_per_gas: int = 0
    """The gas price for types 0 and 1."""
    max_priority_fee_per_gas: int = 0
    access_list: AccessList = ()
    authorizations: tuple[Authorization, ...] = ()
    max_fee_per_blob_gas: int = 0
    blob_versioned_hashes: tuple[bytes, ...] = ()


_LEGACY_FIELDS: Final = 9
_V_EIP155: Final = 35
_V_BARE: Final = 27
_EIP155_TAIL: Final = b"\x80\x80"
"""Two zeros in the place of r and s (EIP-155)."""

_LONG_LIST: Final = 0xF7
"""A list header above this says how many bytes of length follow."""

_MAX_UINT64: Final = 2**64 - 1


def sign_transaction(unsigned: UnsignedTransaction, signer: Signer) -> Transaction:
    """Sign with ``signer`` (digest -> 65 bytes) and give the transaction as it goes over the wire."""
    signature = signer(_sign_digest(unsigned))
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    y_parity = signature[64]
    payload = _payload(unsigned)
    if unsigned.type is TransactionType.LEGACY:
        chain = unsigned.chain_id
        v = y_parity + (_V_BARE if chain is None else chain * 2 + _V_EIP155)
        return decode_transaction(rlp.encode((*payload, v, r, s)))
    return decode_transaction(bytes((unsigned.type,)) + rlp.encode((*payload, y_parity, r, s)))


def decode_transaction(data: bytes) -> Transaction:
    """Read the bytes of one transaction.

    Raises:
        TransactionError: not canonical, a field too wide, an unknown type, or a signature out of range.
    """
    if not data:
        msg = "transaction is empty"
        raise TransactionError(msg)
    try:
        if data[0] >= 0xC0:
            return _decode_legacy(data)
        try:
            kind = TransactionType(data[0])
        except ValueError:
            msg = f"transaction type {data[0]:#04x} is unknown"
            raise TransactionError(msg) from None
        if kind is TransactionType.LEGACY:
            msg = "transaction type 0x00 has no envelope; send the bare list"
            raise TransactionError(msg)
        return _decode_typed(kind, data)
    except RlpError as error:
        msg = f"transaction is not canonical RLP: {error}"
        raise TransactionError(msg) from error


def sign_digest(tx: Transaction) -> bytes:
    """The 32-byte digest that the sender signed.

    The signed fields are the leading ones of the encoding, so they are cut from it rather than encoded again.
    """
    encoded = tx.encoded
    if tx.type is not TransactionType.LEGACY:
        signed = encoded[1 + _header_size(encoded[1]) : -_signature_size(tx.y_parity, tx.r, tx.s)]
        return keccak256(encoded[:1] + rlp.wrap_list(signed))
    v = tx.y_parity + (_V_BARE if tx.chain_id is None else tx.chain_id * 2 + _V_EIP155)
    signed = encoded[_header_size(encoded[0]) : -_signature_size(v, tx.r, tx.s)]
    if tx.chain_id is not None:
        signed += rlp.encode(tx.chain_id) + _EIP155_TAIL
    return keccak256(rlp.wrap_list(signed))


def signature_bytes(tx: Transaction) -> bytes:
    """The signature as 65 bytes."""
    return tx.r.to_bytes(32, "big") + tx.s.to_bytes(32, "big") + bytes((tx.y_parity,))


def recover_sender(tx: Transaction) -> bytes:
    """The sender's address. Costs an elliptic-curve recovery: keep the result.

    Raises:
        TransactionSignatureError: the signature recovers no key.
    """
    try:
        return recover_address(sign_digest(tx), signature_bytes(tx))
    except SignatureError as error:
        msg = f"transaction's {error}"
        raise TransactionSignatureError(msg) from error


def authorization_digest(chain_id: int, address: bytes, nonce: int) -> bytes:
    """What an account signs to delegate its code (EIP-7702, magic byte 0x05)."""
    return keccak256(b"\x05" + rlp.encode((chain_id, address, nonce)))


def _header_size(first: int) -> int:
    """Bytes of the list header that begins with ``first``."""
    return 1 + max(first - _LONG_LIST, 0)


def _signature_size(*values: int) -> int:
    """Bytes that the last three fields take in the encoding."""
    return sum(1 if value < 0x80 else 1 + ((value.bit_length() + 7) >> 3) for value in values)


def _sign_digest(tx: UnsignedTransaction) -> bytes:
    payload = _payload(tx)
    if tx.type is TransactionType.LEGACY:
        bound = payload if tx.chain_id is None else (*payload, tx.chain_id, 0, 0)
        return keccak256(rlp.encode(bound))
    return keccak256(bytes((tx.type,)) + rlp.encode(payload))


def _payload(tx: UnsignedTransaction) -> tuple[rlp.Item, ...]:
    """The fields that are signed, in the order of the type's EIP."""
    to = tx.to or b""
    match tx.type:
        case TransactionType.LEGACY:
            return (tx.nonce, tx.max_fee_per_gas, tx.gas_limit, to, tx.value, tx.data)
        case TransactionType.ACCESS_LIST:
            return (
                tx.chain_id or 0,
                tx.nonce,
                tx.max_fee_per_gas,
                tx.gas_limit,
                to,
                tx.value,
                tx.data,
                _access_list_item(tx.access_list),
            )
        case _:
            shared: tuple[rlp.Item, ...] = (
                tx.chain_id or 0,
                tx.nonce,
                tx.max_priority_fee_per_gas,
                tx.max_fee_per_gas,
                tx.gas_limit,
                to,
                tx.value,
                tx.data,
                _access_list_item(tx.access_list),
            )
    match tx.type:
        case TransactionType.BLOB:
            return (*shared, tx.max_fee_per_blob_gas, tx.blob_versioned_hashes)
        case TransactionType.SET_CODE:
            return (*shared, [_authorization_item(a) for a in tx.authorizations])
        case _:
            return shared


def _access_list_item(access_list: AccessList) -> rlp.Item:
    return [(address, [slot.to_bytes(32, "big") for slot in slots]) for address, slots in access_list]


def _authorization_item(a: Authorization) -> rlp.Item:
    return (a.chain_id, a.address, a.nonce, a.y_parity, a.r, a.s)


_SHORT_ITEMS_MAX: Final = 32
"""Items of a transaction without lists: 14 at most; a few more, so that the error says what is wrong."""
_ITEM_SIZE_MIN: Final = 3
"""Bytes that an item in the lists takes at least, on average: an authorization has 7 items in 27 bytes, an entry of an
access list 3 in 23. Empty items would fit one in each byte, and take a hundred times as long to read as a payment."""


def _decode_legacy(data: bytes) -> Transaction:
    f = rlp.to_list(rlp.decode(data, _SHORT_ITEMS_MAX), _LEGACY_FIELDS)
    v = rlp.to_uint(f[6])
    if v in (_V_BARE, _V_BARE + 1):
        chain_id, y_parity = None, v - _V_BARE
    elif v >= _V_EIP155:
        chain_id, y_parity = (v - _V_EIP155) // 2, (v - _V_EIP155) % 2
    else:
        msg = f"transaction's v is {v}, expected 27, 28 or at least 35 (EIP-155)"
        raise TransactionError(msg)
    price = rlp.to_uint(f[1])
    return _checked(
        Transaction(
            type=TransactionType.LEGACY,
            chain_id=chain_id,
            nonce=rlp.to_uint(f[0], 64),
            max_priority_fee_per_gas=price,
            max_fee_per_gas=price,
            gas_limit=rlp.to_uint(f[2], 64),
            to=_recipient(f[3]),
            value=rlp.to_uint(f[4]),
            data=rlp.to_bytes(f[5]),
            access_list=(),
            authorizations=(),
            max_fee_per_blob_gas=0,
            blob_versioned_hashes=(),
            y_parity=y_parity,
            r=rlp.to_uint(f[7]),
            s=rlp.to_uint(f[8]),
            encoded=data,
            hash=keccak256(data),
        )
    )


_TYPED_FIELDS: Final = {
    TransactionType.ACCESS_LIST: 11,
    TransactionType.FEE_MARKET: 12,
    TransactionType.BLOB: 14,
    TransactionType.SET_CODE: 13,
}


def _decode_typed(kind: TransactionType, data: bytes) -> Transaction:
    f = rlp.to_list(rlp.decode(data[1:], _SHORT_ITEMS_MAX + len(data) // _ITEM_SIZE_MIN), _TYPED_FIELDS[kind])
    # Type 1 has one price where the later types have two: read it twice and the rest lines up.
    g = [*f[:2], f[2], *f[2:]] if kind is TransactionType.ACCESS_LIST else f
    to = _recipient(g[5])
    if to is None and kind in (TransactionType.BLOB, TransactionType.SET_CODE):
        msg = f"a {kind.name} transaction cannot create a contract"
        raise TransactionError(msg)
    y_parity = rlp.to_uint(g[-3], 8)
    if y_parity > 1:
        msg = f"transaction's y parity is {y_parity}, expected 0 or 1"
        raise TransactionError(msg)
    return _checked(
        Transaction(
            type=kind,
            chain_id=rlp.to_uint(g[0]),
            nonce=rlp.to_uint(g[1], 64),
            max_priority_fee_per_gas=rlp.to_uint(g[2]),
            max_fee_per_gas=rlp.to_uint(g[3]),
            gas_limit=rlp.to_uint(g[4], 64),
            to=to,
            value=rlp.to_uint(g[6]),
            data=rlp.to_bytes(g[7]),
            access_list=_read_access_list(g[8]),
            authorizations=_read_authorizations(g[9]) if kind is TransactionType.SET_CODE else (),
            max_fee_per_blob_gas=rlp.to_uint(g[9]) if kind is TransactionType.BLOB else 0,
            blob_versioned_hashes=_read_blob_hashes(g[10]) if kind is TransactionType.BLOB else (),
            y_parity=y_parity,
            r=rlp.to_uint(g[-2]),
            s=rlp.to_uint(g[-1]),
            encoded=data,
            hash=keccak256(data),
        )
    )


def _checked(tx: Transaction) -> Transaction:
    """Check what no type may break: signature range (EIP-2), nonce (EIP-2681)."""
    if not 0 < tx.r < ORDER or not 0 < tx.s <= HALF_ORDER:
        msg = "transaction's signature is out of range: 0 < r < n and 0 < s <= n/2 (EIP-2)"
        raise TransactionSignatureError(msg)
    if tx.nonce == _MAX_UINT64:
        msg = "transaction's nonce is 2**64 - 1, which no account can follow (EIP-2681)"
        raise TransactionError(msg)
    return tx


def _recipient(item: rlp.Decoded) -> bytes | None:
    return None if item == b"" else rlp.to_bytes(item, 20)


def _read_access_list(item: rlp.Decoded) -> AccessList:
    entries = []
    for entry in rlp.to_list(item):
        address, slots = rlp.to_list(entry, 2)
        words = tuple(int.from_bytes(rlp.to_bytes(slot, 32), "big") for slot in rlp.to_list(slots))
        entries.append((rlp.to_bytes(address, 20), words))
    return tuple(entries)


def _read_authorizations(item: rlp.Decoded) -> tuple[Authorization, ...]:
    return tuple(_read_authorization(rlp.to_list(entry, 6)) for entry in rlp.to_list(item))


def _read_authorization(f: list[rlp.Decoded]) -> Authorization:
    return Authorization(
        chain_id=rlp.to_uint(f[0]),
        address=rlp.to_bytes(f[1], 20),
        nonce=rlp.to_uint(f[2], 64),
        y_parity=rlp.to_uint(f[3], 8),
        r=rlp.to_uint(f[4]),
        s=rlp.to_uint(f[5]),
    )


def _read_blob_hashes(item: rlp.Decoded) -> tuple[bytes, ...]:
    return tuple(rlp.to_bytes(entry, 32) for entry in rlp.to_list(item))

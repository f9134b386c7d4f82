import tracemalloc
from typing import Any

import pytest
from eth_account import Account
from eth_account.typed_transactions import TypedTransaction
from hexbytes import HexBytes
from hypothesis import given, settings
from hypothesis import strategies as st

from alatau.codec import rlp
from alatau.crypto.keccak import keccak256
from alatau.crypto.secp256k1 import HALF_ORDER, ORDER, PrivateKey
from alatau.types.transaction import (
    Authorization,
    Transaction,
    TransactionError,
    TransactionType,
    UnsignedTransaction,
    authorization_digest,
    decode_transaction,
    recover_sender,
    sign_digest,
    sign_transaction,
    signature_bytes,
)
from tests.support.transactions import signed

_KEY = PrivateKey(b"\x07" * 32)
_TO = b"\x12" * 20
_addresses = st.binary(min_size=20, max_size=20)
_words = st.integers(min_value=0, max_value=2**256 - 1)
_access_lists = st.lists(
    st.tuples(_addresses, st.lists(_words, max_size=2).map(tuple)),
    max_size=2,
).map(tuple)
_authorizations = st.lists(
    st.builds(
        Authorization,
        chain_id=st.integers(0, 2**256 - 1),
        address=_addresses,
        nonce=st.integers(0, 2**64 - 1),
        y_parity=st.integers(0, 1),
        r=st.integers(1, ORDER - 1),
        s=st.integers(1, HALF_ORDER),
    ),
    min_size=1,
    max_size=2,
).map(tuple)


@st.composite
def _unsigned(draw: st.DrawFn) -> UnsignedTransaction:
    kind = draw(st.sampled_from(TransactionType))
    bare = kind is TransactionType.LEGACY and draw(st.booleans())
    creates = kind not in (TransactionType.BLOB, TransactionType.SET_CODE) and draw(st.booleans())
    fee = draw(_words)
    return UnsignedTransaction(
        type=kind,
        chain_id=None if bare else draw(st.integers(1, 2**64)),
        nonce=draw(st.integers(0, 2**64 - 2)),
        gas_limit=draw(st.integers(0, 2**64 - 1)),
        to=None if creates else draw(_addresses),
        value=draw(_words),
        data=draw(st.binary(max_size=100)),
        max_fee_per_gas=fee,
        max_priority_fee_per_gas=fee if kind <= TransactionType.ACCESS_LIST else draw(_words),
        access_list=() if kind is TransactionType.LEGACY else draw(_access_lists),
        authorizations=draw(_authorizations) if kind is TransactionType.SET_CODE else (),
        max_fee_per_blob_gas=draw(_words) if kind is TransactionType.BLOB else 0,
        blob_versioned_hashes=(b"\x01" * 32,) if kind is TransactionType.BLOB else (),
    )


@settings(max_examples=200, deadline=None)
@given(_unsigned())
def test_round_trip(unsigned: UnsignedTransaction) -> None:
    """What is signed reads back field by field, from its sender, with the hash of its bytes."""
    tx = sign_transaction(unsigned, _KEY.sign)
    assert decode_transaction(tx.encoded) == tx
    assert recover_sender(tx) == _KEY.address
    assert tx.hash == keccak256(tx.encoded)
    assert _KEY.sign(sign_digest(tx)) == signature_bytes(tx)
    for name in UnsignedTransaction.__dataclass_fields__:
        assert getattr(tx, name) == getattr(unsigned, name), name


def _as_dictionary(unsigned: UnsignedTransaction) -> dict[str, Any]:
    """The same transaction in eth_account's words."""
    fields: dict[str, Any] = {
        "nonce": unsigned.nonce,
        "gas": unsigned.gas_limit,
        "to": b"" if unsigned.to is None else unsigned.to,
        "value": unsigned.value,
        "data": unsigned.data,
    }
    if unsigned.chain_id is not None:
        fields["chainId"] = unsigned.chain_id
    if unsigned.type is not TransactionType.LEGACY:
        fields["type"] = int(unsigned.type)
        fields["accessList"] = [
            {"address": "0x" + address.hex(), "storageKeys": [f"0x{slot:064x}" for slot in slots]}
            for address, slots in unsigned.access_list
        ]
    if unsigned.type <= TransactionType.ACCESS_LIST:
        fields["gasPrice"] = unsigned.max_fee_per_gas
    else:
        fields["maxFeePerGas"] = unsigned.max_fee_per_gas
        fields["maxPriorityFeePerGas"] = unsigned.max_priority_fee_per_gas
    if unsigned.type is TransactionType.SET_CODE:
        fields["authorizationList"] = [
            {
                "chainId": a.chain_id,
                "address": a.address,
                "nonce": a.nonce,
                "yParity": a.y_parity,
                "r": a.r,
                "s": a.s,
            }
            for a in unsigned.authorizations
        ]
    if unsigned.type is TransactionType.BLOB:
        fields["maxFeePerBlobGas"] = unsigned.max_fee_per_blob_gas
        fields["blobVersionedHashes"] = list(unsigned.blob_versioned_hashes)
    return fields


def _signed(**changes: Any) -> Transaction:
    return signed(_KEY, **{"nonce": 1, "gas_limit": 90_000, "to": _TO, "value": 5, "data": b"ab"} | changes)


_AUTHORIZATION = Authorization(chain_id=7773, address=_TO, nonce=3, y_parity=1, r=2**255, s=77)
_CASES: list[dict[str, Any]] = [
    {"type": TransactionType.LEGACY, "chain_id": None, "max_fee_per_gas": 7, "max_priority_fee_per_gas": 7},
    {"type": TransactionType.LEGACY, "max_fee_per_gas": 7, "max_priority_fee_per_gas": 7},
    {"type": TransactionType.LEGACY, "to": None, "data": b"\x60" * 300},
    {"type": TransactionType.ACCESS_LIST, "access_list": ((_TO, (0, 2**255)), (b"\x34" * 20, ()))},
    {"type": TransactionType.FEE_MARKET, "max_fee_per_gas": 10**9, "max_priority_fee_per_gas": 3},
    {"type": TransactionType.FEE_MARKET, "to": None, "access_list": ((_TO, (1,)),)},
    {"type": TransactionType.SET_CODE, "authorizations": (_AUTHORIZATION,)},
]


@pytest.mark.parametrize("changes", _CASES)
def test_equals_eth_account(changes: dict[str, Any]) -> None:
    """Each type's bytes, hash and sender are those of eth_account."""
    tx = _signed(**changes)
    unsigned = UnsignedTransaction(**{name: getattr(tx, name) for name in UnsignedTransaction.__dataclass_fields__})
    expected = Account.sign_transaction(_as_dictionary(unsigned), _KEY.secret)
    assert tx.encoded == expected.raw_transaction
    assert tx.hash == expected.hash
    assert Account.recover_transaction(tx.encoded) == Account.from_key(_KEY.secret).address


def test_blob_digest_equals_eth_account() -> None:
    """A blob transaction without its sidecar: the digest is that of eth_account."""
    tx = _signed(type=TransactionType.BLOB, max_fee_per_blob_gas=4, blob_versioned_hashes=(b"\x01" * 32,))
    unsigned = UnsignedTransaction(**{name: getattr(tx, name) for name in UnsignedTransaction.__dataclass_fields__})
    typed = TypedTransaction.from_dict(_as_dictionary(unsigned))
    assert HexBytes(typed.hash()) == sign_digest(tx)


def test_authorization_digest_equals_eth_account() -> None:
    """EIP-7702's tuple, signed by eth_account, recovers by our digest."""
    signed = Account.from_key(_KEY.secret).sign_authorization({"chainId": 7773, "address": _TO, "nonce": 3})
    assert HexBytes(signed.authorization_hash) == authorization_digest(7773, _TO, 3)


_FEE_MARKET = rlp.to_list(rlp.decode(_signed().encoded[1:]))
_LEGACY = rlp.to_list(rlp.decode(_signed(type=TransactionType.LEGACY).encoded))


def _typed(position: int, item: rlp.Item, kind: int = 2) -> bytes:
    fields = list(_FEE_MARKET)
    fields[position] = item  # type: ignore[call-overload]
    return bytes((kind,)) + rlp.encode(fields)


def _legacy(position: int, item: rlp.Item) -> bytes:
    fields = list(_LEGACY)
    fields[position] = item  # type: ignore[call-overload]
    return rlp.encode(fields)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"\x00" + rlp.encode(_LEGACY), "0x00 has no envelope"),
        (b"\x05" + rlp.encode(_FEE_MARKET), "type 0x05 is unknown"),
        (b"\x7f", "type 0x7f is unknown"),
        (b"\x80", "type 0x80 is unknown"),
        (b"\x02", "not canonical RLP"),
        (b"\x02\x80", "expected a list"),
        (b"\x01" + rlp.encode(_FEE_MARKET), "list of 11 items"),
        (rlp.encode(_FEE_MARKET), "list of 9 items"),
        (rlp.encode(_LEGACY) + b"\x00", "1 bytes follow"),
        (_typed(1, 2**64 - 1), r"EIP-2681"),
        (_typed(1, 2**64), "wider than 64 bits"),
        (_typed(1, b"\x00\x01"), "leading zeros"),
        (_typed(2, 2**256), "wider than 256 bits"),
        (_typed(4, 2**64), "wider than 64 bits"),
        (_typed(5, b"\x12" * 19), "expected 20 bytes, found 19"),
        (_typed(5, [_TO]), "expected a string"),
        (_typed(6, 2**256), "wider than 256 bits"),
        (_typed(7, [b""]), "expected a string"),
        (_typed(8, b""), "expected a list"),
        (_typed(8, [[_TO]]), "list of 2 items"),
        (_typed(8, [[_TO[1:], []]]), "expected 20 bytes"),
        (_typed(8, [[_TO, [b"\x01"]]]), "expected 32 bytes"),
        (_typed(9, 2), "y parity is 2"),
        (_typed(10, 0), "0 < r < n"),
        (_typed(10, ORDER), "0 < r < n"),
        (_typed(11, 0), "0 < s <= n/2"),
        (_typed(11, HALF_ORDER + 1), "0 < s <= n/2"),
        (_legacy(6, 26), "v is 26"),
        (_legacy(6, 29), "v is 29"),
        (_legacy(6, 34), "v is 34"),
        (_legacy(8, ORDER - 1), "0 < s <= n/2"),
    ],
)
def test_malformed(data: bytes, message: str) -> None:
    """Each way of being no transaction has its message."""
    with pytest.raises(TransactionError, match=message):
        decode_transaction(data)


@pytest.mark.parametrize("kind", [TransactionType.BLOB, TransactionType.SET_CODE])
def test_types_that_cannot_create(kind: TransactionType) -> None:
    """EIP-4844 and EIP-7702 demand a recipient."""
    changes = {"type": kind, "to": None, "authorizations": (_AUTHORIZATION,)}
    if kind is TransactionType.BLOB:
        changes = {"type": kind, "to": None, "blob_versioned_hashes": (b"\x01" * 32,)}
    with pytest.raises(TransactionError, match="cannot create a contract"):
        _signed(**changes)


def test_a_signature_that_recovers_no_key() -> None:
    """Form alone does not tell: r = 5 is in range and no coordinate of a point."""
    tx = decode_transaction(_typed(10, 5))
    with pytest.raises(TransactionError, match="recovers no key"):
        recover_sender(tx)


@pytest.mark.parametrize("kind", [b"", b"\x01", b"\x02", b"\x03", b"\x04"], ids=["legacy", "1", "2", "3", "4"])
@pytest.mark.parametrize("fill", [b"\x80", b"\xc0"], ids=["empty strings", "empty lists"])
def test_a_transaction_of_empty_items_is_refused_before_they_are_built(kind: bytes, fill: bytes) -> None:
    """128 KiB of them would take as long to read as a thousand payments."""
    data = kind + rlp.wrap_list(fill * 131_000)
    tracemalloc.start()
    try:
        with pytest.raises(TransactionError):
            decode_transaction(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 512 * 1024


def test_the_densest_real_transactions_pass_the_count() -> None:
    """Authorizations and access lists of the smallest entries."""
    authorizations = tuple(Authorization(1, bytes([1]) * 20, 0, 0, 1, 1) for _ in range(1_000))
    access_list = tuple((bytes([1]) * 20, ()) for _ in range(1_000))
    unsigned = UnsignedTransaction(
        type=TransactionType.SET_CODE,
        chain_id=1,
        nonce=0,
        gas_limit=21_000,
        to=bytes(20),
        authorizations=authorizations,
        access_list=access_list,
    )
    signed = sign_transaction(unsigned, PrivateKey(b"\x07" * 32).sign)
    assert decode_transaction(signed.encoded) == signed

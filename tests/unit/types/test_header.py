from dataclasses import replace
from typing import Any

import pytest
import rlp as reference
from hypothesis import given
from hypothesis import strategies as st
from rlp.sedes import Binary, big_endian_int

from alatau.codec import rlp
from alatau.crypto.keccak import keccak256
from alatau.types.header import (
    EMPTY_OMMERS_HASH,
    EMPTY_REQUESTS_HASH,
    EMPTY_ROOT,
    NONCE,
    ZERO_HASH,
    Header,
    decode_header,
    encode_header,
    header_hash,
    mix_hash_of,
)

_hash32, _address = Binary.fixed_length(32), Binary.fixed_length(20)


class _ReferenceHeader(reference.Serializable):  # type: ignore[misc]
    """The header as Ethereum's libraries describe it."""

    fields = (
        ("parent_hash", _hash32),
        ("ommers_hash", _hash32),
        ("beneficiary", _address),
        ("state_root", _hash32),
        ("transactions_root", _hash32),
        ("receipts_root", _hash32),
        ("logs_bloom", Binary.fixed_length(256)),
        ("difficulty", big_endian_int),
        ("number", big_endian_int),
        ("gas_limit", big_endian_int),
        ("gas_used", big_endian_int),
        ("timestamp", big_endian_int),
        ("extra_data", Binary(max_length=32)),
        ("mix_hash", _hash32),
        ("nonce", Binary.fixed_length(8)),
        ("base_fee_per_gas", big_endian_int),
        ("withdrawals_root", _hash32),
        ("blob_gas_used", big_endian_int),
        ("excess_blob_gas", big_endian_int),
        ("parent_beacon_block_root", _hash32),
        ("requests_hash", _hash32),
    )


_hashes = st.binary(min_size=32, max_size=32)
_counts = st.integers(0, 2**64 - 1)
_headers = st.builds(
    Header,
    parent_hash=_hashes,
    ommers_hash=_hashes,
    beneficiary=st.binary(min_size=20, max_size=20),
    state_root=_hashes,
    transactions_root=_hashes,
    receipts_root=_hashes,
    logs_bloom=st.binary(min_size=256, max_size=256),
    difficulty=st.integers(0, 2**256 - 1),
    number=_counts,
    gas_limit=_counts,
    gas_used=_counts,
    timestamp=_counts,
    extra_data=_hashes,
    mix_hash=_hashes,
    nonce=st.binary(min_size=8, max_size=8),
    base_fee_per_gas=st.integers(0, 2**256 - 1),
    withdrawals_root=_hashes,
    blob_gas_used=_counts,
    excess_blob_gas=_counts,
    parent_beacon_block_root=_hashes,
    requests_hash=_hashes,
)


@given(_headers)
def test_hash_equals_the_reference(header: Header) -> None:
    """The block hash is the one that any Ethereum library computes from the fields by name."""
    expected = _ReferenceHeader(**{name: getattr(header, name) for name in Header.__dataclass_fields__})
    assert encode_header(header) == reference.encode(expected)
    assert header_hash(header) == keccak256(reference.encode(expected))
    assert decode_header(encode_header(header)) == header


def test_constants() -> None:
    """The well-known hashes of emptiness."""
    assert EMPTY_ROOT.hex() == "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
    assert EMPTY_OMMERS_HASH.hex() == "1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"
    assert EMPTY_REQUESTS_HASH.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert (bytes(32), bytes(8)) == (ZERO_HASH, NONCE)


def test_mix_hash() -> None:
    """keccak256 of the parent's hash and the height as a word: known to all beforehand, so not random."""
    assert mix_hash_of(b"\x01" * 32, 7) == keccak256(b"\x01" * 32 + (7).to_bytes(32, "big"))


_PLAIN = Header(
    *(ZERO_HASH, EMPTY_OMMERS_HASH, bytes(20), EMPTY_ROOT, EMPTY_ROOT, EMPTY_ROOT, bytes(256)),
    *(0, 1, 30_000_000, 0, 1_700_000_000, ZERO_HASH, ZERO_HASH, NONCE, 0, EMPTY_ROOT, 0, 0, ZERO_HASH, ZERO_HASH),
)


@pytest.mark.parametrize(
    "changes",
    [
        {"parent_hash": bytes(31)},
        {"beneficiary": bytes(21)},
        {"logs_bloom": bytes(255)},
        {"number": 2**64},
        {"gas_used": 2**64},
        {"extra_data": bytes(33)},
        {"nonce": bytes(7)},
        {"base_fee_per_gas": 2**256},
        {"requests_hash": b""},
    ],
)
def test_fields_have_one_width(changes: dict[str, Any]) -> None:
    """A field of another width is refused on reading."""
    with pytest.raises(rlp.RlpError):
        decode_header(encode_header(replace(_PLAIN, **changes)))


def test_the_number_of_fields_is_fixed() -> None:
    """A header of an older or a later fork is not ours."""
    fields = rlp.decode_list(encode_header(_PLAIN))
    for wrong in (fields[:-1], [*fields, b""]):
        with pytest.raises(rlp.RlpError, match="list of 21 items"):
            decode_header(rlp.encode(wrong))

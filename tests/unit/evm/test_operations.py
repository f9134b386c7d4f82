"""What the longer rows of the opcode table call."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alatau.crypto.keccak import keccak256
from alatau.evm.exceptions import OutOfGasError
from alatau.evm.gas import memory_gas
from alatau.evm.operations import (
    M,
    grow,
    keccak_pair,
    keccak_word,
    load,
    shift_arithmetic,
    sign_extend,
    signed_div,
    signed_mod,
)


def signed(value: int) -> int:
    """The value of a word in two's complement."""
    return value - 2**256 if value >> 255 else value


WORDS = st.one_of(st.integers(0, M), st.sampled_from((0, 1, 2, 2**255 - 1, 2**255, M - 1, M)))


@given(WORDS, WORDS)
def test_signed_division_truncates_towards_zero(a: int, b: int) -> None:
    """Quotient times divisor plus rest is the dividend; the rest has its sign and is smaller than the divisor."""
    quotient, rest = signed(signed_div(a, b)), signed(signed_mod(a, b))
    if b == 0:
        assert (quotient, rest) == (0, 0)
        return
    assert (quotient * signed(b) + rest - signed(a)) & M == 0
    assert abs(rest) < abs(signed(b))
    if rest:
        assert (rest < 0) == (signed(a) < 0)


def test_the_one_quotient_that_overflows() -> None:
    """-2**255 / -1 wraps to itself."""
    assert signed_div(2**255, M) == 2**255


@given(st.integers(0, 40), WORDS)
def test_sign_extend_keeps_the_number(size: int, value: int) -> None:
    """The low bytes, read as a signed number, are the whole word's value."""
    bits = 8 * (size + 1)
    result = sign_extend(size, value)
    if size >= 31:
        assert result == value
    else:
        low = value & (1 << bits) - 1
        assert signed(result) == (low - (1 << bits) if low >> bits - 1 else low)


@given(st.one_of(st.integers(0, 300), WORDS), WORDS)
def test_arithmetic_shift_is_floor_division(shift: int, value: int) -> None:
    """SAR divides by a power of two, rounding down."""
    assert signed(shift_arithmetic(shift, value)) == signed(value) >> min(shift, 300)


@given(st.binary(max_size=80), st.integers(0, 100))
def test_load_reads_zeros_past_the_end(data: bytes, offset: int) -> None:
    """CALLDATALOAD sees the input as if zeros followed it, be it bytes or a view."""
    expected = int.from_bytes((data + bytes(200))[offset : offset + 32])
    assert load(data, offset) == load(memoryview(data), offset) == expected


def test_load_at_an_offset_no_memory_has() -> None:
    """An offset of 256 bits is past every end."""
    assert load(b"abc", M) == 0


def test_growing_memory_costs_words_and_their_square() -> None:
    """3 gas a word plus words**2 / 512, for what is added."""
    memory = bytearray()
    assert 1_000 - grow(memory, 1, 1_000) == 3
    assert len(memory) == 32
    assert 100_000 - grow(memory, 32 * 1_000, 100_000) == memory_gas(32_000) - memory_gas(32)
    assert len(memory) == 32_000


def test_growing_beyond_the_gas_allocates_nothing() -> None:
    """The price is checked first, so a size of 2**256 is only a number."""
    memory = bytearray()
    with pytest.raises(OutOfGasError):
        grow(memory, 2**256 + 31, 10**9)
    assert len(memory) == 0


@given(WORDS, WORDS)
def test_hash_of_a_pair_is_the_hash_of_its_bytes(first: int, second: int) -> None:
    """Asked once or again, the answer is keccak256 of the 64 bytes."""
    data = first.to_bytes(32) + second.to_bytes(32)
    for _ in range(2):
        assert keccak_pair(first, second) == keccak_word(data) == int.from_bytes(keccak256(data))

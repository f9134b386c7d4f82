import pytest
from hypothesis import given
from hypothesis import strategies as st

from alatau.evm.precompiles import PrecompileError
from alatau.evm.precompiles.modexp import MODEXP_OSAKA, MODEXP_PRAGUE


def _input(base: bytes, exponent: bytes, modulus: bytes) -> bytes:
    sizes = b"".join(len(part).to_bytes(32, "big") for part in (base, exponent, modulus))
    return sizes + base + exponent + modulus


def _sizes(base: int, exponent: int, modulus: int) -> bytes:
    return b"".join(size.to_bytes(32, "big") for size in (base, exponent, modulus))


@given(st.binary(max_size=80), st.binary(max_size=40), st.binary(max_size=80))
def test_equals_pow(base: bytes, exponent: bytes, modulus: bytes) -> None:
    """The result is Python's pow, as wide as the modulus; modulo zero it is zero (EIP-198)."""
    n = int.from_bytes(modulus, "big")
    expected = pow(int.from_bytes(base, "big"), int.from_bytes(exponent, "big"), n) if n else 0
    data = _input(base, exponent, modulus)
    assert MODEXP_PRAGUE.run(data) == expected.to_bytes(len(modulus), "big")
    assert MODEXP_OSAKA.run(data) == MODEXP_PRAGUE.run(data)


def test_fermat_vector_of_the_eip() -> None:
    """EIP-198's first example: 3 ** (p - 1) mod p for secp256k1's p is 1."""
    p = 2**256 - 2**32 - 977
    data = _input(b"\x03", (p - 1).to_bytes(32, "big"), p.to_bytes(32, "big"))
    assert MODEXP_PRAGUE.run(data) == (1).to_bytes(32, "big")
    assert MODEXP_PRAGUE.gas(data) == 1_360
    assert MODEXP_OSAKA.gas(data) == 4_080


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [((0, 0, 1), b"\x00"), ((0, 0, 0), b""), ((0, 2**256 - 1, 0), b""), ((1, 1, 0), b"")],
)
def test_truncated_input_reads_as_zeros(sizes: tuple[int, int, int], expected: bytes) -> None:
    """Operands past the end of the input are zeros, however wide they claim to be."""
    assert MODEXP_PRAGUE.run(_sizes(*sizes)) == expected


def test_operand_cut_in_its_middle() -> None:
    """A modulus of which one byte of two is present reads as that byte, then a zero."""
    assert MODEXP_PRAGUE.run(_sizes(1, 1, 2) + b"\x03\x02\x01") == (9).to_bytes(2, "big")


def test_modulus_one_and_exponent_zero() -> None:
    """Anything modulo 1 is 0, even 0 ** 0; elsewhere 0 ** 0 is 1."""
    assert MODEXP_PRAGUE.run(_input(b"", b"", b"\x01")) == b"\x00"
    assert MODEXP_PRAGUE.run(_input(b"", b"", b"\x02")) == b"\x01"


@pytest.mark.parametrize(
    ("data", "prague", "osaka"),
    [
        (b"", 200, 500),
        (_input(b"\x01" * 32, b"\x01" * 32, b"\x01" * 32), 16 * 248 // 3, 16 * 248),
        (_input(b"\x01" * 33, b"\xff" * 32, b"\x01"), 25 * 255 // 3, 50 * 255),
        (_input(b"\x01" * 64, b"\x80" + bytes(63), b"\x01" * 64), 64 * (8 * 32 + 255) // 3, 128 * (16 * 32 + 255)),
        (_input(b"\x01" * 64, bytes(64), b"\x01" * 64), 64 * 256 // 3, 128 * 512),
        (_input(b"", b"\xff" * 64, b""), 200, 16 * (512 + 255)),
    ],
)
def test_prices(data: bytes, prague: int, osaka: int) -> None:
    """EIP-2565 and EIP-7883, worked by hand: width in 8-byte words squared, times the exponent's length."""
    assert MODEXP_PRAGUE.gas(data) == prague
    assert MODEXP_OSAKA.gas(data) == osaka


def test_huge_sizes_cost_more_than_any_gas() -> None:
    """A price is computed without touching the operands that it prices."""
    assert MODEXP_PRAGUE.gas(_sizes(2**256 - 1, 1, 1)) > 2**64
    assert MODEXP_OSAKA.gas(_sizes(1, 2**256 - 1, 1)) > 2**64


@pytest.mark.parametrize("sizes", [(1_025, 0, 0), (0, 1_025, 0), (0, 0, 1_025), (2**255, 0, 0)])
def test_osaka_bounds_the_operands(sizes: tuple[int, int, int]) -> None:
    """EIP-7823: no operand is wider than 1,024 bytes."""
    with pytest.raises(PrecompileError, match="wider than 1024"):
        MODEXP_OSAKA.run(_sizes(*sizes))


def test_osaka_takes_the_widest_operands() -> None:
    """1,024 bytes are within the bound."""
    data = _input(b"\x02" * 1_024, b"\x03" * 1_024, b"\x05" * 1_024)
    two, three, five = (int.from_bytes(bytes((byte,)) * 1_024, "big") for byte in (2, 3, 5))
    assert MODEXP_OSAKA.run(data) == pow(two, three, five).to_bytes(1_024, "big")

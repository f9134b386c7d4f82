"""Checked against ckzg, the reference library, with the ceremony's setup that the ``eth_account`` package carries."""

from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import ckzg
import pytest

from alatau.evm.precompiles import PrecompileError
from alatau.evm.precompiles.point_evaluation import POINT_EVALUATION

_MODULUS = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
_OUTPUT = (4_096).to_bytes(32, "big") + _MODULUS.to_bytes(32, "big")
_INFINITY = b"\xc0" + bytes(47)


@pytest.fixture(scope="module")
def setup() -> Any:
    """The trusted setup, as ckzg holds it."""
    spec = find_spec("eth_account")
    assert spec is not None
    assert spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0])
    path = folder / "typed_transactions" / "blob_transactions" / "kzg_trusted_setup.txt"
    return ckzg.load_trusted_setup(str(path), 0)


def _input(commitment: bytes, z: bytes, y: bytes, proof: bytes) -> bytes:
    return b"\x01" + sha256(commitment).digest()[1:] + z + y + commitment + proof


def _proven(setup: Any, seed: int) -> tuple[bytes, bytes, bytes, bytes]:
    """A blob's commitment, a point, the value there and its proof."""
    blob = b"".join(b"\x00" + sha256(bytes((seed,)) + n.to_bytes(2, "big")).digest()[1:] for n in range(4_096))
    z = b"\x00" + sha256(bytes((seed,))).digest()[1:]
    proof, y = ckzg.compute_kzg_proof(blob, z, setup)
    return ckzg.blob_to_kzg_commitment(blob, setup), z, y, proof


def test_true_statements_hold(setup: Any) -> None:
    """What ckzg proves, the precompile accepts, and says with which parameters."""
    assert POINT_EVALUATION.run(_input(*_proven(setup, 1))) == _OUTPUT


def test_false_statements_fail(setup: Any) -> None:
    """Another value, point, or proof: ckzg and the precompile both say no."""
    commitment, z, y, proof = _proven(setup, 2)
    other = b"\x00" * 31 + b"\x07"
    for statement in ((commitment, z, other, proof), (commitment, other, y, proof), (commitment, z, y, _INFINITY)):
        assert not ckzg.verify_kzg_proof(*statement, setup)
        with pytest.raises(PrecompileError, match="does not hold"):
            POINT_EVALUATION.run(_input(*statement))


def test_constant_polynomial_has_infinity_as_proof() -> None:
    """The zero polynomial commits to infinity and is zero everywhere; its quotient is zero too."""
    zero = bytes(32)
    assert POINT_EVALUATION.run(_input(_INFINITY, zero, zero, _INFINITY)) == _OUTPUT


@pytest.mark.parametrize("infinity", [b"\xc0" + bytes(46) + b"\x01", b"\xe0" + bytes(47), b"\x40" + bytes(47)])
def test_infinity_has_one_encoding(infinity: bytes, setup: Any) -> None:
    """Bits beside the infinity flag make it invalid, as in ckzg."""
    zero = bytes(32)
    with pytest.raises(RuntimeError):
        ckzg.verify_kzg_proof(infinity, zero, zero, _INFINITY, setup)
    for commitment, proof in ((infinity, _INFINITY), (_INFINITY, infinity)):
        with pytest.raises(PrecompileError, match="canonical"):
            POINT_EVALUATION.run(_input(commitment, zero, zero, proof))


def test_invalid_fields_fail(setup: Any) -> None:
    """A field element at the modulus, a version other than 1, bytes that are no point."""
    commitment, z, y, proof = _proven(setup, 3)
    too_large = _MODULUS.to_bytes(32, "big")
    for data in (
        _input(commitment, too_large, y, proof),
        _input(commitment, z, too_large, proof),
        _input(commitment, z, y, bytes(48)),
        _input(b"\x80" + bytes(47), z, y, proof),
        b"\x02" + _input(commitment, z, y, proof)[1:],
        _input(commitment, z, y, proof) + b"\x00",
        b"",
    ):
        with pytest.raises(PrecompileError):
            POINT_EVALUATION.run(data)


def test_price() -> None:
    """EIP-4844: 50,000 gas."""
    assert POINT_EVALUATION.gas(b"") == 50_000

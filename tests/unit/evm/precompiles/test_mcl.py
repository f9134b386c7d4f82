import sys

import pytest

from alatau.evm.precompiles import mcl


def test_the_wheel_module_is_not_imported() -> None:
    """Importing mclbn256 would initialise another curve in the same library and write to its own folder."""
    assert "mclbn256.mclbn256" not in sys.modules


def test_coordinates_round_trip() -> None:
    """The library's Montgomery form and byte order stay inside the layer."""
    generator = (1).to_bytes(32, "big") + (2).to_bytes(32, "big")
    assert mcl.g1_bytes(mcl.g1_point(generator)) == generator


def test_zeros_are_infinity() -> None:
    """A struct of zeros has z = 0."""
    assert mcl.g1_bytes(mcl.g1_point(bytes(64))) == bytes(64)
    assert mcl.pairings_cancel([mcl.g1_point(bytes(64))], [mcl.g2_point(bytes(128))])


def test_errors_are_value_errors() -> None:
    """The layer knows nothing of precompiles: it says what is wrong with the value."""
    with pytest.raises(ValueError, match="not on the curve"):
        mcl.g1_point(bytes(63) + b"\x01")
    with pytest.raises(ValueError, match="below the field's order"):
        mcl.g2_point(b"\xff" * 128)

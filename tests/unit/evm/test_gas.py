"""Prices."""

from alatau.evm import gas


def test_memory_price() -> None:
    """Yellow Paper, equation 330: 3 per word and the square of the words over 512."""
    assert gas.memory_gas(0) == 0
    assert gas.memory_gas(32) == 3
    assert gas.memory_gas(32 * 512) == 3 * 512 + 512
    assert gas.memory_gas(32 * 1024) == 3 * 1024 + 2048


def test_a_set_slot_costs_what_it_did() -> None:
    """EIP-2929 split prices in two; cold access and warm write make up EIP-2200's price."""
    assert gas.COLD_SLOT + gas.SLOT_RESET == 5_000
    assert gas.INITCODE_SIZE_MAX == 49_152

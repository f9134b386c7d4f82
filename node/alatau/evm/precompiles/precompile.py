"""What a precompiled contract is to the EVM: a price and a function of its input."""

from collections.abc import Callable
from dataclasses import dataclass

Price = Callable[[bytes], int]
"""Input -> gas. Defined for every input, the malformed included; costs little next to what it prices."""

Operation = Callable[[bytes], bytes]
"""Input -> output. Called only once its price is paid."""


class PrecompileError(Exception):
    """The caller's input is invalid: the call fails, and all the gas that was sent with it is spent.

    A contract that calls a precompile checks the call's success as it would for any other contract.
    """


@dataclass(frozen=True, slots=True)
class Precompile:
    """A contract that the node implements natively."""

    name: str
    """As its EIP calls it."""
    gas: Price
    run: Operation
    """Raises ``PrecompileError``."""


def fixed_price(gas: int) -> Price:
    """A price that does not depend on the input."""
    return lambda _data: gas


def word_price(gas: int, gas_per_word: int) -> Price:
    """A price of ``gas`` plus ``gas_per_word`` for each started 32-byte word of input."""
    return lambda data: gas + gas_per_word * ((len(data) + 31) >> 5)

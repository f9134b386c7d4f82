from alatau.evm.precompiles.precompile import Precompile, fixed_price, word_price


def test_fixed_price() -> None:
    """The same at every size."""
    assert [fixed_price(7)(bytes(size)) for size in (0, 1, 1_000)] == [7, 7, 7]


def test_word_price() -> None:
    """A started word counts whole."""
    assert [word_price(10, 2)(bytes(size)) for size in (0, 1, 32, 33)] == [10, 12, 12, 14]


def test_fields() -> None:
    """A precompile is its name, its price and its operation."""
    copy = Precompile("COPY", fixed_price(3), bytes)
    assert (copy.name, copy.gas(b"x"), copy.run(b"x")) == ("COPY", 3, b"x")

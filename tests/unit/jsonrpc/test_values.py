"""Quantities, data, and what is none."""

import pytest

from alatau.jsonrpc.errors import JsonRpcError
from alatau.jsonrpc.values import (
    data,
    field,
    quantity,
    read_address,
    read_bool,
    read_data,
    read_list,
    read_object,
    read_quantity,
    read_slot,
    read_uint64,
    word,
)


def test_values_are_written_as_the_specification_says() -> None:
    """Quantities without leading zeros, zero as 0x0; bytes with all of theirs."""
    assert (quantity(0), quantity(65), quantity(2**256 - 1)) == ("0x0", "0x41", "0x" + "f" * 64)
    assert (data(b""), data(b"\x00\x0f"), word(1)) == ("0x", "0x000f", "0x" + "0" * 63 + "1")


@pytest.mark.parametrize(
    "value", ["0x", "", "41", 65, None, "0x041", "0x00", "0xg", "0x" + "f" * 65, "0x-1", True, " 0x1"]
)
def test_what_is_no_quantity_is_refused(value: object) -> None:
    """Nothing is guessed."""
    with pytest.raises(JsonRpcError) as caught:
        read_quantity(value)
    assert caught.value.code == -32602


def test_quantities_and_slots_are_read() -> None:
    """Capitals too; a slot may have leading zeros."""
    assert (read_quantity("0x0"), read_quantity("0XfF"), read_uint64("0xffffffffffffffff")) == (0, 255, 2**64 - 1)
    assert read_slot("0x" + "0" * 63 + "7") == read_slot("0x07") == 7
    for too_much in ("0x10000000000000000", "0x" + "f" * 64):
        with pytest.raises(JsonRpcError, match="64 bits"):
            read_uint64(too_much)


@pytest.mark.parametrize("value", ["0x0", "00", "0x0g", 5, None, ["0x"]])
def test_what_is_no_data_is_refused(value: object) -> None:
    """Half bytes are an error, not padded."""
    with pytest.raises(JsonRpcError):
        read_data(value)


def test_sizes_and_kinds_are_checked() -> None:
    """Addresses, truth values, objects, arrays and their length; a field of an object is named."""
    assert read_address("0x" + "ab" * 20) == b"\xab" * 20
    assert (read_bool(value=True), read_object({}), read_list([1], 1)) == (True, {}, [1])
    for read, value in ((read_address, "0xab"), (read_bool, 1), (read_object, []), (lambda v: read_list(v, 1), [1, 2])):
        with pytest.raises(JsonRpcError):
            read(value)
    assert field({"a": None}, "a", read_quantity) is None
    with pytest.raises(JsonRpcError, match=r"^gas: "):
        field({"gas": 5}, "gas", read_quantity)

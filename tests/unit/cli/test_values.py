import json
from pathlib import Path
from typing import Any

import click
import pytest

from alatau.artifacts import addresses
from alatau.cli.values import find_contract, parse_address, parse_amount, parse_argument, parse_data, parse_hash, shown

ADDRESS = "0x" + "ab" * 20


@pytest.mark.parametrize(
    ("text", "wei"),
    [("0", 0), ("100", 100), ("2gwei", 2 * 10**9), ("1.5 ether", 15 * 10**17), ("0.000000000000000001ether", 1)],
)
def test_amounts_have_units(text: str, wei: int) -> None:
    """Never a float: 0.1 ether is exact."""
    assert parse_amount(text) == wei


@pytest.mark.parametrize("text", ["", "-1", "1e18", "1.5", "0.0000000000000000001ether", "1 tenge", "0x10"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    """Half a wei too."""
    with pytest.raises(click.BadParameter):
        parse_amount(text)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("uint256", "0x10", 16),
        ("int128", "-5", -5),
        ("bool", "true", True),
        ("address", ADDRESS, b"\xab" * 20),
        ("bytes4", "0x01020304", b"\x01\x02\x03\x04"),
        ("bytes", "0x", b""),
        ("string", "Сәлем", "Сәлем"),
        ("uint256[]", "[1, 2]", [1, 2]),
        ("address[2]", f'["{ADDRESS}", "{ADDRESS}"]', [b"\xab" * 20] * 2),
        ("(uint256,(bool,string))", '[7, [true, "x"]]', (7, (True, "x"))),
        ("(uint256,uint256[])[]", "[[1, [2, 3]]]", [(1, [2, 3])]),
    ],
)
def test_arguments_follow_their_types(kind: str, text: str, value: Any) -> None:
    """Arrays and tuples are JSON."""
    assert parse_argument(kind, text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("uint256", "many"),
        ("bool", "1"),
        ("address", "0x12"),
        ("bytes4", "0x00"),
        ("uint256[]", "1, 2"),
        ("uint256[]", "{}"),
        ("(uint256,bool)", "[1]"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(kind: str, text: str) -> None:
    """With the type that was expected."""
    with pytest.raises(click.BadParameter):
        parse_argument(kind, text)


def test_hexadecimal_needs_its_prefix_and_length() -> None:
    """A decimal number is never taken for bytes."""
    assert parse_data("0x00ff") == b"\x00\xff"
    assert parse_hash("0x" + "11" * 32) == b"\x11" * 32
    for wrong in ("11" * 20, "0x" + "11" * 19, "0xzz"):
        with pytest.raises(click.BadParameter):
            parse_address(wrong)


def test_a_contract_is_found_by_name_or_by_address_with_its_abi(tmp_path: Path) -> None:
    """Names are those of genesis; an ABI may be a file or one of ours."""
    abi, address = find_contract("SettlementToken", None)
    assert address == addresses.SETTLEMENT_TOKEN
    assert abi.function("transfer", 2).inputs == ("address", "uint256")
    file = tmp_path / "c.json"
    file.write_text(json.dumps([{"type": "function", "name": "f", "inputs": [], "outputs": []}]))
    assert find_contract(ADDRESS, file)[0].function("f", 0).name == "f"
    assert find_contract(ADDRESS, Path("Council"))[1] == b"\xab" * 20
    with pytest.raises(click.BadParameter, match="neither an address nor one of"):
        find_contract("Nothing", None)
    with pytest.raises(click.BadParameter, match="--abi"):
        find_contract(ADDRESS, None)


def test_results_are_shown_as_json_can() -> None:
    """Bytes as hexadecimal, tuples as lists, whatever their depth."""
    assert shown((1, b"\x01", ["x", (b"",)])) == [1, "0x01", ["x", ["0x"]]]

"""Typed data of any shape, against the example of the EIP."""

from typing import Any

import pytest

from alatau.client.errors import TypedDataError
from alatau.client.typed_data import (
    Domain,
    digest,
    domain_separator,
    encode_type,
    hash_struct,
    read_domain,
    read_value,
    struct_type,
    to_json,
)

MAIL = struct_type("Mail(Person from,Person to,string contents)Person(string name,address wallet)")
DOMAIN = Domain("Ether Mail", "1", 1, bytes.fromhex("CcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC"))
MESSAGE = {
    "from": {"name": "Cow", "wallet": bytes.fromhex("CD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826")},
    "to": {"name": "Bob", "wallet": bytes.fromhex("bBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB")},
    "contents": "Hello, Bob!",
}


def test_the_example_of_the_eip() -> None:
    """Type, domain, struct and digest are those of https://eips.ethereum.org/assets/eip-712/Example.js."""
    assert encode_type(MAIL, "Mail") == "Mail(Person from,Person to,string contents)Person(string name,address wallet)"
    assert domain_separator(DOMAIN).hex() == "f2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f"
    assert (
        hash_struct(MAIL, "Mail", MESSAGE).hex() == "c52c0ee5d84264471806290a3f2c4cecfc5490626bf912d01f240d7a274b371e"
    )
    assert digest(DOMAIN, MAIL, MESSAGE).hex() == "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2"


def test_json_and_back() -> None:
    """What a wallet takes is read as what was written; large numbers are texts, as JSON's would be rounded."""
    kind = struct_type("A(uint256 n,int8 i,bool b,bytes data,bytes4 four,uint8[2] pair,B[] others)B(string s)")
    message = {
        "n": 2**255,
        "i": -128,
        "b": True,
        "data": b"\x01\x02",
        "four": b"abcd",
        "pair": [1, 2],
        "others": [{"s": "x"}, {"s": "Сәлем"}],
    }
    document = to_json(kind, DOMAIN, message)
    assert document["message"]["n"] == str(2**255)
    assert document["message"]["data"] == "0x0102"
    assert document["types"]["B"] == [{"name": "s", "type": "string"}]
    read = read_value(kind, "A", document["message"], "message")
    assert read == message
    assert digest(read_domain(document["domain"]), kind, read) == digest(DOMAIN, kind, message)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("uint8 x", 256), ("uint8 x", -1), ("uint8 x", True), ("uint8 x", "1e3"), ("uint8 x", 1.0), ("uint8 x", None),
        ("int8 x", 128), ("bool x", 1), ("string x", 5), ("address x", "0x12"), ("address x", "12" * 20),
        ("bytes32 x", "0x" + "11" * 31), ("bytes x", "0x1"), ("uint8[] x", 7), ("uint8[2] x", [1]),
        ("uint8[] x", [1, 300]), ("uint256 x", "9" * 5_000),
    ],
)  # fmt: skip
def test_what_does_not_fit_its_type_is_refused(member: str, value: Any) -> None:
    """With the place."""
    kind = struct_type(f"A({member})")
    with pytest.raises(TypedDataError, match=r"message\.x"):
        read_value(kind, "A", {"x": value}, "message")


def test_members_are_exactly_those_of_the_type() -> None:
    """One that is missing, and one that nobody would see, are both refused."""
    kind = struct_type("A(uint8 x)")
    with pytest.raises(TypedDataError, match="lacks x"):
        read_value(kind, "A", {}, "message")
    with pytest.raises(TypedDataError, match="no member y; it has x"):
        read_value(kind, "A", {"x": 1, "y": 2}, "message")


@pytest.mark.parametrize("text", ["", "A", "A(uint8)", "A(uint8 x", "A(uint8 x)b", "A((uint8 y) x)", "A(uint8 x y)"])
def test_a_malformed_type_is_refused(text: str) -> None:
    """Before anything is hashed with it."""
    with pytest.raises(TypedDataError):
        struct_type(text)

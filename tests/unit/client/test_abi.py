"""Coding of calls, results, events and reverts."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alatau.client.abi import Abi, decode, encode, load_abi
from alatau.client.errors import AbiError
from alatau.crypto.keccak import keccak256
from alatau.wire.logs import EventLog

ABI = [
    {"type": "constructor", "inputs": [{"name": "owner", "type": "address"}]},
    {
        "type": "function",
        "name": "transfer",
        "stateMutability": "nonpayable",
        "inputs": [{"name": "to", "type": "address"}, {"name": "amount", "type": "uint256"}],
        "outputs": [{"name": "", "type": "bool"}],
    },
    {
        "type": "function",
        "name": "mint",
        "stateMutability": "payable",
        "inputs": [{"name": "to", "type": "address"}],
        "outputs": [],
    },
    {
        "type": "function",
        "name": "mint",
        "stateMutability": "payable",
        "inputs": [{"name": "to", "type": "address"}, {"name": "amount", "type": "uint256"}],
        "outputs": [],
    },
    {
        "type": "function",
        "name": "position",
        "stateMutability": "view",
        "inputs": [
            {
                "name": "keys",
                "type": "tuple[]",
                "components": [{"name": "a", "type": "address"}, {"name": "b", "type": "bytes32"}],
            }
        ],
        "outputs": [{"name": "", "type": "uint256"}, {"name": "", "type": "address[2]"}],
    },
    {
        "type": "event",
        "name": "Transfer",
        "inputs": [
            {"name": "sender", "type": "address", "indexed": True},
            {"name": "amount", "type": "uint256", "indexed": False},
            {"name": "memo", "type": "string", "indexed": True},
        ],
    },
    {"type": "error", "name": "TooLittle", "inputs": [{"name": "have", "type": "uint256"}]},
    {"type": "fallback"},
]
HOLDER = b"\x11" * 20


@pytest.fixture(scope="module")
def abi() -> Abi:
    """The ABI above."""
    return load_abi(ABI)


def test_a_call_is_selector_and_arguments(abi: Abi) -> None:
    """The selector of ERC-20's transfer is the well-known one; addresses are taken as bytes or hex."""
    data = abi.encode_call("transfer", [HOLDER, 5])
    assert data[:4].hex() == "a9059cbb"
    assert data == abi.encode_call("transfer", ["0x" + HOLDER.hex(), 5])


def test_functions_of_one_name_differ_by_the_number_of_arguments(abi: Abi) -> None:
    """Vyper's default arguments; the full signature names one as well."""
    assert abi.encode_call("mint", [HOLDER])[:4] == keccak256(b"mint(address)")[:4]
    assert abi.encode_call("mint", [HOLDER, 1])[:4] == keccak256(b"mint(address,uint256)")[:4]
    assert abi.function("mint(address)", 1).payable


def test_tuples_are_spelt_out(abi: Abi) -> None:
    """A tuple's members make its type, and its selector."""
    function = abi.function("position", 1)
    assert function.inputs == ("(address,bytes32)[]",)
    assert function.selector == keccak256(b"position((address,bytes32)[])")[:4]
    assert function.reads_only


def test_addresses_come_back_as_bytes(abi: Abi) -> None:
    """Also inside arrays; several results make a tuple, one a value, none None."""
    output = encode(["uint256", "address[2]"], [7, [HOLDER, bytes(20)]], "test")
    assert abi.decode_output("position", 1, output) == (7, (HOLDER, bytes(20)))
    assert abi.decode_output("transfer", 2, encode(["bool"], [True], "test")) is True
    assert abi.decode_output("mint", 1, b"") is None


def test_mistakes_are_told_with_what_there_is(abi: Abi) -> None:
    """An unknown name, a wrong number or type of arguments: AbiError, never a wrong encoding."""
    with pytest.raises(AbiError, match="the contract has mint, position, transfer"):
        abi.encode_call("burn", [])
    with pytest.raises(AbiError, match=r"the contract has transfer\(address,uint256\)"):
        abi.encode_call("transfer", [HOLDER])
    with pytest.raises(AbiError, match=r"do not fit \(address,uint256\)"):
        abi.encode_call("transfer", [HOLDER, -1])
    with pytest.raises(AbiError, match="is no"):
        abi.decode_output("transfer", 2, b"\x01")


def _log(*topics: bytes, data: bytes = b"") -> EventLog:
    return EventLog(HOLDER, topics, data, 1, bytes(32), bytes(32), 0, 0)


def test_an_event_is_decoded_in_the_order_of_its_members(abi: Abi) -> None:
    """Indexed members come from topics; one of dynamic type is only there as a hash."""
    topic, memo = keccak256(b"Transfer(address,uint256,string)"), keccak256(b"rent")
    event = abi.decode_event(_log(topic, bytes(12) + HOLDER, memo, data=(5).to_bytes(32, "big")))
    assert event is not None
    assert list(event.values.items()) == [("sender", HOLDER), ("amount", 5), ("memo", memo)]


def test_a_log_that_does_not_fit_is_no_event(abi: Abi) -> None:
    """Unknown, without topics, with too few topics, or with broken data: None."""
    topic = keccak256(b"Transfer(address,uint256,string)")
    assert abi.decode_event(_log(bytes(32))) is None
    assert abi.decode_event(_log()) is None
    assert abi.decode_event(_log(topic)) is None
    assert abi.decode_event(_log(topic, bytes(32), bytes(32), data=b"\x01")) is None


def test_topic_conditions(abi: Abi) -> None:
    """Trailing conditions that hold always are left out: a filter for more topics than a log has never matches."""
    topic = keccak256(b"Transfer(address,uint256,string)")
    assert abi.topics("Transfer", {}) == ((topic,),)
    assert abi.topics("Transfer", {"memo": "rent"}) == ((topic,), (), (keccak256(b"rent"),))
    either = abi.topics("Transfer", {"sender": [HOLDER, bytes(20)]})
    assert either == ((topic,), (bytes(12) + HOLDER, bytes(32)))
    with pytest.raises(AbiError, match="no indexed amount"):
        abi.topics("Transfer", {"amount": 5})


def test_reverts_are_named(abi: Abi) -> None:
    """By the contract's text, by an error of its ABI, or by the bytes."""
    text = bytes.fromhex("08c379a0") + encode(["string"], ["no"], "test")
    assert abi.reverted(text).reason == "no"
    custom = keccak256(b"TooLittle(uint256)")[:4] + (3).to_bytes(32, "big")
    assert str(abi.reverted(custom)) == "the contract reverted: TooLittle(3)"
    assert abi.reverted(custom).error == "TooLittle"
    assert "0xdeadbeef" in str(abi.reverted(bytes.fromhex("deadbeef")))


def test_an_abi_is_read_from_json_text_file_or_compiler_output(tmp_path: object) -> None:
    """All forms that people have at hand."""
    path = tmp_path / "token.json"
    path.write_text(json.dumps({"abi": ABI, "bytecode": "0x"}))
    for source in (ABI, json.dumps(ABI), path):
        assert load_abi(source).constructor == ("address",)


@given(st.lists(st.tuples(st.integers(0, 2**256 - 1), st.binary(min_size=20, max_size=20), st.binary(max_size=70))))
def test_coding_round_trips(values: list[tuple[int, bytes, bytes]]) -> None:
    """Whatever is encoded decodes to itself."""
    kind = "(uint256,address,bytes)[]"
    assert decode([kind], encode([kind], [values], "test"), "test") == (tuple(values),)

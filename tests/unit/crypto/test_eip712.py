import pytest
from eth_account.messages import _hash_eip191_message, encode_typed_data

from alatau.crypto.eip712 import struct_hash, type_hash, typed_digest, word
from alatau.crypto.keccak import keccak256


def test_digest_of_a_static_struct() -> None:
    """A struct of words under a domain hashes as in eth_account."""
    message = {
        "types": {
            "EIP712Domain": [{"name": "name", "type": "string"}, {"name": "chainId", "type": "uint256"}],
            "Point": [{"name": "x", "type": "int32"}, {"name": "tag", "type": "bytes32"}],
        },
        "primaryType": "Point",
        "domain": {"name": "Plane", "chainId": 7773},
        "message": {"x": -3, "tag": b"\x05" * 32},
    }
    domain = struct_hash(type_hash("EIP712Domain(string name,uint256 chainId)"), keccak256(b"Plane"), word(7773))
    digest = typed_digest(domain, struct_hash(type_hash("Point(int32 x,bytes32 tag)"), word(-3), b"\x05" * 32))
    assert digest == _hash_eip191_message(encode_typed_data(full_message=message))


def test_words() -> None:
    """Big-endian; a negative integer in two's complement."""
    assert word(1) == bytes(31) + b"\x01"
    assert word(-1) == b"\xff" * 32


def test_members_are_words() -> None:
    """A member of another size is a programmer's error."""
    with pytest.raises(AssertionError):
        struct_hash(bytes(32), b"short")

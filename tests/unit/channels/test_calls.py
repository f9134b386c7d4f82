"""Messages as the contracts take them, in the order of their ABI."""

from alatau.artifacts.artifact import abi_type, load
from alatau.channels.calls import NO_CLAIM, claim_argument, own_request, parties_argument, request_argument
from alatau.channels.messages import Lock, Parties, SignedVoucher, Voucher


def test_arguments_have_the_shape_of_the_abi() -> None:
    """`close` names all of them, field by field."""
    (close,) = [entry for entry in load("CityChannels").abi if entry.get("name") == "close"]
    parties, request, claim = close["inputs"]
    assert [part["name"] for part in claim["components"]] == [
        "payer",
        "nonce",
        "transferred",
        "locks",
        "signed",
        "receipt",
    ]
    assert [abi_type(part) for part in (parties, request)] == [
        "(address,address,bytes32)",
        "(address,uint256,bytes)",
    ]
    signed = SignedVoucher(Voucher(bytes(32), b"\x0a" * 20, 3, 50, (Lock(b"\x05" * 32, 7, 90),)), bytes(65))
    assert claim_argument(signed) == (b"\x0a" * 20, 3, 50, [(b"\x05" * 32, 7, 90)], bytes(64), b"")
    assert claim_argument(signed, bytes(65))[5] == bytes(64)
    assert (len(NO_CLAIM), NO_CLAIM[1]) == (6, 0)
    assert parties_argument(Parties(b"\x0a" * 20, b"\x0b" * 20, bytes(32))) == (b"\x0a" * 20, b"\x0b" * 20, bytes(32))
    assert own_request(b"\x0a" * 20) == (b"\x0a" * 20, 0, b"")
    assert request_argument(b"\x0a" * 20, 9, bytes(65)) == (b"\x0a" * 20, 9, bytes(64))

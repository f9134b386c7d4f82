"""Addresses of P-256 keys and the low s; Wycheproof judges the rest."""

from alatau.crypto import p256
from alatau.crypto.keccak import keccak256
from tests.support.passkeys import ADDRESS, PUBLIC_KEY, own_signature


def test_an_address_is_apart_from_that_of_secp256k1() -> None:
    """The hash's input begins with the domain, so the same point has another address there."""
    domain = keccak256(b"Alatau P-256 account v1")
    assert p256.address_of_p256_key(PUBLIC_KEY) == keccak256(domain + PUBLIC_KEY)[12:] == ADDRESS
    assert keccak256(PUBLIC_KEY)[12:] != ADDRESS


def test_s_is_made_low() -> None:
    """Either of the two equivalent signatures becomes the low one."""
    low = own_signature()[1:65]
    high = low[:32] + (p256.ORDER - int.from_bytes(low[32:], "big")).to_bytes(32, "big")
    assert p256.has_low_s(low)
    assert not p256.has_low_s(high)
    assert p256.with_low_s(high) == p256.with_low_s(low) == low


def test_the_bound_is_half_of_the_order() -> None:
    """An s at the half is low, the next is high."""
    assert p256.has_low_s(bytes(32) + p256.HALF_ORDER.to_bytes(32, "big"))
    assert not p256.has_low_s(bytes(32) + (p256.HALF_ORDER + 1).to_bytes(32, "big"))

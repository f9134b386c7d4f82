"""Signatures of one voucher, good and bad in every way, for verifiers that have to agree."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from alatau.channels.calls import contract_signature
from alatau.channels.delegation import Delegation, delegation_digest, voucher_total
from alatau.channels.messages import (
    CloseRequest,
    Domain,
    Lock,
    Parties,
    Voucher,
    channel_id,
    channels_domain,
    close_request_digest,
    receipt_digest,
    voucher_digest,
)
from alatau.crypto import p256
from alatau.crypto.secp256k1 import ORDER, PrivateKey
from tests.support.phones import ChipKey, LentDevice, Passkey, lent

SITE_NAME: Final = "example.org"
DOMAIN: Final = channels_domain(7773, bytes.fromhex("00000000000000000000000000000000a1a7a007"), SITE_NAME)
CHIP, PASSKEY, DEVICE = ChipKey("owner"), Passkey("owner"), ChipKey("lent device")
"""Chip and passkey hold one key, so that one payer has both."""
PLAIN: Final = PrivateKey(b"\x21" * 32)
HUB: Final = PrivateKey(b"\x22" * 32)


def voucher_of(payer: bytes) -> Voucher:
    """What is signed here."""
    channel = channel_id(DOMAIN, Parties(payer, HUB.address, bytes(32)))
    return Voucher(channel, payer, 3, 1_500, (Lock(b"\x09" * 32, 500, 77),))


PHONE_VOUCHER: Final = voucher_of(CHIP.address)
PLAIN_VOUCHER: Final = voucher_of(PLAIN.address)
CAP: Final = voucher_total(PHONE_VOUCHER)
DIGEST: Final = voucher_digest(DOMAIN, PHONE_VOUCHER)


def good() -> Iterator[tuple[str, bytes]]:
    """(what it is, signature) of the phone's voucher in every scheme."""
    yield "chip", CHIP.sign(DIGEST)
    yield "passkey", PASSKEY.sign(DIGEST)
    yield "device of a chip", lent(DOMAIN, PHONE_VOUCHER.channel_id, CHIP, DEVICE, CAP).sign(DIGEST)
    yield "device of a passkey", lent(DOMAIN, PHONE_VOUCHER.channel_id, PASSKEY, DEVICE, CAP).sign(DIGEST)


def bad() -> Iterator[tuple[str, bytes]]:
    """Each for a reason of its own; none signs the phone's voucher."""
    channel = PHONE_VOUCHER.channel_id
    yield "nothing", b""
    yield "a cap below the voucher", lent(DOMAIN, channel, CHIP, DEVICE, CAP - 1).sign(DIGEST)
    device = lent(DOMAIN, channel, PASSKEY, DEVICE, CAP)
    yield "a raised cap", replace(device, cap=CAP + 1).sign(DIGEST)
    yield "the highest cap", replace(device, cap=2**256 - 1).sign(DIGEST)
    yield "another channel", lent(DOMAIN, bytes(32), CHIP, DEVICE, CAP).sign(DIGEST)
    for name, domain in other_domains():
        yield name, lent(domain, channel, CHIP, DEVICE, CAP).sign(DIGEST)
    yield "lent by another", lent(DOMAIN, channel, ChipKey("another"), DEVICE, CAP).sign(DIGEST)
    in_its_name = delegation_digest(DOMAIN, Delegation(channel, CHIP.address, DEVICE.address, CAP))
    yield (
        "lent by another in the payer's name",
        LentDevice(DEVICE, CAP, ChipKey("another").sign(in_its_name)).sign(DIGEST),
    )
    yield "another device", replace(device, key=ChipKey("another")).sign(DIGEST)
    yield "another voucher", device.sign(voucher_digest(DOMAIN, replace(PHONE_VOUCHER, nonce=4)))
    for name, digest in other_messages():
        yield f"a grant that is {name}", LentDevice(DEVICE, CAP, CHIP.sign(digest)).sign(DIGEST)
        yield f"{name} of the chip", CHIP.sign(digest)
    yield "a device of a device", replace(device, grant=device.sign(DIGEST)).sign(DIGEST)
    yield "a grant of secp256k1", replace(device, grant=contract_signature(PLAIN.sign(DIGEST))).sign(DIGEST)
    yield "the device alone", DEVICE.sign(DIGEST)
    yield "no grant", replace(device, grant=b"").sign(DIGEST)


def other_domains() -> Iterator[tuple[str, Domain]]:
    """Of another chain and of another contract."""
    yield "another chain", channels_domain(DOMAIN.chain_id + 1, DOMAIN.contract)
    yield "another contract", channels_domain(DOMAIN.chain_id, b"\x07" * 20)


def other_messages() -> Iterator[tuple[str, bytes]]:
    """Digests of messages of other types, by the same payer in the same channel."""
    yield "a receipt", receipt_digest(DOMAIN, PHONE_VOUCHER)
    yield "a request", close_request_digest(DOMAIN, CloseRequest(PHONE_VOUCHER.channel_id, CHIP.address, CAP))


def swept() -> Iterator[tuple[str, bytes]]:
    """Every good one cut at each byte, and with each byte changed; each first byte; fields out of range and swapped."""
    for name, signature in good():
        for at in range(len(signature)):
            yield f"{name}, cut at {at}", signature[:at]
            yield f"{name}, byte {at} changed", signature[:at] + bytes((signature[at] ^ 1,)) + signature[at + 1 :]
        for scheme in range(256):
            yield f"{name}, scheme {scheme}", bytes((scheme,)) + signature[1:]
        yield f"{name}, longer", signature + b"\x00"
        yield from _fields_changed(name, signature)


def plain() -> Iterator[tuple[str, bytes]]:
    """Signatures of the secp256k1 payer's voucher, good and bad, in the forms of ``alatau.channels``."""
    signature = PLAIN.sign(voucher_digest(DOMAIN, PLAIN_VOUCHER))
    yield "plain", signature
    yield "compact", contract_signature(signature)
    yield "by another", HUB.sign(voucher_digest(DOMAIN, PLAIN_VOUCHER))
    yield "other parity", signature[:64] + bytes((signature[64] ^ 1,))
    high = ORDER - int.from_bytes(signature[32:64], "big")
    for s in (high, 0, ORDER, ORDER // 2 + 1, 2**255 - 1):
        yield f"s {s}", signature[:32] + (s % 2**255).to_bytes(32, "big") + signature[64:]
    for r in (0, ORDER, 2**256 - 1):
        yield f"r {r}", r.to_bytes(32, "big") + signature[32:]
    for at in range(len(signature)):
        yield f"cut at {at}", signature[:at]
    compact = contract_signature(signature)
    for at in range(len(compact)):
        yield f"byte {at} changed", compact[:at] + bytes((compact[at] ^ 1,)) + compact[at + 1 :]


def _fields_changed(name: str, good_one: bytes) -> Iterator[tuple[str, bytes]]:
    high = p256.ORDER - int.from_bytes(good_one[33:65], "big")
    for s in (high, 0, p256.ORDER, 2**256 - 1):
        yield f"{name}, s {s}", good_one[:33] + s.to_bytes(32, "big") + good_one[65:]
    for r in (0, p256.ORDER, 2**256 - 1):
        yield f"{name}, r {r}", good_one[:1] + r.to_bytes(32, "big") + good_one[33:]
    for point in (bytes(64), b"\xff" * 64, good_one[97:129] + good_one[65:97]):
        yield f"{name}, point {point.hex()}", good_one[:65] + point + good_one[129:]
    yield f"{name}, r and s swapped", good_one[:1] + good_one[33:65] + good_one[1:33] + good_one[65:]

"""Vouchers in what a page said to a hub."""

from collections.abc import Iterator
from typing import Any

from alatau.channels.messages import Lock, SignedVoucher, Voucher


def vouchers_of(request: dict[str, Any]) -> Iterator[SignedVoucher]:
    """Those that a ``Say`` in Connect's JSON brings to be taken: with a payment, by folding, with a refund."""
    for message in request["messages"]:
        for kind in ("pay", "fold", "refund"):
            said = message.get(kind)
            if said is not None:
                yield _voucher(said if kind == "fold" else said["voucher"])


def _voucher(json: dict[str, Any]) -> SignedVoucher:
    locks = tuple(
        Lock(_bytes(lock["secretHash"]), int(lock["amount"], 16), int(lock["expiryBlock"])) for lock in json["locks"]
    )
    transferred = int.from_bytes(_bytes(json["transferred"]), "big")
    voucher = Voucher(_bytes(json["channelId"]), _bytes(json["payer"]), int(json["nonce"]), transferred, locks)
    return SignedVoucher(voucher, _bytes(json["signature"]))


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))

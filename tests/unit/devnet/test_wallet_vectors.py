"""The test vectors for makers of wallets are what this code signs, takes and makes of its parts."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from alatau.channels.delegation import voucher_signed_by
from alatau.channels.messages import Voucher, channels_domain, signed_by
from alatau.crypto import p256
from alatau_devnet.wallet_vectors import FILE, make_vectors, write

ROOT = Path(__file__).parents[3]
VECTORS: dict[str, Any] = json.loads((ROOT / FILE).read_text())
DOMAIN = channels_domain(
    VECTORS["chain_id"], bytes.fromhex(VECTORS["contract"].removeprefix("0x")), VECTORS["relying_party"]
)


def raw(text: str) -> bytes:
    """The bytes of hexadecimal digits."""
    return bytes.fromhex(text.removeprefix("0x"))


def test_the_file_is_what_the_code_writes() -> None:
    """Byte for byte."""
    assert (ROOT / FILE).read_text() == write(make_vectors()), "python -m alatau_devnet.wallet_vectors"


def test_every_signature_counts() -> None:
    """For its voucher or digest, and for no other."""
    account = raw(VECTORS["keys"]["account"]["address"])
    for case in (*VECTORS["chip"], *VECTORS["device"]):
        made = Voucher(raw(case["channel_id"]), raw(case["payer"]), case["nonce"], case["transferred"])
        assert voucher_signed_by(DOMAIN, made, raw(case["signature"]))
        other = Voucher(made.channel_id, made.payer, made.nonce, made.transferred + 1)
        assert not voucher_signed_by(DOMAIN, other, raw(case["signature"]))
    for case in (*VECTORS["passkey"], VECTORS["delegation"]):
        assert signed_by(raw(case["digest"]), raw(case["signature"]), account, DOMAIN.rp_id_hash)
        assert not signed_by(bytes(32), raw(case["signature"]), account, DOMAIN.rp_id_hash)


def test_a_wallet_that_does_not_normalise_is_found_out() -> None:
    """Of the signers' answers some have a high s and some a low one, with chip and passkey alike."""
    for kind in ("chip", "passkey", "device"):
        high = {decode_dss_signature(raw(case["der"]))[1] > p256.HALF_ORDER for case in VECTORS[kind]}
        assert high == {True, False}, kind


def strings(value: Any) -> Iterator[str]:
    """All texts of the document."""
    if isinstance(value, dict):
        for member in value.values():
            yield from strings(member)
    elif isinstance(value, list):
        for member in value:
            yield from strings(member)
    elif isinstance(value, str):
        yield value


def test_signatures_are_built_of_what_is_shown() -> None:
    """A reader finds r, the key and the client data in the bytes."""
    assert len(list(strings(VECTORS))) > 50
    for case in VECTORS["passkey"]:
        signature = raw(case["signature"])
        r, _ = decode_dss_signature(raw(case["der"]))
        assert signature[1:33] == r.to_bytes(32, "big")
        assert signature.endswith(raw(case["authenticator_data"]) + case["client_data_json"].encode())

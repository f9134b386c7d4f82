"""Test vectors for makers of wallets whose keys are on P-256 (docs/contracts/wallet-makers.md).

``python -m alatau_devnet.wallet_vectors`` writes ``protos/vectors/wallets.json``: for each scheme what is signed, what
an operating system or a browser gives back, and the bytes that the contracts take. The same every time: keys are fixed
and signatures deterministic (RFC 6979). Half of what a signer gives has a high s, so that a wallet which does not
normalise is found out.
"""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, derive_private_key
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from alatau.artifacts import addresses
from alatau.channels.delegation import Delegation, delegated_signature, delegation_digest
from alatau.channels.messages import Parties, Voucher, channel_id, channels_domain, voucher_digest
from alatau.crypto import p256
from alatau.crypto.signature_schemes import USER_PRESENT, USER_VERIFIED, client_data_head

FILE: Final = Path("protos/vectors/wallets.json")
_SITE: Final = "wallet.example"
_DOMAIN: Final = channels_domain(7773, addresses.CITY_CHANNELS, _SITE)
_HUB: Final = bytes.fromhex("00000000000000000000000000000000000000b0")
_CAP: Final = 50_000


class _Key:
    def __init__(self, name: str) -> None:
        secret = int.from_bytes(sha256(b"alatau wallet vectors: " + name.encode()).digest(), "big") % p256.ORDER
        self._key: EllipticCurvePrivateKey = derive_private_key(secret, SECP256R1())
        point = self._key.public_key().public_numbers()
        self.public = point.x.to_bytes(32, "big") + point.y.to_bytes(32, "big")
        self.address = p256.address_of_p256_key(self.public)
        self.secret = secret.to_bytes(32, "big")

    def der(self, message: bytes) -> bytes:
        """What a key store gives for a message that it hashes by SHA-256 itself."""
        return self._key.sign(message, ECDSA(SHA256(), deterministic_signing=True))


def make_vectors() -> dict[str, Any]:
    """The document."""
    account, device = _Key("account"), _Key("device")
    channel = channel_id(_DOMAIN, Parties(account.address, _HUB, bytes(32)))
    vouchers = [Voucher(channel, account.address, nonce, 1_000 * nonce) for nonce in (1, 2, 3, 4)]
    grant = Delegation(channel, account.address, device.address, _CAP)
    return {
        "chain_id": _DOMAIN.chain_id,
        "contract": _hex(_DOMAIN.contract),
        "relying_party": _SITE,
        "domain_separator": _hex(_DOMAIN.separator),
        "keys": {name: _key(key) for name, key in (("account", account), ("device", device))},
        "chip": [_chip(account, voucher) for voucher in vouchers],
        "passkey": [_passkey(account, voucher_digest(_DOMAIN, voucher)) for voucher in vouchers],
        "delegation": {
            "channel_id": _hex(channel),
            "payer": _hex(account.address),
            "device": _hex(device.address),
            "cap": _CAP,
            **_passkey(account, delegation_digest(_DOMAIN, grant)),
        },
        "device": [_device(account, device, grant, voucher) for voucher in vouchers],
    }


def write(vectors: dict[str, Any]) -> str:
    """The text of the file."""
    return json.dumps(vectors, indent=1) + "\n"


def _key(key: _Key) -> dict[str, str]:
    return {
        "private_key": _hex(key.secret),
        "x": _hex(key.public[:32]),
        "y": _hex(key.public[32:]),
        "address": _hex(key.address),
    }


def _chip(key: _Key, voucher: Voucher) -> dict[str, Any]:
    digest = voucher_digest(_DOMAIN, voucher)
    der = key.der(digest)
    return {
        "channel_id": _hex(voucher.channel_id),
        "payer": _hex(voucher.payer),
        "nonce": voucher.nonce,
        "transferred": voucher.transferred,
        "digest": _hex(digest),
        "der": _hex(der),
        "signature": _hex(_own(key, der)),
    }


def _passkey(key: _Key, digest: bytes) -> dict[str, Any]:
    authenticator_data = _DOMAIN.rp_id_hash + bytes((USER_PRESENT | USER_VERIFIED,)) + bytes(4)
    client_data = client_data_head(digest) + b'https://wallet.example","crossOrigin":false}'
    der = key.der(authenticator_data + sha256(client_data).digest())
    size = len(authenticator_data).to_bytes(2, "big")
    return {
        "digest": _hex(digest),
        "authenticator_data": _hex(authenticator_data),
        "client_data_json": client_data.decode(),
        "der": _hex(der),
        "signature": _hex(b"\x02" + _fixed(der) + key.public + size + authenticator_data + client_data),
    }


def _device(account: _Key, device: _Key, grant: Delegation, voucher: Voucher) -> dict[str, Any]:
    granted = bytes.fromhex(_passkey(account, delegation_digest(_DOMAIN, grant))["signature"][2:])
    der = device.der(voucher_digest(_DOMAIN, voucher))
    return _chip(device, voucher) | {"signature": _hex(delegated_signature(_own(device, der), grant.cap, granted))}


def _own(key: _Key, der: bytes) -> bytes:
    return b"\x01" + _fixed(der) + key.public


def _fixed(der: bytes) -> bytes:
    """Two words from DER, s in the lower half."""
    r, s = decode_dss_signature(der)
    return p256.with_low_s(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


if __name__ == "__main__":
    FILE.write_text(write(make_vectors()))

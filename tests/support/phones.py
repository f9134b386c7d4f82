"""P-256 keys as phones and browsers hold them: by themselves, behind a passkey, and in a device that was lent a sum."""

from dataclasses import dataclass
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, derive_private_key
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from alatau.channels.delegation import Delegation, delegated_signature, delegation_digest
from alatau.channels.messages import Domain
from alatau.crypto import p256
from alatau.crypto.signature_schemes import USER_PRESENT, USER_VERIFIED, client_data_head
from tests.support.passkeys import SITE, TAIL, packed


class ChipKey:
    """A key that signs by itself, as a secure chip or WebCrypto does (scheme 1)."""

    def __init__(self, name: str) -> None:
        """The key of a name; the same every time."""
        self._key: EllipticCurvePrivateKey = derive_private_key(
            int.from_bytes(sha256(name.encode()).digest(), "big") % (p256.ORDER - 1) + 1, SECP256R1()
        )
        point = self._key.public_key().public_numbers()
        self.public_key = point.x.to_bytes(32, "big") + point.y.to_bytes(32, "big")
        self.address = p256.address_of_p256_key(self.public_key)

    def sign(self, digest: bytes) -> bytes:
        """129 bytes."""
        return b"\x01" + self.proof(sha256(digest).digest()) + self.public_key

    def proof(self, hashed: bytes) -> bytes:
        """Halves r and s over a 32-byte hash, s low."""
        r, s = decode_dss_signature(self._key.sign(hashed, ECDSA(Prehashed(SHA256()))))
        return p256.with_low_s(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


class Passkey(ChipKey):
    """A key behind an authenticator (scheme 2)."""

    def sign(self, digest: bytes, *, site: bytes = SITE) -> bytes:
        """An assertion whose challenge is the digest, as a browser makes it; ``site`` is a hash, 32 bytes."""
        authenticator_data = site + bytes((USER_PRESENT | USER_VERIFIED,)) + (7).to_bytes(4, "big")
        client_data = client_data_head(digest) + TAIL
        signed = sha256(authenticator_data + sha256(client_data).digest()).digest()
        return packed(self.proof(signed), self.public_key, authenticator_data, client_data)


@dataclass(frozen=True, slots=True)
class LentDevice:
    """A device's key with what an account lent it (scheme 3); it signs vouchers."""

    key: ChipKey
    cap: int
    grant: bytes

    @property
    def address(self) -> bytes:
        """Of the device's key, 20 bytes."""
        return self.key.address

    def sign(self, digest: bytes) -> bytes:
        """The device's signature, with cap and grant behind it."""
        return delegated_signature(self.key.sign(digest), self.cap, self.grant)


def lent(domain: Domain, channel: bytes, owner: ChipKey, device: ChipKey, cap: int) -> LentDevice:
    """What ``owner`` lends ``device`` in a channel."""
    grant = owner.sign(delegation_digest(domain, Delegation(channel, owner.address, device.address, cap)))
    return LentDevice(device, cap, grant)

"""A P-256 key and an authenticator that holds it: what they sign, well and in every wrong way."""

from collections.abc import Iterator
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from alatau.crypto import p256
from alatau.crypto.signature_schemes import SIGNATURE_LIMIT, USER_PRESENT, USER_VERIFIED, client_data_head

SITE = sha256(b"example.org").digest()
DIGEST = sha256(b"a payment").digest()
OTHER_DIGEST = sha256(b"another payment").digest()
_KEY = derive_private_key(0xA1A7A0, SECP256R1())
_POINT = _KEY.public_key().public_numbers()
PUBLIC_KEY = _POINT.x.to_bytes(32, "big") + _POINT.y.to_bytes(32, "big")
ADDRESS = p256.address_of_p256_key(PUBLIC_KEY)
TAIL = b'https://example.org","crossOrigin":false}'
"""What a browser writes behind the head of clientDataJSON."""


def packed(proof: bytes, key: bytes, authenticator_data: bytes, client_data: bytes) -> bytes:
    """A signature of scheme 2 from its parts."""
    size = len(authenticator_data).to_bytes(2, "big")
    return b"\x02" + proof + key + size + authenticator_data + client_data


def own_signature() -> bytes:
    """The key's own signature of DIGEST."""
    return b"\x01" + _signed(DIGEST) + PUBLIC_KEY


def assertion(
    client_data: bytes, *, flags: int = USER_PRESENT | USER_VERIFIED, site: bytes = SITE, extensions: bytes = b""
) -> bytes:
    """What a real authenticator with the key signs of such data."""
    authenticator_data = site + bytes((flags,)) + (7).to_bytes(4, "big") + extensions
    proof = _signed(authenticator_data + sha256(client_data).digest())
    return packed(proof, PUBLIC_KEY, authenticator_data, client_data)


def misplaced_client_data() -> Iterator[bytes]:
    """Client data (clientDataJSON) that does not begin as it must for DIGEST."""
    head, other = client_data_head(DIGEST), client_data_head(OTHER_DIGEST)
    yield head.replace(b"webauthn.get", b"webauthn.create") + TAIL
    yield head.replace(b"webauthn.get", b"payment.get") + TAIL
    yield other + TAIL
    # The challenge in another field, behind a true one of another payment.
    yield other + b'x","challenge":"' + head[36:79] + b'","origin":"' + TAIL
    yield b'{"origin":"' + head[1:] + TAIL
    yield head.replace(b'"challenge"', b'"origin"') + TAIL
    # Written otherwise: spaces, padding, hexadecimal.
    yield head.replace(b",", b", ") + TAIL
    yield head.replace(b'","origin', b'=","origin') + TAIL
    yield b'{"type":"webauthn.get","challenge":"' + DIGEST.hex().encode() + b'","origin":"' + TAIL
    yield b""
    yield head[:-1]


def table() -> Iterator[tuple[str, bytes]]:
    """(what it is, signature) of good and bad ones of DIGEST, for verifiers that have to agree."""
    yield from chosen()
    yield from swept()


def chosen() -> Iterator[tuple[str, bytes]]:
    """The part of the table in which each signature is there for a reason of its own."""
    for name, signature in _good():
        yield name, signature
        yield f"{name}, longer", signature + b"\x00"
        yield from _swapped(name, signature)
    for number, client_data in enumerate(misplaced_client_data()):
        yield f"misplaced {number}", assertion(client_data)
    yield "another site", assertion(client_data_head(DIGEST) + TAIL, site=sha256(b"example.com").digest())
    for extensions in (b"\xa0", bytes(40)):
        yield "extensions", assertion(client_data_head(DIGEST) + TAIL, extensions=extensions)
    yield "shortest", assertion(client_data_head(DIGEST))
    yield "longest", longest(0)


def swept() -> Iterator[tuple[str, bytes]]:
    """The part in which every byte is cut off or changed in turn, and every scheme and every set of flags is tried."""
    for name, signature in _good():
        for at in range(len(signature)):
            yield f"{name}, cut at {at}", signature[:at]
            yield f"{name}, byte {at} changed", signature[:at] + bytes((signature[at] ^ 1,)) + signature[at + 1 :]
        for scheme in range(256):
            yield f"{name}, scheme {scheme}", bytes((scheme,)) + signature[1:]
    for flags in range(256):
        yield f"flags {flags}", assertion(client_data_head(DIGEST) + TAIL, flags=flags)


def longest(more: int) -> bytes:
    """An assertion of SIGNATURE_LIMIT bytes and ``more``."""
    head = client_data_head(DIGEST)
    return assertion(head + b"x" * (SIGNATURE_LIMIT - len(assertion(head)) + more))


def _good() -> Iterator[tuple[str, bytes]]:
    yield "own", own_signature()
    yield "passkey", assertion(client_data_head(DIGEST) + TAIL)


def _swapped(name: str, good: bytes) -> Iterator[tuple[str, bytes]]:
    """With numbers out of range, a high s, other points."""
    high = p256.ORDER - int.from_bytes(good[33:65], "big")
    for s in (high, 0, p256.HALF_ORDER, p256.HALF_ORDER + 1, p256.ORDER, p256.ORDER + 1, 2**256 - 1):
        yield f"{name}, s {s}", good[:33] + s.to_bytes(32, "big") + good[65:]
    for r in (0, p256.ORDER, 2**256 - 1):
        yield f"{name}, r {r}", good[:1] + r.to_bytes(32, "big") + good[33:]
    for point in (bytes(64), b"\xff" * 64, PUBLIC_KEY[32:] + PUBLIC_KEY[:32]):
        yield f"{name}, point {point.hex()}", good[:65] + point + good[129:]


def _signed(message: bytes) -> bytes:
    r, s = decode_dss_signature(_KEY.sign(message, ECDSA(SHA256())))
    return p256.with_low_s(r.to_bytes(32, "big") + s.to_bytes(32, "big"))

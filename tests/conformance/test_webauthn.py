"""ES256 assertions of WebAuthn Level 3, and what becomes of each when a byte or a field of it changes."""

from collections.abc import Iterator
from hashlib import sha256
from typing import NamedTuple

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from alatau.crypto import p256
from alatau.crypto.signature_schemes import SIGNATURE_LIMIT, USER_PRESENT, USER_VERIFIED, client_data_head, p256_signer
from tests.conformance.published import documents

_SITE = sha256(b"example.org").digest()
_DIGEST = sha256(b"a payment").digest()
_KEY = derive_private_key(0xA1A7A0, SECP256R1())
_POINT = _KEY.public_key().public_numbers()
_PUBLIC_KEY = _POINT.x.to_bytes(32, "big") + _POINT.y.to_bytes(32, "big")
_ADDRESS = p256.address_of_p256_key(_PUBLIC_KEY)
_BOTH = USER_PRESENT | USER_VERIFIED
_TAIL = b'https://example.org","crossOrigin":false}'


class _Published(NamedTuple):
    """An assertion of the specification."""

    name: str
    key: bytes
    challenge: bytes
    signature: bytes
    verified: bool
    """Whether the authenticator says that it verified the user."""


def _published() -> Iterator[_Published]:
    for _, document in documents("webauthn", "webauthn"):
        for vector in document["vectors"]:
            assert vector["user_present"]
            key = bytes.fromhex(vector["x"]) + bytes.fromhex(vector["y"])
            authenticator_data = bytes.fromhex(vector["authenticatorData"])
            r, s = decode_dss_signature(bytes.fromhex(vector["signature_der"]))
            proof = p256.with_low_s(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
            assertion = _packed(proof, key, authenticator_data, bytes.fromhex(vector["clientDataJSON"]))
            yield _Published(
                vector["name"], key, bytes.fromhex(vector["challenge"]), assertion, bool(vector["user_verified"])
            )


def _packed(proof: bytes, key: bytes, authenticator_data: bytes, client_data: bytes) -> bytes:
    size = len(authenticator_data).to_bytes(2, "big")
    return b"\x02" + proof + key + size + authenticator_data + client_data


def _signed(message: bytes) -> bytes:
    r, s = decode_dss_signature(_KEY.sign(message, ECDSA(SHA256())))
    return p256.with_low_s(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


def _assertion(client_data: bytes, *, flags: int = _BOTH, site: bytes = _SITE, extensions: bytes = b"") -> bytes:
    """What a real authenticator with our key signs of such data."""
    authenticator_data = site + bytes((flags,)) + (7).to_bytes(4, "big") + extensions
    proof = _signed(authenticator_data + sha256(client_data).digest())
    return _packed(proof, _PUBLIC_KEY, authenticator_data, client_data)


def test_published_assertions() -> None:
    """Each counts for its key and challenge if its user was verified, and only then."""
    vectors = list(_published())
    assert [vector.verified for vector in vectors].count(True) == 5
    assert [vector.verified for vector in vectors].count(False) == 5
    for vector in vectors:
        expected = p256.address_of_p256_key(vector.key) if vector.verified else None
        assert p256_signer(vector.challenge, vector.signature, _SITE) == expected, vector.name
        assert p256_signer(_DIGEST, vector.signature, _SITE) is None, vector.name
        assert p256_signer(vector.challenge, vector.signature, sha256(b"example.com").digest()) is None, vector.name


def test_no_byte_of_an_assertion_can_change() -> None:
    """Cut anywhere, or with any byte changed, it is no signature of the account; nothing raises."""
    good = _assertion(client_data_head(_DIGEST) + _TAIL)
    assert p256_signer(_DIGEST, good, _SITE) == _ADDRESS
    for at in range(len(good)):
        assert p256_signer(_DIGEST, good[:at], _SITE) is None, at
        for bit in range(8):
            changed = good[:at] + bytes((good[at] ^ 1 << bit,)) + good[at + 1 :]
            assert p256_signer(_DIGEST, changed, _SITE) is None, (at, bit)
    assert p256_signer(_DIGEST, good + b"\x00", _SITE) is None


@pytest.mark.parametrize("flags", range(256))
def test_the_user_was_there_and_verified(flags: int) -> None:
    """Both flags are needed; the others do not matter."""
    signature = _assertion(client_data_head(_DIGEST) + _TAIL, flags=flags)
    expected = _ADDRESS if flags & 0x05 == 0x05 else None
    assert p256_signer(_DIGEST, signature, _SITE) == expected


@pytest.mark.parametrize(
    "client_data",
    [
        client_data_head(_DIGEST).replace(b"webauthn.get", b"webauthn.create") + _TAIL,
        client_data_head(_DIGEST).replace(b"webauthn.get", b"payment.get") + _TAIL,
        client_data_head(sha256(b"another payment").digest()) + _TAIL,
        # The challenge in another field, behind a true one of another payment, and before a second one.
        client_data_head(sha256(b"another payment").digest()) + b'x","challenge":"' + client_data_head(_DIGEST)[36:79],
        b'{"origin":"' + client_data_head(_DIGEST)[1:] + _TAIL,
        client_data_head(_DIGEST).replace(b'"challenge"', b'"origin"') + _TAIL,
        # Written otherwise: spaces, padding, the ordinary alphabet, hexadecimal.
        client_data_head(_DIGEST).replace(b",", b", ") + _TAIL,
        client_data_head(_DIGEST).replace(b'","origin', b'=","origin') + _TAIL,
        b'{"type":"webauthn.get","challenge":"' + _DIGEST.hex().encode() + b'","origin":"' + _TAIL,
        b"",
        client_data_head(_DIGEST)[:-1],
    ],
)
def test_client_data_that_does_not_begin_as_it_must(client_data: bytes) -> None:
    """Signed by the key all the same: only the comparison stands against these."""
    assert p256_signer(_DIGEST, _assertion(client_data), _SITE) is None


def test_another_site() -> None:
    """A passkey of another site, asked for our challenge there, does not count here."""
    signature = _assertion(client_data_head(_DIGEST) + _TAIL, site=sha256(b"example.com").digest())
    assert p256_signer(_DIGEST, signature, _SITE) is None


def test_extensions_and_the_longest() -> None:
    """Authenticator data may go on; one byte above the limit is refused, however well signed."""
    head = client_data_head(_DIGEST)
    signature = _assertion(head + _TAIL, extensions=b"\xa0")
    assert p256_signer(_DIGEST, signature, _SITE) == _ADDRESS
    room = SIGNATURE_LIMIT - len(_assertion(head))
    assert p256_signer(_DIGEST, _assertion(head + b"x" * room), _SITE) == _ADDRESS
    assert p256_signer(_DIGEST, _assertion(head + b"x" * (room + 1)), _SITE) is None


def test_schemes_do_not_stand_for_each_other() -> None:
    """The key's own signature under the passkey's byte, a passkey's under the key's, unknown bytes, high s."""
    own = _own_signature()
    assert p256_signer(_DIGEST, own, _SITE) == _ADDRESS
    assert p256_signer(_DIGEST, own + b"\x00", _SITE) is None
    assertion = _assertion(client_data_head(_DIGEST) + _TAIL)
    for scheme in range(256):
        for good, form in ((own, 1), (assertion, 2)):
            expected = _ADDRESS if scheme == form else None
            assert p256_signer(_DIGEST, bytes((scheme,)) + good[1:], _SITE) == expected, scheme
    for good in (own, assertion):
        high = p256.ORDER - int.from_bytes(good[33:65], "big")
        for s in (high, 0, p256.ORDER, p256.ORDER + 1, 2**256 - 1):
            assert p256_signer(_DIGEST, good[:33] + s.to_bytes(32, "big") + good[65:], _SITE) is None
        for r in (0, p256.ORDER, 2**256 - 1):
            assert p256_signer(_DIGEST, good[:1] + r.to_bytes(32, "big") + good[33:], _SITE) is None
        for point in (bytes(64), b"\xff" * 64, _PUBLIC_KEY[32:] + _PUBLIC_KEY[:32]):
            assert p256_signer(_DIGEST, good[:65] + point + good[129:], _SITE) is None


def _own_signature() -> bytes:
    """The key's signature of a message whose sha256 is the digest."""
    return b"\x01" + _signed(b"a payment") + _PUBLIC_KEY

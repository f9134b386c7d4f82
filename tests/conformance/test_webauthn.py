"""ES256 assertions of the test vectors of WebAuthn Level 3."""

from collections.abc import Iterator
from hashlib import sha256
from itertools import product
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from alatau.crypto import p256
from alatau.crypto.signature_schemes import p256_signer
from tests.conformance.published import documents
from tests.support.p256_contract import P256Contract
from tests.support.passkeys import DIGEST, SITE, packed


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
            signature = packed(proof, key, authenticator_data, bytes.fromhex(vector["clientDataJSON"]))
            yield _Published(
                vector["name"], key, bytes.fromhex(vector["challenge"]), signature, bool(vector["user_verified"])
            )


def test_published_assertions(p256_contract: P256Contract) -> None:
    """Each counts for its key and challenge if its user was verified, and only then, on the chain as off it."""
    vectors = list(_published())
    assert [vector.verified for vector in vectors].count(True) == 5
    assert [vector.verified for vector in vectors].count(False) == 5
    for vector, signer in product(vectors, (p256_signer, p256_contract.signer)):
        expected = p256.address_of_p256_key(vector.key) if vector.verified else None
        assert signer(vector.challenge, vector.signature, SITE) == expected, vector.name
        assert signer(DIGEST, vector.signature, SITE) is None, vector.name
        assert signer(vector.challenge, vector.signature, sha256(b"example.com").digest()) is None, vector.name

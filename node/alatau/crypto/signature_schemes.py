"""Who signed, in any scheme that an account may sign with. SignatureVerifier.vy answers the same on the chain.

secp256k1 is told by its length: 65 bytes with the parity behind r and s, or 64 with it in the top bit of s (EIP-2098).
Signatures of P-256 accounts are by the key itself or by a passkey (WebAuthn Level 3, section 7.2). Their first byte
names the scheme, and its bytes are the only ones it takes:

=====  ===================================================================================================
 0x01  ``r || s || x || y``: the key signed sha256(digest), for the key stores of browsers and phones hash what they
       sign. 129 bytes.
 0x02  ``r || s || x || y || n || authenticatorData (n bytes) || clientDataJSON``, n in two bytes, big-endian:
       the authenticator signed sha256(authenticatorData || sha256(clientDataJSON)), and the digest is the challenge.
=====  ===================================================================================================

The account's address follows from x and y, so a key needs no registration. s is in the lower half of the order.

clientDataJSON is not parsed. Browsers write it by an algorithm that fixes where it begins (section 5.8.1.1): type,
then challenge, then origin, without spaces. So its first bytes are compared with the only ones they may be, and
a challenge in another field, a second one, or another type can never count.
"""

from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Final

from alatau.crypto import p256
from alatau.crypto.secp256k1 import SIGNATURE_SIZE, SignatureError, recover_address

P256_SCHEME: Final = 0x01
WEBAUTHN_SCHEME: Final = 0x02
KEYED_SIZE: Final = 1 + p256.SIGNATURE_SIZE + p256.PUBLIC_KEY_SIZE
"""Scheme, signature and key, with which every one begins."""

SIGNATURE_LIMIT: Final = 1_024
"""Bytes of the longest signature that is read. Those of today's authenticators take some 300; the rest is left for
origins and for what browsers add behind them, and bounds what a contract copies and hashes."""

AUTHENTICATOR_DATA_MIN: Final = 37
"""rpIdHash (32), flags (1), signCount (4); extensions may follow."""

COMPACT_SIZE: Final = 64
"""Bytes of a secp256k1 signature as contracts take it (EIP-2098)."""

NO_PASSKEYS: Final = bytes(32)
"""In place of the relying party's hash: a network that takes no passkeys. No domain is known with this hash."""

USER_PRESENT: Final = 0x01
USER_VERIFIED: Final = 0x04

_REQUIRED_FLAGS = USER_PRESENT | USER_VERIFIED
_FLAGS_AT = 32


def account_signer(digest: bytes, signature: bytes, rp_id_hash: bytes) -> bytes | None:
    """The 20-byte address of the account that signed a 32-byte digest, or None if no valid signature is given.

    Args:
        digest: What was signed.
        signature: Of any scheme, whoever sent it.
        rp_id_hash: As of :func:`p256_signer`.
    """
    if len(signature) == COMPACT_SIZE:
        parity = signature[32] >> 7
        signature = signature[:32] + bytes((signature[32] & 0x7F,)) + signature[33:] + bytes((parity,))
    if len(signature) != SIGNATURE_SIZE:
        return p256_signer(digest, signature, rp_id_hash)
    try:
        return recover_address(digest, signature)
    except SignatureError:
        return None


def p256_key_signer(signed: bytes, proof: bytes) -> bytes | None:
    """The 20-byte address of the P-256 account whose key signed a 32-byte hash, or None.

    Args:
        signed: The hash.
        proof: ``r || s || x || y``, 128 bytes.
    """
    signature, key = proof[: p256.SIGNATURE_SIZE], proof[p256.SIGNATURE_SIZE :]
    if not p256.has_low_s(signature) or not p256.verify(signed, signature, key):
        return None
    return p256.address_of_p256_key(key)


def p256_signer(digest: bytes, signature: bytes, rp_id_hash: bytes) -> bytes | None:
    """The 20-byte address of the P-256 account that signed a 32-byte digest, or None if no valid signature is given.

    Args:
        digest: What was signed; for a passkey, its challenge.
        signature: In one of the two forms above, whoever sent it.
        rp_id_hash: sha256 of the relying party's id that the network takes passkeys of, 32 bytes.
    """
    if not KEYED_SIZE <= len(signature) <= SIGNATURE_LIMIT:
        return None
    scheme, rest = signature[0], signature[KEYED_SIZE:]
    if scheme == P256_SCHEME and not rest:
        signed = sha256(digest).digest()
    elif scheme == WEBAUTHN_SCHEME:
        assertion = _signed_by_authenticator(digest, rest, rp_id_hash)
        if assertion is None:
            return None
        signed = assertion
    else:
        return None
    return p256_key_signer(signed, signature[1:KEYED_SIZE])


def client_data_head(challenge: bytes) -> bytes:
    """How clientDataJSON begins for an assertion over a 32-byte challenge (WebAuthn Level 3, section 5.8.1.1)."""
    encoded = urlsafe_b64encode(challenge).rstrip(b"=")
    return b'{"type":"webauthn.get","challenge":"' + encoded + b'","origin":"'


def _signed_by_authenticator(digest: bytes, assertion: bytes, rp_id_hash: bytes) -> bytes | None:
    """What the key must have signed for ``assertion`` to stand for ``digest``, or None if it cannot."""
    size = int.from_bytes(assertion[:2], "big")
    authenticator_data, client_data = assertion[2 : 2 + size], assertion[2 + size :]
    if len(authenticator_data) != size or size < AUTHENTICATOR_DATA_MIN:
        return None
    if authenticator_data[:_FLAGS_AT] != rp_id_hash:
        return None
    if authenticator_data[_FLAGS_AT] & _REQUIRED_FLAGS != _REQUIRED_FLAGS:
        return None
    if not client_data.startswith(client_data_head(digest)):
        return None
    return sha256(authenticator_data + sha256(client_data).digest()).digest()

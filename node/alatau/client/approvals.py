"""Signatures of council members: of secp256k1 by keystores, of P-256 by chips, passkeys and security keys elsewhere.

A passkey's signature names the site that it was made for. Without a network nobody knows which site is the network's,
so that its own is taken; the network's SignatureVerifier is asked before anything is carried.
"""

from collections.abc import Iterable
from typing import Final

from alatau.artifacts import addresses
from alatau.artifacts.artifact import load
from alatau.client import contract_plans
from alatau.client.abi import load_abi
from alatau.client.errors import DecisionError
from alatau.client.exchange import Plan
from alatau.crypto.secp256k1 import SignatureError, recover_address
from alatau.crypto.signature_schemes import KEYED_SIZE, NO_PASSKEYS, WEBAUTHN_SCHEME, p256_signer

PLAIN_SIZE: Final = 65
"""Bytes r, s, v of secp256k1, v 27 or 28."""

SIZE_MAX: Final = 512
"""Bytes that an approval has room for (``ICouncil.vyi``)."""

_SITE_AT: Final = KEYED_SIZE + 2
"""Where authenticatorData begins, with the hash of the site."""


def approver_of(digest: bytes, signed: bytes) -> bytes | None:
    """The 20-byte address of who signed a 32-byte digest; None if it is nobody's signature.

    Raises:
        DecisionError: the bytes have no form of a signature.
    """
    if len(signed) == PLAIN_SIZE:
        try:
            return recover_address(digest, signed[:64] + bytes((signed[64] - 27,)))
        except (SignatureError, ValueError) as error:
            raise DecisionError(f"malformed: {error}") from error
    if not KEYED_SIZE <= len(signed) <= SIZE_MAX:
        raise DecisionError(f"malformed: {len(signed)} bytes; 65 are of secp256k1, 129 to {SIZE_MAX} of P-256")
    site = signed[_SITE_AT : _SITE_AT + 32] if signed[0] == WEBAUTHN_SCHEME else NO_PASSKEYS
    return p256_signer(digest, signed, site)


def check_with_network(digest: bytes, approvals: Iterable[tuple[bytes, bytes]]) -> Plan[None]:
    """Ask the network about signatures of P-256 accounts before they are carried.

    Args:
        digest: what was signed, 32 bytes.
        approvals: signers, 20 bytes, with their signatures.

    Raises:
        DecisionError: the network does not take one: a passkey of another site, for instance.
    """
    abi = load_abi(load("SignatureVerifier").abi)
    for signer, signed in approvals:
        if len(signed) > PLAIN_SIZE:
            arguments = (digest, signer, signed)
            counts = yield from contract_plans.read(
                abi, addresses.SIGNATURE_VERIFIER, "signed_by", arguments, None, None
            )
            if not counts:
                raise DecisionError(
                    f"the network does not take the signature of 0x{signer.hex()}: sign with a passkey of its own site"
                )

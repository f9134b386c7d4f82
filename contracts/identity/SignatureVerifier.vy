# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title SignatureVerifier: who signed, in any scheme that a network takes
@notice Told apart by length and first byte:

        64 bytes         secp256k1, r and s with the parity in its top bit (EIP-2098)
        65 bytes         secp256k1, r, s, v with v 27 or 28
        129 bytes, 0x01  P-256, by the key itself
        0x02             P-256, by a passkey (WebAuthn)
        0x03             vouchers only: by a device that a P-256 account lent a sum to

        Who can stop what: nobody anything. It has no state but what it was made with, and no owner; it answers, and
        no one can change what.
@dev The twin off the chain is `signed_by` and `voucher_signed_by` of node/alatau/channels/messages.py.
"""

from ..interfaces import ISignatureVerifier
from ..lib import delegation
from ..lib import p256_account
from ..lib import signature

implements: ISignatureVerifier


# What passkeys are bound to: the domain of the network's wallet, and sha256 of it.
relying_party: public(immutable(String[253]))
rp_id_hash: public(immutable(bytes32))


@deploy
def __init__(relying_party_: String[253]):
    """
    @param relying_party_ Id of the relying party whose passkeys count: a domain (WebAuthn Level 3, section 5.1.2), in
           lower case. Empty for a network that takes no passkeys.
    """
    relying_party = relying_party_
    # No domain is known whose hash is zero, so that no authenticator signs for it.
    hashed: bytes32 = empty(bytes32)
    if len(relying_party_) > 0:
        hashed = sha256(relying_party_)
    rp_id_hash = hashed


@external
@view
def signed_by(digest: bytes32, signer: address, given: Bytes[p256_account.SIGNATURE_LIMIT]) -> bool:
    """
    @param digest What was signed.
    @param signer Who should have.
    @param given The signature, of any scheme but a device's.
    @return Whether `signer` made it; False for a malformed one and for the zero address.
    """
    return self._signed_by(digest, signer, given)


@external
@view
def voucher_signed_by(
    digest: bytes32,
    signer: address,
    given: Bytes[p256_account.SIGNATURE_LIMIT],
    domain: bytes32,
    id: bytes32,
    total: uint256,
) -> bool:
    """
    @param digest Of the voucher.
    @param signer Its payer.
    @param given The signature, of any scheme, a device's included.
    @param domain Domain separator in which the voucher is signed.
    @param id Its channel.
    @param total What it pays in all, pending payments included.
    @return Whether `signer` made it, or a device that it lent so much to.
    """
    if delegation._is_delegated(given):
        return signer != empty(address) and delegation._delegated_by(
            digest, signer, given, rp_id_hash, domain, id, total
        )
    return self._signed_by(digest, signer, given)


@internal
@view
def _signed_by(digest: bytes32, signer: address, given: Bytes[p256_account.SIGNATURE_LIMIT]) -> bool:
    """
    @param digest What was signed.
    @param signer Who should have.
    @param given The signature.
    @return As `signed_by`.
    """
    found: address = empty(address)
    if len(given) == 65:
        found = signature._recover(digest, slice(given, 0, 65))
    elif len(given) == 64:
        r: uint256 = convert(slice(given, 0, 32), uint256)
        found = signature._recover_compact(digest, r, convert(slice(given, 32, 32), uint256))
    else:
        found = p256_account._p256_signer(digest, given, rp_id_hash)
    return found != empty(address) and found == signer

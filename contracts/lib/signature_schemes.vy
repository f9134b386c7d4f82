# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title Whether an account signed, in any scheme
@notice secp256k1 in compact form (64 bytes, EIP-2098) is checked here, where it costs least. Every other form is the
        SignatureVerifier's matter.
@dev The one place where a scheme is told from another, by its length. A network without the verifier takes compact
     signatures only: a call to an address without code reverts.
"""

from ..interfaces import ISignatureVerifier
from . import signature

# Of every genesis (node/alatau/artifacts/addresses.py).
VERIFIER: constant(ISignatureVerifier) = ISignatureVerifier(0x00000000000000000000000000000000a1A7a00B)
COMPACT_SIZE: constant(uint256) = 64


@internal
@view
def _verified(digest: bytes32, signer: address, given: Bytes[1024]) -> bool:
    """
    @dev For contracts that have no room, and no hurry.
    @param digest What was signed.
    @param signer Who should have.
    @param given The signature, of any scheme but a device's; all of it is the verifier's matter.
    @return As `_signed_by`.
    """
    return staticcall VERIFIER.signed_by(digest, signer, given)


@internal
@view
def _signed_by(digest: bytes32, signer: address, given: Bytes[1024]) -> bool:
    """
    @param digest What was signed.
    @param signer Who should have.
    @param given The signature: of any scheme but a device's, which signs vouchers only.
    @return Whether `signer` made it; False for a malformed one and for the zero address.
    """
    if len(given) != COMPACT_SIZE:
        return staticcall VERIFIER.signed_by(digest, signer, given)
    return self._compact_signed_by(digest, signer, given)


@internal
@view
def _voucher_signed_by(
    digest: bytes32, payer: address, given: Bytes[1024], domain: bytes32, id: bytes32, total: uint256
) -> bool:
    """
    @param digest Of the voucher.
    @param payer Who should have signed it, itself or by a device that it lent a sum to.
    @param given The signature, of any scheme.
    @param domain Domain separator in which the voucher is signed.
    @param id The voucher's channel.
    @param total What it pays in all, pending payments included.
    @return As `_signed_by`.
    """
    if len(given) != COMPACT_SIZE:
        return staticcall VERIFIER.voucher_signed_by(digest, payer, given, domain, id, total)
    return self._compact_signed_by(digest, payer, given)


@internal
@pure
def _compact_signed_by(digest: bytes32, signer: address, given: Bytes[1024]) -> bool:
    """
    @param digest What was signed.
    @param signer Who should have.
    @param given 64 bytes.
    @return As `_signed_by`.
    """
    if signer == empty(address):
        return False
    r: uint256 = convert(slice(given, 0, 32), uint256)
    return signer == signature._recover_compact(digest, r, convert(slice(given, 32, 32), uint256))

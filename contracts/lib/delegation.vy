# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title Vouchers signed by a device that an account lent a sum to
@notice An account signs once, by its P-256 key or passkey: this device's vouchers in this channel pay up to this cap.
        From then on the device's own P-256 key signs them without asking anybody. The cap bounds what is lost with the
        device; there is no date, since nobody can prove when a voucher was signed.
        The signature begins with 3: r, s, x, y of the device over sha256 of the voucher's digest, the cap (32 bytes), the account's signature
        of `Delegation` (scheme 1 or 2).
@dev Chain and contract are in the domain. The twin off the chain is node/alatau/channels/delegation.py.
"""

from . import p256_account

DELEGATED: constant(uint256) = 3
DELEGATION_TYPE: constant(bytes32) = keccak256(
    "Delegation(bytes32 channelId,address payer,address device,uint256 cap)"
)
CAP_AT: constant(uint256) = p256_account.KEYED_SIZE
GRANT_AT: constant(uint256) = p256_account.KEYED_SIZE + 32


@internal
@pure
def _is_delegated(given: Bytes[p256_account.SIGNATURE_LIMIT]) -> bool:
    """
    @param given A signature of any scheme.
    @return Whether it is a device's, by its length and first byte.
    """
    return len(given) > GRANT_AT and convert(slice(given, 0, 1), uint256) == DELEGATED


@internal
@view
def _delegated_by(
    digest: bytes32,
    payer: address,
    given: Bytes[p256_account.SIGNATURE_LIMIT],
    rp_id_hash: bytes32,
    domain: bytes32,
    id: bytes32,
    total: uint256,
) -> bool:
    """
    @param digest Of the voucher.
    @param payer Who must have lent the sum.
    @param given A signature of scheme 3.
    @param rp_id_hash sha256 of the relying party's id whose passkeys count.
    @param domain Domain separator in which voucher and delegation are signed.
    @param id The voucher's channel.
    @param total What the voucher pays in all, pending payments included.
    @return Whether the device signed the voucher, and the payer the device's right to.
    """
    cap: uint256 = convert(slice(given, CAP_AT, 32), uint256)
    if total > cap:
        return False
    device: address = p256_account._key_signer(sha256(digest), slice(given, 1, p256_account.PROOF_SIZE))
    if device == empty(address):
        return False
    grant: bytes32 = keccak256(abi_encode(DELEGATION_TYPE, id, payer, device, cap))
    granted: address = p256_account._p256_signer(
        keccak256(concat(x"1901", domain, grant)), slice(given, GRANT_AT, len(given) - GRANT_AT), rp_id_hash
    )
    return granted == payer

# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title Recovery of the signer of a digest
@notice Takes one form only, so that a signature cannot be changed by a relay: 65 bytes r, s, v with s in the
        lower half of the order (EIP-2) and v 27 or 28.
"""

# Half of the group's order (SEC 2, section 2.4.1), rounded down.
HALF_ORDER: constant(uint256) = 57896044618658097711785492504343953926418782139537452191302581570759080747168
# Compact signatures carry the parity in the bit above s (EIP-2098).
COMPACT_S_MASK: constant(uint256) = 2**255 - 1


@internal
@pure
def _recover(digest: bytes32, signature: Bytes[65]) -> address:
    """
    @return The signer, or the zero address if the signature is malformed: compare with a known address.
    """
    if len(signature) != 65:
        return empty(address)
    return self._recover_parts(
        digest,
        convert(slice(signature, 64, 1), uint256),
        convert(slice(signature, 0, 32), uint256),
        convert(slice(signature, 32, 32), uint256),
    )


@internal
@pure
def _joined(v: uint8, r: bytes32, s: bytes32) -> Bytes[65]:
    """
    @param v The signature's v.
    @param r Its r.
    @param s Its s.
    @return It in 65 bytes, as `_recover` takes it.
    """
    return concat(r, s, convert(v, bytes1))


@internal
@pure
def _recover_parts(digest: bytes32, v: uint256, r: uint256, s: uint256) -> address:
    """
    @return As `_recover`.
    """
    if s > HALF_ORDER or (v != 27 and v != 28):
        return empty(address)
    return ecrecover(digest, v, r, s)


@internal
@pure
def _recover_compact(digest: bytes32, r: uint256, vs: uint256) -> address:
    """
    @param digest What was signed.
    @param r The signature's first half.
    @param vs Its second: s, with the parity in the top bit (EIP-2098).
    @return As `_recover`.
    """
    return self._recover_parts(digest, 27 + (vs >> 255), r, vs & COMPACT_S_MASK)

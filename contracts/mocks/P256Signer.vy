# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title What a signature of a P-256 account says: for tests only, never deployed
"""

from ..lib import p256_account


@external
@view
def signer(digest: bytes32, given: Bytes[1024], rp_id_hash: bytes32) -> address:
    return p256_account._p256_signer(digest, given, rp_id_hash)


@external
@view
def key_signer(signed: bytes32, proof: Bytes[128]) -> address:
    return p256_account._key_signer(signed, proof)

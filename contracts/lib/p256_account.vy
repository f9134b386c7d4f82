# pragma version ~=0.4.3
# pragma nonreentrancy on
"""
@title Signatures of P-256 accounts: by the key itself, or by a passkey
@notice The first byte names the scheme. 1: r, s, x, y over sha256 of the digest, since the key stores of browsers and
        phones hash what they sign. 2: r, s, x, y, then two bytes with the length of
        authenticatorData, authenticatorData, clientDataJSON (WebAuthn Level 3, section 7.2). s is in the lower half
        of the order. An account's address is the last 20 bytes of keccak256(ADDRESS_PREFIX, x, y).
@dev The twin off the chain is node/alatau/crypto/signature_schemes.py; one table of signatures runs through both.
"""

# Precompile of Osaka (EIP-7951).
P256VERIFY: constant(address) = 0x0000000000000000000000000000000000000100
# Half of the group's order (SEC 2, section 2.4.2), rounded down.
HALF_ORDER: constant(uint256) = 57896044605178124381348723474703786764998477612067880171211129530534256022184
ADDRESS_PREFIX: constant(bytes32) = keccak256("Alatau P-256 account v1")
# r, s, x, y.
PROOF_SIZE: constant(uint256) = 128
# Scheme, and those.
KEYED_SIZE: constant(uint256) = 129
SIGNATURE_LIMIT: constant(uint256) = 1024
# rpIdHash, flags, signCount.
AUTHENTICATOR_DATA_MIN: constant(uint256) = 37
# User present and user verified.
REQUIRED_FLAGS: constant(uint256) = 5
# How clientDataJSON begins before and after the challenge (WebAuthn Level 3, section 5.8.1.1).
BEFORE_CHALLENGE: constant(Bytes[36]) = b'{"type":"webauthn.get","challenge":"'
AFTER_CHALLENGE: constant(Bytes[12]) = b'","origin":"'
CHALLENGE_SIZE: constant(uint256) = 43
HEAD_SIZE: constant(uint256) = 91
ALPHABET: constant(Bytes[64]) = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@internal
@view
def _p256_signer(digest: bytes32, given: Bytes[SIGNATURE_LIMIT], rp_id_hash: bytes32) -> address:
    """
    @param digest What was signed; for a passkey, its challenge.
    @param given The signature.
    @param rp_id_hash sha256 of the relying party's id whose passkeys count.
    @return The account that signed, or the zero address if this is no valid signature.
    """
    if len(given) < KEYED_SIZE:
        return empty(address)
    scheme: uint256 = convert(slice(given, 0, 1), uint256)
    signed: bytes32 = empty(bytes32)
    if scheme == 2:
        counts: bool = False
        counts, signed = self._signed_by_authenticator(digest, given, rp_id_hash)
        if not counts:
            return empty(address)
    elif scheme == 1 and len(given) == KEYED_SIZE:
        signed = sha256(digest)
    else:
        return empty(address)
    return self._key_signer(signed, slice(given, 1, PROOF_SIZE))


@internal
@view
def _key_signer(signed: bytes32, proof: Bytes[PROOF_SIZE]) -> address:
    """
    @param signed The hash that the key signed.
    @param proof r, s, x, y.
    @return As `_p256_signer`.
    """
    if convert(slice(proof, 32, 32), uint256) > HALF_ORDER:
        return empty(address)
    if len(raw_call(P256VERIFY, concat(signed, proof), max_outsize=32, is_static_call=True)) != 32:
        return empty(address)
    return convert(
        convert(keccak256(concat(ADDRESS_PREFIX, slice(proof, 64, 64))), uint256) & convert(max_value(uint160), uint256),
        address,
    )


@internal
@view
def _signed_by_authenticator(
    digest: bytes32, given: Bytes[SIGNATURE_LIMIT], rp_id_hash: bytes32
) -> (bool, bytes32):
    """
    @param digest The challenge.
    @param given A signature of scheme 2.
    @param rp_id_hash As above.
    @return Whether what the authenticator signed stands for the digest, and its hash.
    """
    if len(given) < KEYED_SIZE + 2:
        return False, empty(bytes32)
    size: uint256 = convert(slice(given, KEYED_SIZE, 2), uint256)
    start: uint256 = KEYED_SIZE + 2
    if size < AUTHENTICATOR_DATA_MIN or start + size + HEAD_SIZE > len(given):
        return False, empty(bytes32)
    if convert(slice(given, start, 32), bytes32) != rp_id_hash:
        return False, empty(bytes32)
    if convert(slice(given, start + 32, 1), uint256) & REQUIRED_FLAGS != REQUIRED_FLAGS:
        return False, empty(bytes32)
    text: uint256 = start + size
    head: Bytes[HEAD_SIZE] = slice(given, text, HEAD_SIZE)
    if keccak256(head) != keccak256(concat(BEFORE_CHALLENGE, self._base64url(digest), AFTER_CHALLENGE)):
        return False, empty(bytes32)
    client_data: Bytes[SIGNATURE_LIMIT] = slice(given, text, len(given) - text)
    authenticator_data: Bytes[SIGNATURE_LIMIT] = slice(given, start, size)
    return True, sha256(concat(authenticator_data, sha256(client_data)))


@internal
@pure
def _base64url(word: bytes32) -> Bytes[CHALLENGE_SIZE]:
    """
    @param word 32 bytes.
    @return They in base64url without padding (RFC 4648, section 5).
    """
    first: uint256 = 0
    second: uint256 = 0
    rest: uint256 = convert(word, uint256)
    for i: uint256 in range(32):
        six: uint256 = (rest >> (250 - 6 * i)) & 63
        first = (first << 8) | convert(slice(ALPHABET, six, 1), uint256)
    for i: uint256 in range(10):
        six: uint256 = (rest >> (58 - 6 * i)) & 63
        second = (second << 8) | convert(slice(ALPHABET, six, 1), uint256)
    last: uint256 = (rest & 15) << 2
    second = (second << 8) | convert(slice(ALPHABET, last, 1), uint256)
    return concat(convert(first, bytes32), slice(convert(second << 168, bytes32), 0, 11))

"""ECDSA over secp256k1 and secp256r1 of C2SP Wycheproof.

Over secp256k1 the node verifies by recovering the signer, so a vector is valid for it when one of the recoverable
forms of (r, s) gives the vector's key. Ethereum is stricter than ECDSA in two ways, and the tests hold it to both: s is
in the lower half of the order, and the point's x is below the order (y parity 0 or 1, no recovery id 2 or 3).
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any, NamedTuple

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from alatau.crypto import p256
from alatau.crypto.secp256k1 import (
    HALF_ORDER,
    SignatureError,
    address_of_public_key,
    recover_address,
    recover_public_key,
)
from alatau.crypto.signature_schemes import p256_key_signer
from alatau.evm.precompiles.p256verify import P256VERIFY
from tests.conformance.published import documents
from tests.support.p256_contract import P256Contract

_FILES = {path.split("/")[1]: document for path, document in documents("wycheproof", "wycheproof/ecdsa")}


class _Vector(NamedTuple):
    """One signature and whether it is good."""

    name: str
    key: bytes
    digest: bytes
    signature: bytes
    valid: bool


def _vectors(file: str) -> Iterator[_Vector]:
    for group in _FILES[file]["testGroups"]:
        assert group["sha"] == "SHA-256"
        key = bytes.fromhex(group["publicKey"]["uncompressed"])[1:]
        for test in group["tests"]:
            assert test["result"] in ("valid", "invalid")
            yield _Vector(
                f"{test['tcId']}: {test['comment']}",
                key,
                sha256(bytes.fromhex(test["msg"])).digest(),
                bytes.fromhex(test["sig"]),
                test["result"] == "valid",
            )


def _from_fixed(signature: bytes) -> tuple[int, int] | None:
    """r, s of two words; None where there are not just two."""
    if len(signature) != 64:
        return None
    return int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")


def _from_der(signature: bytes) -> tuple[int, int] | None:
    """r, s of strict DER; None where the bytes are no such thing or do not fit in words."""
    try:
        r, s = decode_dss_signature(signature)
    except ValueError:
        return None
    return (r, s) if 0 <= r < 2**256 and 0 <= s < 2**256 else None


def _recovers(vector: _Vector, pair: tuple[int, int]) -> list[int]:
    """The recovery ids by which (r, s) gives the vector's key, after plain ECDSA."""
    ids = []
    for recovery_id in range(4):
        signature = pair[0].to_bytes(32, "big") + pair[1].to_bytes(32, "big") + bytes((recovery_id,))
        try:
            if recover_public_key(vector.digest, signature) == vector.key:
                ids.append(recovery_id)
        except SignatureError:
            continue
    return ids


def _recovers_strictly(vector: _Vector, pair: tuple[int, int]) -> list[int]:
    """The same by Ethereum's rules."""
    ids = []
    for recovery_id in range(4):
        signature = pair[0].to_bytes(32, "big") + pair[1].to_bytes(32, "big") + bytes((recovery_id,))
        try:
            if recover_address(vector.digest, signature) == address_of_public_key(vector.key):
                ids.append(recovery_id)
        except SignatureError:
            continue
    return ids


@pytest.mark.parametrize(
    ("file", "count", "malleable"),
    [
        ("ecdsa_secp256k1_sha256_p1363_test.json", 252, True),
        ("ecdsa_secp256k1_sha256_test.json", 476, True),
        ("ecdsa_secp256k1_sha256_bitcoin_test.json", 463, False),
    ],
)
def test_signatures(file: str, count: int, malleable: bool) -> None:
    """Every vector's verdict; the bitcoin file demands a low s itself."""
    read = _from_fixed if "p1363" in file else _from_der
    vectors = list(_vectors(file))
    assert len(vectors) == _FILES[file]["numberOfTests"] == count
    for vector in vectors:
        pair = read(vector.signature)
        if pair is None:
            assert not vector.valid, vector.name
            continue
        plain, strict = _recovers(vector, pair), _recovers_strictly(vector, pair)
        low = pair[1] <= HALF_ORDER
        if malleable or low:
            assert bool(plain) == vector.valid, vector.name
        assert strict == [id_ for id_ in plain if low and id_ < 2], vector.name
        if not malleable and plain not in ([2], [3]):
            assert bool(strict) == vector.valid, vector.name


@pytest.mark.parametrize(
    ("file", "count"),
    [("ecdsa_secp256r1_sha256_p1363_test.json", 262), ("ecdsa_secp256r1_sha256_test.json", 484)],
)
def test_p256_signatures(file: str, count: int, p256_contract: P256Contract) -> None:
    """Every vector's verdict by P256VERIFY; an account's signature has a low s besides, on the chain as off it."""
    read = _from_fixed if "p1363" in file else _from_der
    vectors = list(_vectors(file))
    assert len(vectors) == _FILES[file]["numberOfTests"] == count
    verdicts = set()
    for vector in vectors:
        pair = read(vector.signature)
        if pair is None:
            assert not vector.valid, vector.name
            continue
        proof = pair[0].to_bytes(32, "big") + pair[1].to_bytes(32, "big")
        valid = P256VERIFY.run(vector.digest + proof + vector.key) != b""
        assert valid == vector.valid, vector.name
        low = pair[1] <= p256.HALF_ORDER
        given = vector.digest, proof + vector.key
        signer = p256.address_of_p256_key(vector.key) if valid and low else None
        assert p256_key_signer(*given) == signer, vector.name
        assert p256_contract.key_signer(*given) == signer, vector.name
        verdicts.add((valid, low))
    assert verdicts == {(True, True), (True, False), (False, True), (False, False)}


def test_the_edge_cases_are_there() -> None:
    """The files hold what they are read for: high s, large x, values out of range."""
    flags: set[Any] = set()
    for document in _FILES.values():
        flags.update(document["notes"])
    assert {"SignatureMalleabilityBitcoin", "RangeCheck", "SpecialCaseHash", "SmallRandS"} <= flags

"""Encrypted key files: Web3 Secret Storage, version 3.

The secret is encrypted with AES-128-CTR under the first half of a key derived from the password; a keccak256
over the second half and the ciphertext tells a wrong password from a right one before anything is decrypted.
Source: ethereum.org, "Web3 secret storage definition". Any wallet that knows the format reads these files.
"""

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from reprlib import repr as shown
from typing import Any, Final

from Crypto.Cipher import AES
from Crypto.Protocol.KDF import scrypt

from alatau.client.errors import ClientError
from alatau.codec.json_text import JsonError, parse_json
from alatau.crypto.keccak import keccak256
from alatau.crypto.secp256k1 import PrivateKey

VERSION: Final = 3
_CIPHER: Final = "aes-128-ctr"
_DERIVED_SIZE: Final = 32
_SALT_SIZE: Final = 32
_SCRYPT_MEMORY_MAX: Final = 1 << 30
"""Bytes. A file that asks for more is hostile or broken: the usual parameters take 256 MiB."""
_SCRYPT_WORK_MAX: Final = 1 << 26
"""n * r * p; the usual parameters come to 2**21."""
_PBKDF2_ROUNDS_MAX: Final = 10_000_000
_FILE_SIZE_MAX: Final = 64 * 1024
"""Bytes; a keystore has about 500."""


class KeystoreError(ClientError, ValueError):
    """The file is no keystore that this version reads. Restore it from a backup; the message names the field."""


class WrongPasswordError(ClientError, ValueError):
    """The password does not open this keystore. Nothing was changed; try again."""


@dataclass(frozen=True, slots=True)
class ScryptCost:
    """How dear guessing a password is (RFC 7914): memory is ``128 * n * r`` bytes, work grows with p."""

    n: int
    r: int
    p: int


STANDARD_COST: Final = ScryptCost(n=1 << 18, r=8, p=1)
"""256 MiB and about a second, as go-ethereum's standard."""

DEVNET_COST: Final = ScryptCost(n=1 << 12, r=8, p=1)
"""4 MiB and milliseconds: only for keys of throw-away networks, whose passwords lie beside them."""


def encrypt_key(key: PrivateKey, password: str, cost: ScryptCost = STANDARD_COST) -> dict[str, Any]:
    """The keystore document of ``key``; salt, IV and id are drawn from the system's generator."""
    salt, iv = secrets.token_bytes(_SALT_SIZE), secrets.token_bytes(AES.block_size)
    derived = _scrypt(password, salt, cost, _DERIVED_SIZE)
    ciphertext = _aes_ctr(derived[:16], iv, key.secret)
    return {
        "version": VERSION,
        "id": str(uuid.uuid4()),
        "address": key.address.hex(),
        "crypto": {
            "cipher": _CIPHER,
            "cipherparams": {"iv": iv.hex()},
            "ciphertext": ciphertext.hex(),
            "kdf": "scrypt",
            "kdfparams": {"dklen": _DERIVED_SIZE, "n": cost.n, "r": cost.r, "p": cost.p, "salt": salt.hex()},
            "mac": keccak256(derived[16:32] + ciphertext).hex(),
        },
    }


def decrypt_key(document: Mapping[str, Any], password: str) -> PrivateKey:
    """The key that ``document`` holds.

    Raises:
        KeystoreError: a field is missing, malformed or asks for an unknown or excessive computation.
        WrongPasswordError: the message authentication code differs.
    """
    if document.get("version") != VERSION:
        msg = f"keystore has version {shown(document.get('version'))}, expected {VERSION}"
        raise KeystoreError(msg)
    crypto = _mapping(document, "crypto")
    if crypto.get("cipher") != _CIPHER:
        msg = f"keystore's cipher is {shown(crypto.get('cipher'))}, expected {_CIPHER!r}"
        raise KeystoreError(msg)
    iv = _hex(_mapping(crypto, "cipherparams"), "iv", AES.block_size)
    ciphertext, mac = _hex(crypto, "ciphertext", 32), _hex(crypto, "mac", 32)
    derived = _derive(crypto, password)
    if not hmac.compare_digest(keccak256(derived[16:32] + ciphertext), mac):
        msg = "the password does not open this keystore"
        raise WrongPasswordError(msg)
    return _checked_key(document, _aes_ctr(derived[:16], iv, ciphertext))


def read_keystore(path: Path, password: str) -> PrivateKey:
    """Decrypt the file at ``path``; raises as :func:`decrypt_key`, and ``OSError``."""
    return decrypt_key(load_document(path), password)


def keystore_address(path: Path) -> bytes:
    """The address that a keystore file states, without its password; raises ``KeystoreError``, ``OSError``."""
    return _hex(load_document(path), "address", 20)


def load_document(path: Path) -> dict[str, Any]:
    """The JSON object in ``path``; raises ``KeystoreError``, ``OSError``."""
    with path.open("rb") as file:
        data = file.read(_FILE_SIZE_MAX + 1)
    try:
        document = parse_json(data, _FILE_SIZE_MAX)
    except JsonError as error:
        msg = f"{path} is no keystore: {error}"
        raise KeystoreError(msg) from error
    if not isinstance(document, dict):
        msg = f"{path} holds no JSON object"
        raise KeystoreError(msg)
    return document


def _derive(crypto: Mapping[str, Any], password: str) -> bytes:
    params = _mapping(crypto, "kdfparams")
    salt = _hex(params, "salt", None)
    size = _integer(params, "dklen", 32, 64)
    match crypto.get("kdf"):
        case "scrypt":
            limit = _SCRYPT_WORK_MAX
            n, r, p = (_integer(params, name, 1, limit) for name in ("n", "r", "p"))
            if n & (n - 1) or n < 2 or n * r * p > limit or 128 * n * r > _SCRYPT_MEMORY_MAX:
                msg = f"keystore's scrypt parameters n={n}, r={r}, p={p} are invalid or ask for too much work"
                raise KeystoreError(msg)
            return _scrypt(password, salt, ScryptCost(n, r, p), size)
        case "pbkdf2":
            if params.get("prf") != "hmac-sha256":
                msg = f"keystore's prf is {shown(params.get('prf'))}, expected 'hmac-sha256'"
                raise KeystoreError(msg)
            rounds = _integer(params, "c", 1, _PBKDF2_ROUNDS_MAX)
            return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, rounds, size)
        case other:
            msg = f"keystore's kdf is {shown(other)}, expected 'scrypt' or 'pbkdf2'"
            raise KeystoreError(msg)


def _scrypt(password: str, salt: bytes, cost: ScryptCost, size: int) -> bytes:
    # Not hashlib's: OpenSSL refuses r=1 with n=2**18, which the format's own example uses.
    # Bytes, though its stubs say str: a str would be encoded as Latin-1.
    derived = scrypt(password.encode(), salt, size, N=cost.n, r=cost.r, p=cost.p)  # type: ignore[arg-type]
    assert isinstance(derived, bytes)
    return derived


def _aes_ctr(key: bytes, iv: bytes, data: bytes) -> bytes:
    return AES.new(key, AES.MODE_CTR, nonce=b"", initial_value=iv).encrypt(data)


def _checked_key(document: Mapping[str, Any], secret: bytes) -> PrivateKey:
    try:
        key = PrivateKey(secret)
    except ValueError as error:
        msg = "keystore holds a secret that is no secp256k1 key"
        raise KeystoreError(msg) from error
    if document.get("address") is not None and _hex(document, "address", 20) != key.address:
        msg = f"keystore states address {shown(document['address'])}, but its key has {key.address.hex()}"
        raise KeystoreError(msg)
    return key


def _mapping(source: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = source.get(name)
    if not isinstance(value, dict):
        msg = f"keystore lacks the object {name!r}"
        raise KeystoreError(msg)
    return value


def _integer(source: Mapping[str, Any], name: str, low: int, high: int) -> int:
    value = source.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        msg = f"keystore's {name!r} is {shown(value)}, expected an integer in {low}..{high}"
        raise KeystoreError(msg)
    return value


def _hex(source: Mapping[str, Any], name: str, size: int | None) -> bytes:
    value = source.get(name)
    try:
        data = bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else None
    except ValueError:
        data = None
    if data is None or (size is not None and len(data) != size):
        msg = f"keystore's {name!r} is no hex string" + (f" of {size} bytes" if size else "")
        raise KeystoreError(msg)
    return data

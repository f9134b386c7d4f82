"""Keystores of a node: the format is the SDK's (:mod:`alatau.client.keystore`), the file is its owner's alone."""

import json
from pathlib import Path

from alatau.app.private_file import write_private
from alatau.client.keystore import (
    DEVNET_COST,
    STANDARD_COST,
    KeystoreError,
    ScryptCost,
    WrongPasswordError,
    decrypt_key,
    encrypt_key,
    keystore_address,
    load_document,
    read_keystore,
)
from alatau.crypto.secp256k1 import PrivateKey

__all__ = [
    "DEVNET_COST",
    "STANDARD_COST",
    "KeystoreError",
    "ScryptCost",
    "WrongPasswordError",
    "decrypt_key",
    "encrypt_key",
    "keystore_address",
    "load_document",
    "read_keystore",
    "write_keystore",
]


def write_keystore(path: Path, key: PrivateKey, password: str, cost: ScryptCost = STANDARD_COST) -> None:
    """Encrypt ``key`` into a new file that only its owner reads; raises ``FileExistsError``, ``OSError``."""
    write_private(path, json.dumps(encrypt_key(key, password, cost), indent=2).encode() + b"\n")

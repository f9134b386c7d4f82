import json
import stat
from pathlib import Path
from typing import Any

import pytest
from eth_keyfile import create_keyfile_json, decode_keyfile_json  # type: ignore[import-untyped]

from alatau.app.private_file import write_keystore
from alatau.client.keystore import (
    DEVNET_COST,
    KeystoreError,
    WrongPasswordError,
    decrypt_key,
    encrypt_key,
    keystore_address,
    read_keystore,
)
from alatau.crypto.secp256k1 import PrivateKey

KEY = PrivateKey(bytes.fromhex("4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"))


def test_a_written_keystore_is_private_and_opens_with_its_password(tmp_path: Path) -> None:
    """The file is 0600, names its address, and gives the key back."""
    path = tmp_path / "operator.json"
    write_keystore(path, KEY, "пароль 🔑", DEVNET_COST)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert keystore_address(path) == KEY.address
    assert read_keystore(path, "пароль 🔑").secret == KEY.secret
    assert KEY.secret.hex() not in path.read_text()


def test_a_wrong_password_is_told_from_a_broken_file(tmp_path: Path) -> None:
    """The owner must know whether to type again or to fetch a backup."""
    path = tmp_path / "k.json"
    write_keystore(path, KEY, "right", DEVNET_COST)
    with pytest.raises(WrongPasswordError):
        read_keystore(path, "wrong")
    path.write_text(path.read_text()[:40])
    with pytest.raises(KeystoreError, match="no JSON"):
        read_keystore(path, "right")


def test_a_key_file_is_never_overwritten(tmp_path: Path) -> None:
    """Creating a keystore over another would destroy a key."""
    path = tmp_path / "k.json"
    write_keystore(path, KEY, "a", DEVNET_COST)
    with pytest.raises(FileExistsError):
        write_keystore(path, KEY, "b", DEVNET_COST)
    assert read_keystore(path, "a").address == KEY.address


def test_eth_keyfile_reads_ours_and_we_read_its() -> None:
    """The format is shared with other wallets, both ways and for both derivations."""
    document = encrypt_key(KEY, "shared", DEVNET_COST)
    assert bytes(decode_keyfile_json(document, b"shared")) == KEY.secret
    for kdf, cost in (("pbkdf2", 1000), ("scrypt", 1 << 12)):
        theirs = create_keyfile_json(KEY.secret, b"shared", kdf=kdf, iterations=cost)
        assert decrypt_key(theirs, "shared").secret == KEY.secret


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("version",), 1, "version 1"),
        (("crypto",), None, "'crypto'"),
        (("crypto", "cipher"), "aes-256-cbc", "cipher"),
        (("crypto", "kdf"), "argon2", "kdf"),
        (("crypto", "kdfparams", "n"), 1 << 40, "'n'"),
        (("crypto", "kdfparams", "n"), 4097, "scrypt parameters"),
        (("crypto", "kdfparams", "p"), 1 << 20, "scrypt parameters"),
        (("crypto", "kdfparams", "dklen"), 16, "'dklen'"),
        (("crypto", "mac"), "zz", "'mac'"),
        (("crypto", "ciphertext"), "00", "'ciphertext'"),
        (("crypto", "cipherparams", "iv"), 7, "'iv'"),
        (("address",), "00" * 20, "states address"),
    ],
)
def test_a_malformed_document_names_its_field(path: tuple[str, ...], value: Any, message: str) -> None:
    """Hostile parameters (a terabyte of scrypt memory) are refused before they cost anything."""
    document = json.loads(json.dumps(encrypt_key(KEY, "x", DEVNET_COST)))
    target = document
    for name in path[:-1]:
        target = target[name]
    target[path[-1]] = value
    with pytest.raises(KeystoreError, match=message):
        decrypt_key(document, "x")

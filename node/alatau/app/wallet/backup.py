"""A wallet's backup: one file, encrypted with the wallet's password. However old it is, it loses nothing.

It holds the keystore, the settings, the certificates and a copy of the database. What was paid after it was made, the
hub tells: a restored wallet signs nothing before it has been told.

The file is JSON: scrypt (RFC 7914) makes a key of the password, AES-256-GCM (NIST SP 800-38D) encrypts and
authenticates; salt and nonce are new for each backup, and the header is authenticated with what it describes.
"""

import base64
import binascii
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from Crypto.Cipher import AES
from Crypto.Protocol.KDF import scrypt

from alatau.app.private_file import write_private
from alatau.app.wallet.config import domain_of_settings
from alatau.app.wallet.home import WalletHome, empty_home
from alatau.client.keystore import STANDARD_COST, ScryptCost
from alatau.codec.json_text import JsonError, parse_json
from alatau.codec.rlp import RlpError, decode, encode, to_bytes, to_list
from alatau.wallet.errors import BackupError
from alatau.wallet.store import WalletStore, open_wallet_store

VERSION: Final = 1
BYTES_MAX: Final = 1 << 28
"""A wallet of some years has a few megabytes; a larger file is no backup of one."""
_SCRYPT_N_MAX: Final = 1 << 20
_KEY_SIZE: Final = 32
_KIND: Final = "alatau-wallet-backup"


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup holds."""

    files: Mapping[str, bytes]
    """By name in the folder."""
    items: Mapping[bytes, bytes]
    """Of the database."""


def contents_of(home: WalletHome, store: WalletStore) -> Contents:
    """A wallet's contents now; it may be open and in use. Raises ``OSError``, ``CorruptionError``."""
    files = {path.name: path.read_bytes() for path in sorted(home.folder.iterdir()) if path.is_file()}
    return Contents(files, dict(store.items()))


def write_backup(contents: Contents, password: str, *, cost: ScryptCost = STANDARD_COST) -> bytes:
    """The file's bytes."""
    plain = encode(
        [
            [[name.encode(), data] for name, data in sorted(contents.files.items())],
            [[key, value] for key, value in sorted(contents.items.items())],
        ]
    )
    salt, nonce = secrets.token_bytes(32), secrets.token_bytes(12)
    header = {
        "kind": _KIND,
        "version": VERSION,
        "kdf": {"name": "scrypt", "n": cost.n, "r": cost.r, "p": cost.p, "salt": salt.hex()},
        "cipher": {"name": "aes-256-gcm", "nonce": nonce.hex()},
    }
    cipher = AES.new(_derived(password, salt, cost), AES.MODE_GCM, nonce=nonce)
    cipher.update(_bound(header))
    sealed, tag = cipher.encrypt_and_digest(plain)
    document = {**header, "tag": tag.hex(), "data": base64.b64encode(sealed).decode()}
    return json.dumps(document).encode() + b"\n"


def read_backup(data: bytes, password: str) -> Contents:
    """What a backup holds. Raises ``BackupError``."""
    try:
        document = parse_json(data, BYTES_MAX)
    except JsonError as error:
        raise BackupError(f"this is no backup of a wallet: {error}") from error
    if not isinstance(document, dict) or document.get("kind") != _KIND:
        raise BackupError("this is no backup of a wallet")
    if document.get("version") != VERSION:
        raise BackupError(f"the backup has version {document.get('version')!r}; this program reads {VERSION}")
    try:
        header = {name: document[name] for name in ("kind", "version", "kdf", "cipher")}
        kdf = document["kdf"]
        cost = ScryptCost(int(kdf["n"]), int(kdf["r"]), int(kdf["p"]))
        salt, nonce = bytes.fromhex(kdf["salt"]), bytes.fromhex(document["cipher"]["nonce"])
        tag, sealed = bytes.fromhex(document["tag"]), base64.b64decode(document["data"], validate=True)
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise BackupError("the backup is damaged: a field is missing or malformed") from error
    if not 2 <= cost.n <= _SCRYPT_N_MAX or cost.n & (cost.n - 1) or not 1 <= cost.r <= 8 or cost.p != 1:
        raise BackupError("the backup is damaged: it asks for too much work")
    try:
        cipher = AES.new(_derived(password, salt, cost), AES.MODE_GCM, nonce=nonce)
        cipher.update(_bound(header))
        plain = cipher.decrypt_and_verify(sealed, tag)
    except ValueError as error:
        raise BackupError("the password does not open this backup, or the file was changed") from error
    return _read_contents(plain)


def restore(contents: Contents, folder: Path) -> WalletHome:
    """Put a wallet back into an empty folder. It signs nothing before its hub has been asked.

    Raises:
        WalletHomeError: a wallet lies there.
        ConfigError, BackupError, StorageError, OSError: what is in the backup, or the disk, as they say.
    """
    home = WalletHome(folder)
    needed = (home.keystore.name, home.config_file.name)
    if any(name not in contents.files for name in needed):
        raise BackupError(f"the backup lacks {' or '.join(needed)}")
    empty_home(folder)
    for name, data in contents.files.items():
        write_private(folder / name, data)
    store = open_wallet_store(home.database, domain_of_settings(home.settings({})))
    try:
        store.put_back(contents.items)
    finally:
        store.close()
    return home


def _read_contents(plain: bytes) -> Contents:
    try:
        files, items = to_list(decode(plain), 2)
        named = {to_bytes(name).decode(): to_bytes(data) for name, data in (to_list(one, 2) for one in to_list(files))}
        kept = {to_bytes(key): to_bytes(value) for key, value in (to_list(one, 2) for one in to_list(items))}
    except (RlpError, UnicodeDecodeError) as error:
        raise BackupError("the backup holds what this program does not read") from error
    if any(Path(name).name != name or name.startswith(".") for name in named):
        raise BackupError("the backup names files outside its folder")
    return Contents(named, kept)


def _derived(password: str, salt: bytes, cost: ScryptCost) -> bytes:
    # Bytes, though its stubs say str: a str would be encoded as Latin-1.
    key = scrypt(password.encode(), salt, _KEY_SIZE, N=cost.n, r=cost.r, p=cost.p)  # type: ignore[arg-type]
    assert isinstance(key, bytes)
    return key


def _bound(header: Mapping[str, Any]) -> bytes:
    return json.dumps(header, sort_keys=True, separators=(",", ":")).encode()

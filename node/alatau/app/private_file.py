"""Files that only their owner may read: created so from the first byte, and complete or absent."""

import json
from pathlib import Path
from typing import Final

from alatau.client.keystore import STANDARD_COST, ScryptCost, encrypt_key
from alatau.crypto.secp256k1 import PrivateKey
from alatau.storage.disk import Disk, atomic_write

PRIVATE_MODE: Final = 0o600
PRIVATE_FOLDER_MODE: Final = 0o700


def write_private(path: Path, data: bytes, *, replace: bool = False) -> None:
    """Write ``data`` to ``path`` with mode 0600, durably, whole or not at all.

    Raises:
        FileExistsError: the file exists and ``replace`` is false: a key is never overwritten by accident.
        OSError: the folder is missing, full or not writable.
    """
    if not replace and path.exists():
        msg = f"{path} exists already"
        raise FileExistsError(msg)
    atomic_write(Disk(), path, data, PRIVATE_MODE)


def is_private(path: Path) -> bool:
    """Whether neither group nor others may do anything with ``path``."""
    return path.stat().st_mode & 0o077 == 0


def write_keystore(path: Path, key: PrivateKey, password: str, cost: ScryptCost = STANDARD_COST) -> None:
    """Encrypt ``key`` into a new file that only its owner reads; raises ``FileExistsError``, ``OSError``."""
    write_private(path, json.dumps(encrypt_key(key, password, cost), indent=2).encode() + b"\n")

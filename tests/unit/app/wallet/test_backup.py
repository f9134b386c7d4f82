"""A backup of a wallet's folder: what it holds, what it refuses."""

import json
from pathlib import Path

import pytest

from alatau.app.wallet.backup import Contents, contents_of, read_backup, restore, write_backup
from alatau.app.wallet.config import domain_of_settings
from alatau.app.wallet.home import WalletHome, make_home
from alatau.channels.messages import Parties
from alatau.channels.state import opened
from alatau.client.keystore import ScryptCost
from alatau.crypto.secp256k1 import PrivateKey
from alatau.wallet.errors import BackupError, WalletHomeError
from alatau.wallet.store import open_wallet_store

KEY = PrivateKey(b"\x61" * 32)
CHEAP = ScryptCost(n=2, r=1, p=1)
PASSWORD = "correct horse"


@pytest.fixture
def home(tmp_path: Path) -> WalletHome:
    """A wallet with a channel."""
    made = make_home(tmp_path / "wallet", KEY, PASSWORD, {"chain.id": 7}, {"hub.pem": b"PEM"}, cost=CHEAP)
    domain = domain_of_settings(made.settings({}))
    store = open_wallet_store(made.database, domain)
    store.begin(
        opened(domain, Parties(KEY.address, b"\x0b" * 20, bytes(32)), 500, settle_blocks=50), 9, (0, 0), stale=False
    )
    store.close()
    return made


def contents(home: WalletHome) -> Contents:
    """What its backup holds."""
    store = open_wallet_store(home.database, domain_of_settings(home.settings({})))
    try:
        return contents_of(home, store)
    finally:
        store.close()


def test_what_is_backed_up_comes_back(home: WalletHome, tmp_path: Path) -> None:
    """Key, settings, certificates and the channel, marked as behind; only the owner may read the files."""
    data = write_backup(contents(home), PASSWORD, cost=CHEAP)
    back = restore(read_backup(data, PASSWORD), tmp_path / "back")
    assert back.key(PASSWORD).address == KEY.address
    assert (back.folder / "hub.pem").read_bytes() == b"PEM"
    store = open_wallet_store(back.database, domain_of_settings(back.settings({})))
    kept = store.load()
    store.close()
    assert kept.state is not None
    assert (kept.state.a.deposited, kept.height, kept.stale) == (500, 9, True)
    assert all(path.stat().st_mode & 0o077 == 0 for path in back.folder.iterdir() if path.is_file())


def test_a_changed_or_foreign_file_is_refused(home: WalletHome) -> None:
    """Wrong password, any field changed, no backup at all: said, and nothing comes of it."""
    data = write_backup(contents(home), PASSWORD, cost=CHEAP)
    document = json.loads(data)
    with pytest.raises(BackupError, match="password does not open"):
        read_backup(data, "another")
    changes = {
        "tag": "00" * 16,
        "data": document["data"][:-8] + "AAAAAAA=",
        "kdf": document["kdf"] | {"salt": "00" * 32},
        "cipher": document["cipher"] | {"name": "another"},
    }
    for name, value in changes.items():
        with pytest.raises(BackupError, match=r"password does not open|damaged"):
            read_backup(json.dumps(document | {name: value}).encode(), PASSWORD)
    for foreign in (b"", b"[]", b"{}", b"\xff", json.dumps(document | {"version": 2}).encode()):
        with pytest.raises(BackupError, match=r"no backup of a wallet|has version 2"):
            read_backup(foreign, PASSWORD)
    heavy = document | {"kdf": document["kdf"] | {"n": 1 << 30}}
    with pytest.raises(BackupError, match="too much work"):
        read_backup(json.dumps(heavy).encode(), PASSWORD)


def test_nothing_is_overwritten(home: WalletHome) -> None:
    """A folder with a wallet in it keeps it."""
    with pytest.raises(WalletHomeError, match="holds a wallet already"):
        restore(contents(home), home.folder)


def test_a_backup_writes_into_its_folder_only(tmp_path: Path) -> None:
    """A name with a path in it is refused before anything is written."""
    for name in ("../keystore.json", "a/b", ".hidden"):
        files = {"keystore.json": b"", "wallet.toml": b"", name: b""}
        with pytest.raises(BackupError, match="outside its folder"):
            read_backup(write_backup(Contents(files, {}), PASSWORD, cost=CHEAP), PASSWORD)
    with pytest.raises(BackupError, match=r"lacks keystore\.json or wallet\.toml"):
        restore(Contents({}, {}), tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()

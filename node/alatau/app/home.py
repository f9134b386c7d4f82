"""A node's home folder: where each thing lies, who may read it, and that one process at a time uses it.

::

    config.toml        settings (0600: it may name a password file)
    genesis.json       the network, the same on every node
    keys/              voting.json, operator.json: keystores; tls.key, tls.crt: who this node is to its peers
    data/              the database
    wal/               consensus write-ahead log
    sign_state.json    what the voting key last signed; outside the database, never restored from a backup
    pool/              log of the transactions that wait for a block
    lock               held while a process uses the home
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alatau.app.private_file import PRIVATE_FOLDER_MODE, PRIVATE_MODE
from alatau.storage.wal import WAL_NAME

_LOCK_ATTEMPTS: Final = 10
_LOCK_PAUSE_S: Final = 0.05
"""Half a second in all: somebody may just be looking who holds the lock (:func:`home_user`)."""


@dataclass(frozen=True, slots=True)
class Home:
    """Paths in a home folder."""

    folder: Path

    @property
    def config_file(self) -> Path:
        """Settings, TOML."""
        return self.folder / "config.toml"

    @property
    def genesis_file(self) -> Path:
        """The network's genesis, JSON."""
        return self.folder / "genesis.json"

    @property
    def keys(self) -> Path:
        """Folder of the keys."""
        return self.folder / "keys"

    @property
    def voting_key(self) -> Path:
        """Keystore of the key that signs votes; absent on an observer."""
        return self.keys / "voting.json"

    @property
    def operator_key(self) -> Path:
        """Keystore of the ministry's account."""
        return self.keys / "operator.json"

    @property
    def tls_key(self) -> Path:
        """P-256 private key, PEM."""
        return self.keys / "tls.key"

    @property
    def tls_certificate(self) -> Path:
        """Certificate of ``tls_key``, PEM."""
        return self.keys / "tls.crt"

    @property
    def database(self) -> Path:
        """LevelDB's folder."""
        return self.folder / "data"

    @property
    def wal(self) -> Path:
        """Folder of the consensus write-ahead log."""
        return self.folder / "wal"

    @property
    def wal_file(self) -> Path:
        """The log itself."""
        return self.wal / WAL_NAME

    @property
    def sign_state(self) -> Path:
        """The sign state."""
        return self.folder / "sign_state.json"

    @property
    def needed(self) -> tuple[Path, ...]:
        """Files that a node reads at its start, or has open: without one of them it does not start again as it was."""
        keys = (self.voting_key, self.tls_key, self.tls_certificate)
        return (self.config_file, self.genesis_file, *keys, self.sign_state, self.wal_file)

    @property
    def pool(self) -> Path:
        """Transactions that waited when the node stopped in order."""
        return self.folder / "pool"

    @property
    def lock_file(self) -> Path:
        """Held by the process that uses the home; its content is that process's id."""
        return self.folder / "lock"


class HomeInUseError(RuntimeError):
    """Another process uses this home. Stop it first; two nodes with one voting key would sign against each other."""

    def __init__(self, folder: Path, pid: int | None) -> None:
        """Name the folder and, if it wrote it, the process."""
        by = f"process {pid}" if pid else "another process"
        super().__init__(f"{folder} is in use by {by}; stop it first, or choose another --home")
        self.folder = folder
        self.pid = pid


class HomeError(RuntimeError):
    """The folder is no usable home. The message says what is missing and which command makes it."""


def create_home(folder: Path) -> Home:
    """Make the folders of a new home, readable by its owner alone; raises ``HomeError`` if it holds a node already."""
    home = Home(folder)
    if home.config_file.exists():
        raise HomeError(f"{folder} holds a node already ({home.config_file.name} exists); choose another --home")
    for path in (folder, home.keys):
        path.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER_MODE)
    return home


def open_home(folder: Path) -> Home:
    """The home in ``folder``; raises ``HomeError`` where there is none."""
    home = Home(folder)
    if not home.config_file.exists():
        raise HomeError(
            f"{folder} is no node's home: config.toml is missing; make one with: alatau --home {folder} init"
        )
    return home


@contextmanager
def lock_home(home: Home) -> Iterator[None]:
    """Hold the home for this process; raises ``HomeInUseError``. The kernel lets go even after kill -9."""
    descriptor = os.open(home.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_MODE)
    try:
        if not _take_lock(descriptor):
            raise HomeInUseError(home.folder, _holder(descriptor))
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def home_user(home: Home) -> int | None:
    """The process that holds the home, None where none does.

    A process id alone may have passed to a stranger; a held lock is the kernel's word that its holder lives.
    """
    try:
        descriptor = os.open(home.lock_file, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _holder(descriptor)
    else:
        return None
    finally:
        os.close(descriptor)


def _take_lock(descriptor: int) -> bool:
    for _ in range(_LOCK_ATTEMPTS):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_LOCK_PAUSE_S)
        else:
            return True
    return False


def _holder(descriptor: int) -> int | None:
    text = os.pread(descriptor, 20, 0).strip()
    return int(text) if text.isdigit() else None

"""A wallet's folder: the encrypted key, ``wallet.toml``, certificates, and the database of what was signed."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from alatau.app.config_file import read_config_of, render_config_of
from alatau.app.private_file import PRIVATE_FOLDER_MODE, write_keystore, write_private
from alatau.app.wallet.config import SCHEMA, WalletSettings, address_of, domain_of_settings
from alatau.client.keystore import STANDARD_COST, ScryptCost, read_keystore
from alatau.client.tls import client_tls
from alatau.client.tower_feeding import TowerEndpoint
from alatau.crypto.secp256k1 import PrivateKey
from alatau.wallet.errors import WalletHomeError
from alatau.wallet.setup import Setup
from alatau.zones import zone_of

CONFIG: Final = "wallet.toml"
HUB_CA: Final = "hub.pem"
CHAIN_CA: Final = "chain.pem"
TOWER_CA: Final = "towers.pem"
_DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class WalletHome:
    """Where everything lies."""

    folder: Path

    @property
    def keystore(self) -> Path:
        """The account's key, encrypted."""
        return self.folder / "keystore.json"

    @property
    def config_file(self) -> Path:
        """Its settings."""
        return self.folder / CONFIG

    @property
    def database(self) -> Path:
        """LevelDB's folder."""
        return self.folder / "db"

    def settings(self, environment: Mapping[str, str] | None = None) -> WalletSettings:
        """Read and check ``wallet.toml``. Raises ``ConfigError``, ``OSError``."""
        return read_config_of(SCHEMA, self.config_file, os.environ if environment is None else environment)

    def key(self, password: str) -> PrivateKey:
        """The account's key. Raises ``KeystoreError``, ``WrongPasswordError``, ``OSError``."""
        return read_keystore(self.keystore, password)

    def setup(self, key: PrivateKey, settings: WalletSettings) -> Setup:
        """What :func:`alatau.wallet.channel_wallet.open_wallet` takes. Raises ``OSError``: a certificate is missing."""
        return Setup(
            key,
            domain_of_settings(settings),
            address_of(settings.hub.address),
            settings.hub.endpoint,
            client_tls(ca=self.folder / settings.hub.ca),
            tuple(part.strip() for part in settings.chain.nodes.split(",")),
            client_tls(ca=self.folder / settings.chain.ca),
            self.database,
            towers=self._towers(settings),
            zone=zone_of(settings.money.time_zone),
            close_by=int(time.time()) + settings.towers.close_days * _DAY_S if settings.towers.close_days else 0,
        )

    def _towers(self, settings: WalletSettings) -> tuple[TowerEndpoint, ...]:
        if not settings.towers.endpoints:
            return ()
        tls = client_tls(ca=self.folder / settings.towers.ca)
        return tuple(TowerEndpoint(name.strip(), tls) for name in settings.towers.endpoints.split(","))


def find_home(folder: Path) -> WalletHome:
    """The wallet in ``folder``. Raises ``WalletHomeError`` where there is none."""
    home = WalletHome(folder)
    for path in (home.config_file, home.keystore):
        if not path.exists():
            raise WalletHomeError(f"{folder} is no wallet: {path.name} is missing; make one with alatau wallet create")
    return home


def make_home(
    folder: Path,
    key: PrivateKey,
    password: str,
    settings: Mapping[str, Any],
    certificates: Mapping[str, bytes],
    *,
    cost: ScryptCost = STANDARD_COST,
) -> WalletHome:
    """A new wallet's folder, readable by its owner alone.

    Args:
        folder: empty, or not there yet.
        key: of the account.
        password: with which the keystore is encrypted.
        settings: what ``wallet.toml`` sets, by key (``hub.endpoint``).
        certificates: PEM by file name.
        cost: how dear guessing the password is.

    Raises:
        WalletHomeError: a wallet lies there already.
        OSError: the folder cannot be written.
    """
    home = empty_home(folder)
    write_keystore(home.keystore, key, password, cost)
    for name, pem in certificates.items():
        write_private(folder / name, pem)
    write_private(home.config_file, render_config_of(SCHEMA, settings).encode())
    return home


def empty_home(folder: Path) -> WalletHome:
    """A folder that holds no wallet, made if it is not there. Raises ``WalletHomeError``, ``OSError``."""
    home = WalletHome(folder)
    for path in (home.keystore, home.config_file, home.database):
        if path.exists():
            raise WalletHomeError(f"{folder} holds a wallet already ({path.name} exists); choose another folder")
    folder.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER_MODE)
    return home

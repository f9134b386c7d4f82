"""A tower's home: made whole, its owner's alone, and refused in words where something is wrong."""

from pathlib import Path

import pytest

from alatau.app.config_file import ConfigError
from alatau.app.home import Home, HomeError
from alatau.app.password import PasswordError
from alatau.app.private_file import is_private, write_keystore
from alatau.app.service_home import provision_service
from alatau.app.tower.home import TOWER, read_tower_home
from alatau.client.keystore import KeystoreError, ScryptCost, WrongPasswordError
from alatau.crypto.secp256k1 import PrivateKey
from alatau.transport.certificates import authority_certificate, hosts_of, new_key

PASSWORD = {"ALATAU_PASSWORD": "correct horse"}
CHEAP = ScryptCost(n=2, r=1, p=1)
CANARY = PrivateKey(b"\x46" * 32)
AUTHORITY = authority_certificate(new_key())


def made(folder: Path, **settings: object) -> Home:
    """A tower's home."""
    home, _ = provision_service(
        TOWER,
        folder,
        settings={name.replace("__", "."): value for name, value in settings.items()},
        authority=AUTHORITY,
        password="correct horse",
        cost=CHEAP,
        hosts=["tower.example"],
    )
    return home


def test_what_is_made_is_read(tmp_path: Path) -> None:
    """The account, the certificate with the tower's names, whom it trusts; every secret is its owner's alone."""
    home, key = provision_service(
        TOWER,
        tmp_path / "tower",
        settings={"service.listen": "10.0.0.7:7401"},
        authority=AUTHORITY,
        password="correct horse",
        cost=CHEAP,
        hosts=["tower.example"],
    )
    contents = read_tower_home(home, PASSWORD, None)
    assert contents.key.address == key.address
    assert {"10.0.0.7", "tower.example", "localhost"} <= set(hosts_of(contents.identity.certificate_pem))
    assert (contents.node_tls.roots_pem, contents.node_tls.identity) == (AUTHORITY, None)
    assert (contents.canary_hub, contents.clients) == (None, None)
    assert all(is_private(path) for path in (TOWER.keystore(home), home.tls_key, home.config_file))


def test_keys_need_their_password(tmp_path: Path) -> None:
    """From the environment, a file or a person; none, a wrong one, or a file that others read are refused."""
    home = made(tmp_path / "tower", keys__password_file="password")
    with pytest.raises(PasswordError, match="cannot be read"):
        read_tower_home(home, {}, None)
    password = home.folder / "password"
    password.write_text("wrong horse\n")
    with pytest.raises(KeystoreError, match="chmod 600"):
        read_tower_home(home, {}, None)
    password.chmod(0o600)
    with pytest.raises(WrongPasswordError):
        read_tower_home(home, {}, None)
    password.write_text("correct horse\n")
    assert read_tower_home(home, {}, None).key.address


def test_files_that_settings_name_are_looked_at(tmp_path: Path) -> None:
    """Each missing or foreign one is named by its setting."""
    for number, (setting, value, words) in enumerate(
        (
            ("node__authority", "gone.pem", "node.authority"),
            ("node__authority", "config.toml", "no certificate in PEM"),
            ("node__certificate", "keys/tls.crt", "belong together"),
            ("service__client_authority", "config.toml", "no certificate in PEM"),
            ("canary__hub_keystore", "keys/gone.json", "no such file"),
        )
    ):
        home = made(tmp_path / str(number), **{setting: value})
        with pytest.raises(ConfigError, match=words):
            read_tower_home(home, PASSWORD, None)


def test_a_canary_and_clients_authority_are_read(tmp_path: Path) -> None:
    """The canary's key opens with the tower's password; the tower's own key is always let in."""
    home = made(
        tmp_path / "tower",
        canary__hub_keystore="keys/canary.json",
        service__client_authority="node.pem",
        node__certificate="keys/tls.crt",
        node__key="keys/tls.key",
    )
    write_keystore(home.keys / "canary.json", CANARY, "correct horse", CHEAP)
    contents = read_tower_home(home, PASSWORD, None)
    assert contents.canary_hub is not None
    assert contents.canary_hub.address == CANARY.address
    assert contents.clients is not None
    assert contents.clients.permits(contents.identity.key_hash)
    assert contents.node_tls.identity is not None


def test_a_nodes_home_is_no_towers(tmp_path: Path) -> None:
    """Neither is started as the other, and none is made over the other."""
    home = made(tmp_path / "tower")
    with pytest.raises(HomeError, match="holds a node already"):
        made(tmp_path / "tower")
    TOWER.keystore(home).unlink()
    with pytest.raises(HomeError, match="no tower's home"):
        read_tower_home(home, PASSWORD, None)
    with pytest.raises(ConfigError, match="--node-ca"):
        provision_service(TOWER, tmp_path / "new", settings={}, authority=b"nothing", password="x", cost=CHEAP)
    assert not (tmp_path / "new").exists()

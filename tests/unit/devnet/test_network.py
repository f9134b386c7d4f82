"""Making a network on this machine."""

import json
import tomllib
from pathlib import Path

import pytest
from eth_account import Account

from alatau_devnet import network as networks
from alatau_devnet.errors import DevnetError
from alatau_devnet.network import create_network, load_network, remove_network
from alatau_devnet.plan import MINISTRIES, DevnetOptions
from alatau_devnet.snippets import write_account_keystores


def test_as_many_validators_as_a_country_has(tmp_path: Path) -> None:
    """Every one has a name, a home and ports of its own; how many there may be is said."""
    assert len(set(MINISTRIES)) == len(MINISTRIES) == 25
    network = create_network(tmp_path / "network", DevnetOptions(validators=10))
    assert len({node.name for node in network.nodes}) == len({node.home for node in network.nodes}) == 10
    assert len({port for node in network.nodes for port in (node.p2p, node.rpc, node.metrics)}) == 30
    assert load_network(tmp_path / "network") == network
    with pytest.raises(DevnetError, match="1 to 25"):
        create_network(tmp_path / "other", DevnetOptions(validators=26))


def test_peers_may_be_dialled_elsewhere_than_they_listen(tmp_path: Path) -> None:
    """As behind a relay: the genesis file has what peers dial, the configuration what the node listens on."""
    network = create_network(tmp_path / "network", DevnetOptions(validators=1), ["127.0.0.1:9"])
    (node,) = network.nodes
    assert b'"127.0.0.1:9"' in (node.home / "genesis.json").read_bytes()
    assert tomllib.loads((node.home / "config.toml").read_text())["p2p"]["listen"] == node.p2p != "127.0.0.1:9"


def test_other_libraries_open_every_keystore(tmp_path: Path) -> None:
    """With what the password file holds, as it stands: they take a newline at its end for a part of the password."""
    network = create_network(tmp_path / "network", DevnetOptions(validators=1))
    inhabitants = write_account_keystores(network)
    for folder in (inhabitants, network.nodes[0].home / "keys"):
        password = (folder / "password").read_text()
        keystores = [path for path in folder.glob("*.json") if "crypto" in json.loads(path.read_text())]
        assert keystores
        for path in keystores:
            key = Account.decrypt(path.read_text(), password)
            assert Account.from_key(key).address.lower() == "0x" + json.loads(path.read_text())["address"]


def test_what_a_failed_attempt_left_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A half-made network does not stand in the way of the next; what is no network is left alone."""
    folder = tmp_path / "network"

    def out_of_room(*_: object, **__: object) -> None:
        raise OSError("no room")

    with monkeypatch.context() as broken:
        broken.setattr(networks, "merge", out_of_room)
        with pytest.raises(OSError, match="no room"):
            create_network(folder, DevnetOptions(validators=2))
    assert any(folder.iterdir())
    create_network(folder, DevnetOptions(validators=1))
    remove_network(folder)
    folder.mkdir()
    (folder / "letter.txt").write_text("mine")
    with pytest.raises(DevnetError, match="remove it yourself"):
        create_network(folder, DevnetOptions(validators=1))

"""Fixtures for tests of blocks."""

from pathlib import Path

import pytest

from alatau.app.genesis.file import read_genesis
from alatau.types.genesis import Genesis
from alatau_devnet.network import create_network
from alatau_devnet.plan import DevnetOptions


@pytest.fixture(scope="session")
def devnet_genesis(tmp_path_factory: pytest.TempPathFactory) -> Genesis:
    """The genesis of a development network of four, made by the real ceremony."""
    network = create_network(Path(tmp_path_factory.mktemp("devnet")) / "network", DevnetOptions(4, residents=4))
    return read_genesis(network.nodes[0].home / "genesis.json")

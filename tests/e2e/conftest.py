"""Real networks for the tests of this folder: real processes, real gRPC over mutual TLS, real disks."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from alatau_devnet.network import Devnet, create_network, remove_network, start_nodes
from alatau_devnet.plan import DevnetOptions
from alatau_devnet.watch import height_of, wait_for_height, wait_until_deciding, wait_until_synced
from tests.e2e.agreement import RECOVERY_S


@contextmanager
def running_network(folder: Path, validators: int) -> Iterator[Devnet]:
    """A network that decides blocks, and is gone afterwards."""
    network = create_network(folder, DevnetOptions(validators=validators))
    try:
        start_nodes(network)
        wait_until_deciding(network)
        yield network
    finally:
        remove_network(folder)


@pytest.fixture
def four_validators(tmp_path: Path) -> Iterator[Devnet]:
    """A network of four: it bears one fault."""
    with running_network(tmp_path / "network", 4) as network:
        yield network


@pytest.fixture
def lone_validator(tmp_path: Path) -> Iterator[Devnet]:
    """A network of one."""
    with running_network(tmp_path / "network", 1) as network:
        yield network


@pytest.fixture
def seven_validators(tmp_path: Path) -> Iterator[Devnet]:
    """A network of seven: it bears two faults."""
    with running_network(tmp_path / "network", 7) as network:
        yield network


@pytest.fixture(scope="session")
def standing_network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Devnet]:
    """A network of four for all tests that leave it as whole as they found it."""
    with running_network(tmp_path_factory.mktemp("standing") / "network", 4) as network:
        yield network


@pytest.fixture(scope="module")
def lent_network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Devnet]:
    """The network behind ``recovering_network``."""
    with running_network(tmp_path_factory.mktemp("lent") / "network", 4) as network:
        yield network


@pytest.fixture
def recovering_network(lent_network: Devnet) -> Devnet:
    """A network of four that a file's tests kill nodes of, one test after the other: each finds it whole again.

    It is older each time, as real ones are: a test takes heights and nonces as it finds them.
    """
    start_nodes(lent_network)
    wait_for_height(lent_network.nodes, max(map(height_of, lent_network.nodes)), RECOVERY_S)
    wait_until_synced(lent_network.nodes, RECOVERY_S)
    return lent_network

"""A payment hub with pages beside a development network: a real ``alatau hub`` in a home of its own.

Its account is the network's licensed hub. It serves gRPC and, for browsers, HTTP on ``localhost``, which is the
relying party of development networks.
"""

import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alatau.app.hub.home import HUB
from alatau.app.private_file import write_keystore, write_private
from alatau.app.service_home import provision_service
from alatau.artifacts import addresses
from alatau.artifacts.artifact import load
from alatau.client.keystore import DEVNET_COST
from alatau_devnet import accounts
from alatau_devnet.errors import DevnetError
from alatau_devnet.network import Devnet
from alatau_devnet.processes import log_tail, start_process
from alatau_devnet.watch import client_of

_PASSWORD: Final = "development only"  # noqa: S105  it guards nothing
_START_S: Final = 30.0
RESIDENT: Final = 1
MERCHANT: Final = 2


@dataclass(frozen=True, slots=True)
class HubProcess:
    """Where it is."""

    folder: Path
    endpoint: str
    """``host:port`` of its gRPC."""
    site: str
    """Origin of its pages."""

    def start(self) -> None:
        """Start it, and wait until it answers browsers. Raises ``DevnetError`` with its log."""
        start_process(self.folder, command=("hub", "start"))
        deadline = time.monotonic() + _START_S
        port = int(self.site.rpartition(":")[2])
        while time.monotonic() < deadline:
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.1)
        raise DevnetError(f"the hub does not answer: {log_tail(self.folder)}")


def create_hub(network: Devnet, folder: Path, *, listen_port: int = 0, pages_port: int = 0) -> HubProcess:
    """A home; ports that are 0 are free ones."""
    listen, pages = listen_port or _free_port(), pages_port or _free_port()
    site = f"http://localhost:{pages}"
    password_file = folder.with_name(f"{folder.name}.password")
    write_private(password_file, f"{_PASSWORD}\n".encode(), replace=True)
    settings = {
        "hub.listen": f"127.0.0.1:{listen}",
        "hub.metrics_listen": "",
        "hub.password_file": str(password_file.resolve()),
        "chain.nodes": network.nodes[0].rpc,
        "fees.parts_per_million": 5_000,
        "liquidity.step": "5000000",
        "pages.listen": f"127.0.0.1:{pages}",
        "pages.origins": site,
    }
    authority = network.ca_file.read_bytes()
    home, _ = provision_service(
        HUB, folder, settings=settings, authority=authority, password=_PASSWORD, cost=DEVNET_COST
    )
    HUB.keystore(home).unlink()
    write_keystore(HUB.keystore(home), accounts.key_of(accounts.HUB), _PASSWORD, DEVNET_COST)
    return HubProcess(folder, f"127.0.0.1:{listen}", site)


def admit(network: Devnet, account: bytes, *, kind: int = RESIDENT, units: int = 0) -> None:
    """The registrar registers an account, and a resident of the network sends it money."""
    with client_of(network.nodes[0]) as client:
        registry = client.contract(load("ParticipantRegistry").abi, addresses.PARTICIPANT_REGISTRY)
        registry.send(client.wallet(accounts.key_of(accounts.REGISTRAR)), "register", account, kind, 1, 0)
        if units:
            token = client.contract(load("SettlementToken").abi, addresses.SETTLEMENT_TOKEN)
            token.send(client.wallet(accounts.key_of(accounts.resident(1))), "transfer", account, units)


def _free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])

"""Hubs and towers beside a network on this machine: homes with keys that follow from names, and their processes."""

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from alatau.app.hub.home import HUB
from alatau.app.private_file import write_keystore, write_private
from alatau.app.service_home import Service, provision_service
from alatau.app.tower.home import TOWER
from alatau.client import RpcError, client_tls, connect_sync, hub_plans, tower_plans
from alatau.client.keystore import DEVNET_COST
from alatau.crypto.secp256k1 import PrivateKey
from alatau.transport.certificates import authority_certificate
from alatau.transport.credentials import ClientTls
from alatau_devnet.errors import DevnetError
from alatau_devnet.network import Devnet
from alatau_devnet.ports import HOST, free_ports
from alatau_devnet.processes import kill_process, log_tail, running_pid, start_process, stop_processes

_PASSWORD: Final = "correct horse"  # noqa: S105  of keys that are no secret
_START_S: Final = 90.0
_POLL_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class ServiceHome:
    """A hub or a tower on this machine."""

    kind: str
    """``hub`` or ``tower``."""
    folder: Path
    endpoint: str
    """``host:port`` of its service."""
    metrics: str
    """``host:port`` of /metrics, /livez, /readyz."""
    account: bytes

    @property
    def authority(self) -> bytes:
        """PEM: what its clients trust."""
        return authority_certificate((self.folder / "keys" / "tls.key").read_bytes())

    @property
    def tls(self) -> ClientTls:
        """For who dials it."""
        return client_tls(ca=self.authority)

    @property
    def runs(self) -> bool:
        """Whether a process uses the home."""
        return running_pid(self.folder) is not None

    def start(self) -> None:
        """Start its process, and wait until it answers. Raises ``DevnetError``."""
        process = start_process(self.folder, command=(self.kind, "start"))
        deadline = time.monotonic() + _START_S
        while not self.answers():
            if process.poll() is not None or time.monotonic() > deadline:
                raise DevnetError(f"the {self.kind} in {self.folder} did not start:\n{log_tail(self.folder)}")
            time.sleep(_POLL_S)

    def answers(self) -> bool:
        """Whether it says who it is."""
        try:
            with connect_sync(self.endpoint, self.tls) as client:
                if self.kind == "hub":
                    client.run(hub_plans.facts())
                else:
                    client.run(tower_plans.status())
        except RpcError:
            return False
        return True

    def kill(self) -> None:
        """With -9."""
        kill_process(self.folder)

    def pause(self, *, on: bool) -> None:
        """Stop it in its tracks, or let it go on."""
        pid = running_pid(self.folder)
        if pid is not None:
            os.kill(pid, signal.SIGSTOP if on else signal.SIGCONT)

    def stop(self) -> None:
        """In order."""
        stop_processes([self.folder])


def make_hub(
    network: Devnet, folder: Path, key: PrivateKey, settings: Mapping[str, Any], towers: tuple[ServiceHome, ...] = ()
) -> ServiceHome:
    """A hub's home; it gives its vouchers to ``towers``."""
    given = {
        "chain.nodes": ",".join(node.rpc for node in network.nodes),
        "hub.password_file": "keys/password",
        "towers.endpoints": ",".join(tower.endpoint for tower in towers),
        **settings,
    }
    made = _make(HUB, network, folder, key, given, "hub.listen", "hub.metrics_listen")
    write_private(folder / "towers.pem", b"".join(tower.authority for tower in towers))
    return made


def make_tower(network: Devnet, folder: Path, key: PrivateKey, settings: Mapping[str, Any]) -> ServiceHome:
    """A tower's home."""
    given = {
        "node.endpoints": ",".join(node.rpc for node in network.nodes),
        "keys.password_file": "keys/password",
        **settings,
    }
    return _make(TOWER, network, folder, key, given, "service.listen", "metrics.listen")


def _make(
    service: Service, network: Devnet, folder: Path, key: PrivateKey, given: Mapping[str, Any], listen: str, watch: str
) -> ServiceHome:
    endpoint, metrics = (f"{HOST}:{port}" for port in free_ports(2))
    settings = {listen: endpoint, watch: metrics, **given}
    authority = network.ca_file.read_bytes()
    home, _ = provision_service(
        service, folder, settings=settings, authority=authority, password=_PASSWORD, cost=DEVNET_COST
    )
    service.keystore(home).unlink()
    write_keystore(service.keystore(home), key, _PASSWORD, DEVNET_COST)
    write_private(home.keys / "password", _PASSWORD.encode())
    return ServiceHome(service.name, folder, endpoint, metrics, key.address)

"""A development network: its ceremony, its description on disk, its life.

``build/devnet/network.json`` describes the network for programs; ``build/devnet/<node>`` are the homes.
"""

import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from alatau.app.genesis.ceremony import Contribution, contribute, encode_contribution, merge, transcript_hash
from alatau.app.genesis.file import encode_genesis
from alatau.app.genesis.plan import NetworkPlan, encode_plan
from alatau.app.private_file import write_private
from alatau.app.provision import ProvisionedHome, provision_home
from alatau.artifacts import addresses
from alatau.client.keystore import DEVNET_COST
from alatau.codec.json_text import parse_json
from alatau.transport.certificates import authority_certificate
from alatau_devnet import accounts
from alatau_devnet.errors import DevnetError
from alatau_devnet.plan import CHAIN_ID, MINISTRIES, DevnetOptions, devnet_plan
from alatau_devnet.ports import HOST, choose_ports
from alatau_devnet.processes import log_tail, running_pid, start_process, stop_processes

DEFAULT_FOLDER: Final = Path("build/devnet")
_FILE_SIZE_MAX: Final = 1024 * 1024
"""Bytes; a network of seven has about 3,000."""
_FILE: Final = "network.json"
_UNFINISHED: Final = ".unfinished"
"""In a folder whose network was begun and not finished: it may be replaced."""
_START_S: Final = 50.0
_START_EACH_S: Final = 10.0
"""For each: a node imports its libraries and computes genesis in a few seconds of a core, of which there may be two."""


@dataclass(frozen=True, slots=True)
class DevnetNode:
    """One validator of the network."""

    name: str
    """The ministry."""
    home: Path
    p2p: str
    """``host:port`` for peers."""
    rpc: str
    """``host:port`` for clients: gRPC over TLS."""
    http: str
    """``host:port`` for browsers and curl: Connect and gRPC-Web, without TLS, for pages of any origin."""
    metrics: str
    """``host:port`` of /metrics, /livez, /readyz."""
    voting_address: bytes
    operator: bytes
    tls_public_key: bytes
    """SubjectPublicKeyInfo, DER: what a client trusts (``connect(..., node_key=...)``)."""


@dataclass(frozen=True, slots=True)
class Devnet:
    """A network on this machine."""

    folder: Path
    chain_id: int
    transcript_hash: bytes
    residents: int
    nodes: tuple[DevnetNode, ...]

    @property
    def ca_file(self) -> Path:
        """Authorities of all nodes, PEM: what clients in other languages trust."""
        return self.folder / "ca.pem"


def create_network(
    folder: Path,
    options: DevnetOptions,
    dialled: Sequence[str] | None = None,
    adapt: Callable[[NetworkPlan], NetworkPlan] = lambda plan: plan,
) -> Devnet:
    """Run the genesis ceremony for new validators in ``folder``; whatever network lay there is removed.

    ``dialled`` are the endpoints at which peers reach the validators, where these are not the ones that they listen on.
    ``adapt`` changes the plan that follows from ``options``.
    """
    if not 1 <= options.validators <= len(MINISTRIES):
        raise DevnetError(f"{options.validators} validators: a network on one machine has 1 to {len(MINISTRIES)}")
    remove_network(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _UNFINISHED).touch()
    ports = choose_ports(options.validators, usual=folder == DEFAULT_FOLDER)
    plan = adapt(devnet_plan(options, int(time.time())))
    (folder / "plan.json").write_bytes(encode_plan(plan))
    nodes: list[DevnetNode] = []
    contributions: list[Contribution] = []
    authorities = b""
    for index in range(options.validators):
        name = MINISTRIES[index]
        endpoints = {purpose: f"{HOST}:{numbers[index]}" for purpose, numbers in ports.items()}
        made = _provision(folder / _slug(name), name, endpoints)
        assert made.voting is not None
        assert made.operator is not None
        contribution = contribute(
            plan,
            name=name,
            endpoint=endpoints["p2p"] if dialled is None else dialled[index],
            power=1,
            operator=made.operator,
            voting=made.voting,
            tls_key_pem=made.identity.key_pem,
        )
        (made.home.folder / "contribution.json").write_bytes(encode_contribution(contribution))
        contributions.append(contribution)
        authorities += authority_certificate(made.identity.key_pem)
        nodes.append(_describe(made, name, endpoints))
    genesis = encode_genesis(merge(plan, contributions))
    for node in nodes:
        (node.home / "genesis.json").write_bytes(genesis)
    network = Devnet(folder, CHAIN_ID, transcript_hash(plan, contributions), options.residents, tuple(nodes))
    network.ca_file.write_bytes(authorities)
    _save(network)
    (folder / _UNFINISHED).unlink()
    return network


def load_network(folder: Path = DEFAULT_FOLDER) -> Devnet:
    """The network described in ``folder``; raises ``DevnetError`` where there is none."""
    file = folder / _FILE
    try:
        with file.open("rb") as opened:
            document = parse_json(opened.read(_FILE_SIZE_MAX + 1), _FILE_SIZE_MAX)
        return Devnet(
            folder,
            document["chain_id"],
            bytes.fromhex(document["transcript_hash"][2:]),
            document["residents"],
            tuple(_node_from_json(folder, entry) for entry in document["nodes"]),
        )
    except FileNotFoundError:
        raise DevnetError(f"no network in {folder}; start one with: alatau devnet up") from None
    except (ValueError, KeyError, TypeError) as error:
        raise DevnetError(f"{file} is not what was written ({error}); begin anew: alatau devnet up --fresh") from error


def network_exists(folder: Path) -> bool:
    """Whether a network lies in ``folder``, running or not."""
    return (folder / _FILE).is_file()


def remove_network(folder: Path) -> None:
    """Stop and delete the network in ``folder``, if there is one; a folder that holds something else is refused."""
    if not folder.exists():
        return
    unfinished = (folder / _UNFINISHED).exists()
    if not network_exists(folder) and not unfinished and any(folder.iterdir()):
        raise DevnetError(f"{folder} holds something that is no network (no {_FILE}); remove it yourself")
    stop_processes(path for path in folder.iterdir() if path.is_dir())
    shutil.rmtree(folder)


def start_nodes(network: Devnet, nodes: tuple[DevnetNode, ...] | None = None) -> None:
    """Start the nodes that do not run, and wait until each holds its home; raises ``DevnetError``."""
    wanted = [node for node in nodes or network.nodes if running_pid(node.home) is None]
    started = [(node, start_process(node.home)) for node in wanted]
    deadline = time.monotonic() + _START_S + _START_EACH_S * len(started)
    for node, process in started:
        while running_pid(node.home) != process.pid:
            if process.poll() is not None or time.monotonic() > deadline:
                raise DevnetError(f"{node.name} did not start; its log ends:\n{log_tail(node.home)}")
            time.sleep(0.1)
    _save(network)


def stop_nodes(network: Devnet) -> int:
    """Stop all nodes in order; gives how many ran."""
    stopped = stop_processes(node.home for node in network.nodes)
    _save(network)
    return len(stopped)


def contract_addresses() -> dict[str, bytes]:
    """Name -> address of the contracts in genesis."""
    return {
        "FundCouncil": addresses.FUND_COUNCIL,
        "ReserveCouncil": addresses.RESERVE_COUNCIL,
        "ValidatorRegistry": addresses.VALIDATOR_REGISTRY,
        "ParticipantRegistry": addresses.PARTICIPANT_REGISTRY,
        "SettlementToken": addresses.SETTLEMENT_TOKEN,
        "ReserveVault": addresses.RESERVE_VAULT,
        "PositionLedger": addresses.POSITION_LEDGER,
        "CityChannels": addresses.CITY_CHANNELS,
    }


def _provision(folder: Path, name: str, endpoints: dict[str, str]) -> ProvisionedHome:
    password = secrets.token_urlsafe(18)
    settings: dict[str, Any] = {f"{purpose}.listen": endpoint for purpose, endpoint in endpoints.items()}
    settings["http.allowed_origins"] = "*"
    settings["http.jsonrpc"] = "on"
    settings["keys.password_file"] = "keys/password"
    made = provision_home(folder, name=name, settings=settings, password=password, cost=DEVNET_COST)
    write_private(made.home.keys / "password", password.encode())
    return made


def _describe(made: ProvisionedHome, name: str, endpoints: dict[str, str]) -> DevnetNode:
    assert made.voting is not None
    assert made.operator is not None
    return DevnetNode(
        name=name,
        home=made.home.folder,
        p2p=endpoints["p2p"],
        rpc=endpoints["rpc"],
        http=endpoints["http"],
        metrics=endpoints["metrics"],
        voting_address=made.voting.address,
        operator=made.operator.address,
        tls_public_key=made.identity.public_key,
    )


def _save(network: Devnet) -> None:
    names = [*accounts.INSTITUTIONS, *accounts.OFFICES, accounts.HUB, accounts.DEVELOPER, accounts.MERCHANT]
    names += [accounts.resident(n) for n in range(1, network.residents + 1)]
    document = {
        "chain_id": network.chain_id,
        "transcript_hash": _hex(network.transcript_hash),
        "ca": str(network.ca_file.resolve()),
        "nodes": [_node_to_json(node) for node in network.nodes],
        "contracts": {name: _hex(address) for name, address in contract_addresses().items()},
        "residents": network.residents,
        "accounts": {
            name: {"address": _hex(key.address), "private_key": _hex(key.secret)}
            for name in names
            for key in [accounts.key_of(name)]
        },
    }
    partial = network.folder / f"{_FILE}.partial"
    partial.write_text(json.dumps(document, indent=2) + "\n")
    os.replace(partial, network.folder / _FILE)  # noqa: PTH105  atomic, and says so


def _node_to_json(node: DevnetNode) -> dict[str, Any]:
    return {
        "name": node.name,
        "home": str(node.home.resolve()),
        "p2p": node.p2p,
        "rpc": node.rpc,
        "http": node.http,
        "metrics": node.metrics,
        "voting_address": _hex(node.voting_address),
        "operator": _hex(node.operator),
        "tls_public_key": _hex(node.tls_public_key),
        "pid": running_pid(node.home),
    }


def _node_from_json(folder: Path, entry: dict[str, Any]) -> DevnetNode:
    return DevnetNode(
        name=entry["name"],
        home=folder / Path(entry["home"]).name,
        p2p=entry["p2p"],
        rpc=entry["rpc"],
        http=entry["http"],
        metrics=entry["metrics"],
        voting_address=bytes.fromhex(entry["voting_address"][2:]),
        operator=bytes.fromhex(entry["operator"][2:]),
        tls_public_key=bytes.fromhex(entry["tls_public_key"][2:]),
    )


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _hex(data: bytes) -> str:
    return "0x" + data.hex()

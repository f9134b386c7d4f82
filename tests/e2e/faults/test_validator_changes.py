"""The set of validators changes while payments go on: one is added, gets a new voting key, and is removed."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from alatau.app.home import Home
from alatau.app.private_file import write_keystore, write_private
from alatau.app.provision import load_tls_identity, new_private_key, provision_home
from alatau.client.keystore import DEVNET_COST
from alatau_devnet import accounts
from alatau_devnet.network import Devnet, DevnetNode, start_nodes
from alatau_devnet.ports import HOST, choose_ports
from alatau_devnet.processes import kill_process, stop_processes
from alatau_devnet.watch import client_of, height_of, signed_last, status_of, wait_for_height, wait_until
from tests.e2e.agreement import RECOVERY_S, assert_agreement, assert_kept, assert_recovery
from tests.e2e.background_load import paying

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
NAME = "Ministry of Transport"


def test_a_validator_comes_gets_a_new_key_and_goes(four_validators: Devnet, tmp_path: Path) -> None:
    """By the command line alone; in the end four validators decide again, and the fifth knows that it is out."""
    network = four_validators
    council = _Council(network, tmp_path)
    with paying(network, network.nodes[0], "resident_1") as done:
        fifth = _new_node(network)
        start_nodes(network, (fifth,))
        endpoint = ("--endpoint", fifth.p2p, "--power", 1, "--name", NAME)
        tls_key_hash = load_tls_identity(Home(fifth.home)).key_hash
        keys = ("--voting-key", _hex(fifth.voting_address), "--tls-key-hash", _hex(tls_key_hash))
        council.decide("add", "--operator", _hex(fifth.operator), *keys, *endpoint)
        assert_recovery((fifth,), height_of(network.nodes[0]))
        assert wait_until(lambda: signed_last(network.nodes[0], fifth.voting_address), RECOVERY_S)

        renewed = new_private_key()
        council.decide("rotate", NAME, "--voting-key", _hex(renewed.address))
        stop_processes([fifth.home])
        shutil.move(fifth.home / "keys" / "voting.json", tmp_path / "old_voting.json")
        password = (fifth.home / "keys" / "password").read_text().strip()
        write_keystore(fifth.home / "keys" / "voting.json", renewed, password, DEVNET_COST)
        start_nodes(network, (fifth,))
        assert wait_until(lambda: signed_last(network.nodes[0], renewed.address), RECOVERY_S)

        # With five a quorum is four: one may fail, whichever it is.
        kill_process(network.nodes[3].home)
        at = height_of(network.nodes[0])
        wait_for_height((*network.nodes[:3], fifth), at + 5, RECOVERY_S)
        start_nodes(network, (network.nodes[3],))
        assert_recovery((network.nodes[3],), at + 5)

        council.decide("remove", NAME)
        assert wait_until(lambda: _is_told(fifth), RECOVERY_S)
        at = height_of(network.nodes[0])
        kill_process(fifth.home)
        wait_for_height(network.nodes, at + 5, RECOVERY_S)
    assert_agreement(network)
    assert_kept(network, done)
    with client_of(network.nodes[0]) as client:
        signers = {signature.validator for signature in client.commit(height_of(network.nodes[0])).signatures}
    assert signers <= {node.voting_address for node in network.nodes}


class _Council:
    """Two members who sign whatever is proposed."""

    def __init__(self, network: Devnet, folder: Path) -> None:
        self._home = network.nodes[0].home
        self._folder = folder
        self._password = folder / "council_password"
        self._password.write_text("devnet\n")
        for name in (accounts.DEVELOPER, *accounts.FUND_COUNCIL[:2]):
            write_keystore(folder / f"{name}.json", accounts.key_of(name), "devnet", DEVNET_COST)

    def decide(self, *words: object) -> None:
        """Propose a change of the validators, sign, approve and execute it."""
        file = self._folder / "decision.json"
        file.unlink(missing_ok=True)
        self._run("--home", self._home, "validator", *words, "-o", file, *self._by(accounts.FUND_COUNCIL[0]))
        for member in accounts.FUND_COUNCIL[:2]:
            self._run("council", "sign", file, "--yes", *self._by(member))
        self._run("--home", self._home, "council", "approve", file, *self._by(accounts.DEVELOPER))
        executed = self._run("--home", self._home, "council", "execute", file, "--wait", *self._by(accounts.DEVELOPER))
        assert executed["succeeded"] is True

    def _by(self, name: str) -> tuple[object, ...]:
        return ("--from", self._folder / f"{name}.json", "--password-file", self._password)

    def _run(self, *arguments: object) -> Any:
        command = [sys.executable, "-m", "alatau.cli", *map(str, arguments), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def _new_node(network: Devnet) -> DevnetNode:
    """A node as its operator makes it: a home of its own, and the network's genesis file."""
    endpoints = {purpose: f"{HOST}:{ports[0]}" for purpose, ports in choose_ports(1).items()}
    settings: dict[str, Any] = {f"{purpose}.listen": endpoint for purpose, endpoint in endpoints.items()}
    settings["keys.password_file"] = "keys/password"
    folder = network.folder / "newcomer"
    made = provision_home(folder, name=NAME, settings=settings, password="a newcomer's", cost=DEVNET_COST)
    write_private(made.home.keys / "password", b"a newcomer's\n")
    shutil.copy(network.nodes[0].home / "genesis.json", folder / "genesis.json")
    assert made.voting is not None
    assert made.operator is not None
    return DevnetNode(
        NAME, folder, **endpoints, voting_address=made.voting.address, operator=made.operator.address,
        tls_public_key=made.identity.public_key,
    )  # fmt: skip


def _is_told(node: DevnetNode) -> bool:
    status = status_of(node)
    return status is not None and any("IS NOT IN THE SET" in warning for warning in status.warnings)


def _hex(data: bytes) -> str:
    return "0x" + data.hex()

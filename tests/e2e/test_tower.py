"""Watchtowers as processes beside a real network: killed, started again, two at once, tried by themselves, leaving."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from alatau.app.private_file import write_keystore, write_private
from alatau.artifacts import addresses
from alatau.artifacts.artifact import load
from alatau.chain.permission import ParticipantKind
from alatau.channels.calls import claim_argument, own_request, parties_argument
from alatau.channels.messages import (
    CloseRequest,
    Domain,
    Parties,
    Voucher,
    channel_id,
    channels_domain,
    close_request_digest,
    receipt_digest,
    sign_voucher,
)
from alatau.channels.protection import Protection, SignedCloseRequest, TowerReceipt
from alatau.client import RpcError, SyncClient, client_tls, connect_sync, tower_plans
from alatau.client.keystore import DEVNET_COST
from alatau.crypto.keccak import keccak256
from alatau.crypto.secp256k1 import PrivateKey
from alatau.transport.certificates import public_key_of
from alatau_devnet import accounts
from alatau_devnet.network import Devnet, create_network, remove_network, start_nodes
from alatau_devnet.plan import DevnetOptions
from alatau_devnet.processes import kill_process, running_pid, start_process, stop_processes
from alatau_devnet.watch import client_of, wait_until_deciding

pytestmark = pytest.mark.e2e

_SETTLE_SECONDS = 25
"""The window: a tower's process must start within it on a busy machine."""
_SOON_S = 20.0
_HUB = accounts.key_of(accounts.HUB)


@dataclass(frozen=True, slots=True)
class TowerHome:
    """A tower on this machine."""

    folder: Path
    endpoint: str
    metrics: str
    account: bytes

    def start(self) -> None:
        """Start its process, and wait until it answers."""
        start_process(self.folder, command=("tower", "start"))
        _within(_SOON_S, lambda: _answers(self), f"the tower answers: {self.log()}")

    def ask(self, plan: Callable[..., Any], *arguments: Any) -> Any:
        """Carry out a plan with it."""
        tls = client_tls(node_key=public_key_of((self.folder / "keys" / "tls.crt").read_bytes()))
        with connect_sync(self.endpoint, tls) as client:
            return client.run(plan(*arguments))

    def log(self) -> str:
        """What it said."""
        return (self.folder / "node.log").read_text()


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Devnet]:
    """A network of one whose channels have a window of some seconds."""
    folder = tmp_path_factory.mktemp("channels") / "network"
    made = create_network(folder, DevnetOptions(validators=1, settle_seconds=_SETTLE_SECONDS))
    try:
        start_nodes(made)
        wait_until_deciding(made)
        yield made
    finally:
        remove_network(folder)


@pytest.fixture
def towers(network: Devnet, tmp_path: Path) -> Iterator[Callable[[str], TowerHome]]:
    """Makes towers that are gone afterwards."""
    made: list[TowerHome] = []

    def make(name: str) -> TowerHome:
        made.append(_init(network, tmp_path / name))
        return made[-1]

    try:
        yield make
    finally:
        stop_processes([tower.folder for tower in made])


class Channel:
    """A resident's channel with the hub, and what both sign."""

    def __init__(self, client: SyncClient, number: int, salt: str) -> None:
        self.owner = accounts.key_of(accounts.resident(number))
        self.parties = Parties(self.owner.address, _HUB.address, keccak256(salt.encode()))
        self.domain: Domain = channels_domain(client.status().chain_id, addresses.CITY_CHANNELS)
        self.id = channel_id(self.domain, self.parties)
        self._client = client
        self._wallet = client.wallet(self.owner)
        self._contract = client.contract(load("CityChannels").abi, addresses.CITY_CHANNELS)
        token = client.contract(load("SettlementToken").abi, addresses.SETTLEMENT_TOKEN)
        token.send(self._wallet, "approve", addresses.CITY_CHANNELS, 10**6)
        self._contract.send(self._wallet, "open", _HUB.address, self.parties.salt, 1_000)

    def protection(self, nonce: int, transferred: int, payer: PrivateKey | None = None) -> Protection:
        """A voucher with its receipt; the owner's, or the hub's."""
        payer = payer or self.owner
        payee = _HUB if payer is self.owner else self.owner
        voucher = Voucher(self.id, payer.address, nonce, transferred)
        signed = sign_voucher(self.domain, voucher, payer.sign)
        return Protection(self.parties, signed, payee.sign(receipt_digest(self.domain, voucher)))

    def close_request(self) -> SignedCloseRequest:
        """The owner's wish to leave, good for an hour."""
        request = CloseRequest(self.id, self.owner.address, int(time.time()) + 3_600)
        return SignedCloseRequest(self.parties, request, self.owner.sign(close_request_digest(self.domain, request)))

    def close(self, stale: Protection) -> None:
        """The owner closes with an old voucher."""
        claim = claim_argument(stale.signed, stale.receipt)
        arguments = parties_argument(self.parties), own_request(self.owner.address), claim
        self._contract.send(self._wallet, "close", *arguments)

    def told(self, event: str) -> list[dict[str, Any]]:
        """What the contract's events of a name say of the channel."""
        return [each.values for each in self._contract.past_events(event, id=self.id)]


def test_a_tower_killed_before_a_stale_close_contests_when_it_is_back(
    network: Devnet, towers: Callable[[str], TowerHome]
) -> None:
    """Killed with -9 after its receipts, started again within the window, it corrects both; told to stop, it does."""
    tower = towers("tower")
    tower.start()
    _within(_SOON_S, lambda: "permission" in "".join(tower.ask(tower_plans.status).alarms), "it has no permission")
    _admit(network, tower.account)
    with client_of(network.nodes[0]) as client:
        channel = Channel(client, 1, "killed")
        newest = [channel.protection(9, 90), channel.protection(4, 15, _HUB)]
        receipts = _protect(tower, channel, newest)
        assert [receipt.nonce for receipt in receipts] == [9, 4]
        assert kill_process(tower.folder) is not None
        channel.close(channel.protection(2, 20))
        tower.start()
        _within(_SOON_S, lambda: len(channel.told("Submitted")) == 3, f"it contests: {tower.log()}")
        assert sorted(event["nonce"] for event in channel.told("Submitted")) == [2, 4, 9]
        status = tower.ask(tower_plans.status)
        assert (status.alarms, status.contests_won, status.contests_due, status.closing) == ((), 2, 0, 1)
        assert tower.ask(tower_plans.recover, channel.domain, channel.parties, int(time.time()), _HUB.sign) == newest
    pid = running_pid(tower.folder)
    assert pid is not None
    os.kill(pid, signal.SIGTERM)
    _within(_SOON_S, lambda: running_pid(tower.folder) is None, "it ends in order")
    assert "tower.stopped" in tower.log()


def test_two_towers_and_their_own_trials(network: Devnet, towers: Callable[[str], TowerHome]) -> None:
    """Both hold the same voucher: it is on chain once, and neither has an alarm. One of them tries itself meanwhile."""
    first, second = towers("first"), towers("second")
    write_keystore(second.folder / "keys" / "canary.json", _HUB, "correct horse", DEVNET_COST)
    config = (second.folder / "config.toml").read_text()
    (second.folder / "config.toml").write_text(
        config.replace('# hub_keystore = ""', 'hub_keystore = "keys/canary.json"').replace(
            "# period_s = 86400", "period_s = 5"
        )
    )
    for tower in (first, second):
        _admit(network, tower.account)
        tower.start()
    with client_of(network.nodes[0]) as client:
        channel = Channel(client, 2, "two towers")
        for tower in (first, second):
            _protect(tower, channel, [channel.protection(9, 90)])
        channel.close(channel.protection(2, 20))
        _within(_SOON_S, lambda: len(channel.told("Submitted")) == 2, "one of them contests")
        _within(3 * _SETTLE_SECONDS, lambda: second.ask(tower_plans.status).canary_contested, "it tries itself")
        assert [event["nonce"] for event in channel.told("Submitted")] == [2, 9]
        assert [tower.ask(tower_plans.status).alarms for tower in (first, second)] == [(), ()]
    shown = json.loads(_alatau("--home", second.folder, "tower", "status", "--json"))
    assert (shown["alarms"], shown["account"]) == ([], "0x" + second.account.hex())
    assert shown["canary_contested"] is not None


def test_a_mass_exit_by_command(network: Devnet, towers: Callable[[str], TowerHome]) -> None:
    """The tower holds requests of two residents and their vouchers: stopped, ``tower exit`` brings them out."""
    tower = towers("exit")
    _admit(network, tower.account)
    tower.start()
    with client_of(network.nodes[0]) as client:
        channels = [Channel(client, number, "exit") for number in (3, 4)]
        for channel in channels:
            _protect(tower, channel, [channel.protection(9, 90), channel.protection(4, 15, _HUB)])
            (deadline,) = tower.ask(tower_plans.deposit_close_requests, [channel.close_request()])
            assert deadline > time.time()
        assert "is in use by process" in _alatau("--home", tower.folder, "tower", "exit", "--yes", code=4)
        stop_processes([tower.folder])
        shown = _alatau("--home", tower.folder, "tower", "exit", "--yes")
        assert "2 asked: 2 settled" in shown
        assert [channel.told("Settled")[0]["payout_a"] for channel in channels] == [1_000 - 90 + 15] * 2


def _init(network: Devnet, folder: Path) -> TowerHome:
    folder.parent.mkdir(exist_ok=True)
    password = folder.with_suffix(".password")
    write_private(password, b"correct horse\n")
    node = network.nodes[0]
    listen, metrics = (f"127.0.0.1:{_free_port()}" for _ in range(2))
    where = ("--node", node.rpc, "--node-ca", network.ca_file, "--listen", listen, "--metrics-listen", metrics)
    made = _alatau(
        *("--home", folder, "tower", "init", *where, "--weak-keystore", "--password-file", password, "--json")
    )
    account = bytes.fromhex(json.loads(made.partition("\nNext")[0])["account"][2:])
    return TowerHome(folder, listen, metrics, account)


def _admit(network: Devnet, account: bytes) -> None:
    """The licensor admits the tower as an institution."""
    with client_of(network.nodes[0]) as client:
        registry = client.contract(load("ParticipantRegistry").abi, addresses.PARTICIPANT_REGISTRY)
        licensor = client.wallet(accounts.key_of(accounts.LICENSOR))
        registry.send(licensor, "admit_institution", account, int(ParticipantKind.INSTITUTION))


def _protect(tower: TowerHome, channel: Channel, offered: list[Protection]) -> list[TowerReceipt]:
    """Hand vouchers over as soon as the tower knows the channel."""
    receipts: list[Any] = []

    def taken() -> bool:
        receipts[:] = tower.ask(tower_plans.protect, channel.domain, tower.account, offered)
        return all(isinstance(receipt, TowerReceipt) for receipt in receipts)

    _within(_SOON_S, taken, "the tower protects the channel")
    return receipts


def _answers(tower: TowerHome) -> bool:
    try:
        return bool(tower.ask(tower_plans.status).tip_height)
    except RpcError:
        return False


def _alatau(*arguments: object, code: int = 0) -> str:
    """What a command says, in both streams."""
    line = [sys.executable, "-m", "alatau.cli", *map(str, arguments)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def _free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


def _within(seconds: float, holds: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)

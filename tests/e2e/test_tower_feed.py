"""A hub's process that gives its vouchers to a tower's process, and is gone when a resident closes with an old one."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from urllib.request import urlopen

import pytest

from alatau.artifacts import addresses
from alatau.artifacts.artifact import load
from alatau.chain.permission import ParticipantKind
from alatau.channels.calls import NO_CLAIM, own_request, parties_argument
from alatau.channels.messages import Parties, channels_domain
from alatau.channels.state import ChannelState
from alatau.client import SyncClient, client_tls
from alatau.client.errors import ContractReverted
from alatau.client.tower_feeding import TowerEndpoint
from alatau.crypto.secp256k1 import PrivateKey
from alatau.wallet.link import PaymentFailedError
from alatau.wallet.plain import PlainWallet, open_plain_wallet
from alatau.wallet.setup import Setup
from alatau_devnet import accounts
from alatau_devnet.network import Devnet, create_network, remove_network, start_nodes
from alatau_devnet.plan import DevnetOptions
from alatau_devnet.service_homes import ServiceHome, make_hub, make_tower
from alatau_devnet.watch import client_of, wait_until_deciding

pytestmark = pytest.mark.e2e

_SETTLE_SECONDS = 25
_SOON_S = 30.0
_HUB = accounts.key_of(accounts.HUB)
_LOCKS = {"locks.blocks_min": 8, "locks.blocks_max": 12, "locks.margin_blocks": 4}
_DEPOSIT, _PRICE, _REFUND = 100_000, 1_500, 400


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Devnet]:
    """A network of one whose channels have a window of some seconds and many blocks."""
    made = create_network(
        tmp_path / "network", DevnetOptions(validators=1, settle_seconds=_SETTLE_SECONDS, settle_blocks=14)
    )
    try:
        start_nodes(made)
        wait_until_deciding(made)
        yield made
    finally:
        remove_network(made.folder)


def test_what_the_feed_gave_contests_when_hub_and_wallet_are_gone(network: Devnet, tmp_path: Path) -> None:
    """Closed below what was paid, and below what was received: the towers bring both, and two of them do no harm.

    The hub is dead by then, and the till is off.
    """
    with ExitStack() as stack:
        towers = tuple(
            make_tower(network, tmp_path / name, accounts.key_of(name), {}) for name in ("tower_1", "tower_2")
        )
        hub = make_hub(network, tmp_path / "hub", _HUB, _LOCKS | {"liquidity.step": "500000"}, towers)
        for home in (*towers, hub):
            stack.callback(home.stop)
        with client_of(network.nodes[0]) as client:
            _admit(client, towers)
            for home in (*towers, hub):
                home.start()
            setups = [
                _setup(network, tmp_path, hub, towers, accounts.key_of(accounts.resident(number))) for number in (1, 2)
            ]
            with open_plain_wallet(setups[0]) as resident, open_plain_wallet(setups[1]) as till:
                resident.open(_DEPOSIT)
                till.open(0)
                _pay(resident, till)
                paid, received = _state(resident), _state(till)
                _within(_SOON_S, lambda: _folded(resident) and _protected(resident) and _protected(till), "all is fed")
                paid_nonce = _state(resident).a.nonce
                _within(_SOON_S, lambda: _lag(hub) == 0, "the hub's feed is done")
            hub.kill()
            contract = client.contract(load("CityChannels").abi, addresses.CITY_CHANNELS)
            # Neither closes with a voucher: the resident as if it had paid nothing, the hub as if it owed nothing.
            for key, state in ((setups[0].key, paid), (_HUB, received)):
                arguments = parties_argument(state.parties), own_request(key.address), NO_CLAIM
                contract.send(client.wallet(key), "close", *arguments)
            brought: dict[bytes, dict[bytes, int]] = {}

            def contested() -> bool:
                for state in (paid, received):
                    told = contract.past_events("Submitted", id=state.id)
                    brought[state.id] = {event.values["payer"]: event.values["nonce"] for event in told}
                return brought[paid.id].get(setups[0].address) == paid_nonce and _HUB.address in brought[received.id]

            _within(_SOON_S, contested, "the towers contest")
            for state in (paid, received):
                _within(3 * _SETTLE_SECONDS, partial(_settles, client, state.parties), "it is settled")
            payouts = {state.id: contract.past_events("Settled", id=state.id) for state in (paid, received)}
            assert [event.values["payout_a"] for event in payouts[paid.id]] == [_DEPOSIT - _PRICE + _REFUND]
            assert [event.values["payout_a"] for event in payouts[received.id]] == [_PRICE - _REFUND]


def _admit(client: SyncClient, towers: tuple[ServiceHome, ...]) -> None:
    registry = client.contract(load("ParticipantRegistry").abi, addresses.PARTICIPANT_REGISTRY)
    licensor = client.wallet(accounts.key_of(accounts.LICENSOR))
    for tower in towers:
        registry.send(licensor, "admit_institution", tower.account, int(ParticipantKind.INSTITUTION))


def _setup(network: Devnet, folder: Path, hub: ServiceHome, towers: tuple[ServiceHome, ...], key: PrivateKey) -> Setup:
    node = network.nodes[0]
    return Setup(
        key,
        channels_domain(network.chain_id, addresses.CITY_CHANNELS),
        hub.account,
        hub.endpoint,
        hub.tls,
        (node.rpc,),
        client_tls(node_key=node.tls_public_key),
        folder / key.address.hex(),
        towers=tuple(TowerEndpoint(tower.endpoint, tower.tls) for tower in towers),
    )


def _pay(resident: PlainWallet, till: PlainWallet) -> None:
    """A payment and a refund; the first attempt makes the hub put money in."""
    deadline = time.monotonic() + _SOON_S
    while True:
        invoice = till.invoice(_PRICE)
        try:
            resident.pay(invoice.signed)
            break
        except PaymentFailedError:
            assert time.monotonic() < deadline, "the hub never puts money in"
            time.sleep(0.5)
    till.paid(invoice.signed.invoice.secret_hash)
    till.refund(invoice.signed.invoice.secret_hash, _REFUND)


def _state(wallet: PlainWallet) -> ChannelState:
    assert wallet.state is not None
    return wallet.state


def _folded(wallet: PlainWallet) -> bool:
    state = _state(wallet)
    return state.a.locks == () and state.a.receipt is not None and state.b.transferred == _REFUND


def _protected(wallet: PlainWallet) -> bool:
    return [tower.nonce == tower.newest > 0 for tower in wallet.towers] == [True, True]


def _lag(hub: ServiceHome) -> float:
    with urlopen(f"http://{hub.metrics}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    lags = [float(line.split()[-1]) for line in text.splitlines() if line.startswith("hub_tower_lag_seconds{")]
    assert len(lags) == 2
    return max(lags)


def _settles(client: SyncClient, parties: Parties) -> bool:
    """The transaction before makes a block: without any, the chain's window passes with a block in five seconds."""
    token = client.contract(load("SettlementToken").abi, addresses.SETTLEMENT_TOKEN)
    token.send(client.wallet(_HUB), "approve", addresses.CITY_CHANNELS, 1)
    contract = client.contract(load("CityChannels").abi, addresses.CITY_CHANNELS)
    try:
        contract.send(client.wallet(_HUB), "settle", parties_argument(parties), [], [])
    except ContractReverted:
        return False
    return True


def _within(seconds: float, holds: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.2)

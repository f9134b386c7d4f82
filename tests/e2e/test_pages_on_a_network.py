"""Wallet and till as pages, against four validators and a hub as processes."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from alatau_devnet.hub_process import HubProcess, admit, create_hub
from alatau_devnet.network import Devnet, create_network, remove_network, start_nodes
from alatau_devnet.plan import DevnetOptions
from alatau_devnet.processes import kill_process, stop_processes
from alatau_devnet.watch import wait_until_deciding
from tests.support.browser import CHROMIUM, browser
from tests.support.javascript import with_packages
from tests.support.shops import buy, charge, open_till, open_wallet, pay

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(CHROMIUM is None or shutil.which("npm") is None, reason="needs chromium and npm"),
]

SOON_MS = 1_000
"""From tap to tick, with a passkey's prompt that answers at once."""


@dataclass(frozen=True)
class City:
    """A network with a hub."""

    network: Devnet
    hub: HubProcess

    @property
    def origin(self) -> str:
        """Of the pages."""
        return self.hub.site

    def admit(self, account: bytes, *, kind: int = 1, units: int = 0) -> None:
        """Register, and send money."""
        admit(self.network, account, kind=kind, units=units)


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    """Four validators; locks of payments live up to 45 blocks, so the window is longer."""
    network = create_network(tmp_path / "network", DevnetOptions(validators=4, settle_blocks=60))
    hub = create_hub(network, tmp_path / "hub")
    try:
        start_nodes(network)
        wait_until_deciding(network)
        hub.start()
        yield City(network, hub)
    finally:
        stop_processes([hub.folder])
        remove_network(network.folder)


def test_a_resident_pays_a_shop_across_a_killed_hub(city: City, tmp_path: Path) -> None:
    """Opened, paid, the hub killed with -9 and back, paid within a second, refunded."""
    with_packages()
    with browser(tmp_path) as chromium:
        wallet = open_wallet(chromium, city, "wallet")
        till = open_till(chromium, city, "till", "Нан")
        buy(wallet, till, "150000")
        assert kill_process(city.hub.folder) is not None
        wallet.wait("#status.offline")
        city.hub.start()
        wallet.wait("#status.online", 60)
        till.wait("#status.online", 60)
        pay(wallet, charge(till, "25050"))
        assert int(wallet.ask("evaluate", code="document.documentElement.dataset.lastPaymentMs")) < SOON_MS
        wallet.press("OK")
        wallet.ask("waitText", selector="#balance", text="240.75")
        till.wait("#received")
        till.click("#next")
        till.click("#day")
        assert "1,750.50" in till.text("#day-received")
        till.click("#movements button")
        till.click("#refund")
        till.fill("#refund-amount", "500")
        till.click("#refund-do")
        wallet.ask("waitText", selector="#balance", text="740.75")

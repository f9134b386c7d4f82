"""Who leads the tour: connections, the actors' wallets, the contracts, and the lines that are printed."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from rich.console import Console

from alatau.artifacts.artifact import load
from alatau.client import ClientError, RpcError, SyncClient, TransactionFailed, Wallet
from alatau.client.contract import SyncContract
from alatau.wire.receipt import TransactionReceipt
from alatau_devnet import accounts
from alatau_devnet.network import Devnet, contract_addresses
from alatau_devnet.watch import client_of

GAS_LIMIT: Final = 1_500_000
"""Given where an estimate on the last block would be wrong, because the call waits for time to pass."""

_ARTIFACTS: Final = {"FundCouncil": "Council", "ReserveCouncil": "Council"}
_RIPE_S: Final = 20.0
"""A call that only waits for the chain's clock is tried again for this long."""


class TourError(RuntimeError):
    """A step did not do what its line says. The message says which step, and what came instead."""


class Guide:
    """One client, everybody's wallets, and the console. Made by :func:`open_guide`."""

    def __init__(self, network: Devnet, client: SyncClient, console: Console) -> None:
        self.network = network
        self.client = client
        self._console = console
        self._wallets: dict[str, Wallet] = {}
        self._contracts: dict[str, SyncContract] = {}

    def chapter(self, title: str) -> None:
        """What the next lines are about."""
        self._console.print(f"  [cyan]{title}[/]")

    def say(self, what: str, result: str) -> None:
        """A line of the tour."""
        self._console.print(f"    [green]done[/] {what}: [bold]{result}[/]", soft_wrap=True)

    def contract(self, name: str) -> SyncContract:
        """A contract of genesis."""
        if name not in self._contracts:
            abi = load(_ARTIFACTS.get(name, name)).abi
            self._contracts[name] = self.client.contract(abi, contract_addresses()[name])
        return self._contracts[name]

    def wallet(self, name: str) -> Wallet:
        """The wallet of an inhabitant."""
        if name not in self._wallets:
            self._wallets[name] = self.client.wallet(accounts.key_of(name))
        return self._wallets[name]

    def send(self, who: str, contract: str, function: str, *arguments: Any, value: int = 0) -> TransactionReceipt:
        """A transaction of ``who``, final and successful."""
        return self.contract(contract).send(self.wallet(who), function, *arguments, value=value)

    def send_when_ripe(self, who: str, contract: str, function: str, *arguments: Any) -> TransactionReceipt:
        """A transaction that the chain's clock may still refuse: sent again until its time has come."""
        deadline = time.monotonic() + _RIPE_S
        while True:
            try:
                return self.contract(contract).send(self.wallet(who), function, *arguments, gas_limit=GAS_LIMIT)
            except TransactionFailed:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def refused(self, who: str, contract: str, function: str, *arguments: Any) -> str:
        """Why the chain refuses a transaction: it is sent, becomes final, and fails. Raises ``TourError`` if not."""
        try:
            self.contract(contract).send(self.wallet(who), function, *arguments, gas_limit=GAS_LIMIT)
        except TransactionFailed as failed:
            return failed.explanation.removeprefix("the contract reverted: ")
        raise TourError(f"{function} of {contract} should have been refused, and was not")

    def event(self, contract: str, receipt: TransactionReceipt, name: str) -> dict[str, Any]:
        """The values of an event in a receipt; raises ``TourError`` if it is not there."""
        for event in self.contract(contract).events(receipt):
            if event.name == name:
                return event.values
        raise TourError(f"{contract} emitted no {name}")


@contextmanager
def open_guide(network: Devnet, console: Console) -> Iterator[Guide]:
    """A guide who talks to the first node; what the SDK raises becomes a ``TourError``."""
    with client_of(network.nodes[0]) as client:
        try:
            yield Guide(network, client, console)
        except (ClientError, RpcError) as error:
            raise TourError(f"a step of the tour failed: {error}") from error


def expect(what: str, found: object, wanted: object) -> None:
    """Raise ``TourError`` unless a step had the result that its line claims."""
    if found != wanted:
        raise TourError(f"{what} is {found}, and should be {wanted}")


def timed(step: Callable[[], None]) -> float:
    """Seconds that ``step`` took."""
    started = time.perf_counter()
    step()
    return time.perf_counter() - started


def money(units: int) -> str:
    """Smallest units as tenge."""
    return f"{units // 100:,}.{units % 100:02d} KZTD"

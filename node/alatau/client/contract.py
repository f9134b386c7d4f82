"""A contract that a program calls and sends to: :class:`Contract` on Trio, :class:`SyncContract` without."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, Protocol, TypeVar

from alatau.client import contract_plans
from alatau.client.abi import Abi, Event
from alatau.client.exchange import FINAL_TIMEOUT_S, Plan
from alatau.client.iteration import Listed, Mapped, Runner
from alatau.client.queries import CallMessage, logs
from alatau.client.wallet import Wallet
from alatau.wire.logs import EventFilter
from alatau.wire.receipt import TransactionReceipt

T = TypeVar("T")


class SyncRunner(Protocol):
    """Carries out plans."""

    def run(self, plan: Plan[T]) -> T:
        """Ask what the plan asks until it is done."""


class Contract:
    """A contract that a program calls and sends to."""

    def __init__(self, runner: Runner, abi: Abi, address: bytes) -> None:
        self._runner = runner
        self.abi = abi
        self.address = address

    async def read(self, name: str, *arguments: Any, sender: bytes | None = None, height: int | None = None) -> Any:
        """Call a function and give what it returns; nothing changes. Raises ``ContractReverted``."""
        return await self._runner.run(contract_plans.read(self.abi, self.address, name, arguments, sender, height))

    async def send(
        self,
        wallet: Wallet,
        name: str,
        *arguments: Any,
        value: int = 0,
        gas_limit: int | None = None,
        timeout_s: float = FINAL_TIMEOUT_S,
    ) -> TransactionReceipt:
        """Call a function in a transaction and wait until it is final.

        Raises:
            ContractReverted: the estimate already shows that it would revert; nothing was sent.
            TransactionFailed: it is final, and failed.
        """
        message = CallMessage(self.address, self.encode(name, *arguments), wallet.address, value)
        return await self._runner.run(
            contract_plans.transact(self.abi, wallet, message, gas_limit=gas_limit, timeout_s=timeout_s)
        )

    def encode(self, name: str, *arguments: Any) -> bytes:
        """Call data, for a transaction that the program signs itself."""
        return self.abi.encode_call(name, arguments)

    def events(self, receipt: TransactionReceipt) -> list[Event]:
        """The events that this contract emitted in a transaction."""
        return contract_plans.events(self.abi, self.address, receipt.logs)

    def past_events(
        self, name: str, from_height: int = 0, to_height: int | None = None, **indexed: Any
    ) -> AsyncIterator[Event]:
        """Events of a range of heights, by name and values of indexed members (a list: any of them)."""
        pages = logs(EventFilter((self.address,), self.abi.topics(name, indexed)), from_height, to_height)
        return Mapped(Listed(self._runner, pages), self.abi.decode_event)


class SyncContract:
    """A contract that a program calls and sends to."""

    def __init__(self, runner: SyncRunner, abi: Abi, address: bytes) -> None:
        self._runner = runner
        self.abi = abi
        self.address = address

    def read(self, name: str, *arguments: Any, sender: bytes | None = None, height: int | None = None) -> Any:
        """Call a function and give what it returns; nothing changes. Raises ``ContractReverted``."""
        return self._runner.run(contract_plans.read(self.abi, self.address, name, arguments, sender, height))

    def send(
        self,
        wallet: Wallet,
        name: str,
        *arguments: Any,
        value: int = 0,
        gas_limit: int | None = None,
        timeout_s: float = FINAL_TIMEOUT_S,
    ) -> TransactionReceipt:
        """Call a function in a transaction and wait until it is final.

        Raises:
            ContractReverted: the estimate already shows that it would revert; nothing was sent.
            TransactionFailed: it is final, and failed.
        """
        message = CallMessage(self.address, self.encode(name, *arguments), wallet.address, value)
        return self._runner.run(
            contract_plans.transact(self.abi, wallet, message, gas_limit=gas_limit, timeout_s=timeout_s)
        )

    def encode(self, name: str, *arguments: Any) -> bytes:
        """Call data, for a transaction that the program signs itself."""
        return self.abi.encode_call(name, arguments)

    def events(self, receipt: TransactionReceipt) -> list[Event]:
        """The events that this contract emitted in a transaction."""
        return contract_plans.events(self.abi, self.address, receipt.logs)

    def past_events(
        self, name: str, from_height: int = 0, to_height: int | None = None, **indexed: Any
    ) -> Iterator[Event]:
        """Events of a range of heights, by name and values of indexed members (a list: any of them)."""
        pages = logs(EventFilter((self.address,), self.abi.topics(name, indexed)), from_height, to_height)
        while not pages.done:
            for log in self._runner.run(pages.next_page()):
                event = self.abi.decode_event(log)
                if event is not None:
                    yield event

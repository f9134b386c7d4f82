"""The SDK for scripts, notebooks and threads.

For example::

    with connect_sync("127.0.0.1:7101", client_tls(ca="ca.pem")) as client:
        print(client.status())

It needs no event loop, neither Trio's nor asyncio's.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from alatau.client import contract_plans, queries, submitting
from alatau.client.abi import Abi, load_abi
from alatau.client.contract import SyncContract
from alatau.client.exchange import FINAL_TIMEOUT_S, METHODS, RETRY_PAUSES_S, Ask, Plan, may_retry
from alatau.client.queries import (
    AccountView,
    CallMessage,
    CallOutcome,
    LogsOfBlock,
    Pages,
    ValidatorsAt,
    read_logs_of_block,
    read_subscribed_block,
    subscribe_logs_request,
)
from alatau.client.submitting import SubmitOutcome, Submitted
from alatau.client.wallet import Wallet
from alatau.crypto.secp256k1 import PrivateKey
from alatau.pb.api.v1 import block_service_pb2
from alatau.transport.credentials import ClientTls
from alatau.transport.errors import RpcError
from alatau.transport.sync_channel import SyncChannel
from alatau.types.transaction import Transaction
from alatau.types.vote import Commit
from alatau.wire.account import StateProof
from alatau.wire.block import BlockRecord, BlockView
from alatau.wire.logs import EventFilter, EventLog
from alatau.wire.receipt import TransactionReceipt
from alatau.wire.status import ConsensusState, PeerRecord, Status
from alatau.wire.trace import Trace
from alatau.wire.transaction import TransactionRecord

T = TypeVar("T")


class SyncClient:
    """A node, as a script sees it. Made by :func:`connect_sync`. Safe to use from several threads."""

    def __init__(self, channel: SyncChannel) -> None:
        self._channel = channel

    def run(self, plan: Plan[T]) -> T:
        """Carry out a plan: ask what it asks until it is done."""
        try:
            asked = next(plan)
            while True:
                try:
                    answer = self._answer(asked)
                except Exception as error:  # noqa: BLE001  the plan decides what an error means
                    asked = plan.throw(error)
                else:
                    asked = plan.send(answer)
        except StopIteration as stop:
            result: T = stop.value
            return result
        finally:
            plan.close()

    def _answer(self, asked: Ask) -> Any:
        """Make a call, and again where nobody answered."""
        for pause_s in RETRY_PAUSES_S:
            try:
                return self._channel.unary(asked.method, asked.request, timeout_s=asked.timeout_s)
            except RpcError as error:
                if not may_retry(error):
                    raise
            time.sleep(pause_s)
        return self._channel.unary(asked.method, asked.request, timeout_s=asked.timeout_s)

    # Reading

    def status(self) -> Status:
        """Network, tip, sync state, pool and limits."""
        return self.run(queries.status())

    def consensus_state(self) -> ConsensusState:
        """The round of consensus, and in words what it waits for."""
        return self.run(queries.consensus_state())

    def peers(self) -> tuple[PeerRecord, ...]:
        """The nodes that the node is connected to."""
        return self.run(queries.peers())

    def validators(self, height: int | None = None) -> ValidatorsAt:
        """The set that decides ``height``, or the next height."""
        return self.run(queries.validators(height))

    def block(self, height_or_hash: int | bytes | None = None, view: BlockView = BlockView.HASHES) -> BlockRecord:
        """A block by height or hash; the tip without either."""
        return self.run(queries.block(height_or_hash, view))

    def blocks(
        self,
        from_height: int,
        to_height: int | None = None,
        view: BlockView = BlockView.HASHES,
        *,
        descending: bool = False,
    ) -> Iterator[BlockRecord]:
        """Blocks of a range, fetched in pages."""
        return self._items(queries.blocks(from_height, to_height, view, descending=descending))

    def commit(self, height: int | None = None) -> Commit:
        """The commit that decided a height; not verified (:class:`alatau.client.light.LightClient` does)."""
        return self.run(queries.commit(height))

    def account(self, address: bytes, height: int | None = None) -> AccountView:
        """An account; one that does not exist is empty."""
        return self.run(queries.account(address, height))

    def balance(self, address: bytes, height: int | None = None) -> int:
        """Wei of an account."""
        return (self.account(address, height)).account.balance

    def storage(self, address: bytes, slots: Sequence[int], height: int | None = None) -> tuple[int, ...]:
        """Words of a contract's storage."""
        return self.run(queries.storage(address, slots, height))

    def code(self, address: bytes, height: int | None = None) -> bytes:
        """A contract's code."""
        return self.run(queries.code(address, height))

    def proof(self, address: bytes, slots: Sequence[int] = (), height: int | None = None) -> StateProof:
        """A proof, not verified (:class:`alatau.client.light.LightClient` does)."""
        return self.run(queries.proof(address, slots, height))

    def transaction(self, transaction_hash: bytes) -> TransactionRecord:
        """A transaction, pooled or final."""
        return self.run(queries.transaction(transaction_hash))

    def receipt(self, transaction_hash: bytes) -> TransactionReceipt:
        """The outcome of a final transaction."""
        return self.run(queries.receipt(transaction_hash))

    def call(self, message: CallMessage, height: int | None = None) -> CallOutcome:
        """Run a message call and throw its changes away."""
        return self.run(queries.call(message, height))

    def estimate_gas(self, message: CallMessage, height: int | None = None) -> int:
        """The least gas limit with which the transaction succeeds."""
        return self.run(queries.estimate_gas(message, height))

    def trace(self, transaction_hash: bytes) -> Trace:
        """What a final transaction did, call by call."""
        return self.run(queries.trace(transaction_hash))

    def trace_call(self, message: CallMessage, height: int | None = None) -> Trace:
        """What a message call does, call by call."""
        return self.run(queries.trace_call(message, height))

    def logs(self, wanted: EventFilter, from_height: int = 0, to_height: int | None = None) -> Iterator[EventLog]:
        """Logs of a range, fetched in pages."""
        return self._items(queries.logs(wanted, from_height, to_height))

    # Submitting

    def submit(self, transaction: Transaction | bytes) -> Submitted:
        """Offer one transaction; returns when it is pooled. Offering the same again is safe."""
        return self.run(submitting.submit(transaction))

    def submit_many(self, transactions: Sequence[Transaction | bytes]) -> list[SubmitOutcome]:
        """Offer many, in batches, in order; one outcome for each."""
        return self.run(submitting.submit_many(transactions))

    def submit_and_wait(
        self, transaction: Transaction | bytes, timeout_s: float = FINAL_TIMEOUT_S
    ) -> TransactionReceipt:
        """Offer one transaction and wait until it is final."""
        return self.run(submitting.submit_and_wait(transaction, timeout_s))

    def wait_final(self, transaction_hash: bytes, timeout_s: float = FINAL_TIMEOUT_S) -> TransactionReceipt:
        """The outcome of a transaction once it is final."""
        return self.run(queries.wait_final(transaction_hash, timeout_s))

    # Following

    def subscribe_blocks(
        self, from_height: int | None = None, view: BlockView = BlockView.HASHES
    ) -> AbstractContextManager[Iterator[BlockRecord]]:
        """Blocks as they are decided, without a gap.

        For example::

            with client.subscribe_blocks() as blocks:
                for block in blocks: ...
        """
        return _subscribe_blocks(self._channel, from_height, view)

    def subscribe_logs(
        self, wanted: EventFilter, *, from_height: int | None = None, cursor: str | None = None
    ) -> AbstractContextManager[Iterator[LogsOfBlock]]:
        """Logs as blocks are decided; resume with the last ``cursor``."""
        return _subscribe_logs(self._channel, wanted, from_height, cursor)

    # Accounts and contracts

    def wallet(self, key: PrivateKey) -> Wallet:
        """An account whose key this program holds, ready to sign for this network."""
        wallet = Wallet(key, (self.status()).chain_id)
        self.prepare(wallet)
        return wallet

    def prepare(self, wallet: Wallet) -> None:
        """Learn the wallet's next nonce, if it is not known."""
        self.run(contract_plans.prepare(wallet))

    def transfer(self, wallet: Wallet, to: bytes, value: int, timeout_s: float = FINAL_TIMEOUT_S) -> TransactionReceipt:
        """Send ether and wait until it is final."""
        message = CallMessage(to, b"", wallet.address, value)
        return self.run(contract_plans.transact(Abi(()), wallet, message, gas_limit=None, timeout_s=timeout_s))

    def contract(self, abi: Abi | str | Path | Sequence[Mapping[str, Any]], address: bytes) -> SyncContract:
        """A contract at an address."""
        return SyncContract(self, load_abi(abi), address)

    def deploy(
        self,
        wallet: Wallet,
        abi: Abi | str | Path | Sequence[Mapping[str, Any]],
        bytecode: bytes,
        *arguments: Any,
        gas_limit: int | None = None,
        timeout_s: float = FINAL_TIMEOUT_S,
    ) -> SyncContract:
        """Deploy a contract and wait until it is final."""
        parsed = load_abi(abi)
        data = contract_plans.deployment_data(parsed, bytecode, arguments)
        receipt = self.run(
            contract_plans.transact(
                parsed,
                wallet,
                CallMessage(None, data, wallet.address),
                gas_limit=gas_limit,
                timeout_s=timeout_s,
            )
        )
        assert receipt.contract_address is not None
        return SyncContract(self, parsed, receipt.contract_address)

    def check(self, receipt: TransactionReceipt, abi: Abi | None = None) -> None:
        """Raise ``TransactionFailed`` for a transaction that failed, with an explanation."""
        self.run(contract_plans.check(receipt, abi))

    def _items(self, pages: Pages[T]) -> Iterator[T]:
        while not pages.done:
            yield from self.run(pages.next_page())


@contextmanager
def connect_sync(endpoint: str, tls: ClientTls) -> Iterator[SyncClient]:
    """A client of the node at ``host:port``. Connects with the first call, and again after a loss.

    Args:
        endpoint: ``host:port`` of the node's client API.
        tls: whom to trust and who to be; see :func:`alatau.client.tls.client_tls`.
    """
    channel = SyncChannel(endpoint, tls)
    try:
        yield SyncClient(channel)
    finally:
        channel.close()


@contextmanager
def _subscribe_blocks(
    channel: SyncChannel, from_height: int | None, view: BlockView
) -> Iterator[Iterator[BlockRecord]]:
    request = block_service_pb2.SubscribeBlocksRequest(from_height=from_height, view=view)  # type: ignore[arg-type]
    with channel.server_stream(METHODS["SubscribeBlocks"], request) as responses:
        yield (block for response in responses if (block := read_subscribed_block(response)) is not None)


@contextmanager
def _subscribe_logs(
    channel: SyncChannel, wanted: EventFilter, from_height: int | None, cursor: str | None
) -> Iterator[Iterator[LogsOfBlock]]:
    request = subscribe_logs_request(wanted, from_height, cursor)
    with channel.server_stream(METHODS["SubscribeLogs"], request) as responses:
        yield (read_logs_of_block(response) for response in responses)

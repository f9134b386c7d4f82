"""The SDK for scripts, notebooks and threads.

For example::

    with connect_sync("127.0.0.1:7101", client_tls(ca="ca.pem")) as client:
        print(client.status())

It needs no event loop, neither Trio's nor asyncio's.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, TypeVar

from alatau.client import contract_plans, queries, submitting
from alatau.client.abi import Abi, AbiSource, load_abi
from alatau.client.contract import SyncContract
from alatau.client.endpoints import Attempts, Endpoints, endpoint_list
from alatau.client.exchange import FINAL_TIMEOUT_S, METHODS, Ask, Pause, Plan
from alatau.client.queries import (
    AccountPage,
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
from alatau.client.resuming import SyncResuming
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
from alatau.wire.status import ConsensusState, PeerRecord, Status, SystemContractInterface
from alatau.wire.trace import Trace
from alatau.wire.transaction import TransactionRecord

T = TypeVar("T")


class SyncClient:
    """A node, as a script sees it. Made by :func:`connect_sync`. Safe to use from several threads."""

    def __init__(self, channels: Sequence[SyncChannel]) -> None:
        self._endpoints = Endpoints(channels)

    @property
    def _channel(self) -> SyncChannel:
        """The channel in use."""
        return self._endpoints.current

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

    def _answer(self, asked: Ask | Pause) -> Any:
        """Make a call, and again where nobody answered, of the next node where there are several."""
        if isinstance(asked, Pause):
            return time.sleep(asked.seconds)
        attempts = Attempts(self._endpoints)
        while True:
            channel = self._channel
            try:
                return channel.unary(asked.method, asked.request, timeout_s=asked.timeout_s)
            except RpcError as error:
                pause_s = attempts.pause_s(error, channel)
                if pause_s is None:
                    raise
            time.sleep(pause_s)

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

    def system_contract(self, name: str) -> SystemContractInterface:
        """A contract of genesis by its name: where it stands, its ABI and storage layout."""
        return self.run(queries.system_contract(name))

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

    def sent_transaction(self, sender: bytes, nonce: int) -> TransactionRecord:
        """The final transaction of a sender with a nonce; the node must keep an index of accounts."""
        return self.run(queries.sent_transaction(sender, nonce))

    def transactions_of(
        self, address: bytes, from_height: int = 0, to_height: int | None = None, page_token: str = ""
    ) -> AccountPage:
        """A page of what an account sent or was paid by, oldest first; the node must keep an index of accounts."""
        return self.run(queries.transactions_of(address, from_height, to_height, page_token))

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

    def submit_many(
        self, transactions: Sequence[Transaction | bytes], *, patience_s: float = submitting.PATIENCE_S
    ) -> list[SubmitOutcome]:
        """Offer many, in batches, in order; one outcome for each.

        Where the pool is full, or the node limits the rate, what found no room is offered again as room comes: for as
        long as some are taken every ``patience_s`` seconds. What is left then is refused with the reason of the node.
        """
        return self.run(submitting.submit_many(transactions, patience_s))

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
        if len(self._endpoints) == 1:
            return _subscribe_blocks(self._channel, from_height, view)
        return self.follow_blocks(from_height, view)

    def subscribe_logs(
        self, wanted: EventFilter, *, from_height: int | None = None, cursor: str | None = None
    ) -> AbstractContextManager[Iterator[LogsOfBlock]]:
        """Logs as blocks are decided; resume with the last ``cursor``."""
        if len(self._endpoints) == 1:
            return _subscribe_logs(self._channel, wanted, from_height, cursor)
        return self.follow_logs(wanted, from_height=from_height, cursor=cursor)

    def follow_blocks(
        self, from_height: int | None = None, view: BlockView = BlockView.HASHES
    ) -> AbstractContextManager[Iterator[BlockRecord]]:
        """As ``subscribe_blocks``, going on by itself after a lost connection, with whichever node answers."""

        def open_at(channel: SyncChannel, height: int) -> AbstractContextManager[Iterator[BlockRecord]]:
            return _subscribe_blocks(channel, height, view)

        return self._resuming(open_at, from_height, lambda block: block.height + 1)

    def follow_logs(
        self, wanted: EventFilter, *, from_height: int | None = None, cursor: str | None = None
    ) -> AbstractContextManager[Iterator[LogsOfBlock]]:
        """As ``subscribe_logs``, going on by itself after a lost connection, with whichever node answers."""

        def open_at(channel: SyncChannel, start: int | str) -> AbstractContextManager[Iterator[LogsOfBlock]]:
            height, after = (start, None) if isinstance(start, int) else (None, start)
            return _subscribe_logs(channel, wanted, height, after)

        return self._resuming(open_at, from_height if cursor is None else cursor, lambda logs: logs.height + 1)

    @contextmanager
    def _resuming(
        self,
        open_at: Callable[[SyncChannel, Any], AbstractContextManager[Iterator[T]]],
        start: int | str | None,
        after: Callable[[T], Any],
    ) -> Iterator[Iterator[T]]:
        """A subscription from ``start``; without one from the next block, which is known by its height from now on."""
        position: Any = self.status().height + 1 if start is None else start
        with ExitStack() as stack:
            yield SyncResuming(stack, self._endpoints, open_at, position, after)

    # Accounts and contracts

    def wallet(self, key: PrivateKey | Wallet) -> Wallet:
        """An account whose key this program holds, ready to sign for this network."""
        wallet = key if isinstance(key, Wallet) else Wallet(key)
        self.prepare(wallet)
        return wallet

    def prepare(self, wallet: Wallet) -> None:
        """Learn the wallet's network and next nonce, if they are not known."""
        self.run(contract_plans.prepare(wallet))

    def transfer(
        self,
        wallet: Wallet,
        to: bytes,
        value: int,
        timeout_s: float = FINAL_TIMEOUT_S,
        *,
        gas_limit: int | None = None,
    ) -> TransactionReceipt:
        """Send ether and wait until it is final; without a gas limit what an estimate says."""
        message = CallMessage(to, b"", wallet.address, value)
        return self.run(contract_plans.transact(Abi(()), wallet, message, gas_limit=gas_limit, timeout_s=timeout_s))

    def contract(self, abi: AbiSource, address: bytes) -> SyncContract:
        """A contract at an address."""
        return SyncContract(self, load_abi(abi), address)

    def deploy(
        self,
        wallet: Wallet,
        abi: AbiSource,
        bytecode: bytes | str,
        *arguments: Any,
        gas_limit: int | None = None,
        timeout_s: float = FINAL_TIMEOUT_S,
    ) -> SyncContract:
        """Deploy a contract and wait until it is final; ``bytecode`` as bytes, or as a compiler's hexadecimal text."""
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
def connect_sync(endpoint: str | Sequence[str], tls: ClientTls) -> Iterator[SyncClient]:
    """A client of the node at ``host:port``. Connects with the first call, and again after a loss.

    Args:
        endpoint: ``host:port`` of the node's client API, or those of several nodes: where one does not answer, the
            next is asked, and subscriptions go on there.
        tls: whom to trust and who to be; see :func:`alatau.client.tls.client_tls`.
    """
    with ExitStack() as stack:
        channels = [SyncChannel(target, tls) for target in endpoint_list(endpoint)]
        for channel in channels:
            stack.callback(channel.close)
        yield SyncClient(channels)


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

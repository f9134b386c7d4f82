"""Plans that read: one for each reading method of the API."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message

from alatau.client.exchange import Plan, ask
from alatau.pb.api.v1 import (
    block_service_pb2,
    event_service_pb2,
    node_service_pb2,
    state_service_pb2,
    transaction_service_pb2,
)
from alatau.transport.errors import RpcError
from alatau.types.account import Account
from alatau.types.validator import Validator, ValidatorSet, checked_validator_set
from alatau.types.vote import Commit
from alatau.wire.account import StateProof, read_account, read_proof
from alatau.wire.amount import write_amount
from alatau.wire.block import BlockRecord, BlockView, read_block, read_commit
from alatau.wire.logs import EventFilter, EventLog, read_log, write_filter
from alatau.wire.receipt import ReceiptProof, TransactionReceipt, read_receipt, read_receipt_proof
from alatau.wire.status import (
    ConsensusState,
    PeerRecord,
    Status,
    SystemContractInterface,
    read_consensus_state,
    read_interface,
    read_peer,
    read_status,
    read_validator,
)
from alatau.wire.trace import Trace, read_trace
from alatau.wire.transaction import TransactionRecord, TransactionState, read_position, read_transaction

T = TypeVar("T")

_VALIDATORS_MAX = 10_000
"""Members of a set that are read: many times what a network has, so that a listing ends whoever sends it."""

CALL_TIMEOUT_S = 20.0
"""For calls that run a contract: they may wait for their turn."""


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account after a block."""

    account: Account
    height: int
    next_nonce: int
    """For its next transaction, past those that wait in the node's pool."""
    queued_nonces: tuple[int, ...] = ()
    """Of its transactions that wait behind ``next_nonce``, which is missing; the first 64."""


@dataclass(frozen=True, slots=True)
class CallMessage:
    """A message call to simulate."""

    to: bytes | None
    """None runs ``data`` as init code."""
    data: bytes = b""
    sender: bytes | None = None
    value: int = 0
    gas_limit: int = 0
    """0 takes the node's bound."""


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """What a simulated call gave."""

    output: bytes
    gas_used: int
    height: int
    """It ran on the state after this block."""


@dataclass(frozen=True, slots=True)
class LogsOfBlock:
    """Logs of one block from a subscription."""

    height: int
    """The subscription is complete up to and including this height."""
    logs: tuple[EventLog, ...]
    cursor: str
    """Resumes after this."""


@dataclass(frozen=True, slots=True)
class AccountPage:
    """Final transactions of an account."""

    transactions: tuple[TransactionRecord, ...]
    next_page_token: str
    """For the next page; empty at the end."""
    indexed_from_height: int
    """What is below may be missing."""


@dataclass(frozen=True, slots=True)
class ValidatorsAt:
    """The validators of a height."""

    height: int
    validators: ValidatorSet


def status() -> Plan[Status]:
    """Network, tip, sync state, pool and limits."""
    return ask("GetStatus", node_service_pb2.GetStatusRequest(), read_status)


def system_contract(name: str) -> Plan[SystemContractInterface]:
    """A contract of genesis by its name: where it stands, its ABI and storage layout, by the node's software."""
    return ask("GetSystemContract", node_service_pb2.GetSystemContractRequest(name=name), read_interface)


def consensus_state() -> Plan[ConsensusState]:
    """The round, and in words what it waits for."""
    return ask("GetConsensusState", node_service_pb2.GetConsensusStateRequest(), read_consensus_state)


def peers() -> Plan[tuple[PeerRecord, ...]]:
    """All peers of the node."""
    found: list[PeerRecord] = []
    token = ""
    while True:
        response = yield from ask("ListPeers", node_service_pb2.ListPeersRequest(page_token=token), lambda r: r)
        found += [read_peer(peer) for peer in response.peers]
        token = response.next_page_token
        if not token:
            return tuple(found)


def validators(height: int | None = None) -> Plan[ValidatorsAt]:
    """The set that decides ``height``, or the next height.

    Raises:
        ValueError: what the node sent is no validator set.
    """
    found: list[Validator] = []
    token = ""
    while True:
        request = node_service_pb2.ListValidatorsRequest(height=height, page_token=token)
        response = yield from ask("ListValidators", request, lambda r: r)
        found += [read_validator(validator) for validator in response.validators]
        token = response.next_page_token
        if not token:
            return ValidatorsAt(response.height, checked_validator_set(found))
        if not response.validators or len(found) > _VALIDATORS_MAX:
            raise ValueError(f"the list of validators does not end after {len(found)}")


def block(height_or_hash: int | bytes | None = None, view: BlockView = BlockView.HASHES) -> Plan[BlockRecord]:
    """A block by height or hash; the tip without either."""
    request = block_service_pb2.GetBlockRequest(view=view)  # type: ignore[arg-type]
    if isinstance(height_or_hash, bytes):
        request.hash = height_or_hash
    elif height_or_hash is not None:
        request.height = height_or_hash
    return ask("GetBlock", request, lambda r: read_block(r.block))


def blocks(
    from_height: int, to_height: int | None = None, view: BlockView = BlockView.HASHES, *, descending: bool = False
) -> "Pages[BlockRecord]":
    """Pages of blocks."""
    request = block_service_pb2.ListBlocksRequest(
        from_height=from_height,
        to_height=to_height,
        descending=descending,
        view=view,  # type: ignore[arg-type]
    )

    def go_on(last: BlockRecord) -> None:
        if descending:
            request.to_height = last.height - 1
        else:
            request.from_height = last.height + 1

    def read(response: block_service_pb2.ListBlocksResponse) -> list[BlockRecord]:
        return [read_block(message) for message in response.blocks]

    return Pages("ListBlocks", request, read, go_on)


def logs(wanted: EventFilter, from_height: int = 0, to_height: int | None = None) -> "Pages[EventLog]":
    """Pages of logs."""
    request = event_service_pb2.ListLogsRequest(
        filter=write_filter(wanted), from_height=from_height, to_height=to_height, page_size=1_000
    )

    seen = (-1, -1)

    def go_on(last: EventLog) -> None:
        nonlocal seen
        seen = (last.height, last.log_index)
        request.from_height = last.height

    def read(response: event_service_pb2.ListLogsResponse) -> list[EventLog]:
        found = map(read_log, response.logs)
        return [log for log in found if (log.height, log.log_index) > seen]

    return Pages("ListLogs", request, read, go_on)


def subscribe_logs_request(
    wanted: EventFilter, from_height: int | None, cursor: str | None
) -> event_service_pb2.SubscribeLogsRequest:
    """What opens a subscription: from a height, after a cursor, or with the next block."""
    request = event_service_pb2.SubscribeLogsRequest(filter=write_filter(wanted))
    if cursor is not None:
        request.cursor = cursor
    elif from_height is not None:
        request.from_height = from_height
    return request


def read_logs_of_block(response: event_service_pb2.SubscribeLogsResponse) -> LogsOfBlock:
    """From the wire."""
    return LogsOfBlock(response.height, tuple(read_log(log) for log in response.logs), response.cursor)


def read_subscribed_block(response: block_service_pb2.SubscribeBlocksResponse) -> BlockRecord | None:
    """From the wire; None where the message only tells progress."""
    return read_block(response.block) if response.HasField("block") else None


def commit(height: int | None = None) -> Plan[Commit]:
    """The commit that decided a height."""
    return ask("GetCommit", block_service_pb2.GetCommitRequest(height=height), lambda r: read_commit(r.commit))


def account(address: bytes, height: int | None = None) -> Plan[AccountView]:
    """An account; one that does not exist is empty."""
    request = state_service_pb2.GetAccountRequest(address=address, height=height)
    return ask(
        "GetAccount",
        request,
        lambda r: AccountView(read_account(r.account), r.height, r.next_nonce, tuple(r.queued_nonces)),
    )


def storage(address: bytes, slots: Sequence[int], height: int | None = None) -> Plan[tuple[int, ...]]:
    """Words of a contract's storage."""
    words = [slot.to_bytes(32, "big") for slot in slots]
    request = state_service_pb2.GetStorageRequest(address=address, slots=words, height=height)
    return ask("GetStorage", request, lambda r: tuple(int.from_bytes(value, "big") for value in r.values))


def code(address: bytes, height: int | None = None) -> Plan[bytes]:
    """A contract's code."""
    request = state_service_pb2.GetCodeRequest(address=address, height=height)
    return ask("GetCode", request, lambda r: bytes(r.code))


def proof(address: bytes, slots: Sequence[int] = (), height: int | None = None) -> Plan[StateProof]:
    """A proof, not verified: :class:`alatau.client.light.LightClient` verifies."""
    words = [slot.to_bytes(32, "big") for slot in slots]
    request = state_service_pb2.GetProofRequest(address=address, slots=words, height=height)
    return ask("GetProof", request, lambda r: read_proof(r.proof))


def transaction(transaction_hash: bytes) -> Plan[TransactionRecord]:
    """A transaction, pooled or final."""
    request = transaction_service_pb2.GetTransactionRequest(hash=transaction_hash)
    return ask("GetTransaction", request, _read_record)


def sent_transaction(sender: bytes, nonce: int) -> Plan[TransactionRecord]:
    """The final transaction of a sender with a nonce; the node must keep an index of accounts."""
    sent = transaction_service_pb2.SenderNonce(sender=sender, nonce=nonce)
    return ask("GetTransaction", transaction_service_pb2.GetTransactionRequest(sent=sent), _read_record)


def transactions_of(
    address: bytes, from_height: int = 0, to_height: int | None = None, page_token: str = ""
) -> Plan[AccountPage]:
    """A page of what an account sent or was paid by, oldest first; the node must keep an index of accounts."""
    request = transaction_service_pb2.ListTransactionsRequest(
        address=address, from_height=from_height, to_height=to_height, page_token=page_token
    )
    return ask("ListTransactions", request, _read_account_page)


def receipt(transaction_hash: bytes) -> Plan[TransactionReceipt]:
    """The outcome of a final transaction."""
    request = transaction_service_pb2.GetReceiptRequest(hash=transaction_hash)
    return ask("GetReceipt", request, lambda r: read_receipt(r.receipt))


def receipt_proof(transaction_hash: bytes) -> Plan[ReceiptProof]:
    """Proof of a final transaction, not verified: :class:`alatau.client.light.LightClient` verifies."""
    request = transaction_service_pb2.GetReceiptProofRequest(hash=transaction_hash)
    return ask("GetReceiptProof", request, lambda r: read_receipt_proof(r.proof))


def wait_final(transaction_hash: bytes, timeout_s: float) -> Plan[TransactionReceipt]:
    """The outcome of a transaction once it is final."""
    request = transaction_service_pb2.GetReceiptRequest(hash=transaction_hash, wait=True)
    return ask("GetReceipt", request, lambda r: read_receipt(r.receipt), timeout_s)


def call(message: CallMessage, height: int | None = None) -> Plan[CallOutcome]:
    """Run a message call and throw its changes away. A revert is an ``RpcError`` EXECUTION_REVERTED."""
    request = transaction_service_pb2.CallRequest(message=_write_message(message), height=height)
    return ask("Call", request, lambda r: CallOutcome(bytes(r.output), r.gas_used, r.height), CALL_TIMEOUT_S)


def estimate_gas(message: CallMessage, height: int | None = None) -> Plan[int]:
    """The least gas limit with which the transaction succeeds."""
    request = transaction_service_pb2.EstimateGasRequest(message=_write_message(message), height=height)
    return ask("EstimateGas", request, lambda r: int(r.gas_limit), CALL_TIMEOUT_S)


class Pages(Generic[T]):
    """A listing, page by page: run :meth:`next_page` while not ``done``.

    A page token is good at the node that issued it. Where another node took over, the listing begins there after what
    was read.
    """

    def __init__(
        self, method: str, request: Message, read: Callable[[Any], list[T]], go_on: Callable[[T], None]
    ) -> None:
        """``go_on`` lets the request begin at or after an item, and ``read`` leaves out what was seen."""
        self._method = method
        self._request: Any = request
        self._read = read
        self._go_on = go_on
        self._last: T | None = None
        self.done = False

    def next_page(self) -> Plan[list[T]]:
        """The next page, which may be empty although more follow."""
        try:
            response = yield from ask(self._method, self._request, lambda r: r)
        except RpcError as error:
            if error.reason != "INVALID_PAGE_TOKEN" or not self._request.page_token:
                raise
            self._request.page_token = ""
            if self._last is not None:
                self._go_on(self._last)
            response = yield from ask(self._method, self._request, lambda r: r)
        self._request.page_token = response.next_page_token
        self.done = not response.next_page_token
        items = self._read(response)
        if items:
            self._last = items[-1]
        return items


def trace(transaction_hash: bytes) -> Plan[Trace]:
    """What a final transaction did, call by call."""
    request = transaction_service_pb2.TraceRequest(transaction_hash=transaction_hash)
    return ask("Trace", request, read_trace, CALL_TIMEOUT_S)


def trace_call(message: CallMessage, height: int | None = None) -> Plan[Trace]:
    """What a message call does, call by call."""
    request = transaction_service_pb2.TraceRequest(message=_write_message(message), height=height)
    return ask("Trace", request, read_trace, CALL_TIMEOUT_S)


def _read_record(response: transaction_service_pb2.GetTransactionResponse) -> TransactionRecord:
    message = response.transaction
    position = read_position(response.position) if response.HasField("position") else None
    state = TransactionState(response.state)
    return TransactionRecord(read_transaction(message), message.sender, state, position)


def _read_account_page(response: transaction_service_pb2.ListTransactionsResponse) -> AccountPage:
    records = tuple(
        TransactionRecord(
            read_transaction(entry.transaction),
            entry.transaction.sender,
            TransactionState.FINAL,
            read_position(entry.position),
        )
        for entry in response.transactions
    )
    return AccountPage(records, response.next_page_token, response.indexed_from_height)


def _write_message(message: CallMessage) -> transaction_service_pb2.CallMessage:
    return transaction_service_pb2.CallMessage(
        sender=message.sender or b"",
        to=message.to or b"",
        data=message.data,
        value=write_amount(message.value),
        gas_limit=message.gas_limit,
    )

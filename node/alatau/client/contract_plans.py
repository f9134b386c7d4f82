"""Plans with a contract: calling, sending, deploying, and reading what it emitted."""

from collections.abc import Iterable
from typing import Any

from alatau.client import queries, submitting
from alatau.client.abi import Abi, Event, encode
from alatau.client.errors import ContractReverted, TransactionFailed
from alatau.client.exchange import Plan
from alatau.client.queries import CallMessage
from alatau.client.wallet import Wallet
from alatau.transport.errors import RpcError
from alatau.types.transaction import Transaction
from alatau.wire.logs import EventLog
from alatau.wire.receipt import TransactionReceipt

GAS_MARGIN_PERCENT = 20
"""Added to an estimate: the state may have moved on when the transaction runs."""


def read(
    abi: Abi, address: bytes, name: str, arguments: tuple[Any, ...], sender: bytes | None, height: int | None
) -> Plan[Any]:
    """Call a function and decode what it returns. Raises ``ContractReverted``."""
    data = abi.encode_call(name, arguments)
    message = CallMessage(address, data, sender)
    try:
        outcome = yield from queries.call(message, height)
    except RpcError as error:
        raise _named(error, abi) from error
    return abi.decode_output(name, len(arguments), outcome.output)


def estimated_gas(message: CallMessage, abi: Abi) -> Plan[int]:
    """A gas limit for a transaction, with a margin. Raises ``ContractReverted``."""
    try:
        least = yield from queries.estimate_gas(message)
    except RpcError as error:
        raise _named(error, abi) from error
    return least + least * GAS_MARGIN_PERCENT // 100


def prepare(wallet: Wallet) -> Plan[None]:
    """Learn the wallet's next nonce, if it is not known."""
    if not wallet.nonce_known:
        view = yield from queries.account(wallet.address)
        wallet.learn_nonce(view.next_nonce)


def submit_signed(wallet: Wallet, transaction: Transaction) -> Plan[bytes]:
    """Submit what ``wallet`` signed, and give its hash; a refusal makes the wallet ask for its nonce anew."""
    try:
        submitted = yield from submitting.submit(transaction)
    except RpcError:
        wallet.forget_nonce()
        raise
    return submitted.hash


def transact(
    abi: Abi,
    wallet: Wallet,
    message: CallMessage,
    *,
    gas_limit: int | None,
    timeout_s: float,
) -> Plan[TransactionReceipt]:
    """Sign and submit a transaction and wait until it is final.

    Raises:
        ContractReverted: the estimate already shows that it would revert; nothing was sent.
        TransactionFailed: it is final, and reverted or halted.
        RpcError: the node refused it, or it was not final in time.
    """
    gas = gas_limit if gas_limit is not None else (yield from estimated_gas(message, abi))
    yield from prepare(wallet)
    transaction = wallet.sign(to=message.to, data=message.data, value=message.value, gas_limit=gas)
    yield from submit_signed(wallet, transaction)
    receipt = yield from queries.wait_final(transaction.hash, timeout_s)
    yield from check(receipt, abi)
    return receipt


def check(receipt: TransactionReceipt, abi: Abi | None = None) -> Plan[None]:
    """Raise ``TransactionFailed`` for a transaction that failed, with an explanation."""
    if receipt.succeeded:
        return
    explanation = yield from explain(receipt, abi or Abi(()))
    raise TransactionFailed(receipt, explanation)


def explain(receipt: TransactionReceipt, abi: Abi) -> Plan[str]:
    """Why a transaction failed: the node runs it again where it stands."""
    try:
        trace = yield from queries.trace(receipt.transaction_hash)
    except RpcError as error:
        return f"it could not be run again: {error.message}"
    own = trace.calls[0]
    if own.error is None:
        return "it failed"
    if own.revert_reason is not None or not own.output:
        return own.revert_reason or own.error
    return str(abi.reverted(own.output))


def deployment_data(abi: Abi, bytecode: bytes, arguments: tuple[Any, ...]) -> bytes:
    """Init code with the constructor's arguments; raises ``AbiError``."""
    return bytecode + encode(abi.constructor, arguments, "the constructor")


def events(abi: Abi, address: bytes, logs: Iterable[EventLog]) -> list[Event]:
    """The events that the contract at ``address`` emitted, of those that its ABI declares."""
    decoded = [abi.decode_event(log) for log in logs if log.address == address]
    return [event for event in decoded if event is not None]


def _named(error: RpcError, abi: Abi) -> Exception:
    """The error of a call in the words of the contract's ABI."""
    if error.reason == "EXECUTION_REVERTED":
        return abi.reverted(bytes.fromhex(error.metadata.get("revert_data", "")))
    if error.reason == "EXECUTION_HALTED":
        return ContractReverted(error.message, b"", None)
    return error

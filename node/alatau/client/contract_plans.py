"""Plans with a contract: calling, sending, deploying, and reading what it emitted."""

import re
from collections.abc import Iterable
from typing import Any, Final

from alatau.client import queries, submitting
from alatau.client.abi import Abi, Event, encode
from alatau.client.errors import AbiError, ContractHalted, Failure, Outcome, TransactionFailed
from alatau.client.exchange import Plan
from alatau.client.queries import CallMessage
from alatau.client.wallet import Wallet
from alatau.transport.errors import RpcError
from alatau.wire.logs import EventLog
from alatau.wire.receipt import TransactionReceipt
from alatau.wire.trace import TracedCall

GAS_MARGIN_PERCENT = 20
"""Added to an estimate: the state may have moved on when the transaction runs."""


_REVERTED: Final = "execution reverted"
"""What a trace says of a revert; anything else is a halt."""


def read(
    abi: Abi, address: bytes, name: str, arguments: tuple[Any, ...], sender: bytes | None, height: int | None
) -> Plan[Any]:
    """Call a function and decode what it returns. Raises ``ContractReverted``."""
    data = abi.encode_call(name, arguments)
    message = CallMessage(address, data, sender)
    try:
        outcome = yield from queries.call(message, height)
    except RpcError as error:
        raise (yield from _named(error, abi, message, height)) from error
    return abi.decode_output(name, len(arguments), outcome.output)


def estimated_gas(message: CallMessage, abi: Abi) -> Plan[int]:
    """A gas limit for a transaction, with a margin. Raises ``ContractReverted``, ``ContractHalted``."""
    try:
        least = yield from queries.estimate_gas(message)
    except RpcError as error:
        raise (yield from _named(error, abi, message, None)) from error
    return least + least * GAS_MARGIN_PERCENT // 100


def prepare(wallet: Wallet) -> Plan[None]:
    """Learn the wallet's network and next nonce, if they are not known."""
    if wallet.chain_id is None:
        status = yield from queries.status()
        wallet.learn_chain(status.chain_id)
    if not wallet.nonce_known:
        view = yield from queries.account(wallet.address)
        wallet.learn_nonce(view.next_nonce)


def transact(
    abi: Abi,
    wallet: Wallet,
    message: CallMessage,
    *,
    gas_limit: int | None,
    timeout_s: float,
) -> Plan[TransactionReceipt]:
    """Sign and submit a transaction and wait until it is final.

    It is signed once: a node that dies meanwhile is followed by another, which gets the same bytes, and what is offered
    twice takes effect once.
    After an error the wallet asks for its nonce anew.

    Raises:
        ContractReverted, ContractHalted: the estimate already shows that it would fail; nothing was sent.
        TransactionFailed: it is final, and reverted or halted.
        RpcError: the node refused it, or it was not final in time.
    """
    gas = gas_limit if gas_limit is not None else (yield from estimated_gas(message, abi))
    yield from prepare(wallet)
    transaction = wallet.sign(to=message.to, data=message.data, value=message.value, gas_limit=gas)
    try:
        receipt = yield from submitting.submit_and_wait(transaction, timeout_s)
    except RpcError:
        wallet.forget_nonce()
        raise
    yield from check(receipt, abi)
    return receipt


def check(receipt: TransactionReceipt, abi: Abi | None = None) -> Plan[None]:
    """Raise ``TransactionFailed`` for a transaction that failed, with an explanation."""
    if receipt.succeeded:
        return
    failure = yield from explain(receipt, abi or Abi(()))
    raise TransactionFailed(receipt, failure)


def explain(receipt: TransactionReceipt, abi: Abi) -> Plan[Failure]:
    """Why a transaction failed: the node runs it again where it stands."""
    try:
        trace = yield from queries.trace(receipt.transaction_hash)
    except RpcError as error:
        return Failure(Outcome.FAILED, f"it could not be run again: {error.message}")
    failure = failure_of(trace.calls[0], abi)
    assert failure is not None, "a transaction that failed fails again"
    return failure


def failure_of(call: TracedCall, abi: Abi) -> Failure | None:
    """Why a traced call failed, in the words of its contract's ABI; None where it did not."""
    if call.error is None:
        return None
    if call.error != _REVERTED:
        return Failure(Outcome.HALTED, call.error)
    return Failure(Outcome.REVERTED, call.revert_reason or abi.describe_revert(call.output))


def deployment_data(abi: Abi, bytecode: bytes | str, arguments: tuple[Any, ...]) -> bytes:
    """Init code with the constructor's arguments; raises ``AbiError``."""
    return read_bytecode(bytecode) + encode(abi.constructor, arguments, "the constructor")


def read_bytecode(source: bytes | str) -> bytes:
    """Init code as bytes or, as compilers print it, in hexadecimal with or without 0x.

    Raises:
        AbiError: it is neither. Hexadecimal digits given as bytes are not what they say.
    """
    if isinstance(source, str):
        digits = source.strip().removeprefix("0x")
        try:
            code = bytes.fromhex(digits)
        except ValueError:
            odd = "an odd number of digits" if len(digits) % 2 else "other characters"
            raise AbiError(
                f"the bytecode is no hexadecimal text: it has {odd}; libraries must be linked first"
            ) from None
    elif isinstance(source, bytes | bytearray):
        code = bytes(source)
    else:
        raise AbiError(f"the bytecode is a {type(source).__name__}; give bytes, or hexadecimal text")
    if not code:
        raise AbiError("the bytecode is empty: an interface or an abstract contract cannot be deployed")
    if code[:2] in (b"0x", b"60", b"61", b"5f", b"5F") and re.fullmatch(rb"(0x)?[0-9a-fA-F]+\s*", code):
        raise AbiError("the bytecode is hexadecimal text in bytes: give the text itself, or bytes.fromhex of it")
    return code


def events(abi: Abi, address: bytes, logs: Iterable[EventLog]) -> list[Event]:
    """The events that the contract at ``address`` emitted, of those that its ABI declares."""
    decoded = [abi.decode_event(log) for log in logs if log.address == address]
    return [event for event in decoded if event is not None]


def _named(error: RpcError, abi: Abi, message: CallMessage, height: int | None) -> Plan[Exception]:
    """The error of a call in the words of the contract's ABI; a halt is run again to learn which it was."""
    if error.reason == "EXECUTION_REVERTED":
        return abi.reverted(bytes.fromhex(error.metadata.get("revert_data", "").removeprefix("0x")))
    if error.reason != "EXECUTION_HALTED":
        return error
    try:
        trace = yield from queries.trace_call(message, height)
    except RpcError:
        return ContractHalted(error.message)
    failure = failure_of(trace.calls[0], abi)
    return ContractHalted(error.message if failure is None else failure.reason)

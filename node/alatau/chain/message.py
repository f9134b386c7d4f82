"""Calls that are not transactions: reads, and the estimate of a transaction's gas. Nothing is kept.

A read runs on a fresh ``BlockState`` over a committed state, in the environment of that state's block. It may
come from any address, a contract's too, and pays nothing for its gas; ether that it sends must be there.
"""

from dataclasses import dataclass, replace
from typing import Final

from alatau.chain.authorization import apply_authorizations
from alatau.chain.transaction import (
    TRANSACTION_GAS_MAX,
    InvalidTransactionError,
    TransactionResult,
    gas_to_pay,
    intrinsic_gas,
    message_of,
    warm_up,
)
from alatau.evm.environment import BlockEnvironment, TransactionEnvironment
from alatau.evm.frame import Tracer
from alatau.evm.message import run_message
from alatau.state.block_state import BlockState, balance_of, begin_transaction, end_transaction, nonce_of, set_nonce
from alatau.state.parent import ParentState
from alatau.types.transaction import AccessList, Authorization

ESTIMATE_TRIALS_MAX: Final = 4
"""Executions of the dearest transaction that an estimate may cost. Halving alone takes up to 25, and a contract that
burns whatever it is given would have each of them cost as much: half a minute of the one thread for long calls."""
CALL_GAS: Final = 50_000_000
"""Gas of a read that names none: it bounds what one request can cost a node to a few seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRequest:
    """A call as a client asks for it. It is not signed: ``sender`` is taken at its word."""

    sender: bytes = bytes(20)
    to: bytes | None
    """None runs ``data`` as initcode."""
    value: int = 0
    data: bytes = b""
    gas: int | None = None
    """None: as much as a call may have."""
    gas_price: int = 0
    """What GASPRICE tells; nobody pays it."""
    access_list: AccessList = ()
    authorizations: tuple[Authorization, ...] = ()


class CallFailedError(ValueError):
    """No amount of gas makes the call succeed: the sender's arguments or the contract refuse it."""

    def __init__(self, result: TransactionResult) -> None:
        super().__init__("the call reverts" if result.reverted else "the call fails with all the gas it may have")
        self.result: Final = result
        """Its ``output`` is the reason that the contract gave, if it gave one."""


def call(
    block: BlockEnvironment, parent: ParentState, request: CallRequest, tracer: Tracer | None = None
) -> TransactionResult:
    """Run ``request`` and forget what it did.

    Raises:
        InvalidTransactionError: ``insufficient_funds`` for its value, or ``intrinsic_gas``.
    """
    return call_on(block, BlockState(parent), request, tracer)


def call_on(
    block: BlockEnvironment, state: BlockState, request: CallRequest, tracer: Tracer | None = None
) -> TransactionResult:
    """Run ``request`` on a state that keeps what it did: the next call finds it. Raises as ``call`` does."""
    sender = request.sender
    gas = request.gas if request.gas is not None else CALL_GAS
    intrinsic, floor = intrinsic_gas(request.to, request.data, request.access_list, len(request.authorizations))
    if gas < max(intrinsic, floor):
        raise InvalidTransactionError(
            "intrinsic_gas",
            f"gas {gas} is below the {max(intrinsic, floor)} it needs",
            gas_needed=max(intrinsic, floor),
        )
    balance = balance_of(state, sender)
    if balance < request.value:
        found = f"the sender has {balance} wei, less than {request.value}"
        raise InvalidTransactionError("insufficient_funds", found, balance=balance, needed=request.value)
    begin_transaction(state)
    nonce = nonce_of(state, sender)
    set_nonce(state, sender, nonce + 1)
    warm_up(block, state, sender, request.to, request.access_list)
    refund = apply_authorizations(block, state, request.authorizations)
    message = message_of(state, sender, nonce, request.to, request.value, request.data, gas - intrinsic)
    transaction = TransactionEnvironment(sender, request.gas_price)
    outcome = run_message(state, block, transaction, message, tracer)
    end_transaction(state)
    return TransactionResult(
        succeeded=outcome.succeeded,
        reverted=outcome.reverted,
        gas_used=gas_to_pay(gas - outcome.gas_left, state.refund + refund, floor),
        logs=tuple(state.logs),
        output=outcome.output,
        contract_address=message.address if outcome.succeeded and message.creates else None,
    )


def estimate_gas(block: BlockEnvironment, parent: ParentState, request: CallRequest) -> int:
    """The least gas limit with which ``request`` succeeds.

    It can lie above the gas used: a frame passes on at most 63/64 of its gas (EIP-150), contracts can look at
    what is left, and refunds come only at the end. So it is searched for, by halving, until that has used
    ``ESTIMATE_TRIALS_MAX`` times what a transaction may: then it is the least limit found to suffice, within a
    sixteenth for what uses most of that in each trial.

    Raises:
        InvalidTransactionError: see ``call``.
        CallFailedError: it succeeds with no gas limit that a transaction may have.
    """
    most = min(block.gas_limit, TRANSACTION_GAS_MAX.get(block.fork, block.gas_limit))
    if request.gas is not None:
        most = min(most, request.gas)
    result = call(block, parent, replace(request, gas=most))
    if not result.succeeded:
        raise CallFailedError(result)
    intrinsic, floor = intrinsic_gas(request.to, request.data, request.access_list, len(request.authorizations))
    if request.to is not None and result.gas_used == max(intrinsic, floor):
        return result.gas_used
    # Less than what is used after refunds is surely too little.
    least = max(intrinsic, floor, result.gas_used) - 1
    # Most calls need what they use, or a little more for the gas that each level of calls holds back.
    guess = result.gas_used + result.gas_used // 16
    spent, spent_max = result.gas_used, ESTIMATE_TRIALS_MAX * most
    while least + 1 < most and spent < spent_max:
        middle = guess if least < guess < most else (least + most) // 2
        guess = 0
        result = call(block, parent, replace(request, gas=middle))
        spent += result.gas_used
        if result.succeeded:
            most = middle
        else:
            least = middle
    return most

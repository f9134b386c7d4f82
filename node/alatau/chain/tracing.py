"""Runs a transaction of a past block again, watched by a tracer."""

from collections.abc import Callable, Sequence

from alatau.chain.authorization import authority_of
from alatau.chain.transaction import TransactionResult, apply_transaction
from alatau.evm.calls import create_address
from alatau.evm.environment import BlockEnvironment
from alatau.evm.frame import Tracer
from alatau.evm.tracing import PrestateTracer
from alatau.state.block_state import BlockState
from alatau.types.transaction import Transaction


def trace_transaction(
    block: BlockEnvironment,
    state: BlockState,
    transactions: Sequence[tuple[Transaction, bytes]],
    index: int,
    make_tracer: Callable[[BlockState], Tracer],
) -> TransactionResult:
    """Run the transactions (with their senders) before ``index`` as usual, then that one under a tracer.

    ``state`` is the block's after its system calls (``run_block_start``). The tracer is made when the state is
    what the transaction finds.
    """
    for tx, sender in transactions[:index]:
        apply_transaction(block, state, tx, sender)
    tx, sender = transactions[index]
    return apply_transaction(block, state, tx, sender, make_tracer(state))


def prestate_tracer(block: BlockEnvironment, state: BlockState, tx: Transaction, sender: bytes) -> PrestateTracer:
    """A prestate tracer that has seen the accounts which the transaction touches before any code runs."""
    to = create_address(sender, tx.nonce) if tx.to is None else tx.to
    signers = [authority_of(authorization) for authorization in tx.authorizations]
    delegates = [authorization.address for authorization in tx.authorizations]
    present = [address for address in (*signers, *delegates) if address is not None]
    return PrestateTracer(state, (sender, to, block.beneficiary, *present))

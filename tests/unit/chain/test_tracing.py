"""Past transactions under a tracer."""

from alatau.chain.tracing import prestate_tracer, trace_transaction
from alatau.chain.transaction import apply_transaction
from alatau.crypto.secp256k1 import PrivateKey
from alatau.evm.tracing import CallTracer, PrestateTracer
from alatau.state.block_state import BlockState
from tests.support.assembly import RETURN_TOP, assemble
from tests.support.transactions import signed
from tests.support.world import BENEFICIARY, CONTRACT, MemoryState, block

SENDER = PrivateKey(b"\x01" * 32)
COUNTER = assemble("PUSH 0 SLOAD PUSH 1 ADD DUP1 PUSH 0 SSTORE" + RETURN_TOP)


def world() -> MemoryState:
    """A counter and somebody who counts."""
    return MemoryState().put(SENDER.address, balance=10**18).put(CONTRACT, nonce=1, code=COUNTER)


TRANSACTIONS = [
    (
        signed(SENDER, nonce=nonce, gas_limit=100_000, to=CONTRACT, value=0, max_fee_per_gas=1),
        SENDER.address,
    )
    for nonce in range(3)
]


def test_the_third_transaction_finds_what_two_left() -> None:
    """Tracing replays the transactions before, and gives the result that the block had."""
    state = BlockState(world())
    results = [apply_transaction(block(), state, tx, sender) for tx, sender in TRANSACTIONS]
    tracer = CallTracer()
    result = trace_transaction(block(), BlockState(world()), TRANSACTIONS, 2, lambda _state: tracer)
    assert result == results[2]
    assert tracer.root is not None
    assert int.from_bytes(tracer.root.output) == 3


def test_the_state_before_a_transaction() -> None:
    """Sender, recipient and beneficiary are shown as the transaction found them, the fee's cost in the change."""
    environment = block(base_fee_per_gas=1)
    tracers: list[PrestateTracer] = []

    def make(state: BlockState) -> PrestateTracer:
        tracers.append(prestate_tracer(environment, state, *TRANSACTIONS[1]))
        return tracers[-1]

    result = trace_transaction(environment, BlockState(world()), TRANSACTIONS, 1, make)
    before, after = tracers[0].changes()
    assert before[SENDER.address].nonce == 1
    assert before[SENDER.address].balance - after[SENDER.address].balance == result.gas_used
    assert (before[CONTRACT].storage, after[CONTRACT].storage) == ({0: 1}, {0: 2})
    assert BENEFICIARY in tracers[0].before
    assert BENEFICIARY not in after

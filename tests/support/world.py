"""A small world for EVM tests: accounts in memory, one block, and calls into it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from alatau.crypto.keccak import keccak256
from alatau.evm.environment import BlockEnvironment, TransactionEnvironment
from alatau.evm.frame import Runtime, Tracer
from alatau.evm.message import Message, Outcome, run_message
from alatau.evm.runtime import new_runtime
from alatau.state.block_state import BlockState, balance_of, begin_transaction, end_transaction
from alatau.types.account import Account
from alatau.types.chain_config import Fork

CALLER = b"\xca" * 20
CONTRACT = b"\xc0" * 20
OTHER = b"\x0c" * 20
BENEFICIARY = b"\xbe" * 20


@dataclass(slots=True)
class MemoryState:
    """A parent state in dictionaries; it counts what is asked of it."""

    accounts: dict[bytes, Account] = field(default_factory=dict)
    slots: dict[bytes, dict[int, int]] = field(default_factory=dict)
    codes: dict[bytes, bytes] = field(default_factory=dict)
    reads: int = 0

    def account(self, address: bytes) -> Account | None:
        """See ``ParentState``."""
        self.reads += 1
        return self.accounts.get(address)

    def storage(self, address: bytes, slot: int) -> int:
        """See ``ParentState``."""
        self.reads += 1
        return self.slots.get(address, {}).get(slot, 0)

    def code(self, code_hash: bytes) -> bytes:
        """See ``ParentState``."""
        return self.codes[code_hash]

    def put(
        self,
        address: bytes,
        *,
        balance: int = 0,
        nonce: int = 0,
        code: bytes = b"",
        slots: Mapping[int, int] | None = None,
        storage_root: bytes | None = None,
    ) -> "MemoryState":
        """Add an account."""
        account = Account(nonce, balance, code_hash=keccak256(code))
        if storage_root is not None:
            account = Account(nonce, balance, storage_root, keccak256(code))
        self.accounts[address] = account
        self.codes[account.code_hash] = code
        self.slots[address] = dict(slots or {})
        return self


def block(fork: Fork = Fork.OSAKA, **changes: object) -> BlockEnvironment:
    """A block environment."""
    fields: dict[str, object] = {
        "fork": fork,
        "chain_id": 7773,
        "number": 300,
        "timestamp": 1_700_000_000,
        "beneficiary": BENEFICIARY,
        "gas_limit": 60_000_000,
        "base_fee_per_gas": 0,
        "prev_randao": b"\x07" * 32,
        "block_hash": lambda number: keccak256(str(number).encode()),
    }
    return BlockEnvironment(**{**fields, **changes})  # type: ignore[arg-type]


def contract(code: bytes, **account: object) -> MemoryState:
    """A state with ``code`` at ``CONTRACT`` and a caller with some ether."""
    state = MemoryState().put(CALLER, balance=10**18)
    return state.put(CONTRACT, code=code, **{"nonce": 1, **account})  # type: ignore[arg-type]


def run(
    parent: MemoryState,
    *,
    data: bytes = b"",
    gas: int = 10_000_000,
    value: int = 0,
    runtime: Runtime | None = None,
    tracer: Tracer | None = None,
    fork: Fork = Fork.OSAKA,
    to: bytes = CONTRACT,
    static: bool = False,
) -> tuple[Outcome, BlockState]:
    """Call ``to`` from ``CALLER`` on a fresh block state."""
    state = BlockState(parent)
    return call(
        state, parent, data=data, gas=gas, value=value, runtime=runtime, tracer=tracer, fork=fork, to=to, static=static
    ), state


def call(
    state: BlockState,
    parent: MemoryState,
    *,
    data: bytes = b"",
    gas: int = 10_000_000,
    value: int = 0,
    runtime: Runtime | None = None,
    tracer: Tracer | None = None,
    fork: Fork = Fork.OSAKA,
    to: bytes = CONTRACT,
    static: bool = False,
) -> Outcome:
    """Call ``to`` in a transaction of its own on ``state``."""
    begin_transaction(state)
    balance_of(state, CALLER)
    balance_of(state, to)
    code = parent.codes[parent.accounts[to].code_hash] if to in parent.accounts else b""
    message = Message(CALLER, to, code, creates=False, value=value, data=data, gas=gas, static=static)
    transaction = TransactionEnvironment(CALLER, 1, (b"\x01" + bytes(31),))
    outcome = run_message(state, block(fork), transaction, message, tracer, runtime or new_runtime(fork))
    end_transaction(state)
    return outcome

"""Code that is slow for what it makes the store and the trie do, on a state that does not fit in a cache.

The rows of ``worst.py`` run on a state in memory. These run on LevelDB, and those that write count the trie
too.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from alatau.chain.executed import ExecutedBlock
from alatau.chain.transaction import warm_up
from alatau.crypto.keccak import keccak256
from alatau.evm.environment import TransactionEnvironment
from alatau.evm.message import Message, run_message
from alatau.evm.runtime import new_runtime
from alatau.state.block_state import BlockState, balance_of, begin_transaction
from alatau.state.diff import BlockDiff
from alatau.storage.store import Store
from alatau.trie.state_trie import NoNodes, StateTrie
from alatau.types.account import Account
from alatau.types.block import Block
from alatau.types.chain_config import Fork
from alatau.types.header import (
    EMPTY_OMMERS_HASH,
    EMPTY_REQUESTS_HASH,
    EMPTY_ROOT,
    NONCE,
    ZERO_HASH,
    Header,
)
from alatau_devnet.evm_bench.worst import environment

ENTRIES: Final = 1 << 17
"""Accounts, and slots of one contract: more than the caches of nodes and of flat state hold of random ones."""

_FIRST: Final = 0x0100_0000_0000
_GAS: Final = 16_000_000
_SENDER: Final = b"\x5e" * 20
_NEXT: Final = "62012345026201abcd01"
"""x = x * 0x12345 + 0x1abcd: another place each time."""

_PLACE: Final = f"62{ENTRIES - 1:06x}1665{_FIRST:012x}17"
"""One of the entries, from the word on top."""

_ATTACKS: Final = {
    "BALANCE of accounts on disk": f"{_NEXT}80{_PLACE}3150",
    "EXTCODEHASH of accounts on disk": f"{_NEXT}80{_PLACE}3f50",
    "SLOAD of slots on disk": f"{_NEXT}80{_PLACE}5450",
    "SSTORE to slots on disk, with the trie": f"{_NEXT}8080{_PLACE}55",
    "SSTORE of new slots, with the trie": f"{_NEXT}808055",
    "payments to accounts on disk, with the trie": f"{_NEXT}5f5f5f5f600185{_PLACE}5ff150",
    "payments to new accounts, with the trie": f"{_NEXT}5f5f5f5f6001855ff150",
}

_WITH_SLOTS: Final = (2, 3)
"""Which attacks' contracts have the slots."""


def state_rows(folder: Path) -> Iterator[tuple[str, float]]:
    """(name, milliseconds per million gas) of each attack."""
    store = Store.open(folder)
    try:
        codes = {_address(number): _code(body) for number, body in enumerate(_ATTACKS.values())}
        store.init_genesis(_genesis(codes))
        for number, name in enumerate(_ATTACKS):
            yield name, min(_run(store, _address(number), codes[_address(number)], seed) for seed in (1, 2))
    finally:
        store.close()


def _code(body: str) -> bytes:
    """Run ``body`` until 450,000 gas are left, then stop, so that what was written stays."""
    return b"\x5f\x35\x5b" + bytes.fromhex(body) * 10 + bytes.fromhex("620700005a1160025700")


def _address(number: int) -> bytes:
    return bytes((0xA7,)) * 19 + bytes((number,))


def _genesis(codes: dict[bytes, bytes]) -> ExecutedBlock:
    accounts: dict[bytes, Account | None] = {
        (_FIRST + n).to_bytes(20, "big"): Account(0, n + 1) for n in range(ENTRIES)
    }
    slots = {_FIRST + n: n + 1 for n in range(ENTRIES)}
    storage = {_address(number): slots for number in _WITH_SLOTS}
    for address, code in codes.items():
        accounts[address] = Account(1, 10**24, EMPTY_ROOT, keccak256(code))
    accounts[_SENDER] = Account(0, 10**24)
    applied = StateTrie.open(EMPTY_ROOT, NoNodes()).apply(accounts, storage)
    header = Header(
        *(ZERO_HASH, EMPTY_OMMERS_HASH, bytes(20), applied.root, EMPTY_ROOT, EMPTY_ROOT, bytes(256), 0, 0, _GAS, 0, 0),
        *(ZERO_HASH, ZERO_HASH, NONCE, 0, EMPTY_ROOT, 0, 0, ZERO_HASH, EMPTY_REQUESTS_HASH),
    )
    diff = BlockDiff(applied.accounts, storage, {keccak256(code): code for code in codes.values()})
    return ExecutedBlock(Block(header, (), None), (), (), diff, applied)


def _run(store: Store, address: bytes, code: bytes, seed: int) -> float:
    """Run an attack on the newest state; what it changes goes into the trie and is dropped."""
    block, trie = environment(), store.trie()
    runtime = new_runtime(Fork.OSAKA)
    state = BlockState(store.state())
    begin_transaction(state)
    warm_up(block, state, _SENDER, address, ())
    balance_of(state, address)
    message = Message(_SENDER, address, code, False, 0, seed.to_bytes(32, "big"), _GAS)
    start = time.thread_time()
    outcome = run_message(state, block, TransactionEnvironment(_SENDER, 0), message, None, runtime)
    assert outcome.succeeded
    diff = state.diff()
    if diff.accounts:
        trie.apply(diff.accounts, diff.storage)
    elapsed = time.thread_time() - start
    return elapsed * 1e3 / ((_GAS - outcome.gas_left) / 1e6)

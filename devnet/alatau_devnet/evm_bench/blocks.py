"""A block of token payments, executed and stored as a validator does it: EVM, receipts, roots, trie, write batch."""

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from alatau.chain.executed import Tip
from alatau.chain.execution import BlockTemplate, build_block, execute_block
from alatau.crypto.secp256k1 import PrivateKey
from alatau.storage.store import Store, StoreOptions
from alatau.types.block import Block, decode_block, encode_block, last
from alatau.types.genesis import GenesisValidator
from alatau.types.transaction import Transaction, recover_sender
from alatau.types.validator import Validator, ValidatorSet, validator_set
from alatau.types.vote import Commit
from alatau_devnet.evm_bench.world import (
    CONFIG,
    RESIDENTS,
    TIMESTAMP,
    VALIDATOR,
    genesis,
    resident,
    validator,
)
from alatau_devnet.token_payment import token_payment

PAYMENTS: Final = 1_000
_BLOCKS: Final = 10
"""Measured; two more go before them, in which contracts are translated and accounts get their tags."""

_THREADS: Final = 2
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class BlockFigures:
    """Microseconds of processor time per payment, the median over blocks."""

    execute_us: float
    """Transactions, receipts, trie and roots, with senders known."""
    commit_us: float
    """The write batch: preparing and writing it."""
    commit_wall_us: float
    """The same with the wait for the disk."""
    commit_indexed_us: float
    """The write batch of a node with the index of accounts."""
    decode_us: float
    """Reading the block's bytes."""
    recover_us: float
    """Recovering the senders in one thread."""
    recover_threads_us: float
    """The same in threads, of wall-clock time."""
    gas_per_payment: int

    @property
    def total_us(self) -> float:
        """Executing and storing with signatures cached: the figure that a limit stands for."""
        return self.execute_us + self.commit_us


def measure_blocks(folder: Path) -> BlockFigures:
    """Run blocks of ``PAYMENTS`` payments on stores in ``folder``, without and with the index of accounts."""
    samples, gas = _samples(folder / "plain", StoreOptions())
    indexed, _ = _samples(folder / "indexed", StoreOptions(account_index=True))
    medians = [statistics.median(column) / PAYMENTS * 1e6 for column in zip(*samples, strict=True)]
    execute, commit, commit_wall, decode, recover, threads = medians
    commit_indexed = statistics.median(sample[1] for sample in indexed) / PAYMENTS * 1e6
    return BlockFigures(execute, commit, commit_wall, commit_indexed, decode, recover, threads, gas)


def _samples(folder: Path, options: StoreOptions) -> tuple[list[tuple[float, ...]], int]:
    """What ``_run`` gives for each block, and the gas of a payment."""
    made = genesis()
    store = Store.open(folder, options)
    store.init_genesis(made)
    members = _members(validator())
    keys = [resident(n) for n in range(1, RESIDENTS + 1)]
    nonces = dict.fromkeys(range(RESIDENTS), 0)
    samples: list[tuple[float, ...]] = []
    gas = 0
    try:
        last_commit: Commit | None = None
        for number in range(_BLOCKS + 2):
            signed = []
            for index in range(PAYMENTS):
                payer = index % RESIDENTS
                payee = keys[(index * 7 + number + 1) % RESIDENTS].address
                signed.append((_payment(keys[payer], nonces[payer], payee, index + 1), keys[payer].address))
                nonces[payer] += 1
            block = _build(store, members, last_commit, signed)
            last_commit = Commit(block.header.number, 0, block.hash, ())
            sample = _run(store, members, block, [sender for _, sender in signed], last_commit)
            gas = block.header.gas_used // PAYMENTS
            if number >= 2:
                samples.append(sample)
    finally:
        store.close()
    return samples, gas


def _members(founder: GenesisValidator) -> ValidatorSet:
    return validator_set(
        [Validator(founder.voting_address, founder.power, founder.tls_key_hash, founder.endpoint, founder.name)]
    )


def _payment(key: PrivateKey, nonce: int, payee: bytes, amount: int) -> Transaction:
    return token_payment(key, payee, amount, chain_id=CONFIG.chain_id, nonce=nonce, gas_limit=80_000)


def _tip(store: Store) -> Tip:
    header = store.tip
    assert header is not None

    return Tip(header, store.tip_hash, store.state(), store.trie(), store.hash_of)


def _build(
    store: Store, members: ValidatorSet, last_commit: Commit | None, signed: Sequence[tuple[Transaction, bytes]]
) -> Block:
    tip = _tip(store)
    template = BlockTemplate(TIMESTAMP + tip.header.number + 1, VALIDATOR.address, members, last_commit)
    built = last(build_block(tip, CONFIG, template, signed))
    assert not built.refused, built.refused
    block = built.executed.block
    assert len(block.transactions) == PAYMENTS
    return block


def _run(
    store: Store, members: ValidatorSet, block: Block, senders: Sequence[bytes], commit: Commit
) -> tuple[float, ...]:
    """Seconds for executing, committing, decoding, recovering; of wall-clock time for threads and for the commit."""
    encoded = encode_block(block)
    decode, decoded = _timed(lambda: decode_block(encoded))
    recover, recovered = _timed(lambda: [recover_sender(tx) for tx in decoded.transactions])
    assert recovered == list(senders)
    start = time.perf_counter()
    with ThreadPoolExecutor(_THREADS) as pool:
        quarters = [decoded.transactions[n :: 2 * _THREADS] for n in range(2 * _THREADS)]
        assert sum(len(part) for part in pool.map(_recover_all, quarters)) == PAYMENTS
    threads = time.perf_counter() - start
    tip = _tip(store)
    execute, executed = _timed(lambda: last(execute_block(tip, CONFIG, decoded, recovered, members)))
    start = time.perf_counter()
    commit_cpu, _ = _timed(lambda: store.commit(executed, commit))
    return execute, commit_cpu, time.perf_counter() - start, decode, recover, threads


def _recover_all(transactions: Sequence[Transaction]) -> list[bytes]:
    return [recover_sender(tx) for tx in transactions]


def _timed(run: Callable[[], _T]) -> tuple[float, _T]:
    """Seconds of this thread's processor time, which other programs on the machine disturb least."""
    gc.collect()
    start = time.thread_time()
    result = run()
    return time.thread_time() - start, result

"""Executing a block's transactions: shared by the builder and by every validator that checks a block.

Execution comes as generators that yield after each transaction. The host decides when other work goes in
between (votes and timers wait no longer than about 10 ms) and when a block under construction is full. Before a
transaction whose gas could last longer than that they yield ``HEAVY``: the host takes the next step in a thread, where
it reads a state and keeps translations of its own, so that it shares nothing with what runs meanwhile. The host may
stop that step anywhere and then throws the generator away.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cache
from typing import Final, TypeAlias

from alatau.chain.errors import InvalidBlockError
from alatau.chain.executed import ExecutedBlock, OpenState, Tip
from alatau.chain.header_rules import check_header, last_commit_hash
from alatau.chain.permission import may_deploy, may_transact, slot_of
from alatau.chain.registries import registry_in_office
from alatau.chain.system import run_block_start
from alatau.chain.transaction import InvalidTransactionError, apply_transaction
from alatau.codec.plain_text import plain_text
from alatau.evm.environment import BlockEnvironment
from alatau.evm.runtime import ForkRuntime, new_runtime
from alatau.state.block_state import BlockState
from alatau.state.diff import BlockDiff
from alatau.trie.ordered import ordered_root
from alatau.trie.state_trie import AppliedDiff
from alatau.trie.steps import apply_in_steps
from alatau.types.block import Block
from alatau.types.chain_config import ChainConfig, Fork
from alatau.types.header import (
    EMPTY_OMMERS_HASH,
    EMPTY_REQUESTS_HASH,
    EMPTY_ROOT,
    NONCE,
    Header,
    mix_hash_of,
)
from alatau.types.receipt import Receipt, encode_receipt, logs_bloom
from alatau.types.transaction import Transaction, TransactionType
from alatau.types.validator import ValidatorSet
from alatau.types.vote import Commit

Signed = tuple[Transaction, bytes]
"""A transaction and its sender, recovered beforehand."""


LIGHT_GAS: Final = 150_000
"""A transaction that asks for no more is executed in place: worst code takes 0.14 us per gas, so 21 ms. Payments ask
for two thirds of it."""


class Heavy(Enum):
    """What the generators yield before a step that may take long."""

    NEXT = "next"


HEAVY: Final = Heavy.NEXT

Progress: TypeAlias = int | Heavy | None
"""Gas that a transaction used; ``HEAVY``; None while a block is sealed."""


@dataclass(frozen=True, slots=True)
class BlockTemplate:
    """What a builder decides before it looks at a transaction."""

    timestamp: int
    """Seconds; not below the parent's."""
    beneficiary: bytes
    """Address of the validator that builds."""
    validators: ValidatorSet
    """The set that decides the block's height."""
    last_commit: Commit | None
    """The commit of the parent; None for the first block."""


@dataclass(frozen=True, slots=True)
class BuiltBlock:
    """A block as its builder made and executed it, and the candidates that can never be included."""

    executed: ExecutedBlock
    refused: tuple[tuple[bytes, str], ...]
    """(transaction hash, stable reason) of candidates that the state refuses: tell the mempool."""


@dataclass(slots=True)
class _Progress:
    """A block in the making."""

    environment: BlockEnvironment
    state: BlockState
    config: ChainConfig
    gas_used: int = 0
    transactions: list[Transaction] = field(default_factory=list)
    senders: list[bytes] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    encoded_receipts: list[bytes] = field(default_factory=list)
    """As the receipts trie holds them; filled when the block is sealed."""


def build_block(
    tip: Tip, config: ChainConfig, template: BlockTemplate, candidates: Iterable[Signed]
) -> Generator[Progress, bool | None, BuiltBlock]:
    """Build a block on ``tip`` from ``candidates``, in their order.

    Yields after each candidate the gas that it used, ``HEAVY`` before one that may take long, and None while it seals;
    send ``True`` after a candidate to close the block there.
    Ends also when the candidates do, or when gas or size leave no room for the next one. A candidate that the state
    refuses uses no gas, is left out and named.
    """
    header = _template_header(tip, config, template)
    progress = _begin(tip, config, header)
    refused: list[tuple[bytes, str]] = []
    size = _EMPTY_BLOCK_SIZE_MAX
    for tx, sender in candidates:
        size += len(tx.encoded) + _ENVELOPE_SIZE
        if size > config.block_size_bytes_max or progress.gas_used + tx.gas_limit > config.block_gas_limit:
            break
        before = progress.gas_used
        open_apart = _apart(tip, tx)
        if open_apart is not None:
            yield HEAVY
        try:
            _include(progress, tx, sender, open_apart)
        except InvalidTransactionError as error:
            refused.append((tx.hash, error.reason))
            size -= len(tx.encoded) + _ENVELOPE_SIZE
        if (yield progress.gas_used - before):
            break
    diff = progress.state.diff()
    applied = yield from apply_in_steps(tip.trie, diff.accounts, diff.storage)
    sealed = _sealed(header, progress, applied.root)
    block = Block(sealed, tuple(progress.transactions), template.last_commit)
    return BuiltBlock(_executed(progress, block, diff, applied), tuple(refused))


def execute_block(
    tip: Tip, config: ChainConfig, block: Block, senders: Sequence[bytes], validators: ValidatorSet
) -> Generator[Progress, None, ExecutedBlock]:
    """Execute ``block`` on ``tip`` and check everything but the signatures of its ``last_commit``.

    Yields after each transaction the gas that it used, ``HEAVY`` before one that may take long, and None while it
    seals. ``senders`` holds the recovered sender of each transaction.

    Raises:
        InvalidBlockError: the header, a transaction or a root is not what the rules make it.
    """
    check_header(block, tip.header, tip.hash, config, validators)
    progress = _begin(tip, config, block.header)
    for tx, sender in zip(block.transactions, senders, strict=True):
        if progress.gas_used + tx.gas_limit > config.block_gas_limit:
            raise InvalidBlockError("gas_limit", f"transaction 0x{tx.hash.hex()} does not fit in the block's gas")
        before = progress.gas_used
        open_apart = _apart(tip, tx)
        if open_apart is not None:
            yield HEAVY
        try:
            _include(progress, tx, sender, open_apart)
        except InvalidTransactionError as error:
            raise InvalidBlockError("transaction", f"0x{tx.hash.hex()}: {error}") from error
        yield progress.gas_used - before
    diff = progress.state.diff()
    applied = yield from apply_in_steps(tip.trie, diff.accounts, diff.storage)
    sealed = _sealed(block.header, progress, applied.root)
    if sealed != block.header:
        _raise_first_difference(block.header, sealed)
    return _executed(progress, block, diff, applied)


_EMPTY_BLOCK_SIZE_MAX = 64 * 1024
"""Bytes set aside for the header and the commit (128 validators need 11 KiB)."""

_ENVELOPE_SIZE = 4
"""Bytes of the RLP string header around a transaction."""


def _template_header(tip: Tip, config: ChainConfig, template: BlockTemplate) -> Header:
    """The header before execution; what execution yields is left empty."""
    number = tip.header.number + 1
    return Header(
        parent_hash=tip.hash,
        ommers_hash=EMPTY_OMMERS_HASH,
        beneficiary=template.beneficiary,
        state_root=EMPTY_ROOT,
        transactions_root=EMPTY_ROOT,
        receipts_root=EMPTY_ROOT,
        logs_bloom=bytes(256),
        difficulty=0,
        number=number,
        gas_limit=config.block_gas_limit,
        gas_used=0,
        timestamp=max(template.timestamp, tip.header.timestamp),
        extra_data=template.validators.hash,
        mix_hash=mix_hash_of(tip.hash, number),
        nonce=NONCE,
        base_fee_per_gas=config.base_fee_per_gas,
        withdrawals_root=EMPTY_ROOT,
        blob_gas_used=0,
        excess_blob_gas=0,
        parent_beacon_block_root=last_commit_hash(template.last_commit),
        requests_hash=EMPTY_REQUESTS_HASH,
    )


def block_environment(config: ChainConfig, header: Header, block_hash: Callable[[int], bytes]) -> BlockEnvironment:
    """What contracts see of the block with ``header``; ``block_hash`` gives the hashes of its ancestors."""
    return BlockEnvironment(
        fork=config.fork_at(header.number),
        chain_id=config.chain_id,
        number=header.number,
        timestamp=header.timestamp,
        beneficiary=header.beneficiary,
        gas_limit=header.gas_limit,
        base_fee_per_gas=header.base_fee_per_gas,
        prev_randao=header.mix_hash,
        block_hash=block_hash,
    )


def next_block_environment(
    config: ChainConfig, parent: Header, parent_hash: bytes, timestamp: int, block_hash: Callable[[int], bytes]
) -> BlockEnvironment:
    """What contracts would see of a block on ``parent``, proposed at ``timestamp`` by its parent's proposer."""
    number = parent.number + 1
    return BlockEnvironment(
        fork=config.fork_at(number),
        chain_id=config.chain_id,
        number=number,
        timestamp=max(timestamp, parent.timestamp),
        beneficiary=parent.beneficiary,
        gas_limit=config.block_gas_limit,
        base_fee_per_gas=config.base_fee_per_gas,
        prev_randao=mix_hash_of(parent_hash, number),
        block_hash=block_hash,
    )


def _begin(tip: Tip, config: ChainConfig, header: Header) -> _Progress:
    """Open the block's state and run what comes before its first transaction (EIP-4788, EIP-2935)."""
    environment = block_environment(config, header, tip.block_hash)
    state = BlockState(tip.state)
    run_block_start(environment, state, header.parent_hash, header.parent_beacon_block_root)
    return _Progress(environment, state, config)


def _apart(tip: Tip, tx: Transaction) -> OpenState | None:
    """Opens the state for a heavy transaction; None for a light one, and where there is only one thread."""
    return tip.open_apart if tx.gas_limit > LIGHT_GAS else None


@cache
def _apart_runtime(fork: Fork) -> ForkRuntime:
    """Translations of the thread for heavy transactions; the process's other runtime belongs to the node's thread."""
    return new_runtime(fork)


def _include(progress: _Progress, tx: Transaction, sender: bytes, open_apart: OpenState | None) -> None:
    """Execute one transaction and append its receipt; nothing changes where it is refused."""
    if open_apart is None:
        _apply(progress, tx, sender, None)
        return
    shared = progress.state.parent
    with open_apart() as apart:
        progress.state.parent = apart
        try:
            _apply(progress, tx, sender, _apart_runtime(progress.environment.fork))
        except InvalidTransactionError:
            raise
        except BaseException:
            _apart_runtime.cache_clear()  # Stopped anywhere: what it translates may be half made.
            raise
        finally:
            progress.state.parent = shared


def _apply(progress: _Progress, tx: Transaction, sender: bytes, runtime: ForkRuntime | None) -> None:
    check_kind(tx)
    registry = progress.config.system.participant_registry
    if registry is not None:
        in_office = registry_in_office(progress.state, registry)
        word = progress.state.storage(in_office, slot_of(sender))
        check_permission(word, tx, sender, progress.environment.timestamp)
    result = apply_transaction(progress.environment, progress.state, tx, sender, runtime=runtime)
    progress.gas_used += result.gas_used
    progress.transactions.append(tx)
    progress.senders.append(sender)
    progress.receipts.append(
        Receipt(tx.type, result.succeeded, progress.gas_used, result.logs, logs_bloom(result.logs))
    )


def check_kind(tx: Transaction) -> None:
    """Check that a network takes transactions of this kind: bound to a chain (EIP-155), and without blobs.

    Raises:
        InvalidTransactionError: it does not.
    """
    if tx.type is TransactionType.BLOB:
        raise InvalidTransactionError("blob_transaction", "this network takes no blob transactions")
    if tx.chain_id is None:
        raise InvalidTransactionError("wrong_chain", "signed for no chain; sign with the network's chain id (EIP-155)")


def check_permission(word: int, tx: Transaction, sender: bytes, timestamp: int) -> None:
    """Check that the registry's status ``word`` lets ``sender`` send ``tx``: a rule of block validity.

    Raises:
        InvalidTransactionError: the sender is not active, or creates a contract without the right to.
    """
    if not may_transact(word, timestamp):
        raise InvalidTransactionError("sender_not_permitted", f"0x{sender.hex()} is no active participant")
    if tx.to is None and not may_deploy(word, timestamp):
        raise InvalidTransactionError("sender_not_permitted", f"0x{sender.hex()} may not deploy contracts")


def _sealed(header: Header, progress: _Progress, state_root: bytes) -> Header:
    """``header`` with what execution yields."""
    progress.encoded_receipts = [encode_receipt(receipt) for receipt in progress.receipts]
    bloom = 0
    for receipt in progress.receipts:
        bloom |= int.from_bytes(receipt.bloom, "big")
    return replace(
        header,
        state_root=state_root,
        transactions_root=ordered_root([tx.encoded for tx in progress.transactions]),
        receipts_root=ordered_root(progress.encoded_receipts),
        logs_bloom=bloom.to_bytes(256, "big"),
        gas_used=progress.gas_used,
    )


def _executed(progress: _Progress, block: Block, diff: BlockDiff, applied: AppliedDiff) -> ExecutedBlock:
    return ExecutedBlock(
        block=block,
        senders=tuple(progress.senders),
        receipts=tuple(progress.receipts),
        diff=BlockDiff(applied.accounts, diff.storage, diff.codes),
        trie=applied,
        encoded_receipts=tuple(progress.encoded_receipts),
    )


def _raise_first_difference(claimed: Header, computed: Header) -> None:
    for name in ("transactions_root", "gas_used", "receipts_root", "logs_bloom", "state_root"):
        found, wanted = getattr(claimed, name), getattr(computed, name)
        if found != wanted:
            raise InvalidBlockError(name, f"the header says {plain_text(found)}, execution gives {plain_text(wanted)}")

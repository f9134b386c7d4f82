"""Building and checking blocks for consensus, in slices, with their results kept until they are decided.

A block is executed once: by its builder when it is built, by every other validator when it is proposed. The
result waits here by block hash, and committing it only writes.

What each transaction costs is measured on the way, whoever built the block, and charged to its sender's share
(``alatau.mempool.shares``).
"""

from collections import OrderedDict
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from time import thread_time_ns
from typing import Any, Final, TypeVar

import structlog
import trio

from alatau.chain.errors import InvalidBlockError, InvalidCommitError
from alatau.chain.executed import ExecutedBlock, Tip
from alatau.chain.execution import (
    HEAVY,
    LIGHT_GAS,
    BlockTemplate,
    BuiltBlock,
    Heavy,
    Progress,
    Signed,
    build_block,
    execute_block,
)
from alatau.chain.finality import verify_commit
from alatau.chain.permission import slot_of
from alatau.chain.registries import registry_in_office
from alatau.consensus.effects import DoBuildBlock
from alatau.engine.admission import Admission, sender_class_of
from alatau.mempool.entry import PooledTransaction
from alatau.mempool.outcome import Reason
from alatau.mempool.pool import Mempool
from alatau.mempool.selection import Selection
from alatau.mempool.shares import SenderClass
from alatau.transport.long_steps import LongStepError
from alatau.transport.slices import in_slices
from alatau.types.block import Block
from alatau.types.chain_config import ChainConfig
from alatau.types.transaction import Transaction
from alatau.types.validator import ValidatorSet
from alatau.types.vote import Commit

_LOG = structlog.get_logger(__name__)

_EXECUTED_MAX: Final = 8
"""Executed blocks kept. A height sees one; each further round or equivocation may add one. At most a few
megabytes each, and what falls out is executed again if it is decided after all."""

_HEAVY_LEAST_S: Final = 0.25
"""What one heavy transaction may take of a processor however short the interval is: a deployment whose code is
translated first needs some of it."""

_WASTED: Final = 4
"""What was executed for nothing counts so many times: no block pays for it."""

T = TypeVar("T")


class Production:
    """Builds and executes blocks on the tip."""

    def __init__(
        self,
        config: ChainConfig,
        domain: bytes,
        mempool: Mempool,
        admission: Admission,
        build_budget_s: float,
        now_ms: Callable[[], int],
    ) -> None:
        self._config = config
        self._domain = domain
        self._mempool = mempool
        self._admission = admission
        self._build_budget_s = build_budget_s
        self._now_ms = now_ms
        self._executed: OrderedDict[bytes, ExecutedBlock] = OrderedDict()
        self.last_build_s = 0.0
        """Duration of the last building, for the metrics."""
        self.last_execution_s = 0.0
        """Duration of the last execution of another's block, for the metrics."""

    def executed(self, block_hash: bytes) -> ExecutedBlock | None:
        """The result for a block that was built or executed lately."""
        return self._executed.get(block_hash)

    def forget(self) -> None:
        """The tip moved: what was executed on the old one can never be decided."""
        self._executed.clear()

    async def build(self, tip: Tip, validators: ValidatorSet, request: DoBuildBlock, beneficiary: bytes) -> Block:
        """Build the block that consensus asks for from what waits in the pool.

        A heavy transaction that takes longer than a block's time is stopped, dropped and charged for, and the block is
        built again without any heavy one.
        """
        started = trio.current_time()
        template = BlockTemplate(request.timestamp, beneficiary, validators, request.last_commit)
        selection = self._select()
        try:
            built = await self._built(tip, template, selection, _signed(selection))
        except LongStepError as stopped:
            self._throw_out(selection.last, stopped.limit_s)
            selection = self._select()
            built = await self._built(tip, template, selection, _signed(_light(selection)))
        for transaction_hash, reason in built.refused:
            _LOG.info("transaction.refused", tx=transaction_hash.hex(), reason=reason)
            self._mempool.drop(transaction_hash, Reason.REFUSED)
        self._keep(built.executed)
        self.last_build_s = trio.current_time() - started
        return built.executed.block

    def _select(self) -> Selection:
        room = self._config.block_gas_limit, self._config.block_size_bytes_max
        return self._mempool.select(*room, self._now_ms())

    async def _built(
        self, tip: Tip, template: BlockTemplate, selection: Selection, candidates: Iterator[Signed]
    ) -> BuiltBlock:
        """The block of ``candidates``, which come from ``selection``, until the clock stops it."""
        deadline = trio.current_time() + self._build_budget_s
        return await in_slices(
            measured(build_block(tip, self._config, template, candidates), selection.spent),
            enough=lambda: trio.current_time() >= deadline,
            long_next=_is_heavy,
            long_limit_s=max(self._build_budget_s, _HEAVY_LEAST_S),
        )

    def _throw_out(self, pooled: PooledTransaction, took_s: float) -> None:
        _LOG.warning("transaction.too_slow", tx=pooled.tx.hash.hex(), sender=pooled.sender.hex(), seconds=took_s)
        time_us = int(took_s * 1e6) * _WASTED
        self._mempool.charge(pooled.tx, pooled.sender, pooled.sender_class, 0, time_us, self._now_ms())
        self._mempool.drop(pooled.tx.hash, Reason.TOO_SLOW)

    async def execute(
        self, tip: Tip, validators: ValidatorSet, parent_validators: ValidatorSet, block: Block
    ) -> ExecutedBlock:
        """Check and execute a block on ``tip``.

        Args:
            tip: the parent.
            validators: those that decide the block's height.
            parent_validators: those that decided the parent, whose commit the block carries.
            block: the block.

        Raises:
            InvalidBlockError: the block breaks a rule.
        """
        known = self._executed.get(block.hash)
        if known is not None:
            return known
        started = trio.current_time()
        senders: list[bytes] = []
        for tx, sender in zip(block.transactions, await self._admission.senders_of(block.transactions), strict=True):
            if not isinstance(sender, bytes):
                raise InvalidBlockError("transaction", f"0x{tx.hash.hex()}: {sender}")
            senders.append(sender)
        self._check_last_commit(tip, parent_validators, block.last_commit)
        work = execute_block(tip, self._config, block, senders, validators)
        charge = self._charge(tip, block.transactions, senders)
        executed = await in_slices(measured(work, charge), long_next=_is_heavy)
        self._keep(executed)
        self.last_execution_s = trio.current_time() - started
        return executed

    def _check_last_commit(self, tip: Tip, parent_validators: ValidatorSet, commit: Commit | None) -> None:
        if commit is None:  # Right for the first block only; the header's rules say so.
            return
        try:
            verify_commit(commit, tip.header.number, tip.hash, parent_validators, self._domain)
        except InvalidCommitError as error:
            raise InvalidBlockError("last_commit", str(error)) from error

    def _charge(
        self, tip: Tip, transactions: Sequence[Transaction], senders: Sequence[bytes]
    ) -> Callable[[int, int], None]:
        """Charges one transaction after the other to its sender."""
        executed = iter(zip(transactions, senders, strict=True))
        now_ms = self._now_ms()

        def spent(gas: int, time_us: int) -> None:
            tx, sender = next(executed)
            sender_class = self._mempool.class_of(sender) or self._class_in(tip, sender)
            self._mempool.charge(tx, sender, sender_class, gas, time_us, now_ms)

        return spent

    def _class_in(self, tip: Tip, sender: bytes) -> SenderClass:
        registry = self._config.system.participant_registry
        if registry is None:
            return SenderClass.INSTITUTION
        in_office = registry_in_office(tip.state, registry)
        return sender_class_of(tip.state.storage(in_office, slot_of(sender)), tip.header.timestamp)

    def _keep(self, executed: ExecutedBlock) -> None:
        self._executed[executed.block.hash] = executed
        if len(self._executed) > _EXECUTED_MAX:
            self._executed.popitem(last=False)


def _is_heavy(step: Heavy | None) -> bool:
    return step is HEAVY


def _light(selection: Selection) -> Iterator[PooledTransaction]:
    """What is executed in place; of a sender whose next one is heavy nothing from there on."""
    for pooled in selection:
        if pooled.tx.gas_limit <= LIGHT_GAS:
            yield pooled
        else:
            selection.spent(0, 0)


def _signed(chosen: Iterable[PooledTransaction]) -> Iterator[Signed]:
    for pooled in chosen:
        yield pooled.tx, pooled.sender


def measured(
    work: Generator[Progress, Any, T],
    spent: Callable[[int, int], None],
    clock_ns: Callable[[], int] = thread_time_ns,
) -> Generator[Heavy | None, Any, T]:
    """The same work; ``spent`` is told of each transaction's gas and time in microseconds.

    A transaction ends with the step that yields its gas; steps that yield something else before belong to it, and
    ``HEAVY`` is passed on. The clock is the CPU time of the thread that takes the step, so that a busy machine is no
    sender's fault.
    """
    elapsed_ns, sent = 0, None
    used: tuple[int, int] | None = None
    while True:
        if used is not None:
            # Told now: a heavy step was taken in another thread, and this one never is.
            spent(*used)
            used = None
        began_ns = clock_ns()
        try:
            step = work.send(sent)
        except StopIteration as end:
            result: T = end.value
            return result
        elapsed_ns += clock_ns() - began_ns
        if isinstance(step, int):
            used = step, elapsed_ns // 1_000
            elapsed_ns = 0
        sent = yield step if isinstance(step, Heavy) else None

"""A simulated node: the real core and mempool, a disk that can be lost, and a host that performs effects.

It is what ``engine`` is in production, without Trio: the same order of effects, the same answers.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from alatau.consensus.core import Consensus
from alatau.consensus.effects import (
    Alarm,
    DoAlarm,
    DoBroadcast,
    DoBuildBlock,
    DoCancelTimers,
    DoCommit,
    DoHalt,
    DoPersist,
    DoRecordSignState,
    DoReportEvidence,
    DoReportPeer,
    DoRequestSync,
    DoResetLog,
    DoRewriteLog,
    DoSend,
    DoSetTimer,
    DoValidateBlock,
    Effect,
)
from alatau.consensus.inputs import (
    HeightContext,
    InBlockBuilt,
    InBlockValidated,
    InNewHeight,
    Input,
    InStart,
    InSyncFailed,
    InTimeout,
    InTransactionsAvailable,
    Timer,
)
from alatau.consensus.messages import Message
from alatau.consensus.proposer import PastBlock, absent_validators, blocks_looked_at, failing_validators
from alatau.mempool.limits import MempoolLimits
from alatau.mempool.pool import Mempool
from alatau.types.account import Account
from alatau.types.block import Block
from alatau.types.chain_config import ChainConfig, ConsensusParameters
from alatau.types.transaction import Transaction
from alatau.types.vote import Commit, Proposal, Vote
from tests.simulation.chain import CHAIN_ID, InvalidBlockError, authority_of, build_header, check_commit, sender_of
from tests.simulation.disk import Disk

_BLOCK_BYTES_MAX = 4_000
_SYNC_BLOCKS_MAX = 16


@dataclass(frozen=True, slots=True)
class Fetched:
    """Blocks that a peer served."""

    peer: bytes
    blocks: tuple[tuple[Block, Commit], ...]


class Surroundings(Protocol):
    """What a node sees of the world."""

    def broadcast(self, node: "Node", message: Message) -> None:
        """Hand a message to every peer."""

    def send(self, node: "Node", peer: bytes, message: Message) -> None:
        """Hand a message to one peer."""

    def after(self, delay_ms: float, action: Callable[[], None]) -> None:
        """Do something later."""

    def lasts(self, node: "Node", work: str) -> float:
        """How many ms a piece of work takes now."""

    def crashes(self, node: "Node", effect: Effect, where: str = "before") -> bool:
        """Whether the power fails just before this effect, or in the midst of it."""

    def committed(self, node: "Node", block: Block, commit: Commit) -> None:
        """A block became durable."""

    def fetch(self, node: "Node", peer: bytes, height: int) -> None:
        """Ask a peer for blocks; the node takes ``Fetched`` in the end."""

    @property
    def now_ms(self) -> float:
        """True time."""


class Halted(AssertionError):  # noqa: N818  as above: an outcome
    """A node found that the network decided what it holds invalid."""


@dataclass(slots=True, eq=False)
class Node:
    """One process on one disk."""

    name: str
    address: bytes | None
    disk: Disk
    parameters: ConsensusParameters
    world: Surroundings
    skew_ms: int = 0
    up: bool = False
    core: Consensus = field(init=False)
    pool: Mempool = field(init=False)
    reckless: bool = False
    """A twin that does not care that another signs with its key, as a Byzantine validator does not."""
    alarms: list[Alarm] = field(default_factory=list)
    evidence: list[tuple[Vote | Proposal, Vote | Proposal]] = field(default_factory=list)
    reports: list[tuple[bytes, str]] = field(default_factory=list)
    _life: int = 0
    _timers: dict[Timer, int] = field(default_factory=dict)
    _inbox: list[Input | Fetched] = field(default_factory=list)
    _free_at_ms: float = 0.0
    _fresh: bool = True

    # ------------------------------------------------------------ life

    def start(self) -> None:
        """Power on: read the disk and begin."""
        self._life += 1
        self.up = True
        self._timers.clear()
        self._inbox.clear()
        self._free_at_ms = self.world.now_ms
        self.core = Consensus(
            authority_of(self.address), ChainConfig(CHAIN_ID, "simulation", consensus=self.parameters)
        )
        self.pool = Mempool(MempoolLimits(), 0)
        disk = self.disk
        fresh = disk.ledger.height == 0 and not disk.log and disk.sign_state is None and not self._fresh
        self._fresh = False
        stale = self.address is not None and disk.sign_state_is_stale(self.address, self.parameters.absent_commits)
        self._step(InStart(self.context(), tuple(disk.log), disk.sign_state, may_sign=not stale, fresh=fresh))
        if self.reckless:
            self.core._ctx.guard.recognise = lambda signed: False  # type: ignore[method-assign]

    def stop(self) -> None:
        """Power off, without warning."""
        self.up = False
        self._life += 1

    # ------------------------------------------------------------ inputs

    def take(self, event: Input | Fetched, *, first: bool = False) -> None:
        """One input, as soon as the host has time for it; what moves the tip comes ``first``."""
        if not self.up:
            return
        self._inbox.insert(0 if first else len(self._inbox), event)
        if len(self._inbox) == 1:
            self._later(max(0.0, self._free_at_ms - self.world.now_ms), self._work)

    def _work(self) -> None:
        if not self._inbox:
            return
        if self._free_at_ms > self.world.now_ms:
            self._later(self._free_at_ms - self.world.now_ms, self._work)
            return
        event = self._inbox.pop(0)
        if isinstance(event, Fetched):
            self._apply(event)
        else:
            self._step(event)
        if self.up and self._inbox:
            self._later(max(0.0, self._free_at_ms - self.world.now_ms), self._work)

    def _step(self, event: Input) -> None:
        life = self._life
        for effect in self.core.step(event, int(self.world.now_ms) + self.skew_ms):
            if self.world.crashes(self, effect):
                return
            if isinstance(effect, DoRecordSignState):
                self.disk.flush()
                if self.world.crashes(self, effect, "in the midst of"):
                    return
            self._perform(effect)
            if life != self._life:
                return

    def _later(self, delay_ms: float, action: Callable[[], None]) -> None:
        life = self._life
        self.world.after(delay_ms, lambda: action() if life == self._life else None)

    def _busy(self, work: str) -> None:
        """The host does nothing else meanwhile."""
        self._free_at_ms = max(self._free_at_ms, self.world.now_ms) + self.world.lasts(self, work)

    # ------------------------------------------------------------ effects

    def _perform(self, effect: Effect) -> None:
        disk, world = self.disk, self.world
        match effect:
            case DoPersist(record):
                disk.unflushed.append(record)
            case DoRecordSignState(sign_state):
                disk.record_sign_state(sign_state)
                self._busy("fsync")
            case DoBroadcast(message):
                world.broadcast(self, message)
            case DoSend(peer, message):
                world.send(self, peer, message)
            case DoSetTimer(timer, delay_ms):
                self._set_timer(timer, delay_ms)
            case DoCancelTimers():
                self._timers.clear()
            case DoBuildBlock():
                self._later(world.lasts(self, "build"), lambda: self._built(effect))
            case DoValidateBlock(block):
                self._later(world.lasts(self, "validate"), lambda: self._validated(block))
            case DoCommit(block, commit):
                self._commit(block, commit)
                self.take(InNewHeight(self.context()), first=True)
            case DoRequestSync(peer, height):
                world.fetch(self, peer, height)
            case DoReportEvidence(first, second):
                self.evidence.append((first, second))
            case DoReportPeer(peer, error):
                self.reports.append((peer, error.reason))
            case DoResetLog():
                disk.log.clear()
                disk.unflushed.clear()
            case DoRewriteLog(records):
                disk.log = list(records)
                disk.unflushed.clear()
                self._busy("fsync")
            case DoAlarm(alarm):
                self.alarms.append(alarm)
            case DoHalt(reason):
                raise Halted(f"{self.name}: {reason}")

    def _set_timer(self, timer: Timer, delay_ms: int) -> None:
        number = self._timers.get(timer, 0) + 1
        self._timers[timer] = number

        def fire() -> None:
            if self._timers.get(timer) == number:
                self.take(InTimeout(timer))

        self._later(delay_ms, fire)

    def _built(self, request: DoBuildBlock) -> None:
        ledger = self.disk.ledger
        if ledger.height + 1 != request.height or self.address is None:
            return
        selected = tuple(p.tx for p in self.pool.select(30_000_000, _BLOCK_BYTES_MAX, int(self.world.now_ms)))
        block = self.assemble(selected, request.timestamp, request.last_commit)
        self.take(InBlockBuilt(request.round, block))

    def assemble(self, transactions: tuple[Transaction, ...], timestamp: int, last_commit: Commit | None) -> Block:
        """A right block on the tip."""
        assert self.address is not None
        ledger = self.disk.ledger
        validators = ledger.rules.validators(ledger.height + 1)
        header = build_header(
            ledger.tip.header, ledger.tip.hash, self.address, validators, timestamp, transactions, last_commit
        )
        return Block(header, transactions, last_commit)

    def _validated(self, block: Block) -> None:
        if block.header.number != self.disk.ledger.height + 1:
            return
        try:
            self.disk.ledger.check(block)
            error = None
        except InvalidBlockError as invalid:
            error = invalid.rule
        self.take(InBlockValidated(block.header.number, block.hash, error))

    def _commit(self, block: Block, commit: Commit) -> None:
        self.disk.ledger.append(block, commit)
        self._busy("commit")
        changed: dict[bytes, Account | None] = {
            sender_of(tx): Account(nonce=tx.nonce + 1, balance=10**30) for tx in block.transactions
        }
        self.pool.update([tx.hash for tx in block.transactions], changed, int(self.world.now_ms))
        self.world.committed(self, block, commit)

    # ------------------------------------------------------------ the rest of a host

    def context(self) -> HeightContext:
        """What the chain says about the next height."""
        ledger = self.disk.ledger
        height = ledger.height + 1
        validators = ledger.rules.validators(height)
        window = self.parameters.absent_commits
        count = blocks_looked_at(validators, window)
        past = [
            PastBlock(b.header.number, b.header.beneficiary, b.last_commit)
            for b in ledger.blocks[max(1, height - count) :]
        ]
        carried = [block.last_commit for block in past if block.last_commit is not None]
        return HeightContext(
            height=height,
            validators=validators,
            next_validators=ledger.rules.validators(height + 1),
            parent_hash=ledger.tip.hash,
            parent_timestamp=ledger.tip.header.timestamp,
            last_commit=ledger.commits[-1],
            absent=absent_validators(validators, carried[-window:], window),
            failing=failing_validators(validators, past, window),
            transactions_waiting=self.pool.takeable_in_ms(int(self.world.now_ms)) == 0,
        )

    def submit(self, tx: Transaction) -> None:
        """A transaction arrives, from a client or a peer."""
        if not self.up:
            return
        sender = sender_of(tx)
        account = Account(nonce=self.disk.ledger.nonces.get(sender, 0), balance=10**30)
        self.pool.admit(tx, sender, account, int(self.world.now_ms))
        if self.pool.takeable_in_ms(int(self.world.now_ms)) == 0:
            self.take(InTransactionsAvailable())

    def blocks_from(self, height: int) -> list[tuple[Block, Commit]]:
        """What this node serves to those behind."""
        ledger = self.disk.ledger
        served = range(height, min(ledger.height, height + _SYNC_BLOCKS_MAX - 1) + 1)
        return [(ledger.blocks[h], commit) for h in served if (commit := ledger.commits[h]) is not None]

    def _apply(self, fetched: Fetched) -> None:
        """Blocks came from a peer: each is checked by its commit before it is used."""
        before = self.disk.ledger.height
        for block, commit in fetched.blocks:
            ledger = self.disk.ledger
            if block.header.number != ledger.height + 1:
                continue
            try:
                check_commit(commit, block, ledger.rules.validators(block.header.number))
                ledger.check(block)
            except InvalidBlockError:
                break
            self._commit(block, commit)
        moved = self.disk.ledger.height > before
        self.take(InNewHeight(self.context()) if moved else InSyncFailed(fetched.peer), first=True)

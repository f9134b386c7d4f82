"""THE owner task: it alone steps consensus, moves the tip and writes what must survive.

Theory of operation. Everything that happens reaches the engine through one bounded channel: messages of
peers, timers, blocks that were built or checked, blocks fetched from peers. It takes one, steps the pure core
and performs the effects in their order, then takes the next. Long work (building, executing, fetching,
recovering signatures) runs in tasks that only compute, and answers through the same channel.

The order of effects is the contract of ``alatau.consensus.effects``: the log, then the sign state, is durable
before a signature leaves. What waits for the disk does so in a thread (``disk_thread``), and the loop goes on.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final, TypeVar

import structlog
import trio

from alatau.chain.errors import InvalidBlockError, InvalidCommitError
from alatau.chain.executed import ExecutedBlock
from alatau.chain.finality import verify_commit
from alatau.consensus.core import Consensus
from alatau.consensus.effects import (
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
from alatau.consensus.errors import MessageError
from alatau.consensus.inputs import (
    InBlockBuilt,
    InBlockValidated,
    InNewHeight,
    InPeerConnected,
    Input,
    InSyncFailed,
    InTimeout,
    InTransactionsAvailable,
    Timer,
)
from alatau.consensus.message_checks import check_body
from alatau.consensus.records import Record
from alatau.engine.admission import Admission
from alatau.engine.block_sync import BlockSync, Fetched
from alatau.engine.chain_view import ChainView
from alatau.engine.disk_thread import DiskThread
from alatau.engine.joining import Event, Joining
from alatau.engine.journal import Journal
from alatau.engine.peers import Peers
from alatau.engine.production import Production
from alatau.engine.start_input import is_fresh, start_input
from alatau.engine.subscriptions import Subscriptions
from alatau.mempool.pool import Mempool
from alatau.transport.slices import in_slices
from alatau.types.block import Block
from alatau.types.vote import Commit, Proposal, Vote

_LOG = structlog.get_logger(__name__)

_T = TypeVar("_T")

_INBOX_MAX: Final = 256
"""Inputs that wait. Peers' messages wait in the channels of p2p, which drop what is too old; timers, built
blocks and answers are a dozen at most."""


class HaltedError(Exception):
    """The node must not go on: what it would do could contradict the network. An operator has to look."""


@dataclass(frozen=True, slots=True)
class Collaborators:
    """What the engine works with; ``app`` builds them."""

    view: ChainView
    consensus: Consensus
    journal: Journal
    mempool: Mempool
    admission: Admission
    production: Production
    subscriptions: Subscriptions
    peers: Peers
    validator: bytes | None
    """Address of the voting key; None for an observer."""
    domain: bytes
    """EIP-712 domain separator of the network's votes."""
    now_ms: Callable[[], int]
    """The wall clock, milliseconds since 1970."""
    report_evidence: Callable[[Vote | Proposal, Vote | Proposal], None]
    """Sends the proof of an equivocation to the validator registry."""
    members_changed: Callable[[ChainView], None]
    """Told after a block with which validators or observers may come or go: so do their connections."""


class Engine:
    """The owner of the chain's tip."""

    def __init__(self, collaborators: Collaborators) -> None:
        self._c: Final = collaborators
        self._send, self._inbox = trio.open_memory_channel[Event](_INBOX_MAX)
        self._next: deque[Input] = deque()
        self._on_tip: set[trio.CancelScope] = set()
        """The tasks that build or check a block on the tip: at most one each, and one per further round."""
        self._waking = trio.CancelScope()
        self._joining: Joining | None = None
        self.joined = False
        """Whether consensus has begun: a validator first hears where the network stands (``joining``)."""
        self._disk: Final = DiskThread()
        self._nursery: trio.Nursery
        self._timers: Timers
        self._block_sync: BlockSync
        self.last_block_at = trio.current_time()
        """Trio's clock when the tip moved last."""
        self.committed = False
        """Whether a block was committed since the start: then the node knows that it is with the network."""

    @property
    def syncing(self) -> bool:
        """Whether blocks are being fetched from a peer that is ahead."""
        return self._block_sync.running or (self._joining is not None and self._joining.fetching)

    def _transactions_available(self) -> None:
        """Tell consensus that a block could take something; repeating it is cheap."""
        try:
            self._send.send_nowait(InTransactionsAvailable())
        except trio.WouldBlock:
            return  # Of the events that fill the inbox, the next new height looks at the pool anyway.

    async def run(
        self, records: Sequence[Record], *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Own the chain until cancelled; ``records`` is what the log held. Started before consensus has joined.

        Raises:
            HaltedError: consensus found that this node contradicts the network.
        """
        c = self._c
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            self._timers = Timers(nursery, self._fire)
            self._block_sync = BlockSync(nursery, self._c.peers, self._send.send)
            nursery.start_soon(self._follow_peers)
            nursery.start_soon(self._take_gossip)
            nursery.start_soon(self._c.admission.run, self._transactions_available)
            task_status.started()
            held: tuple[Event, ...] = ()
            if c.validator is not None and not is_fresh(c.view, c.journal, records):
                self._joining = Joining(c.view, c.peers, c.validator, self._apply_blocks)
                held = await self._joining.run(self._inbox)
            await self._take(start_input(c.view, c.journal, records, c.validator))
            self.joined = True
            for event in held:
                await self._take(event)
            async for event in self._inbox:
                await self._take(event)

    async def _take(self, event: Event) -> None:
        """One event and whatever follows from it at once."""
        if isinstance(event, Fetched):
            await self._apply_fetched(event)
        else:
            await self._step(event)
        while self._next:
            await self._step(self._next.popleft())

    async def _step(self, event: Input) -> None:
        for effect in self._c.consensus.step(event, self._c.now_ms()):
            await self._perform(effect)

    async def _perform(self, effect: Effect) -> None:
        """One effect, done when this returns."""
        c = self._c
        match effect:
            case DoPersist(record):
                c.journal.append(record)
                if c.journal.is_crowded:
                    await self._disk.run(c.journal.write)
            case DoRecordSignState(sign_state):
                await self._disk.run(c.journal.record_sign_state, sign_state)
            case DoBroadcast(message):
                c.peers.broadcast(message)
            case DoSend(peer, message):
                c.peers.send(peer, message)
            case DoSetTimer(timer, delay_ms):
                self._timers.set(timer, delay_ms)
            case DoCancelTimers():
                self._timers.cancel_all()
            case DoBuildBlock():
                self._nursery.start_soon(self._while_on_tip, self._build, effect)
            case DoValidateBlock(block):
                self._nursery.start_soon(self._while_on_tip, self._validate, block)
            case DoCommit(block, commit):
                await self._commit_decided(block, commit)
            case DoRequestSync(peer, height):
                self._block_sync.request(peer, height)
            case DoReportEvidence(first, second):
                c.report_evidence(first, second)
            case DoReportPeer(peer, error):
                c.peers.report(peer, error.reason)
            case DoResetLog():
                await self._disk.run(c.journal.reset)
            case DoRewriteLog(records):
                await self._disk.run(c.journal.rewrite, records)
            case DoAlarm(alarm, detail):
                _LOG.error(alarm.value, detail=detail)
            case DoHalt(reason):
                raise HaltedError(reason)

    # ------------------------------------------------------------- blocks

    async def _while_on_tip(self, work: Callable[[_T], Awaitable[None]], argument: _T) -> None:
        """Build or check a block until the tip moves: then its result is of no use, and the trie it reads is gone."""
        with trio.CancelScope() as scope:
            self._on_tip.add(scope)
            try:
                await work(argument)
            finally:
                self._on_tip.discard(scope)

    async def _build(self, request: DoBuildBlock) -> None:
        c = self._c
        assert c.validator is not None, "only a validator is asked to build"
        tip = c.view.tip
        if request.height != tip.header.number + 1:
            return  # The height was decided meanwhile.
        block = await c.production.build(tip, c.view.validators[request.height], request, c.validator)
        await self._send.send(InBlockBuilt(request.round, block))

    async def _validate(self, block: Block) -> None:
        height = block.header.number
        if height != self._c.view.height + 1:
            return  # The height was decided meanwhile.
        error: str | None = None
        try:
            await self._execute(block)
        except InvalidBlockError as invalid:
            error = str(invalid)
            _LOG.warning("block.invalid", height=height, hash=block.hash.hex(), error=error)
        await self._send.send(InBlockValidated(height, block.hash, error))

    async def _execute(self, block: Block) -> ExecutedBlock:
        view = self._c.view
        height = block.header.number
        # Genesis is nobody's decision: the first block carries no commit, and then no set is asked.
        parent_validators = view.validators.get(height - 1, view.validators[height])
        return await self._c.production.execute(view.tip, view.validators[height], parent_validators, block)

    async def _commit_decided(self, block: Block, commit: Commit) -> None:
        """Commit what consensus decided; executed already, but for a decision that a restart left unapplied."""
        executed = self._c.production.executed(block.hash) or await self._execute(block)
        await self._commit(executed, commit)
        self._announce_height()

    async def _commit(self, executed: ExecutedBlock, commit: Commit) -> None:
        """Make a block durable and move the tip to it."""
        c, store = self._c, self._c.view.store
        header = executed.block.header
        for scope in self._on_tip:
            scope.cancel()
        prepared = await in_slices(store.prepare_commit(executed, commit))
        await self._disk.run(store.write_commit, prepared)
        members_changed = c.view.finish(prepared)
        c.production.forget()
        included = [tx.hash for tx in executed.block.transactions]
        c.mempool.update(included, executed.diff.accounts, c.now_ms())
        c.subscriptions.publish(executed)
        now = trio.current_time()
        _LOG.info(
            "block.committed",
            height=header.number,
            round=commit.round,
            hash=executed.block.hash.hex()[:16],
            transactions=len(included),
            gas_used=header.gas_used,
            since_last_ms=round((now - self.last_block_at) * 1_000),
        )
        self.last_block_at = now
        self.committed = True
        if members_changed:
            c.members_changed(c.view)

    def _announce_height(self) -> None:
        """Begin the next height; at once where a block could take something, else when it can or something comes."""
        wait_ms = self._c.mempool.takeable_in_ms(self._c.now_ms())
        self._waking.cancel()
        if wait_ms:
            self._nursery.start_soon(self._wake, wait_ms)
        self._next.append(InNewHeight(self._c.view.context(transactions_waiting=wait_ms == 0)))

    async def _wake(self, wait_ms: int) -> None:
        """Tell consensus when what waits has paid for its share (``mempool.shares``)."""
        with trio.CancelScope() as self._waking:
            await trio.sleep(wait_ms / 1_000)
            self._transactions_available()

    async def _apply_fetched(self, fetched: Fetched) -> None:
        """Check each fetched block by its commit, then execute and commit it; keep what was good."""
        if await self._apply_blocks(fetched):
            self._announce_height()
        else:
            self._next.append(InSyncFailed(fetched.peer))

    async def _apply_blocks(self, fetched: Fetched) -> bool:
        """Check, execute and commit; whether any was good. Signatures of the next block are recovered meanwhile."""
        c = self._c
        before = c.view.height
        ahead: trio.Event | None = None
        async with trio.open_nursery() as nursery:
            try:
                for block, following in zip_longest(fetched.blocks, fetched.blocks[1:]):
                    height = block[0].header.number
                    if height <= c.view.height:
                        continue  # Consensus decided it meanwhile.
                    if height != c.view.height + 1:
                        break  # A gap: what follows cannot be executed yet.
                    self._check_decided(*block)
                    if ahead is not None:
                        await ahead.wait()
                    if following is not None:
                        ahead = trio.Event()
                        nursery.start_soon(self._recover_ahead, following[0], following[1], ahead)
                    await self._commit(await self._execute(block[0]), block[1])
            except (InvalidBlockError, InvalidCommitError, MessageError) as error:
                _LOG.warning("sync.bad_block", peer=fetched.peer.hex(), error=str(error))
                c.peers.report(fetched.peer, "bad_block")
        return c.view.height > before

    def _check_decided(self, block: Block, commit: Commit) -> None:
        """Check that ``commit`` decides ``block``, whose height is one of those whose set is known."""
        height = block.header.number
        verify_commit(commit, height, block.hash, self._c.view.validators[height], self._c.domain)
        check_body(block, self._c.view.config)  # The commit is for the header alone.

    async def _recover_ahead(self, block: Block, commit: Commit, done: trio.Event) -> None:
        """Recover the senders of the block after the one that executes, if it is decided: a liar costs no recovery."""
        try:
            if block.header.number == self._c.view.height + 2:
                self._check_decided(block, commit)
                await self._c.admission.recover_ahead(block.transactions)
        except (InvalidBlockError, InvalidCommitError, MessageError):
            pass  # It is found and reported when its turn comes.
        finally:
            done.set()

    # ------------------------------------------------------------- inputs

    async def _fire(self, timer: Timer) -> None:
        await self._send.send(InTimeout(timer))

    async def _follow_peers(self) -> None:
        peers = self._c.peers
        while True:
            event = await peers.next_event()
            if isinstance(event, InPeerConnected):
                peers.send_transactions(event.peer, self._c.mempool.encoded())
            await self._send.send(event)

    async def _take_gossip(self) -> None:
        while True:
            peer, encoded = await self._c.peers.next_transactions()
            self._c.admission.offer(encoded, peer)


class Timers:
    """Runs the timers that consensus sets. A dozen at most: one for each kind, height and round in play."""

    def __init__(self, nursery: trio.Nursery, fire: Callable[[Timer], Awaitable[None]]) -> None:
        self._nursery = nursery
        self._fire = fire
        self._running: dict[Timer, trio.CancelScope] = {}

    def set(self, timer: Timer, delay_ms: int) -> None:
        """Fire ``timer`` after ``delay_ms``; an equal timer that runs is replaced."""
        running = self._running.pop(timer, None)
        if running is not None:
            running.cancel()
        scope = self._running[timer] = trio.CancelScope()
        self._nursery.start_soon(self._wait, timer, delay_ms / 1_000, scope)

    def cancel_all(self) -> None:
        """Forget every timer."""
        for scope in self._running.values():
            scope.cancel()
        self._running.clear()

    async def _wait(self, timer: Timer, delay_s: float, scope: trio.CancelScope) -> None:
        with scope:
            await trio.sleep(delay_s)
            if self._running.get(timer) is scope:
                del self._running[timer]
            await self._fire(timer)

"""The owner task at work: whole nodes decide blocks, fall behind, catch up, restart."""

import errno
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import cast

import pytest
import structlog.testing
import trio
import trio.testing

from alatau.chain.errors import InvalidBlockError
from alatau.chain.executed import ExecutedBlock
from alatau.consensus.effects import DoBuildBlock, DoCommit
from alatau.consensus.inputs import InNewHeight, InTransactionsAvailable, Timer, TimerKind
from alatau.consensus.records import OwnVoteRecord, SignState, SignStep
from alatau.crypto.secp256k1 import PrivateKey
from alatau.engine import admission as admission_module
from alatau.engine.block_sync import BlockSync, Fetched
from alatau.engine.engine import Timers
from alatau.engine.joining import Joining
from alatau.storage.disk import Batch, Disk
from alatau.storage.errors import DiskFullError
from alatau.transport.slices import in_slices
from alatau.types.block import Block
from alatau.types.transaction import Transaction, TransactionError
from alatau.types.validator import validator_set
from alatau.types.vote import Commit, Vote, VoteKind
from tests.support.local_nodes import (
    Hub,
    local_genesis,
    opened_node,
    running_network,
    running_node,
    wait_for_height,
)
from tests.support.small_network import PAYEE, PAYER, VALIDATORS, SmallNetwork, build, commit_for, payment
from tests.support.transactions import signed


@pytest.mark.trio
async def test_four_nodes_decide_the_same_blocks(tmp_path: Path) -> None:
    """A payment offered to one node is in everybody's state, and all roots are equal."""
    async with running_network(tmp_path) as nodes:
        with nodes[3].subscriptions.open() as blocks:
            outcomes = await nodes[0].admission.submit([payment(n).encoded for n in range(3)])
            assert outcomes == [None, None, None]
            included = 0
            async for executed in blocks:
                included += len(executed.block.transactions)
                if included == 3:
                    break
        height = nodes[3].view.height
        await wait_for_height(nodes, height)
        assert all(node.state_roots()[: height + 1] == nodes[0].state_roots()[: height + 1] for node in nodes)
        for node in nodes:
            payee = node.view.tip.state.account(PAYEE.address)
            assert payee is not None
            assert payee.balance == 3
            assert len(node.mempool) == 0


@pytest.mark.trio
async def test_two_of_four_decide_nothing(tmp_path: Path) -> None:
    """Without a quorum no height ends, whatever is offered."""
    async with running_network(tmp_path, 2) as nodes:
        assert await nodes[0].admission.submit([payment(0).encoded]) == [None]
        await trio.sleep(1.5)  # Fifteen heartbeats, and several rounds.
        assert [node.view.height for node in nodes] == [0, 0]


@pytest.mark.trio
async def test_a_node_that_was_away_fetches_what_it_missed(tmp_path: Path) -> None:
    """The fourth validator starts late, catches up by the commits of the others, and joins."""
    hub, genesis = Hub(), local_genesis()
    keys = VALIDATORS
    async with (
        running_node(keys[0], genesis, tmp_path / "0", hub) as first,
        running_node(keys[1], genesis, tmp_path / "1", hub) as second,
        running_node(keys[2], genesis, tmp_path / "2", hub) as third,
    ):
        await first.admission.submit([payment(0).encoded])
        await wait_for_height([first, second, third], 6)
        async with running_node(keys[3], genesis, tmp_path / "3", hub) as late:
            await wait_for_height([late], first.view.height + 2)
            height = late.view.height
            await wait_for_height([first], height)
            assert late.state_roots()[: height + 1] == first.state_roots()[: height + 1]
            assert late.peers.reported == []


@pytest.mark.trio
async def test_a_peer_that_serves_a_wrong_block_is_reported(tmp_path: Path) -> None:
    """A block that its commit does not fit is refused, its server reported, and another peer asked."""
    hub, genesis = Hub(), local_genesis()
    keys = VALIDATORS
    async with (
        running_node(keys[0], genesis, tmp_path / "0", hub) as first,
        running_node(keys[1], genesis, tmp_path / "1", hub) as second,
        running_node(keys[2], genesis, tmp_path / "2", hub) as third,
    ):
        await wait_for_height([first, second, third], 4)
        honest = first.store.block(2)
        assert honest is not None
        first.peers.lie = Block(replace(honest.header, gas_used=1), (), honest.last_commit)
        async with running_node(keys[3], genesis, tmp_path / "3", hub) as late:
            await wait_for_height([late], 6)
            assert set(late.peers.reported) <= {(keys[0].address, "bad_block")}
            assert late.state_roots()[:5] == second.state_roots()[:5]


@pytest.mark.trio
async def test_a_restart_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """A lone node of a network of four is stopped and started in turn with the others, without contradiction."""
    hub, genesis = Hub(), local_genesis()
    keys = VALIDATORS
    async with (
        running_node(keys[0], genesis, tmp_path / "0", hub) as first,
        running_node(keys[1], genesis, tmp_path / "1", hub) as second,
        running_node(keys[2], genesis, tmp_path / "2", hub) as third,
    ):
        reached = 0
        for _ in range(3):
            async with running_node(keys[3], genesis, tmp_path / "3", hub) as fourth:
                assert fourth.view.height >= reached
                await wait_for_height([fourth], first.view.height + 2)
                reached = fourth.view.height
        await wait_for_height([first, second, third], reached)
        assert first.evidence == second.evidence == third.evidence == []


@pytest.mark.trio
async def test_the_sender_of_a_refused_transaction_learns_why(tmp_path: Path) -> None:
    """Each kind of bad transaction has its reason, and none of them is passed on."""
    async with running_network(tmp_path, 1) as (node,):
        wrong_chain = bytearray(payment(0).encoded)
        cases = {
            b"": "TRANSACTION_MALFORMED",
            bytes(wrong_chain[:-1]): "TRANSACTION_MALFORMED",
            payment(0, gas_limit=20_999).encoded: "INTRINSIC_GAS_TOO_LOW",
            payment(0, gas_limit=2**24 + 1).encoded: "GAS_LIMIT_TOO_HIGH",
            payment(0, value=10**21).encoded: "INSUFFICIENT_FUNDS",
            payment(5_000).encoded: "NONCE_GAP_TOO_LARGE",
        }
        outcomes = await node.admission.submit(list(cases))
        assert [o.reason for o in outcomes if o is not None] == list(cases.values())
        assert len(node.mempool) == 0
        assert node.admission.refused_total["TRANSACTION_MALFORMED"] == 2
        assert node.view.tip.state.account(PAYER.address) is not None


ATTACKER = PrivateKey(b"\x66" * 32)
LOOP = bytes.fromhex("5b600056")
"""JUMPDEST PUSH1 0 JUMP: init code that burns all its gas."""


def creation(nonce: int) -> bytes:
    """A contract creation that costs tens of milliseconds on each node, with a tip that nobody else pays."""
    fee = {"max_fee_per_gas": 10**9, "max_priority_fee_per_gas": 10**9}
    return signed(ATTACKER, nonce=nonce, gas_limit=3_000_000, to=None, value=0, data=LOOP, **fee).encoded


@pytest.mark.trio
async def test_one_senders_heavy_creations_do_not_hold_up_payments(tmp_path: Path) -> None:
    """Thirty creations wait, each as long as a block takes; a payment is in one of the next blocks all the same."""
    genesis = local_genesis()
    patient = replace(genesis.config.consensus, timeout_propose_ms=20_000, timeout_vote_ms=20_000)
    config = replace(genesis.config, consensus=patient)  # what is counted is blocks: no round ends for a busy machine
    genesis = replace(genesis, config=config, alloc=genesis.alloc | {ATTACKER.address: 10**20})
    async with running_network(tmp_path, genesis=genesis) as nodes:
        node = nodes[0]
        with trio.fail_after(120), node.subscriptions.open() as blocks:
            assert await node.admission.submit([creation(n) for n in range(30)]) == [None] * 30
            for nonce in range(8):
                paid = payment(nonce)
                assert await node.admission.submit([paid.encoded], "payer") == [None]
                before = node.view.height
                async for executed in blocks:
                    if paid in executed.block.transactions:
                        break
                # One block was being built or decided; the payment is in the one after it, or the next after that.
                assert executed.block.header.number <= before + 3
        assert len(node.mempool) > 0, "creations still wait for their share"
        await wait_for_height(nodes, node.view.height)
        assert all(peer.peers.reported == [] for peer in nodes)


@pytest.mark.trio
async def test_work_on_a_tip_that_moved_is_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A block being checked when another is committed is given up, before it reads a trie that is gone.

    Found under a profiler that held a node up: the check went on, on nodes that the commit had overwritten.
    """
    monkeypatch.setattr("alatau.engine.production.in_slices", partial(in_slices, slice_s=0.0))
    genesis = local_genesis()
    async with opened_node(VALIDATORS[0], genesis, tmp_path, Hub()) as node, trio.open_nursery() as nursery:
        engine, network = node.engine, SmallNetwork(genesis, node.view.tip, node.view.validators[1], node.domain)
        rival = build(network, [payment(0, value=2), payment(1)]).executed.block
        decided = build(network, [payment(0)]).executed
        nursery.start_soon(engine._while_on_tip, engine._validate, rival)
        while not engine._on_tip:
            await trio.lowlevel.checkpoint()
        await engine._commit(decided, commit_for(network, decided.block))
        await trio.sleep(0.05)
        assert not engine._on_tip
        assert node.view.height == 1


@pytest.mark.trio
@pytest.mark.parametrize("what", ["light", "forged", "strangers", "another block", "another height"])
async def test_a_fetched_block_counts_only_with_its_commit(tmp_path: Path, what: str) -> None:
    """The block itself is valid: only a quorum's signatures make it the network's, and who serves less is dropped."""
    genesis = local_genesis()
    async with opened_node(VALIDATORS[0], genesis, tmp_path, Hub()) as node:
        network = SmallNetwork(genesis, node.view.tip, node.view.validators[1], node.domain)
        block = build(network, [payment(0)]).executed.block
        good = commit_for(network, block)
        first, *others = good.signatures
        commit = {
            "light": replace(good, signatures=tuple(others)),
            "forged": replace(good, signatures=(replace(first, signature=others[0].signature), *others)),
            "strangers": commit_for(network, block, sorted((PAYER, *VALIDATORS[:2]), key=lambda key: key.address)),
            "another block": commit_for(network, build(network, []).executed.block),
            "another height": replace(good, height=2),
        }[what]
        await node.engine._apply_fetched(Fetched(b"peer", ((block, commit),)))
        assert node.view.height == 0
        assert node.peers.reported == [(b"peer", "bad_block")]
        await node.engine._apply_fetched(Fetched(b"peer", ((block, good),)))
        assert node.view.height == 1


async def two_blocks(folder: Path) -> list[tuple[Block, Commit]]:
    """The first two blocks of the local genesis, with a payment each and their commits."""
    genesis = local_genesis()
    async with opened_node(VALIDATORS[1], genesis, folder, Hub()) as node:
        network = SmallNetwork(genesis, node.view.tip, node.view.validators[1], node.domain)
        first = build(network, [payment(0)]).executed
        good = commit_for(network, first.block)
        await node.engine._commit(first, good)
        above = replace(network, tip=node.view.tip)
        second = build(above, [payment(1)], good).executed.block
        return [(first.block, good), (second, commit_for(above, second))]


@pytest.mark.trio
async def test_signatures_of_the_next_fetched_block_are_recovered_while_one_executes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a block's turn comes its senders are known: none is recovered twice."""
    blocks = await two_blocks(tmp_path / "source")
    ahead: list[bytes] = []
    late: list[bytes] = []
    _note_recoveries(monkeypatch, "recover_senders_beside", ahead)
    _note_recoveries(monkeypatch, "recover_senders", late)
    async with opened_node(VALIDATORS[0], local_genesis(), tmp_path / "behind", Hub()) as node:
        await node.engine._apply_fetched(Fetched(b"peer", blocks))
        assert (node.view.height, node.peers.reported) == (2, [])
        assert ahead == [tx.hash for tx in blocks[1][0].transactions]
        assert late == [tx.hash for tx in blocks[0][0].transactions]


@pytest.mark.trio
async def test_no_signature_is_recovered_of_a_fetched_block_that_nobody_decided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A liar's block behind a good one costs the check of its commit; the good one counts."""
    good, (block, commit) = await two_blocks(tmp_path / "source")
    one, *others = commit.signatures
    forged = replace(commit, signatures=(replace(one, signature=others[0].signature), *others))
    ahead: list[bytes] = []
    _note_recoveries(monkeypatch, "recover_senders_beside", ahead)
    async with opened_node(VALIDATORS[0], local_genesis(), tmp_path / "behind", Hub()) as node:
        await node.engine._apply_fetched(Fetched(b"peer", [good, (block, forged)]))
        assert (node.view.height, node.peers.reported) == (1, [(b"peer", "bad_block")])
        assert not ahead


def _note_recoveries(monkeypatch: pytest.MonkeyPatch, name: str, recovered: list[bytes]) -> None:
    recover = getattr(admission_module, name)

    async def noted(transactions: Sequence[Transaction]) -> list[bytes | TransactionError]:
        recovered.extend(tx.hash for tx in transactions)
        return cast("list[bytes | TransactionError]", await recover(transactions))

    monkeypatch.setattr(admission_module, name, noted)


@pytest.mark.trio
async def test_a_fetched_body_is_that_of_its_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commit is for the header; another body under it is refused before it is executed."""
    genesis = local_genesis()
    async with opened_node(VALIDATORS[0], genesis, tmp_path, Hub()) as node:
        network = SmallNetwork(genesis, node.view.tip, node.view.validators[1], node.domain)
        block = build(network, [payment(0), payment(1)]).executed.block
        lie = replace(block, transactions=block.transactions[:1])
        monkeypatch.setattr(node.engine, "_execute", None)
        await node.engine._apply_fetched(Fetched(b"peer", ((lie, commit_for(network, block)),)))
        assert node.view.height == 0
        assert node.peers.reported == [(b"peer", "bad_block")]


@pytest.mark.trio
@pytest.mark.parametrize("what", ["light", "forged", "missing"])
async def test_a_block_with_a_bad_commit_of_its_parent_is_invalid(tmp_path: Path, what: str) -> None:
    """Whoever looks absent there loses its turns, and light clients rely on it: its signatures are checked."""
    genesis = local_genesis()
    async with opened_node(VALIDATORS[0], genesis, tmp_path, Hub()) as node:
        network = SmallNetwork(genesis, node.view.tip, node.view.validators[1], node.domain)
        first = build(network, [payment(0)]).executed
        good = commit_for(network, first.block)
        await node.engine._commit(first, good)
        one, *others = good.signatures
        commit = {
            "light": replace(good, signatures=tuple(others)),
            "forged": replace(good, signatures=(replace(one, signature=others[0].signature), *others)),
            "missing": None,
        }[what]
        above = replace(network, tip=node.view.tip)
        with pytest.raises(InvalidBlockError, match=r"last_commit|every block but the first"):
            await node.engine._execute(build(above, [], commit).executed.block)
        await node.engine._execute(build(above, [], good).executed.block)


@pytest.mark.trio
@pytest.mark.parametrize(("budget_s", "taken"), [(0.0, 1), (60.0, 5)])
async def test_the_building_budget_is_the_hosts_alone(tmp_path: Path, budget_s: float, taken: int) -> None:
    """A block takes transactions for as long as the node is configured to, whatever share of the interval that is."""
    async with opened_node(VALIDATORS[0], local_genesis(), tmp_path, Hub()) as node, trio.open_nursery() as nursery:
        nursery.start_soon(node.admission.run, lambda: None)
        assert await node.admission.submit([payment(n).encoded for n in range(5)]) == [None] * 5
        production = node.engine._c.production
        production._build_budget_s = budget_s
        request = DoBuildBlock(1, 0, None, node.view.tip.header.timestamp + 1)
        block = await production.build(node.view.tip, node.view.validators[1], request, VALIDATORS[0].address)
        assert len(block.transactions) == taken
        nursery.cancel_scope.cancel()


class FullDisk(Disk):
    """A disk without room for another batch from a moment on."""

    full = False

    def write_batch(self, batch: Batch) -> None:
        """Refuse while full."""
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        batch.write()


@pytest.mark.trio
async def test_a_full_disk_stops_the_node_and_it_goes_on_with_room(tmp_path: Path) -> None:
    """The commit that finds no room ends the node with an error that says so; the next start has lost nothing."""
    genesis, disk = local_genesis(), FullDisk()
    async with opened_node(VALIDATORS[0], genesis, tmp_path, Hub(), disk) as node:
        network = SmallNetwork(genesis, node.view.tip, node.view.validators[1], node.domain)
        decided = build(network, [payment(0)]).executed
        commit = commit_for(network, decided.block)
        vote = Vote(VoteKind.PRECOMMIT, 1, 0, decided.block.hash, VALIDATORS[0].address, bytes(65))
        node.journal.append(OwnVoteRecord(vote, 0, decided.block.hash, 0, decided.block.hash))
        node.journal.record_sign_state(SignState(1, 0, SignStep.PRECOMMIT, bytes(32)))
        node.engine._c.production._keep(decided)
        disk.full = True
        with pytest.raises(DiskFullError, match="room"):
            await node.engine._perform(DoCommit(decided.block, commit))
    disk.full = False
    async with opened_node(VALIDATORS[0], genesis, tmp_path, Hub(), disk) as node:
        assert node.view.height == 0
        assert [record.height for record in node.records] == [1], "the log outlives a commit that failed"
        await node.engine._commit(decided, commit)
        assert node.view.height == 1
        assert node.view.tip.state.account(PAYEE.address) is not None


PROPOSE = Timer(TimerKind.PROPOSE, 1, 0)
PREVOTE = Timer(TimerKind.PREVOTE, 1, 0)


async def fired_within(seconds: float, *settings: tuple[Timer, int], cancel: bool = False) -> list[Timer]:
    """Set timers, wait on a mock clock, give those that fired in order."""
    fired: list[Timer] = []

    async def fire(timer: Timer) -> None:
        await trio.lowlevel.checkpoint()
        fired.append(timer)

    async with trio.open_nursery() as nursery:
        timers = Timers(nursery, fire)
        for timer, delay_ms in settings:
            timers.set(timer, delay_ms)
        if cancel:
            timers.cancel_all()
        await trio.sleep(seconds)
        nursery.cancel_scope.cancel()
    return fired


@pytest.mark.trio
async def test_timers_fire_in_order_of_time(autojump_clock: trio.testing.MockClock) -> None:
    """Each fires once, after its delay."""
    assert await fired_within(10, (PREVOTE, 2_000), (PROPOSE, 1_000)) == [PROPOSE, PREVOTE]


@pytest.mark.trio
async def test_an_equal_timer_replaces_the_first(autojump_clock: trio.testing.MockClock) -> None:
    """Setting one again moves it."""
    assert await fired_within(2, (PROPOSE, 1_000), (PROPOSE, 3_000)) == []
    assert await fired_within(4, (PROPOSE, 1_000), (PROPOSE, 3_000)) == [PROPOSE]


@pytest.mark.trio
async def test_cancelled_timers_never_fire(autojump_clock: trio.testing.MockClock) -> None:
    """After a decision nothing of the height wakes anybody (Besu 1734)."""
    assert await fired_within(10, (PROPOSE, 1_000), (PREVOTE, 2_000), cancel=True) == []


@pytest.mark.trio
async def test_timers_fire_on_time_and_are_forgotten(autojump_clock: trio.testing.MockClock) -> None:
    """To the millisecond; neither one that fired nor one that was cancelled is held."""
    began, at = trio.current_time(), list[float]()

    async def fire(_: Timer) -> None:
        await trio.lowlevel.checkpoint()
        at.append(trio.current_time() - began)

    async with trio.open_nursery() as nursery:
        timers = Timers(nursery, fire)
        timers.set(PROPOSE, 1_000)
        await trio.sleep(2)
        assert at == [pytest.approx(1.0)]
        assert timers._running == {}
        timers.set(PROPOSE, 1_000)
        timers.cancel_all()
        assert timers._running == {}


# ---------------------------------------------------------------- one engine, not running


@pytest.mark.trio
@pytest.mark.parametrize("running", [False, True])
@pytest.mark.parametrize("joining", [None, False, True])
async def test_blocks_are_fetched_while_joining_and_later(tmp_path: Path, running: bool, joining: bool | None) -> None:
    """Either counts as catching up."""
    async with opened_node(VALIDATORS[0], local_genesis(), tmp_path, Hub()) as node, trio.open_nursery() as nursery:
        engine = node.engine
        engine._block_sync = BlockSync(nursery, node.peers, engine._send.send)
        engine._block_sync.running = running
        if joining is not None:
            engine._joining = Joining(node.view, node.peers, VALIDATORS[0].address, engine._apply_blocks)
            engine._joining.fetching = joining
        assert engine.syncing is (running or bool(joining))


@pytest.mark.trio
@pytest.mark.parametrize(
    ("validator", "grown", "listens"), [(True, True, True), (True, False, False), (False, True, False)]
)
async def test_only_a_validator_with_a_past_listens_first(
    tmp_path: Path, validator: bool, grown: bool, listens: bool
) -> None:
    """A fresh one asks around in consensus; an observer signs nothing."""
    genesis, key = local_genesis(), VALIDATORS[0] if validator else PAYER
    async with opened_node(key, genesis, tmp_path, Hub()) as node, trio.open_nursery() as nursery:
        network = SmallNetwork(genesis, node.view.tip, node.view.validators[1], node.domain)
        if grown:
            decided = build(network, []).executed
            await node.engine._commit(decided, commit_for(network, decided.block))
        assert not node.engine.joined
        await nursery.start(node.engine.run, node.records)
        await trio.testing.wait_all_tasks_blocked()
        assert (node.engine._joining is not None) is listens
        assert node.engine.joined is not listens
        nursery.cancel_scope.cancel()


@pytest.mark.trio
async def test_work_for_another_height_is_not_begun(tmp_path: Path) -> None:
    """What it was for was decided meanwhile: nothing is built, judged or told."""
    genesis = local_genesis()
    async with opened_node(VALIDATORS[0], genesis, tmp_path, Hub()) as node:
        engine, network = node.engine, SmallNetwork(genesis, node.view.tip, node.view.validators[1], node.domain)
        decided = build(network, [payment(0)]).executed
        engine._c.production._keep(decided)
        await engine._commit(decided, commit_for(network, decided.block))
        await engine._validate(decided.block)
        await engine._build(DoBuildBlock(1, 0, None, node.view.tip.header.timestamp + 1))
        with pytest.raises(trio.WouldBlock):
            engine._inbox.receive_nowait()
        assert engine._c.production.executed(decided.block.hash) is None, "what was executed is forgotten with its tip"


@pytest.mark.trio
@pytest.mark.parametrize("known", [False, True])
async def test_what_is_decided_is_executed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: bool) -> None:
    """Not again where it was judged; anew where a restart lies between."""
    genesis, executed_again = local_genesis(), list[bytes]()
    async with opened_node(VALIDATORS[0], genesis, tmp_path, Hub()) as node, trio.open_nursery() as nursery:
        engine, network = node.engine, SmallNetwork(genesis, node.view.tip, node.view.validators[1], node.domain)
        engine._nursery = nursery
        decided = build(network, [payment(0)]).executed
        execute = engine._execute

        async def noted(block: Block) -> ExecutedBlock:
            executed_again.append(block.hash)
            return await execute(block)

        monkeypatch.setattr(engine, "_execute", noted)
        if known:
            engine._c.production._keep(decided)
        await engine._commit_decided(decided.block, commit_for(network, decided.block))
        assert node.view.height == 1
        assert executed_again == ([] if known else [decided.block.hash])
        assert [type(event) for event in engine._next] == [InNewHeight]


@pytest.mark.trio
async def test_the_commit_of_the_parent_is_that_of_the_set_that_decided_it(tmp_path: Path) -> None:
    """Neither that of the block's own height nor that of the height after it."""
    genesis = local_genesis()
    async with opened_node(VALIDATORS[0], genesis, tmp_path, Hub()) as node:
        view, founders = node.view, node.view.validators[1]
        network = SmallNetwork(genesis, view.tip, founders, node.domain)
        first = build(network, []).executed
        commit = commit_for(network, first.block)
        await node.engine._commit(first, commit)
        heavy = replace(founders.validators[0], power=100)
        others = validator_set([heavy, *founders.validators[1:]])
        view.validators |= {2: others, 3: others}
        above = replace(network, tip=view.tip, validators=others)
        signed_by_three = commit_for(network, first.block, [key for key in VALIDATORS if key.address != heavy.address])
        await node.engine._execute(build(above, [], signed_by_three).executed.block)


@pytest.mark.trio
async def test_a_commit_is_logged_with_the_time_since_the_last(
    tmp_path: Path, mock_clock: trio.testing.MockClock
) -> None:
    """In milliseconds, and by the first digits of its hash; from then on the node knows that it is with the network."""
    genesis = local_genesis()
    mock_clock.jump(50.0)
    async with opened_node(VALIDATORS[0], genesis, tmp_path, Hub()) as node:
        network = SmallNetwork(genesis, node.view.tip, node.view.validators[1], node.domain)
        decided = build(network, [payment(0)]).executed
        assert not node.engine.committed
        mock_clock.jump(1_000.0)
        with structlog.testing.capture_logs() as logs:
            await node.engine._commit(decided, commit_for(network, decided.block))
        (line,) = [line for line in logs if line["event"] == "block.committed"]
        assert line["since_last_ms"] == 1_000_000
        assert line["hash"] == decided.block.hash[:8].hex()
        assert node.engine.committed
        assert node.engine.last_block_at == trio.current_time()


@pytest.mark.trio
async def test_a_waking_comes_on_time(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    """When what waits may go, and not before."""
    async with opened_node(VALIDATORS[0], local_genesis(), tmp_path, Hub()) as node:
        began = trio.current_time()
        await node.engine._wake(2_000)
        assert trio.current_time() - began == pytest.approx(2.0, abs=1e-4)
        assert node.engine._inbox.receive_nowait() == InTransactionsAvailable()


@pytest.mark.trio
async def test_blocks_that_were_decided_meanwhile_are_passed_over(tmp_path: Path) -> None:
    """What a peer serves may begin below the tip; the rest counts, and nobody is blamed."""
    blocks = await two_blocks(tmp_path / "source")
    async with opened_node(VALIDATORS[0], local_genesis(), tmp_path / "behind", Hub()) as node:
        await node.engine._apply_fetched(Fetched(b"peer", blocks[:1]))
        assert node.view.height == 1
        await node.engine._apply_fetched(Fetched(b"peer", blocks))
        assert (node.view.height, node.peers.reported) == (2, [])


@pytest.mark.trio
@pytest.mark.parametrize("waiting", [False, True])
async def test_a_height_begins_with_whether_a_block_could_take_something(tmp_path: Path, waiting: bool) -> None:
    """What waits in the pool and may go."""
    async with opened_node(VALIDATORS[0], local_genesis(), tmp_path, Hub()) as node, trio.open_nursery() as nursery:
        if waiting:
            node.mempool.admit(payment(0), PAYER.address, node.view.tip.state.account(PAYER.address), 0)
        node.engine._nursery = nursery
        node.engine._announce_height()
        (event,) = node.engine._next
        assert isinstance(event, InNewHeight)
        assert event.context.transactions_waiting is waiting


@pytest.mark.trio
async def test_what_peers_pass_on_reaches_the_pool(tmp_path: Path) -> None:
    """Again and again."""
    async with running_node(VALIDATORS[0], local_genesis(), tmp_path, Hub()) as node:
        for nonce in range(3):
            node.peers._give.send_nowait((VALIDATORS[1].address, (payment(nonce).encoded,)))
            with trio.fail_after(20):
                while len(node.mempool) <= nonce:  # noqa: ASYNC110  the pool, looked at
                    await trio.sleep(0.01)

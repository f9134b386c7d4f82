"""The survival checklist, as far as consensus is concerned: what happened to others does not happen here.

Each test names the incident. The rest of the list (contracts, storage, transport) is tested where it belongs.
"""

from dataclasses import replace

import pytest

from alatau.consensus.effects import DoHalt, DoReportPeer, DoRequestSync, DoSetTimer
from alatau.consensus.height import timeout_ms
from alatau.consensus.inputs import InMessage, InNewHeight, InStart, InTimeout, Timer, TimerKind
from alatau.consensus.messages import Message, ProposalMessage, StatusMessage, VotesMessage
from alatau.consensus.proposer import proposer
from alatau.consensus.records import SignState, SignStep
from alatau.types.chain_config import ConsensusParameters
from alatau.types.validator import validator_set
from alatau.types.vote import VoteKind
from tests.simulation.chain import Rules, address_of, equal_validators, forge, validator
from tests.simulation.checkers import Checkers, Violation
from tests.simulation.node import Node
from tests.simulation.scenario import lose, network, reach
from tests.simulation.world import Faults, World
from tests.support.table import Table

PREVOTE, PRECOMMIT = VoteKind.PREVOTE, VoteKind.PRECOMMIT


def carries(message: Message, kind: VoteKind) -> bool:
    """Whether a message holds a vote of this kind."""
    votes = getattr(message, "votes", ())
    return any(vote.kind is kind for vote in votes)


# ------------------------------------------------------------------ safety


def test_besu_1734_a_timer_queued_behind_a_commit_does_nothing() -> None:
    """It belonged to a height that is over; two honest nodes diverged on it."""
    table = Table()
    for line in ("start", "v4 proposes A r0", "A is valid", "v1 prevotes A r0", "v4 prevotes A r0"):
        table.do(line)
    table.do("v1 precommits A r0")
    table.do("v4 precommits A r0")
    stale = [InTimeout(Timer(kind, 1, 0)) for kind in TimerKind]
    assert [table.feed(event) for event in stale] == [[]] * len(stale)
    table.do("A is committed by v1 v2 v4")
    assert [table.feed(event) for event in stale] == [[]] * len(stale)


def test_cometbft_c32p_a_signature_counts_for_its_signer_only() -> None:
    """Votes under another's name, or of a stranger, are refused; nothing is counted by position."""
    table = Table()
    table.do("start")
    honest = table.vote(1, PRECOMMIT, "A", 0)
    for forged in (
        replace(honest, validator=address_of(3)),
        replace(honest, validator=address_of(99)),
        replace(honest, signature=forge(address_of(1))),
        replace(honest, block_hash=table.blocks["B"].hash),
    ):
        [effect] = table.say(4, VotesMessage((forged,)))
        assert isinstance(effect, DoReportPeer)
        assert effect.error.reason in ("signature", "stranger")
    assert table.core.view().precommits == {}


def test_malachite_850_votes_are_rebuilt_with_their_value_after_a_restart() -> None:
    """Everybody precommits, everybody loses power before hearing it: the same block is decided afterwards."""
    world = network(4)
    with pytest.MonkeyPatch.context() as patch:
        lose(world, patch, lambda _, __, message: carries(message, PRECOMMIT))
        world.start()
        world.run(1_200, lambda: sum(n.core.view().locked_round == 0 for n in world.nodes) == 4)
        locked = {n.core._height.driver.state.locked_hash for n in world.nodes}
        for node in world.nodes:
            world.kill(node)
    assert len(locked) == 1
    world.start()
    reach(world, 1)
    assert {n.disk.ledger.blocks[1].hash for n in world.nodes} == locked


def test_cometbft_g5xx_proposers_follow_from_committed_data_alone() -> None:
    """No priorities accumulate, so none can be smuggled in with a snapshot: the same question, the same answer."""
    validators = equal_validators(7)
    first = [proposer(validators, h, 0, frozenset()) for h in range(1, 50)]
    assert [proposer(validators, h, 0, frozenset()) for h in reversed(range(1, 50))] == first[::-1]


def test_pantheon_827_duplicate_signatures_count_once() -> None:
    """A hundred times the same precommit is one precommit."""
    table = Table()
    for line in ("start", "v4 proposes A r0", "A is valid"):
        table.do(line)
    vote = table.vote(1, PRECOMMIT, "A", 0)
    for _ in range(100):
        table.say(1, VotesMessage((vote,) * 4))
    assert table.core.view().precommits == {address_of(1): table.blocks["A"].hash}
    assert table.core.height == 1


@pytest.mark.parametrize("count", range(1, 11))
def test_celo_117_the_quorum_is_right_for_every_number_of_validators(count: int) -> None:
    """More than two thirds, also where n is not 3f+1: one less does not decide."""
    needed = 2 * count // 3 + 1
    for votes, decided in ((needed - 1, False), (needed, True)):
        table = Table(count=count, me=None)
        table.do("start")
        by = next(n for n in range(1, count + 1) if address_of(n) == table.core.view().proposer)
        table.do(f"v{by} proposes A r0")
        table.do("A is valid")
        told = [
            words
            for n in range(1, votes + 1)
            for words in table.told(table.say(n, VotesMessage((table.vote(n, PRECOMMIT, "A", 0),))))
        ]
        commits = [words for words in told if words.startswith("commit ")]
        assert commits == ([f"commit A r0 by {votes}"] if decided else [])


def test_restored_backup_does_not_sign_twice() -> None:
    """An old log with a newer sign state: the lock is unknown, so this height passes without our signature."""
    table = Table()
    for line in ("start", "v4 proposes A r0", "A is valid"):
        table.do(line)
    table.log.clear()  # The backup.
    assert table.told(table.do("restart")) == []
    table.do("v4 proposes B r0")
    assert table.told(table.do("B is valid")) == []
    assert table.sign_state is not None
    later = table.context_after(table.blocks["A"], table.commit_of("A", 0, (1, 3, 4)))
    table.feed(InNewHeight(later))
    assert table.core.view().may_sign


def test_a_second_node_with_our_key_silences_us() -> None:
    """Our own signature, brought by a peer, under something that we do not remember."""
    table = Table()
    table.do("start")
    table.say(1, VotesMessage((table.vote(2, PREVOTE, "B", 0),)))
    table.do("v4 proposes A r0")
    assert table.told(table.do("A is valid")) == []


def test_a_sign_state_ahead_of_the_chain_is_caught_up_with_in_silence() -> None:
    """Disks of the chain lost, the sign state kept: nothing is signed up to where it stands."""
    table = Table()
    table.sign_state = SignState(2, 0, SignStep.PRECOMMIT, bytes(32))
    table.do("start")
    table.do("v4 proposes A r0")
    assert table.told(table.do("A is valid")) == []


# ------------------------------------------------------------------ liveness


def test_besu_7642_timeouts_are_capped() -> None:
    """A network that was down for a night is back within one timeout."""
    parameters = ConsensusParameters()
    for kind in (TimerKind.PROPOSE, TimerKind.PREVOTE, TimerKind.PRECOMMIT, TimerKind.REBROADCAST):
        delays = [timeout_ms(parameters, kind, r) for r in (0, 1, 10, 1_000, 10**6)]
        assert delays == sorted(delays)
        assert delays[-1] == parameters.timeout_max_ms


def test_quorum_1664_no_round_overflows_a_timeout() -> None:
    """Linear, so the largest round there is has the capped timeout, never a negative or a zero one."""
    parameters = ConsensusParameters()
    assert timeout_ms(parameters, TimerKind.PROPOSE, 2**31 - 1) == parameters.timeout_max_ms


def test_besu_6732_a_block_proposed_again_keeps_its_hash_and_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three lock v4's block in round 0, one precommit short; v3 proposes it again and everybody validates it.

    v1 never saw it before, so nobody takes the word of whoever built it.
    """
    world = network(4)
    first, builder = world.nodes[0], world.nodes[3]

    def dropped(node: Node, other: Node, message: Message) -> bool:
        if isinstance(message, ProposalMessage):
            return other is first and message.proposal.round == 0
        votes = getattr(message, "votes", ())
        return builder in (node, other) and any(v.kind is PRECOMMIT and v.round == 0 for v in votes)

    lose(world, monkeypatch, dropped)
    world.start()
    reach(world, 1)
    for node in world.nodes:
        commit = node.disk.ledger.commits[1]
        assert commit is not None
        assert commit.round == 1
        assert node.disk.ledger.blocks[1].header.beneficiary == builder.address


def test_besu_11005_building_slower_than_the_round_still_makes_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Builders take a second, the first round's proposal may take 0.3 s: what was built late serves the next turn."""
    world = network(4)
    monkeypatch.setattr(World, "lasts", lambda *args: 1_000.0 if args[-1] == "build" else 1.0)
    world.start()
    reach(world, 2, 60_000)


def test_besu_8307_a_quorum_with_empty_disks_learns_of_its_past() -> None:
    """Three of four lose everything; they ask before they vote and follow the fourth."""
    world = network(4)
    world.start()
    reach(world, 4)
    past = world.nodes[0].disk.ledger.blocks[:5]
    for node in world.nodes:
        world.kill(node)
    for node in world.nodes[1:]:
        world.wipe(node)
    world.start()
    reach(world, 8)
    assert all(node.disk.ledger.blocks[:5] == past for node in world.nodes)


def test_besu_6457_a_lone_validator_restarts() -> None:
    """Killed at any moment, twenty times, it goes on by itself."""
    world = network(1)
    world.start()
    for target in range(1, 21):
        reach(world, target)
        world.run(world.chance.uniform(0, 200))
        world.kill(world.nodes[0])
        world.start()
    reach(world, 22)


@pytest.mark.parametrize("skews", [(3, 3, 0, 0), (3, 0, 3, 0), (0, 0, 3, 0), (-3, -3, 0, 0), (4, 4, 0, 0)], ids=str)
def test_clocks_that_differ_by_less_than_the_bound_cost_nothing(skews: tuple[int, ...]) -> None:
    """In fifths of the bound: every height is decided in its first round, in the time that equal clocks take."""

    def took_ms(offsets: tuple[int, ...]) -> float:
        world = network(4)
        for node, fifths in zip(world.nodes, offsets, strict=True):
            node.skew_ms = fifths * world.nodes[0].parameters.clock_drift_ms_max // 5
        world.start()
        reach(world, 20)
        commits = world.nodes[0].disk.ledger.commits
        assert {commit.round for commit in commits if commit is not None} == {0}
        return world.now_ms

    assert took_ms(skews) == pytest.approx(took_ms((0, 0, 0, 0)), rel=0.01)


def test_clocks_that_were_wrong_together_and_set_right_stop_nothing() -> None:
    """All an hour ahead, then corrected: the next blocks repeat the parent's second, and come at the usual pace."""
    world = network(4)
    for node in world.nodes:
        node.skew_ms = 3_600_000
    world.start()
    reach(world, 3)
    for node in world.nodes:
        node.skew_ms = 0
    reach(world, 8)
    commits = world.nodes[0].disk.ledger.commits[5:]
    assert {commit.round for commit in commits if commit is not None} == {0}


def test_malachite_997_a_hidden_lock_comes_to_light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only v3 sees the polka of round 0 and locks; the others learn of it and decide that very block."""
    world = network(4)
    began = world.now_ms
    hidden = world.nodes[2]

    def dropped(_: Node, other: Node, message: Message) -> bool:
        young = world.now_ms < began + 2_000
        return young and other is not hidden and carries(message, PREVOTE)

    lose(world, monkeypatch, dropped)
    world.start()
    world.run(1_900, lambda: hidden.core.view().locked_round >= 0)
    locked = hidden.core._height.driver.state.locked_hash
    assert locked is not None
    assert all(n.core.view().locked_round == -1 for n in world.nodes if n is not hidden)
    reach(world, 1)
    assert {n.disk.ledger.blocks[1].hash for n in world.nodes} == {locked}


@pytest.mark.parametrize("seed", range(5))
def test_with_more_than_a_third_silent_nothing_is_decided(seed: int) -> None:
    """Two of four: no block. One comes back: blocks again."""
    world = network(4, seed)
    world.start()
    reach(world, 2)
    for node in world.nodes[2:]:
        world.kill(node)
    world.checkers.silent = frozenset(address_of(n) for n in (3, 4))
    world.run(400)  # What was on its way arrives.
    height = max(world.heights())
    world.faults = Faults(loss=0.1, duplication=0.1, delay_ms=(1.0, 100.0))
    world.run(20_000)
    assert max(world.heights()) == height
    world.checkers.silent = frozenset()
    world.faults = Faults()
    world.start([world.nodes[2]])
    reach(world, max(world.heights()) + 2, nodes=world.nodes[:3])


def test_a_dead_validator_costs_a_timeout_only_until_it_is_passed_over() -> None:
    """After ``absent_commits`` blocks no height waits for it; when it returns it proposes again."""
    world = network(4)
    world.start()
    reach(world, 1)
    dead = world.nodes[3]
    world.kill(dead)
    reach(world, 14, nodes=world.nodes[:3])
    rounds = [c.round for c in world.nodes[0].disk.ledger.commits[10:] if c is not None]
    assert set(rounds) == {0}
    world.start([dead])
    reach(world, 30)
    later = world.nodes[0].disk.ledger.blocks[20:]
    assert dead.address in {block.header.beneficiary for block in later}


def test_transactions_in_every_pool_are_decided_in_order() -> None:
    """Submitted to one node each time, gossiped to nobody: whoever has it proposes it on its turn."""
    world = network(4)
    world.start()
    for nonce in range(12):
        world.pay(7, nonce)
        world.run(60)
    included = lambda: [t.nonce for b in world.nodes[0].disk.ledger.blocks for t in b.transactions]  # noqa: E731
    assert world.run(20_000, lambda: len(included()) == 12)
    assert included() == list(range(12))


# ------------------------------------------------------------------ remote denial


def test_besu_23rh_unbounded_rounds_eat_no_memory() -> None:
    """A validator that votes in fifty thousand rounds and heights occupies what one vote does."""
    table = Table()
    table.do("start")
    for n in range(3_000):
        votes = (
            table.vote(1, PREVOTE, "A", 10 + n),
            table.vote(1, PRECOMMIT, "nil", 10 + n),
            table.vote(1, PREVOTE, "A", n, height=2),
            table.vote(1, PREVOTE, "A", 0, height=3 + n),
        )
        table.say(1, VotesMessage(votes))
    core = table.core
    assert len(core._height.driver.votes._rounds) <= 4
    assert len(core._next.votes) <= 4


def test_besu_p7mv_hrhf_fields_out_of_range_are_refused() -> None:
    """An address that is nobody's, a round that cannot be, signatures of every length."""
    table = Table()
    table.do("start")
    vote = table.vote(1, PREVOTE, "A", 0)
    bad = [
        replace(vote, validator=b""),
        replace(vote, validator=bytes(33)),
        replace(vote, round=-1),
        replace(vote, round=2**31),
        *(replace(vote, signature=bytes(n)) for n in (0, 1, 64, 66, 1_000)),
    ]
    for message in bad:
        assert [type(e) for e in table.say(1, VotesMessage((message,)))] == [DoReportPeer]
    good = table.proposal(4, "A", 0)
    other = table.proposal(4, "B", 0)
    lies = [
        replace(good, block=other.block),
        replace(good, proof_of_lock=(vote,)),
        replace(good, proof_of_lock=(vote,) * 5),
        table.proposal(4, "A", 0, valid_round=0),
        table.proposal(4, "A", 0, valid_round=-2),
        table.proposal(3, "A", 0),
        table.proposal(99, "A", 0),
    ]
    for lie in lies:
        assert isinstance(lie, ProposalMessage)
        assert [type(e) for e in table.say(4, lie)] == [DoReportPeer]


def test_a_message_with_too_many_votes_is_refused_unread() -> None:
    """The work that one message can cause is bounded before any signature is looked at."""
    table = Table()
    table.do("start")
    [effect] = table.say(1, VotesMessage(tuple(table.vote(1, PREVOTE, "A", r) for r in range(25))))
    assert isinstance(effect, DoReportPeer)
    assert effect.error.reason == "malformed"


def test_cometbft_24371_a_peer_that_moves_its_height_holds_nobody() -> None:
    """It claims a huge height, fails, lowers it, claims again: the honest peer is asked, and consensus goes on."""
    table = Table()
    table.do("start")
    told = table.told(table.say(1, StatusMessage(2**63, 0, bytes(32))))
    assert told == ["wait sync", "sync from h1 with v1"]
    table.do("v1 fails to show it")
    table.say(1, StatusMessage(1, 0, bytes(32)))
    table.say(1, StatusMessage(2**63, 0, bytes(32)))
    table.say(3, StatusMessage(4, 0, bytes(32)))
    [ask] = [e for e in table.do("v1 fails to show it") + table.do("timeout sync") if isinstance(e, DoRequestSync)]
    table.do("v1 fails to show it")
    assert ask.height == 1
    assert table.core._ctx.peer_heights.ahead(1) == (address_of(3), 4)
    table.do("v4 proposes A r0")
    assert table.told(table.do("A is valid")) == ["prevote A r0"]


def test_a_claim_costs_one_request_a_pause() -> None:
    """A thousand claims a second cause no thousand requests."""
    table = Table()
    table.do("start")
    effects = [
        e
        for n in range(1_000)
        for e in table.feed(InMessage(address_of(1), StatusMessage(5 + n, 0, bytes(32))))
        if isinstance(e, DoRequestSync | DoSetTimer)
    ]
    assert len(effects) == 2


# ------------------------------------------------------------------ disk


@pytest.mark.parametrize("seed", range(8))
def test_torn_log_tails_never_make_a_validator_contradict_itself(seed: int) -> None:
    """Every node loses power again and again, at any effect, with whatever part of the log had reached the disk."""
    world = network(4, seed)
    world.mortal = set(world.nodes)
    world.faults = Faults(crash=0.03, down_ms=(20.0, 300.0))
    world.start()
    world.run(8_000)
    world.faults, world.mortal = Faults(), set()
    world.start([n for n in world.nodes if not n.up])
    reach(world, max(world.heights()) + 2)


def test_a_log_of_another_height_is_ignored() -> None:
    """A crash between the commit and the reset of the log leaves old records: they mean nothing any more."""
    table = Table()
    for line in ("start", "v4 proposes A r0", "A is valid", "v1 prevotes A r0", "v4 prevotes A r0"):
        table.do(line)
    commit = table.commit_of("A", 0, (1, 2, 4))
    context = table.context_after(table.blocks["A"], commit)
    core = table._new_core()
    effects = core.step(InStart(context, tuple(table.log), table.sign_state, may_sign=True, fresh=False), table.now_ms)
    assert not any(isinstance(e, DoHalt) for e in effects)
    assert core.view().locked_round == -1
    assert core.view().may_sign


# ------------------------------------------------------------------ governance


def test_a_changed_set_decides_from_its_height_on() -> None:
    """One leaves, one comes, powers change: no height is decided by the wrong set, nothing stops."""
    first = equal_validators(4)
    second = validator_set([validator(1, 2), validator(2), validator(3), validator(5)])
    rules = Rules(((1, first), (4, second)))
    world = World(5, rules, Checkers(rules, frozenset()))
    for n in (1, 2, 3, 4, 5):
        world.add(f"v{n}", address_of(n))
    world.start()
    reach(world, 16)
    signed = {s.validator for c in world.nodes[0].disk.ledger.commits[4:] if c for s in c.signatures}
    assert address_of(4) not in signed
    assert address_of(5) in signed
    assert address_of(5) in {b.header.beneficiary for b in world.nodes[0].disk.ledger.blocks[5:]}


def test_a_network_that_cannot_recover_is_reported_not_waited_for() -> None:
    """The simulation's own guard: an endless loop of events is a finding."""
    world = network(1)

    def forever() -> None:
        world.after(0.0, forever)

    forever()
    with pytest.raises(Violation, match="never rests"):
        world.run(1.0)

"""A simulation is worth what its checkers find: here every rule is broken on purpose, and they must.

First a core is broken and random stories find it; then each checker is shown the very thing that it looks for.
"""

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from alatau.consensus import restoring, state_machine
from alatau.consensus.core import Consensus
from alatau.consensus.effects import DoPersist, DoRecordSignState, Effect
from alatau.consensus.height import Height, ValidatorContext
from alatau.consensus.inputs import Input, Timer, TimerKind
from alatau.consensus.messages import ProposalMessage, VotesMessage
from alatau.consensus.records import Record
from alatau.consensus.signing import SigningGuard
from alatau.consensus.state_machine import RoundState, Step, Transition
from alatau.consensus.vote_keeper import VoteKeeper
from alatau.types.block import Block
from alatau.types.validator import ValidatorSet
from alatau.types.vote import Commit, CommitSignature, VoteKind
from tests.simulation.campaign import Telling, recovery_bound_ms, simulate
from tests.simulation.cast import Cast
from tests.simulation.chain import (
    GENESIS,
    GENESIS_SECONDS,
    Ledger,
    Rules,
    address_of,
    build_header,
    equal_validators,
    signed_vote,
)
from tests.simulation.checkers import Checkers, Violation
from tests.simulation.disk import Disk
from tests.simulation.world import PARAMETERS, World
from tests.support.table import Table

_SEEDS = 400


def storm(seed: int) -> None:
    """Four correct validators, eight bad seconds, then recovery: short, so that many can be tried."""
    chance = Random(seed)
    cast = Cast(Rules(((1, equal_validators(4)),)), "none", frozenset(), {})
    world = World(seed, cast.rules, Checkers(cast.rules, cast.liars))
    telling = Telling(world, cast, chance)
    world.start()
    world.mortal = set(world.nodes)
    for _ in range(12):
        telling.worsen()
    telling.recover()
    telling.end(seed)


def _finds(what: str, first: int = 0, tell: Callable[[int], object] = storm) -> bool:
    """Whether some seed fails with these words; a broken rule may show in other ways before.

    ``first`` is where a seed is known to find it, so that the search is short.
    """
    for seed in range(first, first + _SEEDS):
        try:
            tell(seed)
        except AssertionError as violation:
            if what in str(violation):
                return True
    return False


def test_a_core_that_ignores_its_lock_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """L23 and L29 without their second half."""

    def proposed(state: RoundState, block_hash: bytes, valid_round: int, *, acceptable: bool) -> Transition:
        if state.step is not Step.PROPOSE or valid_round >= state.round:
            return state, ()
        return state_machine._prevote(state, block_hash if acceptable else None)

    monkeypatch.setattr(state_machine, "_proposed", proposed)
    assert _finds("broke its lock", 22)


def test_a_core_that_forgets_its_lock_in_a_crash_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Amnesia: the votes come back from the log, the lock does not."""
    restore = restoring.restore

    def forgetful(ctx: ValidatorContext, height: Height, records: tuple[Record, ...]) -> None:
        restore(ctx, height, records)
        height.driver.state = replace(height.driver.state, locked_round=-1, locked_hash=None)

    monkeypatch.setattr(restoring, "restore", forgetful)
    assert _finds("broke its lock", 22)


def test_a_core_that_speaks_before_it_writes_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same effects in another order: after a crash it says something else."""
    step = Consensus.step

    def hasty(self: Consensus, event: Input, now_ms: int) -> tuple[Effect, ...]:
        return tuple(sorted(step(self, event, now_ms), key=lambda e: isinstance(e, (DoPersist, DoRecordSignState))))

    monkeypatch.setattr(Consensus, "step", hasty)
    assert _finds("twice", 34)


def test_a_core_without_its_log_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A validator that loses its log keeps silent, so a network of them stands still: no recovery."""
    monkeypatch.setattr(restoring, "restore", lambda *_: None)
    monkeypatch.setattr(SigningGuard, "restore", lambda *_: False)
    assert _finds("no recovery", 36)


def test_a_quorum_of_half_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than half is not more than two thirds."""
    monkeypatch.setattr(ValidatorSet, "has_quorum", lambda self, power: power * 2 > self.total_power)
    assert _finds("without a polka", 2, simulate)


def test_votes_counted_twice_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A keeper that counts messages instead of validators locks on too little."""
    add = VoteKeeper.add

    def generous(self: VoteKeeper, vote: object) -> None:
        add(self, vote)  # type: ignore[arg-type]
        for tally in self._rounds[vote.round].prevotes, self._rounds[vote.round].precommits:  # type: ignore[attr-defined]
            for block_hash in tally.power:
                if tally.power[block_hash]:
                    tally.power[block_hash] += 1

    monkeypatch.setattr(VoteKeeper, "add", generous)
    assert _finds("without a polka", tell=simulate)


# ------------------------------------------------------------------ one by one

RULES = Rules(((1, equal_validators(4)),))
A, B = b"A" * 32, b"B" * 32
PREVOTE, PRECOMMIT = VoteKind.PREVOTE, VoteKind.PRECOMMIT


def watched(faulty: tuple[int, ...] = ()) -> Checkers:
    """Checkers of four validators, of whom some may lie."""
    return Checkers(RULES, frozenset(map(address_of, faulty)))


def say(checkers: Checkers, *votes: tuple[int, VoteKind, int, bytes | None]) -> None:
    """Let them vote, at height 1: who, what, in which round, for which block."""
    for who, kind, round_, block_hash in votes:
        checkers.sent(VotesMessage((signed_vote(address_of(who), kind, 1, round_, block_hash),)))


def block(timestamp: int = GENESIS_SECONDS, **changes: object) -> Block:
    """A block of height 1, right unless changed."""
    header = build_header(GENESIS.header, GENESIS.hash, address_of(1), RULES.validators(1), timestamp, (), None)
    return Block(replace(header, **changes), (), None)  # type: ignore[arg-type]


def commit_of(chosen: Block, *voters: int) -> Commit:
    """A commit of round 0 by these."""
    votes = [signed_vote(address_of(n), PRECOMMIT, 1, 0, chosen.hash) for n in voters]
    return Commit(1, 0, chosen.hash, tuple(CommitSignature(v.validator, v.signature) for v in votes))


def decide(checkers: Checkers, chosen: Block, *voters: int) -> None:
    """Let these vote for a block, and somebody commit it."""
    say(checkers, *((n, PREVOTE, 0, chosen.hash) for n in voters))
    say(checkers, *((n, PRECOMMIT, 0, chosen.hash) for n in voters))
    checkers.committed(chosen, commit_of(chosen, *voters))


def test_two_votes_of_a_step_are_found() -> None:
    """Of a correct validator; a liar may."""
    say(watched(faulty=(1,)), (1, PREVOTE, 0, A), (1, PREVOTE, 0, B))
    with pytest.raises(Violation, match="voted twice"):
        say(watched(), (1, PREVOTE, 0, A), (1, PREVOTE, 0, None))


def test_two_quorums_are_found() -> None:
    """Whoever they are made of."""
    checkers = watched(faulty=(1, 2))
    say(checkers, *((n, PREVOTE, 0, A) for n in (1, 2, 3)), (1, PREVOTE, 0, B), (2, PREVOTE, 0, B))
    with pytest.raises(Violation, match="two quorums"):
        say(checkers, (4, PREVOTE, 0, B))


def test_a_precommit_without_a_polka_is_found() -> None:
    """Two prevotes of four are none."""
    checkers = watched()
    say(checkers, (1, PREVOTE, 0, A), (2, PREVOTE, 0, A))
    with pytest.raises(Violation, match="without a polka"):
        say(checkers, (1, PRECOMMIT, 0, A))


def test_a_broken_lock_is_found() -> None:
    """A later polka unlocks; an earlier one does not."""
    for round_, broken in ((0, True), (1, False), (2, False)):
        checkers = watched(faulty=(2, 3, 4))
        say(checkers, *((n, PREVOTE, 1, A) for n in (2, 3, 4)), (1, PRECOMMIT, 1, A))
        if round_ != 1:
            say(checkers, *((n, PREVOTE, round_, B) for n in (2, 3, 4)))
        if broken:
            with pytest.raises(Violation, match="broke its lock of round 1"):
                say(checkers, (1, PREVOTE, 3, B))
        else:
            say(checkers, (1, PREVOTE, 3, B if round_ == 2 else A))


def test_two_decisions_are_found() -> None:
    """Agreement, with two liars of four."""
    checkers = watched(faulty=(1, 2, 3))
    one = block()
    decide(checkers, one, 1, 2, 3)
    other = block(GENESIS_SECONDS + 1)
    commit = commit_of(other, 1, 2, 4)
    checkers._supporters[1, 0, PRECOMMIT][other.hash] = {address_of(n) for n in (1, 2, 4)}
    with pytest.raises(Violation, match="two blocks were decided"):
        checkers.committed(other, commit)


def test_an_invalid_decision_is_found() -> None:
    """Validity: the state after it is another."""
    with pytest.raises(Violation, match="an invalid block was decided"):
        decide(watched(), block(state_root=bytes(32)), 1, 2, 3)


@pytest.mark.parametrize("silent", [(), (3, 4)])
def test_a_decision_of_too_few_is_found(silent: tuple[int, ...]) -> None:
    """Half of the power; and a commit that is whole, but that nobody heard a third say, which is off."""
    checkers = watched()
    checkers.silent = frozenset(map(address_of, silent))
    chosen = block()
    say(checkers, *((n, PREVOTE, 0, chosen.hash) for n in (1, 2, 3)))
    say(checkers, *((n, PRECOMMIT, 0, chosen.hash) for n in (1, 2)))
    with pytest.raises(Violation, match="with more than a third silent" if silent else "without proof"):
        checkers.committed(chosen, commit_of(chosen, 1, 2, 3))
    with pytest.raises(Violation, match="without proof"):
        watched().committed(chosen, commit_of(chosen, 1, 2))


@pytest.mark.parametrize("faulty", [(), (3,)])
def test_a_precommit_shown_in_a_served_commit_alone_is_a_liars(faulty: tuple[int, ...]) -> None:
    """Seed 18443: a liar told everybody nil, and block sync the truth; what is decided so is decided."""
    checkers, chosen = watched(faulty), block()
    say(checkers, *((n, PREVOTE, 0, chosen.hash) for n in (1, 2, 3)))
    say(checkers, *((n, PRECOMMIT, 0, chosen.hash) for n in (1, 2)))
    commit = commit_of(chosen, 1, 2, 3)
    stolen = replace(commit.signatures[0], validator=address_of(3))
    checkers.served([replace(commit, signatures=(stolen,))])
    with pytest.raises(Violation, match="without proof"):
        checkers.committed(chosen, commit)
    checkers.served([commit])
    if faulty:
        checkers.committed(chosen, commit)
        assert checkers.decided == {1: chosen}
    else:
        with pytest.raises(Violation, match="without proof"):
            checkers.committed(chosen, commit)


def test_what_was_acknowledged_and_is_gone_is_found() -> None:
    """A disk that forgot its last block, one that holds another, and one that was replaced and may forget."""
    checkers, chosen = watched(), block()
    ledger = Ledger(RULES)
    ledger.append(chosen, commit_of(chosen, 1, 2, 3))
    checkers.acknowledged("v1", chosen)
    checkers.starts("v1", ledger)
    with pytest.raises(Violation, match="v1 does not keep block 1, which it acknowledged"):
        checkers.starts("v1", Ledger(RULES))
    other = Ledger(RULES)
    other.append(block(GENESIS_SECONDS + 1), commit_of(chosen, 1, 2, 3))
    with pytest.raises(Violation, match="v1 does not keep"):
        checkers.starts("v1", other)
    checkers.decided[1] = chosen
    with pytest.raises(Violation, match="v2 does not keep block 1, which others"):
        checkers.kept("v2", other)
    checkers.emptied("v1")
    checkers.starts("v1", Ledger(RULES))


def test_a_disk_that_forgets_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A block that was told to be durable, and was not when the power failed."""
    crash = Disk.crash

    def careless(self: Disk, chance: Random) -> None:
        crash(self, chance)
        if self.ledger.height > 1:
            self.ledger.blocks.pop()
            self.ledger.commits.pop()

    monkeypatch.setattr(Disk, "crash", careless)
    assert _finds("which it acknowledged", tell=simulate)


def test_false_blame_is_found() -> None:
    """A correct validator accused, a proof of nothing, a correct peer dropped."""
    one, other = (signed_vote(address_of(1), PREVOTE, 1, 0, b) for b in (A, B))
    assert watched(faulty=(1,)).accused([(one, other), (one, other)]) == 1
    with pytest.raises(Violation, match="was accused"):
        watched().accused([(one, other)])
    for second in (one, signed_vote(address_of(1), PREVOTE, 1, 1, B), signed_vote(address_of(1), PRECOMMIT, 1, 0, B)):
        with pytest.raises(Violation, match="no proof"):
            watched(faulty=(1,)).accused([(one, second)])
    watched().blamed("v2", [(address_of(1), "forged")], frozenset({address_of(1)}))
    with pytest.raises(Violation, match="drops a correct peer"):
        watched().blamed("v2", [(address_of(3), "forged")], frozenset({address_of(1)}))


def test_two_proposals_and_an_invented_polka_are_found() -> None:
    """A correct proposer proposes once a round, and again only what had a polka."""
    table, checkers = Table(), watched()
    checkers.sent(table.proposal(4, "A", 0))
    with pytest.raises(Violation, match="proposed twice"):
        checkers.sent(table.proposal(4, "B", 0))
    with pytest.raises(Violation, match="a polka that nobody saw"):
        watched().sent(ProposalMessage(table.proposal(3, "A", 1, 0).proposal, table.blocks["A"]))


def test_the_bound_of_recovery_is_kept_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A core whose rounds never end is found within the bound: no timer but that of the propose step fires."""
    on_timeout = Consensus._on_timeout

    def deaf(self: Consensus, timer: Timer) -> None:
        if timer.kind is not TimerKind.PRECOMMIT:
            on_timeout(self, timer)

    monkeypatch.setattr(Consensus, "_on_timeout", deaf)
    assert _finds("no recovery in")


def test_the_bound_follows_from_the_timeouts() -> None:
    """Heartbeat, two rebroadcasts, two rounds; a sync request and a round more for each turn of a faulty proposer."""
    assert recovery_bound_ms(PARAMETERS, 0) == 800 + 2 * 1_500 + 2 * 4_500
    assert recovery_bound_ms(PARAMETERS, 3) == 800 + 5 * 1_500 + 5 * 4_500

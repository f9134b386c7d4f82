"""ValidatorRegistry.report_equivocation: two conflicting votes suspend their signer at once."""

from collections.abc import Callable

import boa
import pytest
from boa.util.abi import Address

from alatau.chain.validator_registry import answers_call, equivocation_call
from alatau.crypto.secp256k1 import ORDER
from alatau.types.vote import Vote, VoteKind
from tests.contracts.actors import Actor, actor
from tests.contracts.validator_registry.changes import Action, approved, carry_out, subject_of, validator
from tests.contracts.validator_registry.evidence import BLOCK_1, BLOCK_2, bind, vote
from tests.contracts.world import DELAY, World, now, operators, stranger, voters, wait

PRECOMMIT = VoteKind.PRECOMMIT
NEW_KEY = actor("another voting key of Finance")
UNBONDING = 21 * 86_400
"""Seconds."""


def test_conflicting_votes_suspend(world: World) -> None:
    """Anyone reports, no council is asked, the set shrinks in the same block."""
    bind(world)
    first, second = vote(voters[0], BLOCK_1), vote(voters[0], BLOCK_2)
    world.validators.report_equivocation(PRECOMMIT, 7, 0, first, second, sender=stranger.address)
    assert [v.name for v in world.validators.validators()] == ["Interior", "Justice", "Energy"]
    assert world.validators.suspended(operators[0].address)
    assert world.validators.total_power() == 300


def test_node_builds_the_call(world: World) -> None:
    """What a node sends when it sees two conflicting votes is what the contract takes; nil is a vote too."""
    bind(world)
    (_, first), (_, second) = vote(voters[2], None), vote(voters[2], BLOCK_2)
    data = equivocation_call(
        Vote(PRECOMMIT, 7, 0, None, voters[2].raw, first), Vote(PRECOMMIT, 7, 0, BLOCK_2, voters[2].raw, second)
    )
    boa.env.execute_code(to_address=Address(str(world.validators.address)), data=data)
    assert world.validators.suspended(operators[2].address)


def test_unbound_registry_judges_nobody(world: World) -> None:
    """Without the genesis hash no digest can be computed."""
    with boa.reverts("genesis: not bound"):
        world.validators.report_equivocation(PRECOMMIT, 7, 0, vote(voters[0], BLOCK_1), vote(voters[0], BLOCK_2))


def test_agreeing_votes_prove_nothing(world: World) -> None:
    """One vote sent twice is no crime."""
    bind(world)
    with boa.reverts("evidence: the votes agree"):
        world.validators.report_equivocation(PRECOMMIT, 7, 0, vote(voters[0], BLOCK_1), vote(voters[0], BLOCK_1))


def test_votes_of_two_validators_prove_nothing(world: World) -> None:
    """Disagreement is allowed."""
    bind(world)
    with boa.reverts("evidence: bad signature"):
        world.validators.report_equivocation(PRECOMMIT, 7, 0, vote(voters[0], BLOCK_1), vote(voters[1], BLOCK_2))


@pytest.mark.parametrize(
    "other",
    [
        {"height": 8},
        {"round_": 1},
        {"kind": VoteKind.PREVOTE},
        {"chain_id": 5},
        {"genesis_hash": b"\x11" * 32},
    ],
    ids=["height", "round", "kind", "chain", "network"],
)
def test_votes_elsewhere_prove_nothing(world: World, other: dict[str, object]) -> None:
    """Votes of other heights, rounds, kinds, chains and networks do not conflict."""
    bind(world)
    elsewhere = vote(voters[0], BLOCK_2, **other)  # type: ignore[arg-type]
    with boa.reverts():
        world.validators.report_equivocation(PRECOMMIT, 7, 0, vote(voters[0], BLOCK_1), elsewhere)
    assert not world.validators.suspended(operators[0].address)


@pytest.mark.parametrize("kind", [0, 3])
def test_there_are_two_kinds_of_votes(world: World, kind: int) -> None:
    """Prevote and precommit."""
    bind(world)
    with boa.reverts("evidence: no such kind of vote"):
        world.validators.report_equivocation(kind, 7, 0, vote(voters[0], BLOCK_1), vote(voters[0], BLOCK_2))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda s: s[:64],
        lambda s: s[:64] + bytes((s[64] + 27,)),
        lambda s: s[:32] + (ORDER - int.from_bytes(s[32:64], "big")).to_bytes(32, "big") + bytes((1 - s[64],)),
        lambda _: bytes(65),
    ],
    ids=["short", "v of 27", "malleated", "zeros"],
)
def test_malformed_signatures_suspend_nobody(world: World, spoil: Callable[[bytes], bytes]) -> None:
    """Only signatures as validators make them are evidence."""
    bind(world)
    block_hash, signature = vote(voters[0], BLOCK_2)
    with boa.reverts("evidence: bad signature"):
        world.validators.report_equivocation(PRECOMMIT, 7, 0, vote(voters[0], BLOCK_1), (block_hash, spoil(signature)))


def test_strangers_are_not_validators(world: World) -> None:
    """A key that never voted cannot be suspended."""
    bind(world)
    with boa.reverts("evidence: not a validator's key"):
        world.validators.report_equivocation(PRECOMMIT, 7, 0, vote(stranger, BLOCK_1), vote(stranger, BLOCK_2))


def report(world: World, voter: Actor) -> None:
    """Show two votes of one key."""
    world.validators.report_equivocation(PRECOMMIT, 7, 0, vote(voter, BLOCK_1), vote(voter, BLOCK_2))


def test_all_but_the_last_are_suspended_in_one_height(world: World) -> None:
    """Those who sign both ways must stop first, however much power they have; but the set is never empty."""
    bind(world)
    for voter in voters[:3]:
        report(world, voter)
    assert [v.name for v in world.validators.validators()] == ["Energy"]
    with boa.reverts("validators: the set would be empty"):
        report(world, voters[3])
    assert not world.validators.equivocated(voters[3].address), "it can be brought again when there are others"
    assert world.validators.total_power() == 100
    assert world.validators.answers(voters[3].address)


def test_more_than_two_thirds_in_one_hand_are_suspended(world: World) -> None:
    """The bound on what decisions change in a height protects nobody who equivocates."""
    bind(world)
    for power in (230, 400, 630):
        carry_out(world, Action.SET_POWER, subject_of(operators[0].address, power=power))
        wait(blocks=1)
    assert world.validators.total_power() == 930
    report(world, voters[0])
    assert world.validators.total_power() == 300
    assert len(world.validators.validators()) == 3


def test_a_suspension_counts_against_decisions_of_its_height(world: World) -> None:
    """What the evidence took is not on top of what decisions may change."""
    bind(world)
    identity = approved(world, Action.SET_POWER, subject_of(operators[1].address, power=50))
    report(world, voters[0])
    with boa.reverts("validators: more than a third at once"):
        world.validators.execute_change(identity)
    wait(blocks=1)
    world.validators.execute_change(identity)


def test_a_decision_does_not_use_up_what_evidence_needs(world: World) -> None:
    """A change carried out first in the same height, as large as can be, does not save the culprit."""
    bind(world)
    carry_out(world, Action.ADMIT, validator(stranger, NEW_KEY, power=133))
    report(world, voters[0])
    assert world.validators.total_power() == 433


@pytest.mark.parametrize("late", [False, True])
def test_a_rotation_does_not_wash_a_key(world: World, *, late: bool) -> None:
    """For 21 days to the second it answers for what it signed, and the validator's new key goes with it."""
    bind(world)
    carry_out(world, Action.ROTATE, validator(operators[0], NEW_KEY))
    wait(UNBONDING - 1 + late, blocks=1)
    assert world.validators.answers(voters[0].address) is not late
    assert world.validators.answers(NEW_KEY.address)
    if late:
        with boa.reverts("evidence: too late for this key"):
            report(world, voters[0])
    else:
        report(world, voters[0])
    assert world.validators.suspended(operators[0].address) is not late
    assert len(world.validators.validators()) == 3 + late


def test_node_asks_who_answers(world: World) -> None:
    """What a node asks before it lets go of a proof is what the contract answers: of keys out of use too."""
    bind(world)
    carry_out(world, Action.ROTATE, validator(operators[0], NEW_KEY))
    registry = Address(str(world.validators.address))
    heard = [
        any(boa.env.execute_code(to_address=registry, data=answers_call(key.raw)).output)
        for key in (voters[0], NEW_KEY, voters[1], stranger)
    ]
    assert heard == [True, True, True, False]


def test_new_tls_key_leaves_the_voting_key_in_use(world: World) -> None:
    """Only a voting key that is replaced begins to lapse."""
    bind(world)
    carry_out(world, Action.ROTATE, validator(operators[0], voters[0]))
    assert world.validators.answers_until(voters[0].address) == 0
    wait(UNBONDING, blocks=1)
    report(world, voters[0])
    assert world.validators.suspended(operators[0].address)


def test_who_left_gets_no_other_seat(world: World) -> None:
    """For 21 days from the report; then the council may admit the operator again."""
    bind(world)
    carry_out(world, Action.REMOVE, subject_of(operators[0].address))
    wait(blocks=1)
    report(world, voters[0])
    assert world.validators.total_power() == 300
    until = world.validators.barred_until(operators[0].address)
    assert until == now() + UNBONDING
    identity = approved(world, Action.ADMIT, validator(operators[0], NEW_KEY))
    with boa.reverts("validators: operator is barred"):
        world.validators.execute_change(identity)
    boa.env.timestamp = until - DELAY - 1
    identity = approved(world, Action.ADMIT, validator(operators[0], NEW_KEY))
    with boa.reverts("validators: operator is barred"):
        world.validators.execute_change(identity)
    wait(1)
    world.validators.execute_change(identity)
    assert len(world.validators.validators()) == 4


def test_who_left_long_ago_is_not_judged(world: World) -> None:
    """After 21 days its key answers no more."""
    bind(world)
    carry_out(world, Action.REMOVE, subject_of(operators[0].address))
    wait(UNBONDING)
    with boa.reverts("evidence: too late for this key"):
        report(world, voters[0])
    assert not world.validators.answers(voters[0].address)
    assert world.validators.barred_until(operators[0].address) == 0


def test_removal_and_admission_do_not_wash_a_key(world: World) -> None:
    """Whoever is back under another key before anybody reported is suspended all the same."""
    bind(world)
    carry_out(world, Action.REMOVE, subject_of(operators[0].address))
    wait(blocks=1)
    carry_out(world, Action.ADMIT, validator(operators[0], NEW_KEY))
    report(world, voters[0])
    assert world.validators.suspended(operators[0].address)


def test_one_key_is_judged_once(world: World) -> None:
    """Whoever comes back under another key is not suspended for the same again, but is for what the other signs."""
    bind(world)
    report(world, voters[0])
    with boa.reverts("evidence: judged already"):
        report(world, voters[0])
    assert not world.validators.answers(voters[0].address)
    wait(blocks=1)
    carry_out(world, Action.REMOVE, subject_of(operators[0].address))
    carry_out(world, Action.ADMIT, validator(operators[0], NEW_KEY))
    with boa.reverts("evidence: judged already"):
        report(world, voters[0])
    assert not world.validators.suspended(operators[0].address)
    report(world, NEW_KEY)
    assert world.validators.suspended(operators[0].address)


def test_second_key_of_the_suspended_is_judged_without_effect(world: World) -> None:
    """It is on record for the council, and the power leaves the total once."""
    bind(world)
    carry_out(world, Action.ROTATE, validator(operators[0], NEW_KEY))
    wait(blocks=1)
    report(world, voters[0])
    version = world.validators.set_version()
    report(world, NEW_KEY)
    assert world.validators.equivocated(NEW_KEY.address)
    assert world.validators.total_power() == 300
    assert world.validators.set_version() == version, "no node reads the set again"


def test_suspended_validator_is_not_rotated_but_removed(world: World) -> None:
    """It comes back by admission with a new voting key, the council's full procedure."""
    bind(world)
    world.validators.report_equivocation(PRECOMMIT, 7, 0, vote(voters[0], BLOCK_1), vote(voters[0], BLOCK_2))
    wait(blocks=1)
    new_key = actor("new voting key of Finance")
    identity = approved(world, Action.ROTATE, validator(operators[0], new_key))
    with boa.reverts("validators: suspended"):
        world.validators.execute_change(identity)
    carry_out(world, Action.REMOVE, subject_of(operators[0].address))
    carry_out(world, Action.ADMIT, validator(operators[0], new_key))
    assert [v.power for v in world.validators.validators()] == [100, 100, 100, 100]

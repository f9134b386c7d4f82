"""ValidatorRegistry.report_equivocation: two conflicting votes suspend their signer at once."""

from collections.abc import Callable

import boa
import pytest
from boa.util.abi import Address

from alatau.chain.validator_registry import equivocation_call
from alatau.crypto.secp256k1 import ORDER
from alatau.types.vote import Vote, VoteKind
from tests.contracts.actors import actor
from tests.contracts.validator_registry.changes import Action, approved, carry_out, seat, seat_of
from tests.contracts.validator_registry.evidence import BLOCK_1, BLOCK_2, bind, vote
from tests.contracts.world import World, operators, stranger, voters, wait

PRECOMMIT = VoteKind.PRECOMMIT


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
def test_malformed_signatures_convict_nobody(world: World, spoil: Callable[[bytes], bytes]) -> None:
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


def test_suspension_happens_once(world: World) -> None:
    """Further evidence against the same changes nothing."""
    bind(world)
    first, second = vote(voters[0], BLOCK_1), vote(voters[0], BLOCK_2)
    world.validators.report_equivocation(PRECOMMIT, 7, 0, first, second)
    with boa.reverts("evidence: suspended already"):
        world.validators.report_equivocation(PRECOMMIT, 7, 0, first, second)


def test_two_suspensions_in_one_height_are_too_many(world: World) -> None:
    """The second waits for the next height: a third of the power at most changes at once."""
    bind(world)
    for voter, refused in ((voters[0], False), (voters[1], True)):
        report = (PRECOMMIT, 7, 0, vote(voter, BLOCK_1), vote(voter, BLOCK_2))
        if refused:
            with boa.reverts("validators: more than a third at once"):
                world.validators.report_equivocation(*report)
            wait(blocks=1)
        world.validators.report_equivocation(*report)
    assert len(world.validators.validators()) == 2


def test_suspended_validator_is_not_rotated_but_removed(world: World) -> None:
    """It comes back by admission with a new voting key, the council's full procedure."""
    bind(world)
    world.validators.report_equivocation(PRECOMMIT, 7, 0, vote(voters[0], BLOCK_1), vote(voters[0], BLOCK_2))
    wait(blocks=1)
    new_key = actor("new voting key of Finance")
    identity = approved(world, Action.ROTATE, seat(operators[0], new_key))
    with boa.reverts("validators: suspended"):
        world.validators.execute_change(identity)
    carry_out(world, Action.REMOVE, seat_of(operators[0].address))
    carry_out(world, Action.ADMIT, seat(operators[0], new_key))
    assert [v.power for v in world.validators.validators()] == [100, 100, 100, 100]

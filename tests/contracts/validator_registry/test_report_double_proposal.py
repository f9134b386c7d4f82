"""ValidatorRegistry.report_double_proposal: two blocks offered in one round suspend the proposer."""

import boa

from tests.contracts.validator_registry.evidence import BLOCK_1, BLOCK_2, bind, proposal
from tests.contracts.world import World, operators, voters


def test_two_proposals_suspend(world: World) -> None:
    """For one height and round a proposer offers one block."""
    bind(world)
    world.validators.report_double_proposal(7, 2, proposal(voters[1], BLOCK_1), proposal(voters[1], BLOCK_2, 1))
    assert world.validators.suspended(operators[1].address)


def test_one_block_proposed_twice_is_no_crime(world: World) -> None:
    """The same block under another valid round proves nothing here."""
    bind(world)
    with boa.reverts("evidence: the proposals agree"):
        world.validators.report_double_proposal(7, 2, proposal(voters[1], BLOCK_1), proposal(voters[1], BLOCK_1, 1))


def test_proposals_of_two_validators_prove_nothing(world: World) -> None:
    """Each may offer its own."""
    bind(world)
    with boa.reverts("evidence: bad signature"):
        world.validators.report_double_proposal(7, 2, proposal(voters[1], BLOCK_1), proposal(voters[2], BLOCK_2))

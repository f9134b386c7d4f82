"""How Council and ValidatorRegistry are called when all else is right."""

from typing import Any, Final

import boa

from alatau.types.vote import VoteKind
from tests.contracts.actors import approvals
from tests.contracts.council.restorations import lose_keys, restoration
from tests.contracts.council.signs_of_life import sign_of_life
from tests.contracts.roles.calls import Call, body_calls
from tests.contracts.upgrades.validator_successors import approved_handover
from tests.contracts.upgrades.validator_successors import successor_of as validator_successor
from tests.contracts.validator_registry.changes import Action as SetAction
from tests.contracts.validator_registry.changes import approved as approved_in_set
from tests.contracts.validator_registry.changes import change as set_change
from tests.contracts.validator_registry.changes import subject_of
from tests.contracts.validator_registry.evidence import (
    BLOCK_1,
    BLOCK_2,
    GENESIS_HASH,
    HISTORY,
    HISTORY_CODE,
    bind,
    proposal,
    vote,
)
from tests.contracts.world import (
    DELAY,
    World,
    banker,
    chair,
    decide,
    deputy,
    governor,
    guardian,
    lawyer,
    now,
    operators,
    terms,
    voters,
    wait,
)


def _composition(world: World) -> tuple[Any, ...]:
    members = sorted((chair.address, banker.address, lawyer.address), key=lambda a: int(a, 16))
    return (members, 3, guardian.address, terms(world.fund_council))


def _membership(world: World) -> tuple[tuple[Any, ...], bytes]:
    arguments = _composition(world)
    return arguments, world.fund_council.propose_membership(*arguments, sender=chair.address)


def _ripe_membership(world: World) -> tuple[Any, ...]:
    arguments, identity = _membership(world)
    decide(world.fund_council, identity, chair, banker)
    return arguments


def _restoration(world: World) -> tuple[Any, ...]:
    lose_keys(world)
    change = restoration(world)
    identity = world.fund_council.restoration_id(*change)
    return (*change, approvals(identity, governor, deputy))


def _ripe_restoration(world: World) -> tuple[Any, ...]:
    *change, _ = arguments = _restoration(world)
    world.fund_council.approve_restoration(*arguments)
    wait(3 * DELAY)
    return tuple(change)


COUNCIL: Final[dict[str, Call]] = {
    "check_in": lambda world: (),
    "check_in_signed": lambda world: (chair.address, now(), sign_of_life(world.fund_council, chair, now())),
    "confirm": lambda world: (b"\x05" * 32,),
    "propose_membership": _composition,
    "approve_decision": lambda world: (identity := _membership(world)[1], approvals(identity, chair, banker)),
    "veto_decision": lambda world: (_membership(world)[1],),
    "change_membership": _ripe_membership,
    "approve_restoration": _restoration,
    "restore_membership": _ripe_restoration,
}


def _equivocation(world: World) -> tuple[Any, ...]:
    bind(world)
    first, second = (vote(voters[0], block) for block in (BLOCK_1, BLOCK_2))
    return (int(VoteKind.PRECOMMIT), 7, 0, first, second)


def _double_proposal(world: World) -> tuple[Any, ...]:
    bind(world)
    first, second = (proposal(voters[0], block) for block in (BLOCK_1, BLOCK_2))
    return (7, 2, first, second)


def _genesis_in_reach(world: World) -> tuple[Any, ...]:
    boa.env.set_code(HISTORY, HISTORY_CODE)
    boa.env.set_storage(HISTORY, 0, int.from_bytes(GENESIS_HASH, "big"))
    wait(blocks=300)
    return ()


_POWER: Final = (SetAction.SET_POWER, subject_of(operators[1].address, power=90))
VALIDATORS: Final[dict[str, Call]] = {
    **body_calls("validators"),
    "propose_change": lambda world: (set_change(world, *_POWER),),
    "execute_change": lambda world: (approved_in_set(world, *_POWER),),
    "propose_handover": lambda world: (
        validator_successor(world).address,
        terms(world.fund_council),
    ),
    "hand_over": lambda world: approved_handover(world, validator_successor(world)),
    "bind_genesis": _genesis_in_reach,
    "set_endpoint": lambda world: ("moved.example:7001",),
    "report_equivocation": _equivocation,
    "report_double_proposal": _double_proposal,
}

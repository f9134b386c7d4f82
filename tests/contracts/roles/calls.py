"""What the calls of several contracts have in common."""

from collections.abc import Callable
from typing import Any

from tests.contracts.actors import approvals
from tests.contracts.world import World, banker, chair, decide, neighbour, registrar, resident, terms

Call = Callable[[World], tuple[Any, ...]]
"""Makes all else right, and gives the arguments; the last one may be a contract to call instead of the world's."""


def body_calls(contract: str) -> dict[str, Call]:
    """The functions of every contract that a council governs."""

    def proposed(world: World) -> bytes:
        contract_ = getattr(world, contract)
        arguments = (world.reserve_council.address, terms(world.fund_council))
        identity: bytes = contract_.propose_body(*arguments, sender=chair.address)
        return identity

    def ripe(world: World) -> tuple[Any, ...]:
        arguments = (world.reserve_council.address, terms(world.fund_council))
        identity = getattr(world, contract).propose_body(*arguments, sender=chair.address)
        decide(getattr(world, contract), identity, chair, banker)
        return arguments

    def approved(world: World) -> tuple[Any, ...]:
        identity = proposed(world)
        return identity, approvals(identity, chair, banker)

    return {
        "approve_decision": approved,
        "veto_decision": lambda world: (proposed(world),),
        "propose_body": lambda world: (world.reserve_council.address, terms(world.fund_council)),
        "replace_body": ripe,
    }


def after(act: Callable[[World], object], *arguments: Any) -> Call:
    """A call with these arguments, once something has been done."""

    def prepared(world: World) -> tuple[Any, ...]:
        act(world)
        return arguments

    return prepared


def name_successor(world: World) -> None:
    """The registrar names the neighbour as the resident's successor."""
    world.participants.name_successor(resident.address, neighbour.address, sender=registrar.address)

"""ParticipantRegistry.suspend and reinstate: compliance acts at once."""

import boa

from tests.contracts.participant_registry.changes import Action, approved
from tests.contracts.world import World, compliance, court, deploy_mock, neighbour, resident


def test_suspension_stops_money_at_once(world: World) -> None:
    """Also for accounts whose standing the token remembers."""
    world.token.transfer(neighbour.address, 5, sender=resident.address)
    world.participants.suspend(resident.address, sender=compliance.address)
    with boa.reverts("token: sender not admitted"):
        world.token.transfer(neighbour.address, 5, sender=resident.address)
    world.participants.reinstate(resident.address, sender=compliance.address)
    world.token.transfer(neighbour.address, 5, sender=resident.address)
    assert world.token.balanceOf(neighbour.address) == 10


def test_only_compliance_suspends(world: World) -> None:
    """Nobody else, in either direction."""
    for function in (world.participants.suspend, world.participants.reinstate):
        with boa.reverts("only compliance"):
            function(resident.address, sender=court.address)


def test_deaf_listener_does_not_save_a_suspect(world: World) -> None:
    """A listener that fails is reported and passed over; the others hear."""
    deaf = deploy_mock("DeafListener")
    world.participants.execute_change(approved(world, Action.ADD_LISTENER, deaf.address))
    world.participants.suspend(resident.address, sender=compliance.address)
    failures = [e for e in world.participants.get_logs() if type(e).__name__ == "ListenerFailed"]
    assert [(e.listener, e.account) for e in failures] == [(deaf.address, resident.address)]
    with boa.reverts("token: sender not admitted"):
        world.token.transfer(neighbour.address, 5, sender=resident.address)
    world.participants.execute_change(approved(world, Action.REMOVE_LISTENER, deaf.address))
    world.participants.suspend(neighbour.address, sender=compliance.address)
    assert not [e for e in world.participants.get_logs() if type(e).__name__ == "ListenerFailed"]


def test_listener_cannot_be_starved(world: World) -> None:
    """With too little gas to tell the listeners, nothing happens at all."""
    with boa.reverts("registry: too little gas"):
        world.participants.suspend(resident.address, sender=compliance.address, gas=150_000)
    assert world.participants.standing(resident.address).may_send


def test_who_is_no_listener_remembers_nothing(world: World) -> None:
    """A registry that does not tell the token of a suspension: the token asks it for each payment."""
    for action in (Action.REMOVE_LISTENER, Action.ADD_LISTENER):
        world.token.transfer(neighbour.address, 5, sender=resident.address)
        world.participants.execute_change(approved(world, action, world.token.address))
        world.token.transfer(neighbour.address, 5, sender=resident.address)
        world.participants.suspend(resident.address, sender=compliance.address)
        with boa.reverts("token: sender not admitted"):
            world.token.transfer(neighbour.address, 5, sender=resident.address)
        world.participants.reinstate(resident.address, sender=compliance.address)


def test_standings_are_to_be_remembered_by_listeners_only(world: World) -> None:
    """The same account, asked for by the token and by somebody else."""
    ask = world.participants.standing
    assert ask(resident.address, sender=world.token.address).cacheable
    assert not ask(resident.address, sender=world.channels.address).cacheable

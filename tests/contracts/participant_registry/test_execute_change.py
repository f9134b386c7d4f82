"""ParticipantRegistry.execute_change: who holds which role, and who listens."""

import boa
import pytest

from alatau.artifacts import addresses
from tests.contracts.participant_registry.changes import Action, approved
from tests.contracts.world import (
    ZERO,
    World,
    banker,
    chair,
    compliance,
    court,
    decide,
    guardian,
    licensor,
    now,
    registrar,
    resident,
    stranger,
    terms,
)


def test_role_is_granted_after_the_delay(world: World) -> None:
    """More power waits."""
    identity = approved(world, Action.GRANT_ROLE, stranger.address, 1, delay=0)
    with boa.reverts("decision: not ripe"):
        world.participants.execute_change(identity)
    world.participants.execute_change(approved(world, Action.GRANT_ROLE, stranger.address, 1))
    world.participants.register(resident.address, 1, 2, 0, sender=stranger.address)


def test_role_is_withdrawn_at_once(world: World) -> None:
    """Less power does not."""
    world.participants.execute_change(approved(world, Action.WITHDRAW_ROLE, court.address, delay=0))
    with boa.reverts("only the court"):
        world.participants.freeze(resident.address, b"\x01" * 32, 1, now() + 5, sender=court.address)
    identity = approved(world, Action.WITHDRAW_ROLE, court.address, delay=0)
    with boa.reverts("role: none"):
        world.participants.execute_change(identity)


@pytest.mark.parametrize("holder", [registrar, licensor, compliance], ids=lambda a: a.role)
def test_incompatible_roles_do_not_meet(world: World, holder: object) -> None:
    """Who holds one office is refused another."""
    identity = approved(world, Action.GRANT_ROLE, holder.address, 4)  # type: ignore[attr-defined]
    with boa.reverts("role: holder has one"):
        world.participants.execute_change(identity)


@pytest.mark.parametrize(
    ("subject", "role", "reason"), [(stranger.address, 5, "role: unknown"), (ZERO, 1, "role: no holder")]
)
def test_impossible_grants_are_refused(world: World, subject: str, role: int, reason: str) -> None:
    """Roles are 1 to 4, holders somebody."""
    identity = approved(world, Action.GRANT_ROLE, subject, role)
    with boa.reverts(reason):
        world.participants.execute_change(identity)


def test_guardian_vetoes_a_grant(world: World) -> None:
    """Until it is executed."""
    identity = approved(world, Action.GRANT_ROLE, stranger.address, 1)
    world.participants.veto_decision(identity, sender=guardian.address)
    with boa.reverts("decision: not approved"):
        world.participants.execute_change(identity)


def test_listener_is_kept_once(world: World) -> None:
    """Adding the token again does not tell it twice."""
    token = "0x" + addresses.SETTLEMENT_TOKEN.hex()
    world.participants.execute_change(approved(world, Action.ADD_LISTENER, token))
    assert world.participants.listeners(0) == world.token.address
    with boa.reverts():
        world.participants.listeners(1)


def test_unknown_actions_and_ids_are_refused(world: World) -> None:
    """Only what was proposed here is carried out here."""
    for action in (0, 5):
        with boa.reverts("change: unknown action"):
            world.participants.propose_change(
                (action, stranger.address, 0, terms(world.fund_council)), sender=chair.address
            )
    decision = terms(world.fund_council)
    identity = world.participants.propose_body(world.reserve_council.address, decision, sender=chair.address)
    decide(world.participants, identity, chair, banker)
    with boa.reverts("change: not proposed here"):
        world.participants.execute_change(identity)
    world.participants.replace_body(world.reserve_council.address, decision)
    assert world.participants.body() == world.reserve_council.address


def test_roles_are_described_by_their_digest(world: World) -> None:
    """Another subject, value or action is another decision."""
    decision = terms(world.fund_council)
    digests = {
        world.participants.change_id((action, subject.address, value, decision))
        for action in Action
        for subject in (stranger, resident)
        for value in (1, 2)
    }
    assert len(digests) == 16

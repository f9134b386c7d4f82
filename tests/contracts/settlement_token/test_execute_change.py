"""SettlementToken.execute_change and pause: issuers, the end of a pause, another registry."""

import boa

from tests.contracts.settlement_token.changes import Action, approved, change
from tests.contracts.world import (
    ZERO,
    World,
    banker,
    chair,
    decide,
    guardian,
    issuer,
    neighbour,
    registrar,
    resident,
    stranger,
    terms,
    wait,
)


def test_raise_of_an_allowance_waits(world: World) -> None:
    """More money may be issued only after the delay."""
    identity = approved(world, Action.SET_ALLOWANCE, issuer.address, 10_000_001, delay=0)
    with boa.reverts("decision: not ripe"):
        world.token.execute_change(identity)
    world.token.execute_change(approved(world, Action.SET_ALLOWANCE, stranger.address, 5))
    assert world.token.issuer_allowance(stranger.address) == 5


def test_cut_of_an_allowance_is_instant(world: World) -> None:
    """Less risk needs no waiting."""
    world.token.execute_change(approved(world, Action.SET_ALLOWANCE, issuer.address, 7, delay=0))
    assert world.token.issuer_allowance(issuer.address) == 7


def test_cut_that_became_a_raise_is_refused(world: World) -> None:
    """A delay is not dodged by proposing while the allowance is high."""
    identity = approved(world, Action.SET_ALLOWANCE, issuer.address, 9_000_000, delay=0)
    world.token.mint(issuer.address, 5_000_000, sender=issuer.address)
    with boa.reverts("change: raises after all"):
        world.token.execute_change(identity)


def test_guardian_pauses_and_the_council_lifts(world: World) -> None:
    """At once, and after the delay."""
    with boa.reverts("only the guardian"):
        world.token.pause(sender=chair.address)
    world.token.pause(sender=guardian.address)
    assert world.token.paused()
    identity = approved(world, Action.UNPAUSE, ZERO, delay=0)
    with boa.reverts("decision: not ripe"):
        world.token.execute_change(identity)
    world.token.execute_change(approved(world, Action.UNPAUSE, ZERO))
    assert not world.token.paused()
    world.token.transfer(neighbour.address, 5, sender=resident.address)


def test_invalidation_during_a_pause_keeps_it_paused(world: World) -> None:
    """Rules may change for all while value stands still."""
    world.token.pause(sender=guardian.address)
    world.token.invalidate_all(sender=world.participants.address)
    assert world.token.paused()
    with boa.reverts("token: paused"):
        world.token.transfer(neighbour.address, 5, sender=resident.address)


def test_another_registry_is_asked_from_then_on(world: World) -> None:
    """The pointer moves after the delay, and nothing that was remembered survives it."""
    world.token.transfer(neighbour.address, 5, sender=resident.address)
    identity = approved(world, Action.SET_REGISTRY, stranger.address)
    with boa.reverts("token: no registry there"):
        world.token.execute_change(identity)
    world.token.execute_change(approved(world, Action.SET_REGISTRY, world.vault.address))
    with boa.reverts():
        world.token.transfer(neighbour.address, 5, sender=resident.address)


def test_only_the_registry_invalidates(world: World) -> None:
    """Nobody else makes the token forget."""
    for sender in (registrar.address, guardian.address):
        with boa.reverts("only the registry"):
            world.token.invalidate(resident.address, sender=sender)
        with boa.reverts("only the registry"):
            world.token.invalidate_all(sender=sender)


def test_unknown_actions_and_ids_are_refused(world: World) -> None:
    """Only what was proposed here is carried out here."""
    for action in (0, 8):
        with boa.reverts("change: unknown action"):
            world.token.propose_change(change(world, action), sender=chair.address)
    decision = terms(world.fund_council)
    identity = world.token.propose_body(world.reserve_council.address, decision, sender=chair.address)
    decide(world.token, identity, chair, banker)
    with boa.reverts("change: not proposed here"):
        world.token.execute_change(identity)


def test_a_reserve_has_to_answer(world: World) -> None:
    """An account without code, or a contract that is no reserve, would end minting for ever: it is refused."""
    for subject, reason in ((stranger.address, "token: no reserve there"), (world.participants.address, None)):
        identity = approved(world, Action.SET_RESERVE, subject)
        with boa.reverts() if reason is None else boa.reverts(reason):
            world.token.execute_change(identity)
    assert world.token.reserve() == ZERO
    assert world.token.mintable() == 2**128 - 1 - world.token.totalSupply()


def test_a_pause_lapses(world: World) -> None:
    """After seven days, for accounts that were remembered and others; its guardian rests for fourteen more."""
    world.token.transfer(neighbour.address, 5, sender=resident.address)
    world.token.pause(sender=guardian.address)
    with boa.reverts("pause: this guardian rests"):
        world.token.pause(sender=guardian.address)
    wait(7 * 86_400 - 1)
    with boa.reverts("token: paused"):
        world.token.transfer(neighbour.address, 5, sender=resident.address)
    wait(1)
    assert not world.token.paused()
    world.token.transfer(neighbour.address, 5, sender=resident.address)
    world.token.mint(neighbour.address, 5, sender=issuer.address)
    wait(14 * 86_400 - 1)
    with boa.reverts("pause: this guardian rests"):
        world.token.pause(sender=guardian.address)
    wait(1)
    world.token.pause(sender=guardian.address)
    assert world.token.paused()
